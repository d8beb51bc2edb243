"""Who waits for a checkpoint before they may answer, and how long."""

import asyncio
from dataclasses import dataclass

from service.audit.journal import Ack
from service.checkpoints.model import State
from service.errors import LogBroken, RecordUnavailable, ServiceError

PATIENCE_SECONDS = 10.0
"""A round, a signer and the slowest of the witnesses that are needed; longer nobody holds a request."""


@dataclass(slots=True, eq=False)
class _One:
    size: int
    ack: Ack
    answer: "asyncio.Future[None]"


class Waiting:
    """True while anybody waits; `arrived` is set when somebody comes, `pressing` when they wait for witnesses."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self.arrived = asyncio.Event()
        self.pressing = asyncio.Event()
        self._all: list[_One] = []

    def __bool__(self) -> bool:
        return bool(self._all)

    @property
    def for_witnesses(self) -> bool:
        """Whether anybody waits for a cosignature."""
        return any(one.ack is Ack.WITNESSED for one in self._all)

    async def until(self, size: int, ack: Ack, state: State) -> None:
        """Return when it is so. Raises RecordUnavailable when it is not in time, LogBroken when it will not be."""
        if _reached(size, ack, state):
            return
        if state.breaker:
            raise LogBroken(state.breaker)
        one = _One(size, ack, asyncio.get_running_loop().create_future())
        self._all.append(one)
        self.arrived.set()
        if ack is Ack.WITNESSED:
            self.pressing.set()
        try:
            async with asyncio.timeout(self._patience):
                await one.answer
        except TimeoutError:
            raise RecordUnavailable(f"no checkpoint over the entry is {ack} in time") from None
        finally:
            if one in self._all:
                self._all.remove(one)

    def settle(self, state: State) -> None:
        """Tell whoever has what they wait for."""
        for one in [one for one in self._all if _reached(one.size, one.ack, state)]:
            self._all.remove(one)
            if not one.answer.done():
                one.answer.set_result(None)

    def end(self, problem: LogBroken | None) -> None:
        """Nobody will get it any more."""
        for one in self._all:
            if not one.answer.done():
                told: ServiceError = LogBroken(problem.detail) if problem else RecordUnavailable("the instance stops")
                one.answer.set_exception(told)
        self._all.clear()


def _reached(size: int, ack: Ack, state: State) -> bool:
    if ack is Ack.COMMITTED:
        return True
    # A log that does not fit answers nobody, whatever was signed before.
    return not state.breaker and size <= (state.signed if ack is Ack.SIGNED else state.cosigned)
