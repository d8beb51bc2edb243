"""The lanes of changes. In each: number, insert the waiting row, COMMIT, one change at a time, so that no number is used up by a change
that is not.

The commit of a change is also the commit of its entry. What a lost connection leaves open is found out before the lane's next number is
given; what cannot be found out ends the lane. There are several lanes because a commit waits for the disk: changes in different lanes
wait together, and the database writes them with one flush. The lane that came back last is taken first, so a quiet process uses one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

from service.audit import pending, store
from service.audit.batch import Item, Queue
from service.audit.entry import Draft, Entry
from service.audit.head import Authority
from service.audit.lanes import Lane, Scribe
from service.db.engine import Database, Duplicate, Retry, Transaction
from service.values import Call, Clock

_SECONDS = 2.0
_LANES = 16
"""Commits that may be on their way at once."""


Commit = Callable[[Draft, Call, Transaction, Item], Awaitable[None]]
"""`Changes.commit`, or `Changes.end`."""


class Changes:
    """The change lanes of this process, and the way of their entries into the queue."""

    def __init__(self, *, database: Database, authority: Authority, scribe: Scribe, clock: Clock, queue: Queue) -> None:
        self._database = database
        self._authority = authority
        self._scribe = scribe
        self._clock = clock
        self._queue = queue
        self._room = asyncio.Semaphore(_LANES)
        self._free: list[Lane] = []

    @property
    def used(self) -> bool:
        """Whether a lane that has been begun can be ended."""
        return bool(self._free)

    async def commit(self, draft: Draft, call: Call, transaction: Transaction, item: Item) -> None:
        """Commit `transaction` with its entry, and queue `item` for it. Raises whatever the commit raised."""
        async with self._room:
            lane = self._free.pop() if self._free else self._scribe.lane("change")
            try:
                cancelled = await self._commit(lane, self._entries(lane, draft, call), transaction, item)
            except _LaneLost as lost:
                raise lost.problem from None
            except BaseException:
                self._back(lane)
                raise
            self._back(lane)
        if cancelled:
            raise asyncio.CancelledError

    async def end(self, draft: Draft, call: Call, transaction: Transaction, item: Item) -> None:
        """The same, as the last of a lane: nothing is written in it any more."""
        lane = self._free.pop()
        with suppress(_LaneLost):
            await self._commit(lane, self._entries(lane, draft, call), transaction, item)

    def _back(self, lane: Lane) -> None:
        """Free for the next; one in which nothing was ever written need not be ended, and is forgotten."""
        if lane.next:
            self._free.append(lane)

    def _entries(self, lane: Lane, draft: Draft, call: Call) -> list[Entry]:
        now = self._clock()
        opening = self._scribe.opening(lane, now)
        return [*opening, self._scribe.write(lane, lane.next + len(opening), draft, call, now=now)]

    async def _commit(self, lane: Lane, entries: list[Entry], transaction: Transaction, item: Item) -> bool:
        """Whether the caller was cancelled meanwhile."""
        rows = self._rows(lane, entries)
        await store.add_pending(transaction, rows, self._clock())
        cancelled = await self._certainly(transaction, rows[-1])
        lane.next += len(entries)
        # Queued before the lane's next number is given: the queue's order is the lane's.
        for boot in entries[:-1]:
            self._queue.put(Item(entry=boot))
        item.entry = entries[-1]
        self._queue.put(item)
        return cancelled

    def _rows(self, lane: Lane, entries: list[Entry]) -> list[store.Waiting]:
        return [
            pending.waiting(entry, self._authority, writer=lane.writer, number=number)
            for number, entry in enumerate(entries, start=lane.next)
        ]

    async def _certainly(self, transaction: Transaction, row: store.Waiting) -> bool:
        """Commit, and return only if it is so; whether the caller has been cancelled meanwhile. Raises _LaneLost when nobody can say."""
        try:
            return await _to_the_end(transaction.commit())
        except (Retry, Duplicate):
            raise
        except Exception as problem:
            there = await self._is_there(row)
            if there is None:
                raise _LaneLost(problem) from None
            if not there:
                raise
            return False

    async def _is_there(self, row: store.Waiting) -> bool | None:
        """Whether a commit that was not answered took place; None when that cannot be found out.

        To insert the same row again waits for the transaction in question to end, and then tells which way it did. SQLite has no
        such second writer, and needs none: nothing is lost between it and us but this process itself.
        """
        if self._database.dialect == "sqlite":
            return None
        try:
            async with asyncio.timeout(_SECONDS), self._database.write() as probe:
                await store.make_durable(probe)
                try:
                    await store.add_pending(probe, [row], self._clock())
                except Duplicate:
                    return True
                return bool(await store.located(probe, [row.entry_id]))
        except Exception:  # noqa: BLE001  (whatever kept us from finding out: nobody can say)
            return None


class _LaneLost(Exception):
    """Nobody can say whether a number was used up, so the lane is at its end."""

    def __init__(self, problem: Exception) -> None:
        super().__init__()
        self.problem = problem


async def _to_the_end(work: Coroutine[Any, Any, object]) -> bool:
    """Await `work` even if we are cancelled meanwhile, and say whether we were: a commit on its way cannot be called back."""
    task, cancelled = asyncio.ensure_future(work), False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    task.result()
    return cancelled
