"""The verbs of consent: join with the notice shown, answer, withdraw."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from policies.decide import Standing, weigh_consent
from policies.terms import Basis, ConsentState, MemberStatus
from service.consent import ledger, once, rules, store, writing
from service.consent.model import (
    CaptureChannel,
    ConsentNeeded,
    ConsentRejected,
    ConsentsRecorded,
    ConsentStanding,
    Decision,
    Evidence,
    GuardianConsentRequired,
    NothingToWithdraw,
    NoticeNotPresented,
    NoticeStale,
    SeparateConsentRequired,
)
from service.members import commands as members
from service.members import store as members_store
from service.members.model import ContactTaken, FieldNotInPurpose, FieldRejected, Joined, MemberNotFound, Row, Updated
from service.unit import Unit
from service.values import MemberId

T = TypeVar("T")
JoinOutcome = (
    Joined
    | NoticeNotPresented
    | NoticeStale
    | SeparateConsentRequired
    | GuardianConsentRequired
    | ConsentRejected
    | FieldNotInPurpose
    | FieldRejected
    | ContactTaken
)
UpdateOutcome = Updated | FieldNotInPurpose | FieldRejected | ContactTaken | MemberNotFound | ConsentNeeded
RecordOutcome = (
    ConsentsRecorded
    | NoticeNotPresented
    | NoticeStale
    | GuardianConsentRequired
    | SeparateConsentRequired
    | ConsentRejected
    | MemberNotFound
)


async def join(
    unit: Unit,
    *,
    purpose: str,
    fields: Mapping[str, object],
    evidence: Evidence | None,
    decisions: Sequence[Decision] = (),
    idempotency_key: str | None = None,
) -> JoinOutcome:
    """Admit a member. Nothing is collected before the notice was shown (NC-04); a phone number or another identity is enough
    (LB-03).

    Raises Conflict when the idempotency key was used for another request.
    """
    request = ("join", purpose, fields, tuple(decisions), evidence)
    before = await once.earlier(unit, idempotency_key, *request)
    if before is not None:
        return await _joined_before(unit, before)
    objection = rules.objection(unit.catalogue, evidence, decisions, unit.now)
    if objection is not None:
        return writing.refused(unit, objection)
    granted = [decision.purpose for decision in decisions if decision.granted]
    prepared = await members.prepare(unit, purpose=purpose, fields=fields, with_consents=granted)
    unfit = _unfit(unit, prepared, decisions)
    if unfit is not None or not isinstance(prepared, members.Prepared) or evidence is None:
        return writing.refused(unit, unfit or NoticeNotPresented(""))
    joined = await members.admit(unit, prepared)
    await writing.answer(unit, joined.member_id, decisions, evidence, {})
    await once.remember(unit, idempotency_key, joined.member_id, *request)
    return joined


async def _joined_before(unit: Unit, member_id: MemberId) -> Joined:
    row = await writing.known(unit, member_id)
    return Joined(member_id, row.status if row else MemberStatus.ERASED, again=True)


async def record(
    unit: Unit,
    *,
    member_id: MemberId,
    decisions: Sequence[Decision],
    evidence: Evidence | None,
    idempotency_key: str | None = None,
) -> RecordOutcome:
    """Write down a member's answers, each on its own (NC-06). Raises Conflict when the key was used for another request."""
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
    answered = await writing.answer(unit, member_id, decisions, evidence, before)
    await once.remember(unit, idempotency_key, member_id, *request)
    return ConsentsRecorded(answered)


async def _recorded_before(unit: Unit, member_id: MemberId, decisions: Sequence[Decision]) -> ConsentsRecorded:
    """The standings as they are now: what was answered then may have been taken back since."""
    found = await store.standings(unit.session, member_id)
    return ConsentsRecorded(tuple(found[decision.purpose][0] for decision in decisions if decision.purpose in found))


