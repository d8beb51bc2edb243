"""Count before anybody is told; ask to read of more than the law's count."""

from policies.bulk import BulkClass
from service.approvals import commands as approvals
from service.approvals import store as approved
from service.approvals.model import Approval, about_of, account_of, same_person
from service.errors import BadInput, Refused
from service.tally import store
from service.tally.model import KIND, MOST_MEMBERS, SHOWN, WINDOW, Allowance, allowance, classes_of
from service.unit import Reader, Unit

REASON = "APPROVAL_REQUIRED"


async def admit(unit: Unit) -> None:
    """Count whom this unit tells a person of. Raises Refused (APPROVAL_REQUIRED) where with these it would be more, of some class, than
    the policy's count or what another person has approved: then nobody is told anything, and nobody is counted.
    """
    operator, classes = account_of(unit.call.actor.name), classes_of(unit.catalogue, unit.draft.fields)
    told = {(bulk, one) for bulk in classes for one in unit.draft.subjects} | {(SHOWN, one) for one in unit.draft.shown}
    await store.mark(unit.session, operator, told, now=unit.now)
    classes |= {SHOWN} if unit.draft.shown else set()
    counted = await store.counts(unit.session, operator, since=unit.now - WINDOW)
    over = [bulk for bulk in classes if counted.get(bulk, 0) > unit.catalogue.bulk[bulk]]
    for bulk in sorted(over, key=lambda each: unit.catalogue.bulk[each]):
        leave = await _leave(unit, operator, bulk, counted[bulk])
        if leave is None:
            unit.draft.extra |= {"bulk": bulk.value, "most": unit.catalogue.bulk[bulk]}
            raise Refused(REASON)
        unit.draft.extra["bulk_approval"] = leave


async def _leave(unit: Reader, operator: str, bulk: BulkClass, count: int) -> str | None:
    """The approval under which so many may be read."""
    for found in await approved.allowed(unit.session, kind=KIND, now=unit.now):
        meant = allowance(found.what)
        fits = meant is not None and same_person(meant.operator, operator) and meant.bulk is bulk and count <= meant.most
        if fits and approvals.fits(unit, found) and found.about == about_of(KIND, found.what):
            return found.approval_id
    return None


async def ask(unit: Unit, *, bulk: BulkClass, most: int, reason: str, hours: int) -> Approval:
    """Ask another person for leave to read of so many members of a class within 24 hours. Raises BadInput, and as `approvals.ask`."""
    if not unit.catalogue.bulk[bulk] < most <= MOST_MEMBERS:
        raise BadInput(f"most: more than {unit.catalogue.bulk[bulk]}, up to {MOST_MEMBERS}")
    what = Allowance(account_of(unit.call.actor.name), bulk, most).what
    asked = await approvals.ask(unit, kind=KIND, about=about_of(KIND, what), what=what, reason=reason, hours=hours)
    found = await approved.one(unit.session, asked)
    assert found is not None
    return found
