"""What guardians and staff look at: links, requests, alerts. Each is a disclosure and owes an entry."""

from policies.consent import ConsentRules
from service.db.engine import Session
from service.guardians import store
from service.guardians.model import Alert
from service.members import store as members
from service.minors import store as minors
from service.minors.acting import fit, minor_of
from service.minors.commands import named, named_all
from service.minors.model import Link, Request
from service.unit import Unit
from service.values import MemberId

SENSITIVE = "SENSITIVE_100K"
MOST = 100


async def wards(unit: Unit) -> tuple[Link, ...]:
    """The links of the calling member to those whose guardian they are, or want to be."""
    guardian_id = unit.call.actor.member_id or ""
    row = await members.row(unit.session, guardian_id)
    if row is not None:
        fit(unit, row)
    found = tuple(await minors.wards(unit.session, guardian_id))
    await named_all(unit, [link.member_id for link in found])
    unit.draft.count = len(found)
    return found


async def links(unit: Unit, *, member_id: MemberId) -> tuple[Link, ...]:
    """Everybody who is, was or wants to be this child's guardian."""
    row = await members.row(unit.session, member_id)
    if row is None or row.wrapped is None:
        unit.draft.deny("NOT_FOUND")
        return ()
    found = tuple(await minors.links(unit.session, member_id))
    named(unit, row)
    await named_all(unit, [link.guardian_id for link in found])
    unit.draft.count = len(found)
    return found


async def asked_by_guardian(unit: Unit, *, member_id: MemberId) -> tuple[Request, ...]:
    """What the calling guardian has asked for this minor, also when the minor was erased at their wish. Raises Forbidden for everybody
    else.
    """
    guardian_id = unit.call.actor.member_id or ""
    row = await members.row(unit.session, guardian_id)
    asked = await store.requests_for(unit.session, member_id)
    own = tuple(request for request in asked if request.guardian_id == guardian_id)
    if row is None or not fit(unit, row) or not own:
        child, _ = await minor_of(unit, member_id)
        named(unit, child)
    else:
        await named_all(unit, [member_id])
    unit.draft.count = len(own)
    return own


async def to_answer(unit: Unit, *, member_id: MemberId | None, first: int) -> tuple[Request, ...]:
    """What waits for an answer, the most urgent first; or all that was asked for one minor."""
    if member_id is None:
        found = await store.open_requests(unit.session, size=first)
    else:
        found = await store.requests_for(unit.session, member_id)
    await named_all(unit, [request.member_id for request in found])
    unit.draft.count = len(found)
    return tuple(found)


async def alerts(unit: Unit) -> tuple[Alert, ...]:
    """What compliance staff have to see to."""
    return (await sensitive(unit.session, unit.catalogue.consent),)


async def sensitive(session: Session, rules: ConsentRules) -> Alert:
    """Sensitive data of more people than the threshold, and nobody named for it (GB/T 45574-2025): one count."""
    count = await store.sensitive_members(session)
    unnamed = count > rules.sensitive_threshold and not rules.sensitive_officer
    return Alert(SENSITIVE, unnamed, count, rules.sensitive_threshold, rules.sensitive_officer)