def _objection(
    unit: Unit, row: Row, decisions: Sequence[Decision], evidence: Evidence | None
) -> rules.Objection | GuardianConsentRequired | None:
    """Whatever keeps this member from answering like this."""
    if row.status is MemberStatus.GUARDIAN_PENDING:
        return GuardianConsentRequired()
    if not decisions:
        return ConsentRejected("NO_DECISION")
    if row.status is MemberStatus.RESTRICTED and any(decision.granted for decision in decisions):
        return ConsentRejected("PROCESSING_RESTRICTED")
    return rules.objection(unit.catalogue, evidence, decisions, unit.now)


async def withdraw(
    unit: Unit, *, member_id: MemberId, purpose: str, channel: CaptureChannel
) -> ConsentsRecorded | NothingToWithdraw | MemberNotFound:
    """Take a consent back: no reason, no proof, one call (PIPL 15). Twice is as good as once."""
    declared = unit.catalogue.purposes.get(purpose)
    row = await writing.known(unit, member_id)
    if row is None:
        return writing.refused(unit, MemberNotFound())
    if declared is None or declared.basis is not Basis.CONSENT:
        return writing.refused(unit, NothingToWithdraw(purpose if declared else ""))
    standing, previous = (await store.standings(unit.session, member_id)).get(
        purpose, (ConsentStanding(purpose, ConsentState.NEVER_ASKED), ledger.GENESIS)
    )
    if not rules.withdrawable(standing.state):
        return ConsentsRecorded((standing,))
    happened = writing.happening(
        unit, member_id, declared, ConsentState.WITHDRAWN, standing=standing, previous=previous, channel=channel, evidence=None
    )
    return ConsentsRecorded((await writing.append(unit, happened, first=False),))


async def update(unit: Unit, *, member_id: MemberId, purpose: str, changes: Mapping[str, object | None]) -> UpdateOutcome:
    """Store new values for a member. For a purpose that rests on consent they are taken while the consent stands, not before."""
    members.require(unit, purpose)
    # The lock comes first: a withdrawal that is being written must be over before the standing is read.
    await members_store.row(unit.session, member_id, lock=True)
    declared = unit.catalogue.purposes[purpose]
    if declared.basis is Basis.CONSENT:
        found = (await store.standings(unit.session, member_id)).get(purpose)
        reason = weigh_consent(declared, _as_standing(member_id, found[0] if found else None), unit.now)
        if reason is not None:
            return writing.refused(unit, ConsentNeeded(purpose, reason))
    return await members.update(unit, member_id=member_id, purpose=purpose, changes=changes)


def _as_standing(member_id: MemberId, found: ConsentStanding | None) -> Standing:
    if found is None:
        return Standing(member_id, MemberStatus.ACTIVE)
    return Standing(member_id, MemberStatus.ACTIVE, found.state, found.expires_at, found.event_id, found.scope, found.by_guardian)


async def erase(unit: Unit, *, member_id: MemberId) -> bool:
    """Destroy a member's secret and everything derived (PIPL 47); False when there is none.

    The entry's pseudonym is the last use of the key. What is kept (ledgers, log, backups) can then be neither read nor linked.
    """
    if await writing.known(unit, member_id) is None:
        unit.draft.deny("NOT_FOUND")
        return False
    await unit.vault.shred(unit.session, member_id)
    await members_store.erase(unit.session, member_id, now=unit.now)
    await store.forget_standings(unit.session, member_id)
    return True


def _unfit(
    unit: Unit, prepared: members.Prepared | members.Problem, decisions: Sequence[Decision]
) -> members.Problem | GuardianConsentRequired | None:
    """Why somebody cannot join like this: a value breaks a rule, nothing tells one member from another, a child would consent."""
    if not isinstance(prepared, members.Prepared):
        return prepared
    if not prepared.lookups:
        return FieldRejected("phone", "REQUIRED")
    if members.status_of(unit, prepared) is not MemberStatus.ACTIVE and any(decision.granted for decision in decisions):
        return GuardianConsentRequired()
    return None
