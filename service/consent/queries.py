"""What a member has agreed to: now, at a moment, and how it came about; who is stale. Each is a disclosure and owes an entry."""

from datetime import datetime

from policies.terms import Basis, ConsentState, MemberStatus, Purpose
from service.consent import ledger, store
from service.consent.model import ConsentEvent, ConsentStanding, Overview, StaleConsent
from service.consent.review import store as review
from service.consent.views import ConsentView, view
from service.errors import BadInput
from service.members import store as members_store
from service.minors.approved import approved
from service.unit import Reader, Unit
from service.values import MemberId

PAGE_LIMIT = 100


async def standings(unit: Unit, *, member_id: MemberId, at: datetime | None = None) -> tuple[ConsentView, ...] | None:
    """Where every consent-based purpose stands, now or as the ledger had it at a moment (WD-02). None: no such member."""
    if not await _recorded(unit, member_id):
        return None
    found: dict[str, tuple[ConsentStanding, ConsentEvent | None]]
    if at is None:
        found = dict(await store.standings_with_events(unit.session, member_id))
    else:
        then = ledger.newest(await store.events(unit.session, member_id), at)
        found = {purpose: (ledger.standing_of(event), event) for purpose, event in then.items()}
    asked = (purpose for purpose in unit.catalogue.purposes.values() if purpose.basis is Basis.CONSENT)
    return tuple(_seen(unit, purpose, found, at or unit.now) for purpose in asked)


def _seen(
    unit: Unit, purpose: Purpose, found: dict[str, tuple[ConsentStanding, ConsentEvent | None]], at: datetime
) -> ConsentView:
    standing, event = found.get(purpose.key, (ConsentStanding(purpose.key, ConsentState.NEVER_ASKED), None))
    return view(unit.catalogue, purpose, standing, event, at)


async def history(unit: Unit, *, member_id: MemberId) -> tuple[ConsentEvent, ...] | None:
    """The member's whole ledger, oldest first. None: no such member."""
    if not await _recorded(unit, member_id):
        return None
    return tuple(await store.events(unit.session, member_id))


async def contacts(unit: Unit, *, member_id: MemberId) -> tuple[tuple[str, datetime | None], ...] | None:
    """The contacts by which the member is found, each with the moment of its last proof (LB-05). None: no such member."""
    if not await _recorded(unit, member_id):
        return None
    found = tuple(await members_store.contacts(unit.session, member_id))
    unit.draft.fields = tuple(field for field, _ in found)
    return found


async def stale(unit: Unit, *, of: str, first: int, after: MemberId) -> tuple[StaleConsent, ...]:
    """The next members whose consent stands and does not cover all of the purpose as it is now: one statement.

    Raises BadInput (PAGE_SIZE_TOO_LARGE; a purpose that asks for no consent).
    """
    if not 1 <= first <= PAGE_LIMIT:
        raise BadInput(f"first: between 1 and {PAGE_LIMIT}", code="PAGE_SIZE_TOO_LARGE")
    purpose = _consented(unit, of)
    found = await review.stale(unit.session, purpose=purpose.key, version=purpose.version, after=after, size=first, now=unit.now)
    for one in found:
        keys = unit.vault.member_keys(one.member_id, one.generation, one.wrapped)
        unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    unit.draft.count = len(found)
    return tuple(found)


async def overview(reader: Reader, *, of: str) -> Overview:
    """How many members' consents stand in which state, at this moment: one statement. Raises BadInput."""
    purpose = _consented(reader, of)
    return await review.overview(reader.session, purpose=purpose.key, version=purpose.version, now=reader.now)


def _consented(reader: Reader, key: str) -> Purpose:
    purpose = reader.catalogue.purposes.get(key)
    if purpose is None or purpose.basis is not Basis.CONSENT:
        raise BadInput("of: a purpose that rests on consent")
    return purpose


async def _recorded(unit: Unit, member_id: MemberId) -> bool:
    """Put the member's pseudonym into the entry; False for a member that is not there or has been erased."""
    row = await members_store.row(unit.session, member_id)
    if row is None or row.wrapped is None or row.status is MemberStatus.ERASED:
        unit.draft.deny("NOT_FOUND")
        unit.draft.count = 0
        return False
    keys = unit.vault.member_keys(row.member_id, row.generation, row.wrapped)
    unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    unit.draft.count = 1
    await approved(unit, keys, row)
    return True
