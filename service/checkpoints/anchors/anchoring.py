"""Deposits what was published last, with each anchor when it is due. A failure is a state that somebody sees, and stops nothing."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

from service.background import rest
from service.checkpoints import store as checkpoints
from service.checkpoints.anchors import store
from service.checkpoints.anchors.model import Anchor, Deposit, Receipt, State, Undeposited
from service.db.engine import Database
from service.errors import ServiceError
from service.values import Clock

_log = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)


class Anchoring:
    """All anchors of a deployment. `leading`: whether this instance is the one that publishes; the others leave it to that one."""

    def __init__(
        self, *, database: Database, anchors: Sequence[Anchor], origin: str, clock: Clock, leading: Callable[[], bool]
    ) -> None:
        self._database = database
        self._own = database.own()
        self._turn = asyncio.Lock()
        self._anchors = {anchor.kind: anchor for anchor in anchors}
        self._origin = origin
        self._clock = clock
        self._leading = leading
        self._states = {kind: State() for kind in self._anchors}

    @property
    def states(self) -> Mapping[str, State]:
        """How each anchor is, by its kind: for counts, alarms and `audit status`."""
        return self._states

    async def run(self, stop: asyncio.Event) -> None:
        """Deposit until `stop` is set."""
        while not stop.is_set():
            if self._leading():
                await self.once()
            await rest(stop, _LOOK_SECONDS)

    async def once(self) -> None:
        """Deposit with every anchor that is due. It raises nothing: what went wrong is in `states`."""
        await asyncio.gather(*(self._if_due(kind) for kind in self._anchors))

    async def now(self, kind: str) -> State:
        """Deposit with one anchor, due or not; what came of it. Raises KeyError for none that is known."""
        await self._deposited(self._anchors[kind], self._states[kind])
        return self._states[kind]

    async def close(self) -> None:
        """Give the connection back, and those to the outside."""
        for anchor in self._anchors.values():
            await anchor.close()
        await self._own.close()

    async def _if_due(self, kind: str) -> None:
        anchor, state = self._anchors[kind], self._states[kind]
        with suppress(ServiceError):
            last = await store.newest(self._database.read, kind)
            if last is not None:
                state.at, state.size = last.at, last.size
        now = self._clock()
        due = state.due or (state.at + anchor.every if state.at else now)
        if now >= due:
            await self._deposited(anchor, state)

    async def _deposited(self, anchor: Anchor, state: State) -> None:
        now = self._clock()
        try:
            published = await checkpoints.newest(self._database.read)
            if published is None:
                return
            receipt = await anchor.deposit(Deposit(self._origin, published.size, published.note), now)
            async with self._turn, self._own.single() as session:
                await store.add(session, Receipt(published.size, anchor.kind, now, receipt))
        except (Undeposited, ServiceError) as problem:
            state.problem = problem.code
            state.pause = min(max(2 * state.pause, _FIRST_PAUSE), _LONGEST_PAUSE)
            state.due = now + state.pause
            _log.warning("anchor %s: %s", anchor.kind, problem.code)
        else:
            state.at, state.size, state.problem, state.pause, state.due = now, published.size, "", timedelta(0), None
