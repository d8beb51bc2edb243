"""Takes the newest note to the witnesses, beside the publisher's rounds: they are slow, elsewhere, and sometimes not there.

A witness that says that this is not the log that it knows ends it all: LogBroken goes up to the publisher, which breaks off.
"""

import asyncio
import logging
from contextlib import suppress

from service.checkpoints import store
from service.checkpoints.model import Cosigners, Published, State
from service.checkpoints.notes import cosigned_note
from service.checkpoints.signing import goes_on
from service.checkpoints.waiting import Waiting
from service.db.engine import Database
from service.errors import LogBroken
from service.values import Clock

_log = logging.getLogger(__name__)

_FRESH_SECONDS = 600.0
"""How old a cosignature may become while nothing is appended: it is also the sign that the log is alive."""

_AGAIN_SECONDS = 1.0
_LONGEST_SECONDS = 60.0
"""Before witnesses that were not enough are asked again: twice as long each time, up to a minute; soon while an answer waits for them."""

_TRIES = 3


class Cosigning:
    """`state` and `waiting` are the publisher's: what the witnesses said is written into the one and settles the other."""

    def __init__(self, cosigners: Cosigners, *, database: Database, state: State, waiting: Waiting, clock: Clock) -> None:
        self._cosigners = cosigners
        self._database = database
        # A connection of its own: the publisher's cannot be in two places, and witnesses are waited for.
        self._own = database.own()
        self._state = state
        self._waiting = waiting
        self._clock = clock
        self._newest: Published | None = None
        self._signed = asyncio.Event()

    def newest(self, made: Published) -> None:
        """There is another note to take to them."""
        self._newest = made
        self._signed.set()

    async def run(self) -> None:
        """Ask whenever there is a note, and again when their word has become old; until it is cancelled. Raises LogBroken."""
        pause = _AGAIN_SECONDS
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._signed.wait(), _FRESH_SECONDS)
            self._signed.clear()
            self._waiting.pressing.clear()
            if self._newest is None or not self._state.leading or await self._cosigned(self._newest):
                pause = _AGAIN_SECONDS
                continue
            await self._rest(pause)
            pause = min(2 * pause, _LONGEST_SECONDS)
            self._signed.set()

    async def close(self) -> None:
        """Give everything back."""
        for close in (self._own.close, self._cosigners.close):
            with suppress(Exception):
                await close()

    async def _rest(self, pause: float) -> None:
        """Over at once when somebody comes who waits for the witnesses, whose minute need not be everybody's."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._waiting.pressing.wait(), _AGAIN_SECONDS if self._waiting.for_witnesses else pause)

    async def _cosigned(self, newest: Published) -> bool:
        """Whether enough have cosigned."""

        async def proof(old: int, new: int) -> tuple[bytes, ...]:
            return await goes_on(self._database.read, old, new)

        try:
            found = await self._cosigners.cosign(newest.note, old=self._state.cosigned, proof=proof)
            self._state.witnesses = dict(found.problems)
            await self._add(newest, found.lines, enough=found.enough)
        except LogBroken:
            raise
        except Exception as problem:  # noqa: BLE001  (whatever it is: asked again, and the age of the last cosignature tells)
            _log.error("a checkpoint cannot be cosigned: %s", type(problem).__name__)
            with suppress(Exception):
                await self._own.close()
            return False
        return found.enough

    async def _add(self, newest: Published, lines: tuple[str, ...], *, enough: bool) -> None:
        """Beside the lines that others added meanwhile; none of them may go lost by this."""
        at = self._clock() if enough else None
        for _ in range(_TRIES):
            there = await store.at(self._database.read, newest.size)
            if there is None:
                raise LogBroken(f"the checkpoint of {newest.size} entries is gone")
            async with self._own.single() as session:
                done = await store.cosign(session, there, cosigned_note(there.note, lines), at or there.witnessed_at)
            if done:
                break
        if at is not None:
            self._state.cosigned, self._state.cosigned_at = max(newest.size, self._state.cosigned), at
            self._waiting.settle(self._state)
