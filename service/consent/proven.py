"""What a ledger proves that somebody may have touched: the event on which each purpose rests, or nothing at all.

The attacker has the database, the accident a restored backup: rows are missing, doubled, moved, edited in one column. A record's hash
covers the record, and neither the columns beside it nor that a row is gone; here they are held against each other. Where anything of a
member's ledger contradicts itself nothing is derived from any of it: a purpose whose withdrawal was moved elsewhere looks as if it
stood. Not seen: the newest rows taken away together; of those the audit log tells.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from policies.clock import consent_ends
from policies.terms import PERMITTING, Catalogue
from service.consent import ledger
from service.consent.ledger import GENESIS
from service.consent.model import ConsentEvent
from service.errors import Malformed
from service.values import MemberId, utc_text

SKEW = timedelta(minutes=5)
"""How far an instance's clock may have been ahead of ours. What is dated later was not written by any of them."""

_MOST = 10_000
"""The greatest version and the longest period, in months, that the policy's loader takes."""


def newest(
    history: Sequence[ConsentEvent], member_id: MemberId, catalogue: Catalogue, *, now: datetime
) -> dict[str, ConsentEvent]:
    """The event of each purpose on which its standing rests, by a member's whole ledger. Raises Malformed where it contradicts itself."""
    for event in history:
        _agrees(event, member_id)
        if event.recorded_at > now + SKEW:
            raise Malformed("consent event of the future")
        if not _told(event, catalogue):
            raise Malformed("consent event to another scope than its version")
    for purpose in {event.purpose for event in history}:
        _unbroken([event for event in history if event.purpose == purpose])
    return ledger.newest(history)


def _agrees(event: ConsentEvent, member_id: MemberId) -> None:
    """The columns say what the record says: whose, what, when, until when, after what."""
    said = event.record
    written = ("recordId", "piiPrincipalId", "purpose", "eventState", "eventTime", "previousEventHash")
    held = (event.event_id, member_id, event.purpose, event.state.value, utc_text(event.recorded_at), event.previous_hash.hex())
    if tuple(said.get(key) for key in written) != held or said.get("privacyNotice") != event.notice_version:
        raise Malformed("consent event")
    version, months = said.get("purposeVersion", 1), said.get("validityMonths")
    counted = type(version) is int and type(months) is int and 1 <= version <= _MOST and 0 <= months <= _MOST
    if not counted or not isinstance(said.get("piiInformation"), list) or not _in_time(event):
        raise Malformed("consent event")


def _in_time(event: ConsentEvent) -> bool:
    """A yes ends when its record says, or before: what came from a file counts from the day it was given there."""
    if event.state not in PERMITTING:
        return event.expires_at is None
    months, source = event.record["validityMonths"], event.record.get("source")
    assert isinstance(months, int)
    claimed = source.get("claimedAt") if isinstance(source, dict) else None
    try:
        given = datetime.fromisoformat(claimed) if isinstance(claimed, str) else event.recorded_at
        ends = consent_ends(min(given, event.recorded_at), months)
    except (ValueError, TypeError, OverflowError):
        return False
    return ends is None or (event.expires_at is not None and event.expires_at <= ends)


def _told(event: ConsentEvent, catalogue: Catalogue) -> bool:
    """Whether a yes lists all that its version would open: who was told less has not agreed to more."""
    purpose = catalogue.purposes.get(event.purpose)
    scope = purpose.scopes.get(event.scope) if purpose else None
    if purpose is None or scope is None or event.state not in PERMITTING:
        return True
    listed = event.record["piiInformation"]
    return isinstance(listed, list) and scope.fields & purpose.fields.keys() <= {str(each) for each in listed}


def _unbroken(thread: Sequence[ConsentEvent]) -> None:
    """Each event names the one before it, each is named once, and none is older than its forerunner."""
    after = {event.previous_hash: event for event in thread}
    event, seen = after.get(GENESIS), 0
    while event is not None and seen < len(thread):
        following = after.get(event.hash)
        if following is not None and following.recorded_at < event.recorded_at:
            raise Malformed("consent events out of their order")
        event, seen = following, seen + 1
    if seen != len(thread):
        raise Malformed("consent events that do not follow each other")
