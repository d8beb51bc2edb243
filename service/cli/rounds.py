"""What goes on beside the serving: the record's own health is watched, people are told of alarms, old counts are forgotten."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from service.alarms import baits
from service.alarms.opening import carriers, going_round
from service.alarms.settings import load as load_alarms
from service.alarms.telling import Bell
from service.alarms.watch import Watchman
from service.app import Parts, kept
from service.propagation import endpoints
from service.propagation.courier import Courier
from service.propagation.telling import posted
from service.tally import store as tally
from service.tally.model import WINDOW


@asynccontextmanager
async def watched(running: Parts) -> AsyncIterator[None]:
    """Go round the record's own health, and tell people of alarms until somebody sees to them. Raises ConfigError."""
    config, units, clock = running.config, running.units, running.clock
    told = load_alarms(config.alarms, production=config.production)

    async def know() -> None:
        running.guard.know(await baits.names(running.database.read, running.vault, kept, now=clock()))

    own = running.database.own()

    async def forget() -> None:
        async with own.single() as session:
            await tally.purge(session, before=clock() - 2 * WINDOW)

    async with Courier() as courier:
        hook = told.webhook and endpoints.endpoint("MENSHEN_ALARMS: webhook", told.webhook, production=config.production)
        post = partial(posted, courier, hook) if hook else None
        bell = Bell(units=units, carriers=carriers(told, post), rules=told.rules, clock=clock)
        watchman = Watchman(units=units, looks=(), chores=(know, forget), clock=clock, chance=running.chance)
        try:
            async with going_round(watchman, bell):
                yield
        finally:
            await own.close()
