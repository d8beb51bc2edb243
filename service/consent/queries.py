"""What a member has agreed to: now, at a moment, and how it came about. Each is a disclosure and owes an entry."""

from datetime import datetime

from policies.terms import Basis, ConsentState, MemberStatus
from service.consent import ledger, store
from service.consent.model import ConsentEvent, ConsentStanding
from service.members import store as members_store
from service.unit import Unit
from service.values import MemberId


async def standings(unit: Unit, *, member_id: MemberId, at: datetime | None = None) -> tuple[ConsentStanding, ...] | None:
    """Where every consent-based purpose stands, now or as the ledger had it at a moment (WD-02). None: no such member."""
    if not await _recorded(unit, member_id):
        return None
    if at is None:
        found = {purpose: standing for purpose, (standing, _) in (await store.standings(unit.session, member_id)).items()}
    else:
        found = ledger.latest(await store.events(unit.session, member_id), at)
    asked = (key for key, purpose in unit.catalogue.purposes.items() if purpose.basis is Basis.CONSENT)
    return tuple(found.get(key, ConsentStanding(key, ConsentState.NEVER_ASKED)) for key in asked)


async def history(unit: Unit, *, member_id: MemberId) -> tuple[ConsentEvent, ...] | None:
    """The member's whole ledger, oldest first. None: no such member."""
    if not await _recorded(unit, member_id):
        return None
    return tuple(await store.events(unit.session, member_id))


async def _recorded(unit: Unit, member_id: MemberId) -> bool:
    """Put the member's pseudonym into the entry; False for a member that is not there or has been erased."""
    row = await members_store.row(unit.session, member_id)
    if row is None or row.wrapped is None or row.status is MemberStatus.ERASED:
        unit.draft.deny("NOT_FOUND")
        unit.draft.count = 0
        return False
    keys = unit.vault.member_keys(member_id, row.generation, row.wrapped)
    unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    unit.draft.count = 1
    return True
