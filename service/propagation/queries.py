"""Which recipients have yet to confirm: for whoever must see to it."""

from policies.decide import Ask, Refusal, weigh
from service.errors import BadInput, Refused
from service.propagation import store
from service.propagation.commands import alarm_before
from service.propagation.model import Propagation, overdue
from service.unit import Unit
from service.work.model import State

PAGE_LIMIT = 100


async def page(
    unit: Unit, *, purpose: str, state: State, overdue_only: bool, first: int, after: str | None
) -> tuple[Propagation, ...]:
    """The next tellings in a state, the oldest first. Raises Refused for a purpose that the caller may not state, BadInput for a page
    that is too large.
    """
    actor = unit.call.actor
    plan = weigh(Ask(purpose, (), actor.roles, actor.purposes), unit.catalogue)
    if isinstance(plan, Refusal):
        raise Refused(plan.reason.value)
    if not 1 <= first <= PAGE_LIMIT:
        raise BadInput(f"first: between 1 and {PAGE_LIMIT}", code="PAGE_SIZE_TOO_LARGE")
    alarm = alarm_before(unit.catalogue, unit.now)
    found = await store.page(unit.session, state=state, alarm=alarm if overdue_only else None, after=after or "", size=first)
    subjects: dict[str, None] = {}
    for told in found:
        if told.row.wrapped is not None:
            keys = unit.vault.member_keys(told.row.member_id, told.row.generation, told.row.wrapped)
            subjects[unit.vault.pseudonym(keys, unit.now)] = None
    unit.draft.subjects.extend(subjects)
    unit.draft.count = len(found)
    return tuple(Propagation(told.job, overdue(told.job, alarm)) for told in found)
