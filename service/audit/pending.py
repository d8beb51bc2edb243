"""How a change's entry waits in the database until it is in the tree: its bytes behind a MAC (docs/formats/audit-log.md, "Waiting").

Without the MAC, who can write to the database could put any entry there and have the service itself write it into the log.
"""

from service.audit.entry import Entry, opened
from service.audit.head import Authority
from service.audit.store import Waiting
from service.errors import Malformed
from service.hazmat import mac

_LABEL = b"menshen/audit-pending/v1"


def waiting(entry: Entry, authority: Authority, *, writer: str, number: int) -> Waiting:
    """The row for this entry."""
    return Waiting(entry.id, writer, number, authority.digest(_LABEL, entry.raw) + entry.raw)


def entry_in(row: Waiting, authority: Authority) -> Entry:
    """The entry in this row. Raises Malformed for one that this service did not put there."""
    digest, raw = row.sealed[: mac.DIGEST_SIZE], row.sealed[mac.DIGEST_SIZE :]
    if not mac.equal(digest, authority.digest(_LABEL, raw)):
        raise Malformed("audit-pending/v1: the MAC does not fit")
    entry = opened(raw)
    if entry.id != row.entry_id:
        raise Malformed("audit-pending/v1: the row has another id than its entry")
    return entry
