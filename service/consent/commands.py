"""The verbs over what a member gives: join with the notice shown, update, erase."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from policies.decide import Standing, weigh_consent
from policies.terms import Basis, MemberStatus
from service.consent import children, contacts, once, rules, store, writing
from service.consent.contacts import ContactProof
from service.consent.model import (
    ConsentNeeded,
    ConsentRejected,
    ConsentStanding,
    Decision,
    Evidence,
    GuardianConsentRequired,
    NoticeNotPresented,
    NoticeStale,
    SeparateConsentRequired,
)
from service.members import commands as members
from service.members import store as members_store
from service.members.model import ContactTaken, FieldNotInPurpose, FieldRejected, Joined, MemberNotFound, Updated
from service.minors.approved import approved
from service.notices import commands as telling
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


async def join(
    unit: Unit,
    *,
    purpose: str,
    fields: Mapping[str, object],
    evidence: Evidence | None,
    decisions: Sequence[Decision] = (),
    idempotency_key: str | None = None,
    proof: ContactProof | None = None,
    exemption: str | None = None,
    displacing: bool = False,
) -> JoinOutcome:
    """Admit a member. Nothing is collected before the notice was shown (NC-04), except under an EMERGENCY `exemption`, and then nothing
    is consented to and the member is informed afterwards (NC-13). A phone number or another identity is enough (LB-03).

    Raises Conflict when the idempotency key was used for another request, and with `displacing` Held where nothing but another holder of
    the proven contact stands in the way.
    """
    request = ("join", purpose, fields, tuple(decisions), evidence, exemption)
    before = await once.earlier(unit, idempotency_key, *request)
    if before is not None:
        return await _joined_before(unit, before)
    under = exemption if evidence is None and not decisions and exemption and await telling.excused(unit, exemption) else None
    objection = None if under else _objection(unit, evidence, decisions)
    if objection is not None:
        return writing.refused(unit, objection)
    unproven = await _unproven(unit, proof, fields)
    if unproven is not None:
        return writing.refused(unit, unproven)
    granted = [decision.purpose for decision in decisions if decision.granted]
    prepared = await members.prepare(unit, purpose=purpose, fields=fields, with_consents=granted)
    unfit = _unfit(unit, prepared, decisions)
    if unfit is not None or not isinstance(prepared, members.Prepared):
        return writing.refused(unit, unfit or NoticeNotPresented(""))
    taken = await members.taken(unit, prepared, of=None, proven=_proven(proof))
    if taken is not None:
        await _give_way(unit, taken, proof if displacing else None, fields, of=None)
        return writing.refused(unit, taken)
    joined = await members.admit(unit, prepared)
    await _prove(unit, joined.member_id, proof)
    if evidence is not None:
        await writing.answer(unit, joined.member_id, decisions, evidence, {})
    elif under is not None:
        await telling.owe(unit, joined.member_id, under)
    await once.remember(unit, idempotency_key, joined.member_id, *request)
    return joined


def _objection(unit: Unit, evidence: Evidence | None, decisions: Sequence[Decision]) -> rules.Objection | None:
    """Whatever keeps somebody from joining like this. They are shown the general notice; what tells of a child is asked for afterwards, on
    a sheet of its own with the rules for guardians (PIPL 31).
    """
    known = unit.catalogue.purposes
    told = next(
        (each.purpose for each in decisions if each.granted and each.purpose in known and known[each.purpose].of_children), None
    )
    return rules.objection(unit.catalogue, evidence, decisions, unit.now) or (SeparateConsentRequired(told) if told else None)


async def _joined_before(unit: Unit, member_id: MemberId) -> Joined:
    row = await writing.known(unit, member_id)
    return Joined(member_id, row.status if row else MemberStatus.ERASED, again=True)


async def update(
    unit: Unit,
    *,
    member_id: MemberId,
    purpose: str,
    changes: Mapping[str, object | None],
    proof: ContactProof | None = None,
    displacing: bool = False,
) -> UpdateOutcome:
    """Store new values for a member. For a purpose that rests on consent they are taken while the consent stands, not before.

    Raises Held as `join` does.
    """
    members.require(unit, purpose)
    # The lock comes first: a withdrawal that is being written must be over before the standing is read.
    row = await members_store.row(unit.session, member_id, lock=True)
    if row is not None and row.wrapped is not None and row.minor is not False:
        await approved(unit, unit.vault.member_keys(member_id, row.generation, row.wrapped), row)
    declared = unit.catalogue.purposes[purpose]
    if declared.basis is Basis.CONSENT:
        found = (await store.standings(unit.session, member_id)).get(purpose)
        minority = children.minority_of(unit, row) if row else None
        standing = replace(_as_standing(member_id, found[0] if found else None), minority=minority)
        reason = weigh_consent(declared, standing, unit.now)
        if reason is not None:
            return writing.refused(unit, ConsentNeeded(purpose, reason))
    unproven = await _unproven(unit, proof, changes)
    if unproven is not None:
        return writing.refused(unit, unproven)
    updated = await members.update(unit, member_id=member_id, purpose=purpose, changes=changes, proven=_proven(proof))
    if isinstance(updated, ContactTaken):
        await _give_way(unit, updated, proof if displacing else None, changes, of=member_id)
    if isinstance(updated, Updated):
        await _prove(unit, member_id, proof)
    return updated


def _proven(proof: ContactProof | None) -> str:
    return proof.field if proof else ""


async def _give_way(
    unit: Unit, taken: ContactTaken, proof: ContactProof | None, fields: Mapping[str, object | None], *, of: MemberId | None
) -> None:
    """Raises Held where the proof takes the contact from whoever holds it."""
    if proof is None or taken.field != proof.field:
        return
    held = await contacts.displaced(unit, proof, fields[proof.field], of=of)
    if held is not None:
        raise held


async def _unproven(unit: Unit, proof: ContactProof | None, fields: Mapping[str, object | None]) -> FieldRejected | None:
    """Why a proof that came along proves nothing; None where there is none, too."""
    if proof is None:
        return None
    given = tuple(key for key, value in fields.items() if value is not None)
    unfit = contacts.unfit(unit.catalogue, proof, given, by=unit.call.actor.kind, now=unit.now)
    return unfit or await contacts.used_before(unit, proof)


async def _prove(unit: Unit, member_id: MemberId, proof: ContactProof | None) -> None:
    if proof is not None:
        await members_store.prove(unit.session, member_id, proof.field, proof.proven_at)
        await contacts.use_up(unit, member_id, proof)
        unit.draft.extra["proof"] = proof.method.value


def _as_standing(member_id: MemberId, found: ConsentStanding | None) -> Standing:
    if found is None:
        return Standing(member_id, MemberStatus.ACTIVE)
    return Standing(member_id, MemberStatus.ACTIVE, found.state, found.expires_at, found.event_id, found.scope, found.by_guardian)


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
