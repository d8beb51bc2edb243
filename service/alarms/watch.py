"""Looks at the record's own health every few seconds, and raises what is wrong; closes what was, where that is over by itself."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

import structlog

from service.alarms import commands, store
from service.alarms.model import PASSING, WATCH, Alarm, AlarmKind, Troubles
from service.audit.entry import Draft
from service.unit import Unit, Units
from service.values import Call, Chance, Clock, new_id

Look = Callable[[], Awaitable[Troubles]]
"""What is wrong now, in one place: the publisher of checkpoints, the anchors."""

Chore = Callable[[], Awaitable[object]]
"""What else is to be done in each round."""

_SECONDS: Final = 15.0
_log = structlog.get_logger("menshen.alarms")


class Watchman:
    """Goes round until told to stop. What is wrong is said once, until it is over or somebody closes it."""

    def __init__(
        self,
        *,
        units: Units,
        looks: Sequence[Look],
        chores: Sequence[Chore],
        clock: Clock,
        chance: Chance,
        seconds: float = _SECONDS,
    ) -> None:
        self._units = units
        self._looks = tuple(looks)
        self._chores = tuple(chores)
        self._clock = clock
        self._chance = chance
        self._seconds = seconds
        self._known: frozenset[tuple[AlarmKind, str]] = frozenset()

    async def run(self, stop: asyncio.Event) -> None:
        """Go round until `stop` is set."""
        while not stop.is_set():
            await self.round()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._seconds)

    async def round(self) -> None:
        """One round. What fails in it is said to the log and does not keep the rest from being done."""
        for each in (*self._chores, self._look):
            try:
                await each()
            except Exception as problem:  # noqa: BLE001 - a watchman who falls over sees nothing more
                _log.error("watch_failed", type=type(problem).__name__)

    async def _look(self) -> None:
        found = [await look() for look in self._looks]
        wrong = {key: much for troubles in found for key, much in troubles.items()}
        for (kind, about), much in wrong.items():
            if (kind, about) not in self._known:
                await self._change("raiseAlarm", partial(commands.raise_alarm, kind=kind, about=about, codes={"much": much}))
        self._known = frozenset(wrong)
        if self._looks:
            for over in await self._over(wrong):
                await self._change("closeAlarm", partial(commands.settle, found=over))

    async def _over(self, wrong: Troubles) -> Sequence[Alarm]:
        live = await store.live(self._units.database.read)
        return [one for one in live if one.kind in PASSING and (one.kind, one.about) not in wrong]

    async def _change(self, operation: str, work: Callable[[Unit], Awaitable[object]]) -> None:
        call = Call(WATCH, new_id(self._clock(), self._chance))
        await self._units.change(call, Draft(typ="admin", operation=operation), work)
