"""Write down what members answer: each purpose on its own, proven, and never for them (NC-05 to NC-08, NC-14)."""

from collections.abc import Sequence

from policies.decide import Minority, kind_of_notice
from policies.terms import MemberStatus
from service.consent import assisting, children, once, rules, store, writing
from service.consent.model import (
    ConsentRejected,
    ConsentsRecorded,
    Decision,
    Evidence,
    GuardianConsentRequired,
    NoticeNotPresented,
    NoticeStale,
    SeparateConsentRequired,
)
from service.errors import BadInput
from service.members.model import MemberNotFound, Row
from service.unit import Unit
from service.values import ActorKind, MemberId

RecordOutcome = (
    ConsentsRecorded
    | NoticeNotPresented
    | NoticeStale
    | GuardianConsentRequired
    | SeparateConsentRequired
    | ConsentRejected
    | MemberNotFound
)

ConfirmOutcome = (
    assisting.MemberAct
    | NoticeNotPresented
    | NoticeStale
    | GuardianConsentRequired
    | SeparateConsentRequired
    | ConsentRejected
    | MemberNotFound
)


async def record(
    unit: Unit,
    *,
    member_id: MemberId,
    decisions: Sequence[Decision],
    evidence: Evidence | None,
    idempotency_key: str | None = None,
    member_act: str | None = None,
) -> RecordOutcome:
    """Write down a member's answers, each on its own (NC-06). Staff write a yes only with the member's own act (NC-14).

    Raises Conflict when the key, or the act, was used for another request.
    """
    row = await writing.known(unit, member_id)
    if row is None:
        return writing.refused(unit, MemberNotFound())
    request = ("record", member_id, tuple(decisions), evidence)
    if await once.earlier(unit, idempotency_key, *request) is not None:
        return await _recorded_before(unit, member_id, decisions)
    objection = _objection(unit, row, decisions, evidence)
    if objection is not None or evidence is None:
        return writing.refused(unit, objection or NoticeNotPresented(""))
    before = await store.standings(unit.session, member_id)
    staff = unit.call.actor.kind is ActorKind.STAFF and any(decision.granted for decision in decisions)
    act = staff and assisting.nonce_of(unit, member_act, member_id=member_id, decisions=decisions, evidence=evidence)
    if act and await assisting.spent(unit, act, *request):
        return await _recorded_before(unit, member_id, decisions)
    if staff and (not act or rules.taken_back_since(before, decisions, assisting.confirmed_at(member_act))):
        objection = assisting.REQUIRED
    elif rules.taken_back_since(before, decisions, evidence.presented_at):
        objection = NoticeNotPresented(evidence.notice_version)
    if objection is not None:
        return writing.refused(unit, objection)
    if act:
        await assisting.spend(unit, act, member_id, *request)
    answered = await writing.answer(unit, member_id, decisions, evidence, before, source={"memberAct": act} if act else None)
    decided = frozenset(decision.purpose for decision in decisions if decision.granted is not None)
    await children.answered(unit, row, before, decided=decided)
    await once.remember(unit, idempotency_key, member_id, *request)
    return ConsentsRecorded(answered)


async def confirm(
    unit: Unit, *, member_id: MemberId, to: str, decisions: Sequence[Decision], evidence: Evidence | None
) -> ConfirmOutcome:
    """The member's own act, for an assistant to pass on: nothing is decided by it yet (NC-14). Raises BadInput for no account's name."""
    if not assisting.assistant(to):
        raise BadInput("assistant: the name of the account, as the till shows it")
    row = await writing.known(unit, member_id)
    if row is None:
        return writing.refused(unit, MemberNotFound())
    objection = _objection(unit, row, decisions, evidence)
    if objection is not None or evidence is None:
        return writing.refused(unit, objection or NoticeNotPresented(""))
    return assisting.confirm(unit, member_id=member_id, to=to, decisions=decisions, evidence=evidence)


async def _recorded_before(unit: Unit, member_id: MemberId, decisions: Sequence[Decision]) -> ConsentsRecorded:
    """The standings as they are now: what was answered then may have been taken back since."""
    found = await store.standings(unit.session, member_id)
    return ConsentsRecorded(tuple(found[decision.purpose][0] for decision in decisions if decision.purpose in found))


def _objection(
    unit: Unit, row: Row, decisions: Sequence[Decision], evidence: Evidence | None
) -> rules.Objection | GuardianConsentRequired | None:
    """Whatever keeps this member from answering like this."""
    minority = children.minority_of(unit, row)
    if not children.answers_alone(unit, row, minority):
        return GuardianConsentRequired()
    if not decisions:
        return ConsentRejected("NO_DECISION")
    if row.status is MemberStatus.RESTRICTED and any(decision.granted for decision in decisions):
        return ConsentRejected("PROCESSING_RESTRICTED")
    return rules.objection(unit.catalogue, evidence, decisions, unit.now, kind=_notice(unit, minority, decisions, evidence))


def _notice(unit: Unit, minority: Minority | None, decisions: Sequence[Decision], evidence: Evidence | None) -> str:
    """The kind of notice that had to be shown: the one for what is said yes to. A no is one on whichever sheet it was given (WD-02)."""
    known = unit.catalogue.purposes
    answered = [known[decision.purpose] for decision in decisions if decision.purpose in known]
    granted = [known[decision.purpose] for decision in decisions if decision.granted and decision.purpose in known]
    if granted:
        return kind_of_notice(minority, *granted)
    shown = unit.catalogue.notices.get(evidence.notice_version) if evidence else None
    needed = kind_of_notice(minority, *answered)
    return shown.kind if shown and shown.kind == kind_of_notice(minority) else needed
