"""Members that nobody has reason to look at: whoever reads one is walking through the shop, or trying doors.

Which they are is sealed under a key of the keyring, so that the database does not tell. In memory they are known by their pseudonyms of
this month and the next, because that is what passes the door.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from service.alarms import store
from service.db.engine import Session
from service.errors import BadInput, Conflict, SealBroken
from service.unit import Unit
from service.values import MemberId
from service.vault.vault import Vault

_USE = "link"
_LABEL = b"menshen/bait/v1"
_MONTH = timedelta(days=31)

Wrapped = tuple[int, bytes]
"""A member's generation and wrapped secret."""

Find = Callable[[Session, MemberId], Awaitable[Wrapped | None]]
"""Where members are kept is above this room, so whoever calls says how one is found; None for somebody erased, or nobody."""


async def add(unit: Unit, member_id: MemberId, find: Find) -> int:
    """Plant one; how many there are now. Raises BadInput for nobody, Conflict for one that is planted already."""
    if await find(unit.session, member_id) is None:
        raise BadInput("there is no such member")
    known = await planted(unit.session, unit.vault)
    if member_id in known:
        raise Conflict("it is planted already")
    sealed = unit.vault.seal_token(_USE, _LABEL, member_id.encode())
    by = unit.call.actor.name
    await store.add_bait(unit.session, bait_id=unit.new_id(), sealed=sealed, added_by=by, now=unit.now)
    return len(known) + 1


async def planted(session: Session, vault: Vault) -> Sequence[MemberId]:
    """Who they are. Raises SealBroken where somebody has put a row there that was not made here."""
    return [vault.open_token(_USE, _LABEL, sealed).decode() for sealed in await store.baits(session)]


async def names(session: Session, vault: Vault, find: Find, *, now: datetime) -> frozenset[str]:
    """Their pseudonyms of this month and the next. One that was erased, or whose row is spoilt, has none; the others keep theirs."""
    found: set[str] = set()
    for sealed in await store.baits(session):
        try:
            member_id = vault.open_token(_USE, _LABEL, sealed).decode()
        except SealBroken:
            continue
        wrapped = await find(session, member_id)
        if wrapped is not None:
            keys = vault.member_keys(member_id, *wrapped)
            found |= {vault.pseudonym(keys, now), vault.pseudonym(keys, _next_month(now))}
    return frozenset(found)


def _next_month(now: datetime) -> datetime:
    return now.replace(day=1) + _MONTH
