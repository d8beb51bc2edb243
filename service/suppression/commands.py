"""Suppress and lift: both idempotent, both appended before the row beside them is moved.

A suppression is about an address of one legal entity, not about a member or a brand: so it outlives the member, every list that the address
stands in, and every name that is put above the message (RD-06, MK-05). Nothing but its verified owner's own newer act lifts it.
"""

from collections.abc import Sequence
from datetime import datetime

from policies.terms import Channel
from service.suppression import store
from service.suppression.model import Suppression, SuppressionState, Target, liftable
from service.unit import Unit
from service.values import MemberId

RESTORED = "RESTORED"
"""The way of a no that was brought back from a file."""


async def suppress(unit: Unit, targets: Sequence[Target], *, reason: str, way: str) -> int:
    """Send nothing there any more; how many of these are new. Twice is as good as once."""
    new = 0
    for channel, mark in dict.fromkeys(targets):
        known = await store.one(unit.session, channel, mark)
        if known is not None and known.stands:
            continue
        said = Suppression(channel, mark, SuppressionState.SUPPRESSED, reason, unit.now)
        await store.write(unit.session, said, event_id=unit.new_id(), way=way, first=known is None)
        new += 1
    return new


async def lift(unit: Unit, targets: Sequence[Target], *, way: str) -> int:
    """What was suppressed is so no longer; how many were. Whoever calls this has seen a newer act of the verified owner."""
    lifted = 0
    for channel, mark in dict.fromkeys(targets):
        known = await store.one(unit.session, channel, mark)
        if known is None or not known.stands:
            continue
        said = Suppression(channel, mark, SuppressionState.LIFTED, known.reason, unit.now)
        await store.write(unit.session, said, event_id=unit.new_id(), way=way, first=False)
        lifted += 1
    return lifted


async def replay(unit: Unit, known: Sequence[Suppression]) -> int:
    """Bring back what a restored backup does not know yet; how many that was. What is there and as new stays, so it may be done twice."""
    back = 0
    for each in known:
        here = await store.one(unit.session, each.channel, each.mark)
        if here is not None and here.since >= each.since:
            continue
        await store.write(unit.session, each, event_id=unit.new_id(), way=RESTORED, first=here is None)
        back += 1
    unit.draft.extra["replayed"] = back
    return back


async def lift_for(unit: Unit, member_id: MemberId, channel: Channel, *, acted_at: datetime, way: str) -> int:
    """The member said yes to this channel at `acted_at`, by themselves and provably: lift what is older, of addresses that are provably
    theirs.
    """
    found = await store.addresses(unit.session, member_id)
    return await lift(unit, liftable(channel, found, acted_at=acted_at), way=way)
