"""What the member is shown: the switch with how each machine decides, and the tags."""

from collections.abc import Mapping

from policies.decide import Plan, Refusal, Standing, decide
from policies.terms import TAGS, Basis, ConsentState, MemberStatus, Purpose
from service.consent import store as consents
from service.consent.model import ConsentStanding
from service.consent.rules import SWITCHES
from service.members import commands as members
from service.members import store as members_store
from service.members.age import minority
from service.members.model import Row
from service.members.tags import store as tags
from service.members.tags.model import codes_of
from service.personalisation.model import ExplainedPurpose, MyTag, Personalisation, automated, shown, switch_of
from service.unit import Unit
from service.values import MemberId
from service.vault.vault import MemberKeys


async def personalisation(unit: Unit, *, member_id: MemberId) -> Personalisation | None:
    """Where the switch stands and what each automated purpose does with this member (PIPL 24, ALG 16). None: no such member."""
    found = await _recorded(unit, member_id)
    return await explained(unit, *found) if found else None


async def explained(unit: Unit, row: Row, keys: MemberKeys) -> Personalisation:
    """The same, of a row that the entry knows of."""
    found = {key: standing for key, (standing, _) in (await consents.standings(unit.session, row.member_id)).items()}
    switch = found.get(switch_of(unit.catalogue).key)
    turned = switch is not None and row.personalisation is not None and SWITCHES.get(switch.state) is row.personalisation
    since = switch.since if switch and turned else None
    purposes = tuple(_explained(unit, row, keys, purpose, found) for purpose in automated(unit.catalogue))
    return Personalisation(row.personalisation, since, purposes)


async def my_tags(unit: Unit, *, member_id: MemberId) -> tuple[MyTag, ...] | None:
    """A member's own tags and where each came from (AD-02). None: no such member, or nobody may see them yet."""
    plan = members.require(unit, unit.catalogue.self_purpose, (TAGS,))
    found = await _recorded(unit, member_id)
    if found is None:
        return None
    row, keys = found
    permit = decide(plan, standing_of(unit, row, keys, None), unit.now)
    if isinstance(permit, Refusal):
        unit.draft.deny(permit.reason.value)
        return None
    unit.draft.fields = (TAGS,)
    return shown(unit.catalogue, codes_of(row.plain.get(TAGS)), await tags.held(unit.session, member_id))


def standing_of(unit: Unit, row: Row, keys: MemberKeys, found: ConsentStanding | None) -> Standing:
    """What a decision about this member must know."""
    known = found or ConsentStanding("", ConsentState.NEVER_ASKED)
    return Standing(
        member_id=row.member_id,
        status=row.status,
        consent=known.state,
        expires_at=known.expires_at,
        event_id=known.event_id,
        scope=known.scope,
        by_guardian=known.by_guardian,
        minority=minority(unit, keys, row),
        personalisation=row.personalisation,
    )


def _explained(
    unit: Unit, row: Row, keys: MemberKeys, purpose: Purpose, found: Mapping[str, ConsentStanding]
) -> ExplainedPurpose:
    standing = found.get(purpose.key)
    permit = decide(Plan(purpose, {}, ()), standing_of(unit, row, keys, standing), unit.now)
    reason = permit.reason if isinstance(permit, Refusal) else None
    state = standing.state if standing else ConsentState.NEVER_ASKED
    rests = purpose.basis is Basis.CONSENT
    return ExplainedPurpose(purpose.key, purpose.title, purpose.logic, state if rests else None, reason is None, reason)


async def _recorded(unit: Unit, member_id: MemberId) -> tuple[Row, MemberKeys] | None:
    """The member's row, with its pseudonym put into the entry; None for one that is not there or has been erased."""
    row = await members_store.row(unit.session, member_id)
    if row is None or row.wrapped is None or row.status is MemberStatus.ERASED:
        unit.draft.deny("NOT_FOUND")
        unit.draft.count = 0
        return None
    keys = unit.vault.member_keys(member_id, row.generation, row.wrapped)
    unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    unit.draft.count = 1
    return row, keys
