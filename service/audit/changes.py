"""The lane of changes: number, insert the waiting row, COMMIT, one change at a time, so that no number is used up by a change that is not.

The commit of a change is also the commit of its entry. What a lost connection leaves open is found out before the next number is
given; what cannot be found out ends the lane.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from service.audit import pending, store
from service.audit.batch import Item, Queue
from service.audit.entry import Draft, Entry
from service.audit.head import Authority
from service.audit.lanes import Lane, Scribe
from service.db.engine import Database, Duplicate, Retry, Transaction
from service.values import Call, Clock

_SECONDS = 2.0


class Changes:
    """The change lane of this process, and the way of its entries into the queue."""

    def __init__(self, *, database: Database, authority: Authority, scribe: Scribe, clock: Clock, queue: Queue) -> None:
        self._database = database
        self._authority = authority
        self._scribe = scribe
        self._clock = clock
        self._queue = queue
        self._lane = scribe.lane("change")
        self._turn = asyncio.Lock()

    @property
    def used(self) -> bool:
        """Whether the lane has been begun."""
        return self._lane.next > 0

    async def commit(self, draft: Draft, call: Call, transaction: Transaction, item: Item) -> None:
        """Commit `transaction` with its entry, and queue `item` for it. Raises whatever the commit raised."""
        async with self._turn:
            lane, now = self._lane, self._clock()
            entries = self._scribe.opening(lane, now)
            entries.append(self._scribe.write(lane, lane.next + len(entries), draft, call, now=now))
            rows = self._rows(lane, entries)
            await store.add_pending(transaction, rows, now)
            cancelled = await self._certainly(transaction, rows[-1])
            lane.next += len(entries)
            # Queued before the next number is given: the queue's order is the lane's.
            for boot in entries[:-1]:
                self._queue.put(Item(entry=boot))
            item.entry = entries[-1]
            self._queue.put(item)
        if cancelled:
            raise asyncio.CancelledError

    def _rows(self, lane: Lane, entries: list[Entry]) -> list[store.Waiting]:
        return [
            pending.waiting(entry, self._authority, writer=lane.writer, number=number)
            for number, entry in enumerate(entries, start=lane.next)
        ]

    async def _certainly(self, transaction: Transaction, row: store.Waiting) -> bool:
        """Commit, and return only if it is so; whether the caller has been cancelled meanwhile. Ends the lane when nobody can say."""
        try:
            return await _to_the_end(transaction.commit())
        except (Retry, Duplicate):
            raise
        except Exception:
            there = await self._is_there(row)
            if there is None:
                self._lane = self._scribe.lane("change")
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


async def _to_the_end(work: Coroutine[Any, Any, None]) -> bool:
    """Await `work` even if we are cancelled meanwhile, and say whether we were: a commit on its way cannot be called back."""
    task, cancelled = asyncio.ensure_future(work), False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    task.result()
    return cancelled
