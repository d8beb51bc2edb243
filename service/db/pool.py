"""Connections that are lent and taken back: the one that came back last goes out first, because its caches are warm.

Ours and not the driver's, because lending is on every request's way: 2 µs where the driver's pool takes 55 (bench/README.md). Connections
are made when they are needed, up to `size`; whoever comes when all are out waits in line, and not for ever.
"""

import asyncio
from collections import deque
from typing import Any

import asyncpg

from service.errors import StoreUnavailable

Connection = Any
"""An asyncpg connection: the package carries no types that agree with how it is made."""

_CONNECT_SECONDS = 5.0
_WAIT_SECONDS = 2.0


class Pool:
    """See above. `lend` and `take_back` belong together, in a `try` and its `finally`."""

    def __init__(self, url: str, *, size: int, statements_kept: int) -> None:
        self._url = url
        self._kept = statements_kept
        self._room = size
        self._free: list[Connection] = []
        self._line: deque[asyncio.Future[Connection]] = deque()
        self._open = False

    async def open(self) -> None:
        """Make the first connection: a database that is away is told now, and not by the first request. Raises StoreUnavailable."""
        self._open = True
        self.take_back(await self.lend())

    async def close(self) -> None:
        """Close what is free; what is out is closed when it comes back, and whoever waits is told."""
        self._open = False
        self._call(None)
        while self._free:
            await self._free.pop().close(timeout=_CONNECT_SECONDS)

    async def lend(self) -> Connection:
        """A connection. Raises StoreUnavailable when none comes back in time, and asyncpg's errors when none can be made."""
        while self._open:
            if self._free:
                connection = self._free.pop()
            elif self._room:
                connection = await self._made()
            else:
                connection = await self._in_line()
            if connection is not None and _fit(connection):
                return connection
            self._lose(connection)
        raise StoreUnavailable("closed")

    def take_back(self, connection: Connection) -> None:
        """Give it to whoever waits longest, or keep it."""
        if not self._open or not _fit(connection):
            self._lose(connection)
        elif not self._call(connection):
            self._free.append(connection)

    async def _made(self) -> Connection:
        self._room -= 1
        try:
            return await asyncpg.connect(self._url, statement_cache_size=self._kept, timeout=_CONNECT_SECONDS)
        except BaseException:
            self._room += 1
            self._call(None)
            raise

    async def _in_line(self) -> Connection:
        """A connection that was taken back, or None where one may be made."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[Connection] = loop.create_future()
        late = loop.call_later(_WAIT_SECONDS, _too_late, turn)
        self._line.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            # It may have been handed over in the very moment in which whoever waited was told to stop.
            if not turn.cancelled() and turn.exception() is None and turn.result() is not None:
                self.take_back(turn.result())
            raise
        finally:
            late.cancel()

    def _call(self, connection: Connection) -> bool:
        """Hand it to the first in line who still waits; whether there was one."""
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(connection)
                return True
        return False

    def _lose(self, connection: Connection) -> None:
        """One less, so there is room for one more."""
        if connection is not None:
            connection.terminate()
            self._room += 1
            self._call(None)


def _fit(connection: Connection) -> bool:
    """Whether it can be lent: it is there, and nobody left a transaction open in it."""
    return not connection.is_closed() and not connection.is_in_transaction()


def _too_late(turn: "asyncio.Future[Connection]") -> None:
    if not turn.done():
        turn.set_exception(StoreUnavailable("every connection is in use"))
