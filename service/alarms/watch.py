"""Looks at the record's own health every few seconds, and raises what is wrong; closes what was, where that is over by itself."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

import structlog

from service.alarms import commands, store
from service.alarms.model import PASSING, WATCH, Alarm, AlarmKind, Rules, Sight, Troubles
from service.audit.entry import Draft
from service.background import rest
from service.checkpoints.model import State
from service.errors import LogBroken, RecordUnavailable
from service.unit import Unit, Units
from service.values import Call, Chance, Clock, new_id

_T = TypeVar("_T")

Look = Callable[[], Awaitable[Sight]]
"""What is wrong now, in one place: the publisher of checkpoints, the anchors."""

Chore = Callable[[], Awaitable[object]]
"""What else is to be done in each round."""

_SECONDS: Final = 15.0
_LOG: Final = "log"
_SILENT: Final = frozenset({"SLOW", "UNREACHABLE", "TIMEOUT", "SILENT"})
"""Codes of a witness that said nothing. Every other says something that somebody has to read."""

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
        self._own = units.database.own()
        self._known: frozenset[tuple[AlarmKind, str]] = frozenset()

    async def run(self, stop: asyncio.Event) -> None:
        """Go round until `stop` is set."""
        while not stop.is_set():
            await self.round()
            await rest(stop, self._seconds)

    async def close(self) -> None:
        """Give the connection back."""
        await self._own.close()

    async def round(self) -> None:
        """One round. What fails in it is said to the log and does not keep the rest from being done."""
        for each in (*self._chores, self._look):
            await self._tried(each)

    async def _tried(self, work: Callable[[], Awaitable[_T]]) -> _T | None:
        """What it says; None where it failed. One table that somebody spoilt must not keep another's alarm from being raised."""
        try:
            return await work()
        except Exception as problem:  # noqa: BLE001 - a watchman who falls over sees nothing more
            _log.error("watch_failed", type=type(problem).__name__)
            return None

    async def _look(self) -> None:
        found = [sight for look in self._looks if (sight := await self._tried(look)) is not None]
        wrong = {key: code for sight in found for key, code in sight.troubles.items()}
        for (kind, about), code in wrong.items():
            if (kind, about) not in self._known and await self._tried(partial(self._raise, kind, about, code)):
                self._known |= {(kind, about)}
        self._known &= wrong.keys()
        if found and len(found) == len(self._looks) and all(sight.whole for sight in found):
            for over in await self._over(wrong):
                await self._change("closeAlarm", partial(commands.settle, found=over))

    async def _raise(self, kind: AlarmKind, about: str, code: str) -> bool:
        """With its entry; where the log takes no entry, because it is what is broken, without one: somebody has to hear of it."""
        try:
            await self._change("raiseAlarm", partial(commands.raise_alarm, kind=kind, about=about, codes={"code": code}))
        except (LogBroken, RecordUnavailable):
            async with self._own.single() as session:
                await commands.put(session, kind, about, now=self._clock(), chance=self._chance)
        return True

    async def _over(self, wrong: Troubles) -> Sequence[Alarm]:
        live = await store.live(self._units.database.read)
        return [one for one in live if one.kind in PASSING and (one.kind, one.about) not in wrong]

    async def _change(self, operation: str, work: Callable[[Unit], Awaitable[object]]) -> None:
        call = Call(WATCH, new_id(self._clock(), self._chance))
        await self._units.change(call, Draft(typ="admin", operation=operation), work)


def of_publisher(state: State, rules: Rules, *, now: datetime) -> Sight:
    """What the publisher of this process tells. Only the one that leads asks the witnesses."""
    wrong: dict[tuple[AlarmKind, str], str] = {}
    if state.breaker:
        wrong[AlarmKind.LOG_BROKEN, _LOG] = "LOG_BROKEN"
    if state.leading and state.tail_since is not None and now - state.tail_since > rules.unsigned:
        wrong[AlarmKind.UNSIGNED_TAIL, _LOG] = state.problem or "LATE"
    for witness, code in state.witnesses.items() if state.leading else ():
        kind = AlarmKind.WITNESS_UNREACHABLE if code in _SILENT else AlarmKind.WITNESS_REFUSED
        wrong[kind, witness] = code
    return Sight(wrong, whole=state.leading)
