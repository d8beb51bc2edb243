"""Making a receipt: the event's document, signed."""

from policies.terms import Catalogue, Scope
from service.consent.model import ConsentEvent
from service.errors import Malformed
from service.receipts.document import canonical, document
from service.receipts.jws import signed
from service.receipts.model import Receipt
from service.vault.vault import MemberKeys, Vault


def issue(vault: Vault, keys: MemberKeys, event: ConsentEvent, catalogue: Catalogue) -> Receipt:
    """The receipt of an event of the member whose keys these are: without them, once they are destroyed, none can be made.

    Raises Malformed where the notice that was shown is no longer there as it was shown.
    """
    made = document(event, vault.receipt_pseudonym(keys), scope_shown(event, catalogue))
    text = canonical(made)
    zh, en = (part["@value"] for part in made["dct:description"])
    return Receipt(made["dct:identifier"], event.event_id, zh, en, text, signed(vault, text.encode()))


def scope_shown(event: ConsentEvent, catalogue: Catalogue) -> Scope | None:
    """What the notice that was shown told of the purpose; None where none was shown. It is pinned with the notice, the same for ever.

    Raises Malformed for a notice that is gone or has other bytes than were shown: its words may be other words.
    """
    if event.notice_version is None:
        return None
    notice = catalogue.notices.get(event.notice_version)
    if notice is None or notice.digests.get(str(event.record.get("language"))) != event.record.get("noticeSha256"):
        raise Malformed("consent receipt: the notice is not the one that was shown")
    return notice.scopes.get(event.purpose)
