"""What is kept beside the ledger, held against what follows from it; and put right where it differs.

The ledger is the authority: a standing that says more than its events would open what nobody allowed. Every batch is a unit by itself,
with its entry, so a rebuild that was killed is simply run again; members who were erased have no standings and get none.
"""

from collections.abc import Callable
from dataclasses import dataclass

from service.audit.entry import Draft
from service.consent import proven, store
from service.consent.review import store as review
from service.errors import Malformed
from service.unit import Unit, Units
from service.values import Call, MemberId

BATCH = 200


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was found among so many members. `differing`: what was kept is not what the ledger says; `broken`: the ledger contradicts
    itself, so it proves nothing, and no consent stands that rested on it: the member is UNKNOWN to every purpose that permitted.
    """

    members: int = 0
    differing: tuple[MemberId, ...] = ()
    broken: tuple[MemberId, ...] = ()

    def __add__(self, other: "Rebuilt") -> "Rebuilt":
        return Rebuilt(self.members + other.members, self.differing + other.differing, self.broken + other.broken)


async def rebuild(units: Units, call: Call, *, repair: bool, step: Callable[[int], None], size: int = BATCH) -> Rebuilt:
    """Walk over all members. `repair`: put right what differs; otherwise it is only found. `step` is told of every batch."""
    found, after = Rebuilt(), ""
    while batch := await review.members(units.database.read, after=after, size=size):
        found += await _batch(units, call, batch, repair=repair)
        after = batch[-1]
        step(len(batch))
    return found


async def _batch(units: Units, call: Call, batch: list[MemberId], *, repair: bool) -> Rebuilt:
    async def work(unit: Unit) -> Rebuilt:
        found = Rebuilt()
        for member_id in batch:
            found += await compare(unit, member_id, repair=repair)
        unit.draft.count = found.members
        unit.draft.extra |= {"differing": len(found.differing), "broken": len(found.broken), "repaired": repair}
        return found

    return await units.change(call, Draft(typ="admin", operation="rebuildConsents"), work)


async def compare(unit: Unit, member_id: MemberId, *, repair: bool) -> Rebuilt:
    """One member, locked: whether what is kept is what the ledger says."""
    session = unit.session
    if not await review.lock(session, member_id):
        return Rebuilt()
    kept = await review.kept(session, member_id)
    try:
        history = await store.events(session, member_id)
        says = review.derived(member_id, proven.newest(history, member_id, unit.catalogue, now=unit.now))
    except Malformed:
        if repair:
            await review.replace(session, member_id, review.unproven(kept))
        return Rebuilt(1, broken=(member_id,))
    if kept == says:
        return Rebuilt(1)
    if repair:
        await review.replace(session, member_id, says)
    return Rebuilt(1, differing=(member_id,))
