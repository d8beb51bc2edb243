"""What goes on beside the work: the record's own health and the law's tasks are watched, people told of alarms, old counts forgotten."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from policies.clock import day_in_shanghai
from service.alarms import baits
from service.alarms.model import AlarmKind, Sight
from service.alarms.opening import carriers, going_round
from service.alarms.settings import load as load_alarms
from service.alarms.telling import Bell
from service.alarms.watch import Watchman, of_publisher
from service.app import Parts, kept
from service.oversight import store as oversight
from service.propagation import endpoints
from service.propagation.courier import Courier
from service.propagation.telling import posted
from service.tally import store as tally
from service.tally.model import WINDOW


@asynccontextmanager
async def watched(running: Parts) -> AsyncIterator[None]:
    """Go round the record's own health and the tasks of the law, and tell people of alarms until somebody sees to them.

    Raises ConfigError.
    """
    config, units, clock = running.config, running.units, running.clock
    told = load_alarms(config.alarms, production=config.production)

    async def know() -> None:
        running.guard.know(await baits.names(running.database.read, running.vault, kept, now=clock()))

    async def record() -> Sight:
        return of_publisher(running.publisher.state, told.rules, now=clock())

    async def anchors() -> Sight:
        failing = {kind: state.problem for kind, state in running.anchoring.states.items() if state.problem}
        return Sight(
            {(AlarmKind.ANCHOR_FAILED, kind): code for kind, code in failing.items()}, whole=running.publisher.state.leading
        )

    async def duties() -> Sight:
        today = day_in_shanghai(clock())
        found = [duty for duty in await oversight.duties(running.database.read, today=today) if duty.overdue]
        return Sight({(AlarmKind.DUTY_OVERDUE, f"{one.kind.value} {one.occasion}"): "LATE" for one in found}, whole=True)

    own = running.database.own()

    async def forget() -> None:
        async with own.single() as session:
            await tally.purge(session, before=clock() - 2 * WINDOW)

    async with Courier() as courier:
        hook = told.webhook and endpoints.endpoint("MENSHEN_ALARMS: webhook", told.webhook, production=config.production)
        post = partial(posted, courier, hook) if hook else None
        bell = Bell(units=units, carriers=carriers(told, post), rules=told.rules, clock=clock)
        watchman = Watchman(
            units=units, looks=(record, anchors, duties), chores=(know, forget), clock=clock, chance=running.chance
        )
        try:
            async with going_round(watchman, bell):
                yield
        finally:
            await own.close()
