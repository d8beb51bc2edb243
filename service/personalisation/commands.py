"""The verbs of personalisation: turn it on or off, record what a machine derived, delete tags."""

from collections.abc import Collection, Sequence

from policies.decide import Refusal, decide
from policies.terms import TAGS
from service.consent import store as consents
from service.consent import withdrawing, writing
from service.consent.answering import RecordOutcome, record
from service.consent.model import CaptureChannel, ConsentNeeded, ConsentsRecorded, Decision, Evidence
from service.errors import BadInput
from service.members import commands as members
from service.members import store as members_store
from service.members.model import FieldNotInPurpose, MemberNotFound, Row
from service.members.tags import store as tags
from service.members.tags.model import BY_HAND, HeldTag, Source, blocked, codes_of, together
from service.members.tags.writing import switched
from service.personalisation import queries
from service.personalisation.model import (
    UNWANTED,
    DerivedTag,
    Personalisation,
    PersonalisationOff,
    TagsDeleted,
    TagsRecorded,
    TagUnknown,
    switch_of,
    unknown_tag,
)
from service.unit import Unit
from service.values import MemberId

RecordTagsOutcome = TagsRecorded | TagUnknown | FieldNotInPurpose | ConsentNeeded | PersonalisationOff | MemberNotFound


async def turn_on(unit: Unit, *, member_id: MemberId, evidence: Evidence | None) -> Personalisation | RecordOutcome:
    """Say yes to the purpose that the switch stands for: the same answer with the same evidence as any other (PIPL 14)."""
    decision = Decision(switch_of(unit.catalogue).key, granted=True)
    outcome = await record(unit, member_id=member_id, decisions=[decision], evidence=evidence)
    return await _now(unit, member_id) if isinstance(outcome, ConsentsRecorded) else outcome


async def turn_off(unit: Unit, *, member_id: MemberId, channel: CaptureChannel) -> Personalisation | MemberNotFound:
    """Take the consent back if it stands, and let no automated purpose use this member, whatever else was consented (PIPL 24)."""
    purpose = switch_of(unit.catalogue).key
    outcome = await withdrawing.withdraw(unit, member_id=member_id, purpose=purpose, channel=channel)
    if isinstance(outcome, MemberNotFound):
        return outcome
    await switched(unit, member_id, on=False)
    return await _now(unit, member_id)


async def _now(unit: Unit, member_id: MemberId) -> Personalisation:
    row = await members_store.row(unit.session, member_id)
    assert row is not None
    assert row.wrapped is not None
    return await queries.explained(unit, row, unit.vault.member_keys(member_id, row.generation, row.wrapped))


async def record_tags(
    unit: Unit, *, member_id: MemberId, purpose: str, source: Source, found: Sequence[DerivedTag]
) -> RecordTagsOutcome:
    """Put what follows from one source in the place of what followed from it before (AD-02, AD-06).

    What the member deleted while the data was the same is left out. Raises Refused when the caller may not state the purpose.
    """
    if len({given.tag for given in found}) != len(found):
        raise BadInput("tags: one tag is given twice")
    plan = members.require(unit, purpose, (TAGS,))
    problem = unknown_tag(unit.catalogue, found) if TAGS in plan.shapes else FieldNotInPurpose(purpose, (TAGS,))
    if problem is not None:
        return writing.refused(unit, problem)
    row = await writing.known(unit, member_id)
    if row is None:
        return writing.refused(unit, MemberNotFound())
    unfit = await _unfit(unit, row, purpose)
    if unfit is not None:
        return writing.refused(unit, unfit)
    return await _replaced(unit, row, source, found)


async def _unfit(unit: Unit, row: Row, purpose: str) -> ConsentNeeded | PersonalisationOff | None:
    """Why nothing may be derived about this member for the purpose."""
    assert row.wrapped is not None
    keys = unit.vault.member_keys(row.member_id, row.generation, row.wrapped)
    found = (await consents.standings(unit.session, row.member_id)).get(purpose)
    plan = members.require(unit, purpose, (TAGS,))
    permit = decide(plan, queries.standing_of(unit, row, keys, found[0] if found else None), unit.now)
    if not isinstance(permit, Refusal):
        return None
    return PersonalisationOff(purpose, permit.reason) if permit.reason in UNWANTED else ConsentNeeded(purpose, permit.reason)


async def _replaced(unit: Unit, row: Row, source: Source, found: Sequence[DerivedTag]) -> TagsRecorded:
    deleted = await tags.deleted(unit.session, row.member_id)
    left_out = tuple(given.tag for given in found if blocked(deleted, given.tag, given.digest))
    fresh = [HeldTag(given.tag, source, given.digest, unit.now) for given in found if given.tag not in left_out]
    held = await tags.held(unit.session, row.member_id)
    before = [tag for tag in held if tag.source is source]
    elsewhere = {tag.tag for tag in held if tag.source is not source}
    await tags.forget(unit.session, row.member_id, before)
    await tags.add(unit.session, row.member_id, fresh)
    gone = {tag.tag for tag in before} - elsewhere
    codes = together(codes_of(row.plain.get(TAGS)), gone=gone, more=[tag.tag for tag in fresh])
    await tags.write_codes(unit.session, row.member_id, codes, now=unit.now)
    unit.draft.fields = (TAGS,)
    unit.draft.extra |= {"source": source.value, "recorded": len(fresh), "blocked": len(left_out)}
    return TagsRecorded(row.member_id, codes, left_out)


async def delete_tags(unit: Unit, *, member_id: MemberId, only: Collection[str] | None = None) -> TagsDeleted | MemberNotFound:
    """Delete a member's tags, or `only` some of them; they do not come back from the same data (AD-02). Twice is as good as once."""
    row = await writing.known(unit, member_id)
    if row is None:
        return writing.refused(unit, MemberNotFound())
    held = await tags.held(unit.session, member_id)
    codes = codes_of(row.plain.get(TAGS))
    gone = tuple(code for code in codes if only is None or code in only)
    rows = [tag for tag in held if tag.tag in gone]
    by_hand = {(code, BY_HAND) for code in gone if not any(tag.tag == code for tag in rows)}
    refused = {(tag.tag, tag.digest) for tag in rows} | by_hand
    await tags.refuse(unit.session, member_id, refused - await tags.deleted(unit.session, member_id), now=unit.now)
    await tags.forget(unit.session, member_id, rows)
    await tags.write_codes(unit.session, member_id, together(codes, gone=gone), now=unit.now)
    unit.draft.fields = (TAGS,) if gone else ()
    unit.draft.extra["deleted"] = len(gone)
    return TagsDeleted(gone)
