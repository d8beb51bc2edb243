"""What is done by itself, every few minutes, by every instance that serves: the log's accounts are read on, unused ones closed, persons
counted once a day, tasks opened. Everything of it is harmless when two instances do it at once.

It never ends by itself. What fails is logged by its type and tried again at the next round.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from policies import duties as rules
from service.audit.entry import Draft
from service.background import beside, rest
from service.errors import StoreUnavailable
from service.identity import closed
from service.identity.closed import Closed
from service.oversight import commands, register, store
from service.oversight.tracing import store as traced
from service.oversight.tracing.trace import trace
from service.unit import Unit, Units
from service.values import Actor, ActorKind, Call, Chance, Clock, new_id

ROUND_SECONDS = 300.0
GRACE_SECONDS = 15.0
_log = structlog.get_logger("menshen.oversight")


class Upkeep:
    """One instance's share of it."""

    def __init__(self, units: Units, shut: Closed, *, clock: Clock, chance: Chance) -> None:
        self._units = units
        self._shut = shut
        self._clock = clock
        self._chance = chance

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set: look who is closed every half minute, and do a round every few."""
        try:
            await asyncio.gather(self._looking(stop), self._rounds(stop))
        finally:
            if not stop.is_set():
                self._shut.lost()

    async def once(self) -> None:
        """One round. Raises what the database or the log raises."""
        now = self._clock()
        await trace(self._units.database, now=now)
        await self._disable()
        await commands.count(self._units.database, now=now)
        await self._open()
        await self._shut.look()

    async def _disable(self) -> None:
        """Only while the log has been read to its end: else somebody would seem unused whose acts are yet to be read."""
        database = self._units.database
        if await traced.position(database.read) < await store.log_size(database.read):
            return
        names = await store.unused(database.read, before=self._clock() - rules.UNUSED)
        if not names:
            return

        async def work(unit: Unit) -> None:
            await commands.disable_unused(unit, names)

        await self._units.change(self._call(), Draft(typ="admin", operation="disableUnusedAccounts"), work)

    async def _open(self) -> None:
        wanted = await commands.wanted(self._units.database, now=self._clock())
        if not wanted:
            return

        async def work(unit: Unit) -> None:
            await commands.open_duties(unit, wanted)

        await self._units.change(self._call(), Draft(typ="admin", operation="openDuties"), work)

    def _call(self) -> Call:
        return Call(Actor(ActorKind.SYSTEM, "oversight", frozenset()), new_id(self._clock(), self._chance))

    async def _looking(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            with suppress(StoreUnavailable):
                await self._shut.look()
            await rest(stop, closed.SECONDS)

    async def _rounds(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self.once()
            except Exception as problem:  # noqa: BLE001 - whatever it is, the next round comes, and its message is nobody's business
                _log.error("oversight_round_failed", type=type(problem).__name__)
            await rest(stop, ROUND_SECONDS)


@asynccontextmanager
async def overseen(units: Units, shut: Closed, *, clock: Clock, chance: Chance) -> AsyncIterator[Upkeep]:
    """Write down under which policy is served from now on, and see to accounts, counts and tasks while it is. Raises StoreUnavailable."""
    catalogue = units.catalogue
    await commands.serve_under(units.database, catalogue.digest, register.body(catalogue), now=clock())
    upkeep = Upkeep(units, shut, clock=clock, chance=chance)
    async with beside(upkeep.run, grace=GRACE_SECONDS):
        yield upkeep
