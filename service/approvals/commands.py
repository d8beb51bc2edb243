"""Ask, decide, use: the three steps of what needs two persons. Each is an entry, and what is refused is refused on the record."""

from service.approvals import store
from service.approvals.model import DEFAULT_HOURS, MOST_OPEN, Approval, Decision, lasts, problem_of, same_person
from service.errors import BadInput, Forbidden, Refused
from service.unit import Reader, Unit
from service.values import ActorKind


async def ask(unit: Unit, *, kind: str, about: bytes, reason: str, what: str = "", hours: int = DEFAULT_HOURS) -> str:
    """Ask somebody else to allow exactly this, for so many hours from now; the question's id. Asked twice, it is one question.

    Raises BadInput, and Refused: APPROVAL_REFUSED while a refusal of the very same has not run out (nobody asks around until somebody says
    yes), TOO_MANY_QUESTIONS while more of the asker's wait than anybody reads. Raises Forbidden for whoever is not a person.
    """
    _a_person(unit)
    until = lasts(hours)
    if problem := problem_of(kind=kind, about=about, what=what, reason=reason) or ("" if until else "EXPIRY_OUT_OF_RANGE"):
        raise BadInput(problem, code=problem)
    asker = unit.call.actor.name
    there = await store.about(unit.session, kind=kind, about=about, now=unit.now)
    known = [one for one in there if same_person(one.asked_by, asker)]
    if any(one.decision is Decision.REFUSED for one in known):
        raise Refused("APPROVAL_REFUSED")
    waiting = next((one for one in known if one.decision is Decision.OPEN), None)
    if waiting is not None:
        _named(unit, waiting)
        unit.draft.extra["again"] = True
        return waiting.approval_id
    if sum(same_person(name, asker) for name in await store.waiting(unit.session, now=unit.now)) >= MOST_OPEN:
        raise Refused("TOO_MANY_QUESTIONS")
    assert until is not None
    asked = Approval(
        approval_id=unit.new_id(),
        kind=kind,
        about=about,
        what=what,
        reason=reason.strip(),
        asked_by=asker,
        asked_at=unit.now,
        decision=Decision.OPEN,
        decided_by="",
        decided_at=None,
        until=unit.now + until,
        used_at=None,
    )
    await store.add(unit.session, asked)
    _named(unit, asked)
    return asked.approval_id


async def decide(unit: Unit, approval_id: str, *, allow: bool) -> Approval:
    """Allow it, or refuse it for good. Raises Refused: APPROVAL_NOT_FOUND, OWN_APPROVAL (whatever the account's spelling),
    APPROVAL_EXPIRED, APPROVAL_DECIDED; Forbidden for a machine: it takes a person.
    """
    _a_person(unit)
    found = await store.one(unit.session, approval_id)
    if found is None:
        raise Refused("APPROVAL_NOT_FOUND")
    _named(unit, found)
    if same_person(found.asked_by, unit.call.actor.name):
        raise Refused("OWN_APPROVAL")
    if found.decision is Decision.OPEN and found.until <= unit.now:
        raise Refused("APPROVAL_EXPIRED")
    decision = Decision.ALLOWED if allow else Decision.REFUSED
    if not await store.decide(unit.session, approval_id, decision=decision, by=unit.call.actor.name, now=unit.now):
        raise Refused("APPROVAL_DECIDED")
    unit.draft.extra["allowed"] = allow
    decided = await store.one(unit.session, approval_id)
    assert decided is not None
    return decided


async def use(unit: Unit, *, kind: str, about: bytes, once: bool = True) -> str:
    """The id of the approval under which the caller does exactly this, now; used up with the caller's own transaction if `once`.

    Raises Refused (APPROVAL_REQUIRED) unless the caller asked for this very thing and another person allowed it.
    """
    known = [one for one in await store.about(unit.session, kind=kind, about=about, now=unit.now) if fits(unit, one)]
    # Of two questions that were asked at one moment somebody may refuse one and somebody else allow the other: the refusal counts.
    refused = any(one.decision is Decision.REFUSED for one in known)
    for found in known:
        if refused or not found.allows:
            continue
        if not once or await store.use(unit.session, found.approval_id, now=unit.now):
            unit.draft.extra["approval"] = found.approval_id
            return found.approval_id
    raise Refused("APPROVAL_REQUIRED")


def fits(reader: Reader, found: Approval) -> bool:
    """Whether it was the caller who asked, and somebody else who decided."""
    caller = reader.call.actor.name
    return same_person(found.asked_by, caller) and not same_person(found.decided_by, caller)


def _a_person(unit: Unit) -> None:
    if unit.call.actor.kind is not ActorKind.STAFF:
        raise Forbidden


def _named(unit: Unit, found: Approval) -> None:
    unit.draft.extra |= {"approval": found.approval_id, "kind": found.kind, "about": found.about.hex()}
