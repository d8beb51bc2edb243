"""Who: the controller, the recipients and the roles, each read from its own file.

What refers to another file is weighed afterwards, when all of them are known (`checks.py`).
"""

from policies.loading import faults
from policies.loading.reading import Section
from policies.terms import Brand, Controller, Recipient, RecipientRole, Role

ACTIONS = (
    "alarm.handle",
    "alarm.read",
    "alert.read",
    "approval.ask",
    "approval.decide",
    "audit.export",
    "audit.prune",
    "audit.resolve",
    "audit.search",
    "audit.verify",
    "campaign.read",
    "campaign.review",
    "campaign.write",
    "complaint.record",
    "consent.ask",
    "consent.assist",
    "consent.read",
    "consent.record",
    "consent.review",
    "guardian.ask",
    "guardian.decide",
    "guardian.verify",
    "inbound.handle",
    "inbound.read",
    "member.import",
    "member.join",
    "member.reveal",
    "member.shred",
    "member.update",
    "minor.approve",
    "minor.audit",
    "minor.presume",
    "notice.oversee",
    "oversight.read",
    "oversight.record",
    "propagation.acknowledge",
    "propagation.read",
    "send.decide",
    "send.read",
    "send.report",
    "subscription.assist",
    "subscription.read",
    "subscription.record",
    "suppression.read",
    "tag.delete",
    "tag.record",
)
"""All that a role may be allowed beyond reading for a purpose. There is no wildcard, and a new action is a change of
code.
"""

_MOST_USUAL = 100_000
"""A machine that serves more members a day than this is watched by the instance all the same: each keeps its own count."""

KINDS = ("staff", "service", "member")
_EMAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"
_APPID = r"wx[0-9a-f]{16}"


def controller(section: Section) -> Controller:
    """controller.toml: who is responsible."""
    return Controller(
        id=section.text("id", r"[a-z0-9][a-z0-9-]{0,39}"),
        legal_name=section.title("legal_name"),
        address=section.title("address"),
        contact_email=section.text("contact_email", _EMAIL),
        contact_phone=section.text("contact_phone"),
        responsible_person=section.text("responsible_person"),
        storage_location=section.title("storage_location"),
        jurisdiction=section.text("jurisdiction", "[A-Z]{2}"),
        brands=tuple(_brand(key, table) for key, table in section.sections("brands")),
    )


def _brand(key: str, section: Section) -> Brand:
    value = Brand(key, section.title("title"), section.text("wechat_appid", _APPID), section.texts("wechat_declares"))
    section.close()
    return value


def recipients(section: Section) -> dict[str, Recipient]:
    """recipients.toml: who outside receives data."""
    return {key: _recipient(key, table) for key, table in section.sections("recipients")}


def _recipient(key: str, section: Section) -> Recipient:
    value = Recipient(
        key=key,
        name=section.title("name"),
        role=section.one_of("role", RecipientRole),
        contact=section.text("contact"),
        contract=section.text("contract"),
        region=section.text("region", "[A-Z]{2}"),
        known_by=section.text("known_by", blank=True),
    )
    section.close()
    return value


def roles(section: Section) -> dict[str, Role]:
    """roles.toml: who calls, and what they may do beyond reading."""
    return {key: _role(key, table) for key, table in section.sections("roles")}


def _role(key: str, section: Section) -> Role:
    value = Role(
        key,
        section.title("title"),
        section.among("kind", KINDS),
        frozenset(section.texts("may")),
        section.whole("usual_per_day", 1, _MOST_USUAL) if "usual_per_day" in section.table else 0,
    )
    if value.usual_per_day and value.kind != "service":
        section.fault("usual_per_day", faults.USUAL_OF_PEOPLE)
    for action in sorted(value.may - set(ACTIONS)):
        section.fault("may", faults.ACTION_UNKNOWN, name=action, known=", ".join(ACTIONS))
    section.close()
    return value
