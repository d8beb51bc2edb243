"""What waits to be written, and the next batch of it. Nothing waits to gather: the batch before it is the wait, and the head's lock."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from service.audit.appending import Placed
from service.audit.entry import Draft, Entry
from service.audit.journal import Receipt
from service.audit.lanes import Lane, Scribe
from service.errors import LogBroken, RecordUnavailable, ServiceError
from service.values import Call

MOST_ENTRIES = 2000
MOST_BYTES = 1 << 20
PATIENCE_SECONDS = 2.0
MOST_WAITING = 20_000
"""So much may wait while the database is away; whoever comes then is told at once."""


@dataclass(slots=True, eq=False)
class Item:
    """A read's draft and its caller, or a change's entry, which waits in the database too and must go in whoever still asks."""

    answer: "asyncio.Future[Receipt] | None" = None
    draft: Draft | None = None
    call: Call | None = None
    entry: Entry | None = None
    deadline: float = 0.0

    @property
    def waits(self) -> bool:
        """Whether somebody still wants to know."""
        return self.answer is not None and not self.answer.done()

    def succeed(self, receipt: Receipt) -> None:
        """Tell whoever waits."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_result(receipt)

    def fail(self, problem: ServiceError) -> None:
        """Tell whoever waits."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(problem)


@dataclass(slots=True)
class Batch:
    """Entries with their owners, in the order of the tree; `reads` numbers of `lane` are used up if it gets there."""

    lane: Lane
    entries: list[Entry] = field(default_factory=list)
    owners: list[Item | None] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    reads: int = 0
    size: int = 0

    @property
    def full(self) -> bool:
        """No more should go into one transaction."""
        return len(self.entries) >= MOST_ENTRIES or self.size >= MOST_BYTES

    @property
    def wanted(self) -> bool:
        """Whether anybody still waits for it."""
        return any(item is not None and item.waits for item in self.owners)

    def add(self, entry: Entry, owner: Item | None) -> None:
        """One more."""
        self.entries.append(entry)
        self.owners.append(owner)
        self.size += len(entry.raw)

    def settle(self, placed: Placed) -> None:
        """It is in the tree: use up the numbers, which happens once however often this is called, and tell the owners."""
        self.lane.next += self.reads
        self.reads = 0
        for entry, owner, index in zip(self.entries, self.owners, placed.indices, strict=True):
            if owner is not None:
                owner.succeed(Receipt(entry.id, index, placed.size))


class Queue:
    """First in, first out. A change's entry is in it once, and leaves it only for the tree."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self._items: deque[Item] = deque()
        self._asked: deque[Item] = deque()
        self._pending: set[str] = set()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item) -> None:
        """At the end. From now on whoever asked waits, and not for ever."""
        if item.entry is not None:
            if item.entry.id in self._pending:
                return
            self._pending.add(item.entry.id)
        self._items.append(item)
        if item.answer is not None:
            item.deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
            self._asked.append(item)
        self.arrived.set()

    def next_batch(self, lane: Lane, scribe: Scribe, now: datetime) -> Batch:
        """As much as fits, numbered in this order. A draft that cannot be written fails alone, and uses no number.

        If it raises, everything is still in the queue.
        """
        batch = Batch(lane)
        taken = 0
        for item in self._items:
            if batch.full:
                break
            if item.entry is not None:
                batch.pending.append(item.entry.id)
                batch.add(item.entry, item)
            elif item.waits:
                _add_read(batch, item, scribe, now=now)
            taken += 1
        for _ in range(taken):
            self._items.popleft()
        if not self._items:
            self.arrived.clear()
        return batch

    def late_reads(self, batch: Batch, scribe: Scribe, now: datetime) -> list[Entry]:
        """Reads that have come since `batch` was taken join it, and are returned. No change's entry does: whether another instance has put
        it into the tree is asked together with the lock.
        """
        before = len(batch.entries)
        while self._items and self._items[0].entry is None and not batch.full:
            item = self._items.popleft()
            if item.waits:
                _add_read(batch, item, scribe, now=now)
        if not self._items:
            self.arrived.clear()
        return batch.entries[before:]

    def done(self, batch: Batch) -> None:
        """Its changes' entries are in the tree."""
        self._pending.difference_update(batch.pending)

    def put_back(self, batch: Batch) -> None:
        """Its changes' entries go to the front again: nothing of their lane may overtake them."""
        self._items.extendleft(reversed([item for item in batch.owners if item is not None and item.entry is not None]))
        if self._items:
            self.arrived.set()

    def expire(self, now: float) -> None:
        """Tell everybody whose time is up. What they asked for is not written any more, unless it is a change's entry."""
        while self._asked:
            # Nearly all were answered long ago: they are not worth an error each, nor a second look.
            waits = self._asked[0].waits
            if waits and self._asked[0].deadline > now:
                return
            item = self._asked.popleft()
            if waits:
                item.fail(RecordUnavailable("the audit log did not take the entry in time"))

    def fail_all(self, problem: LogBroken) -> None:
        """Nothing will be written any more."""
        for item in self._asked:
            item.fail(problem)
        self._asked.clear()
        self._items.clear()


def _add_read(batch: Batch, item: Item, scribe: Scribe, *, now: datetime) -> None:
    assert item.draft is not None
    assert item.call is not None
    try:
        opening = scribe.opening(batch.lane, now) if batch.reads == 0 else []
        number = batch.lane.next + batch.reads + len(opening)
        entry = scribe.write(batch.lane, number, item.draft, item.call, now=now)
    except ServiceError as problem:
        item.fail(problem)
        return
    except Exception as problem:  # noqa: BLE001  (a mistake in one draft must not take the others with it)
        item.fail(RecordUnavailable(f"the entry cannot be made: {type(problem).__name__}"))
        return
    for boot in opening:
        batch.add(boot, None)
    batch.add(entry, item)
    batch.reads += len(opening) + 1
