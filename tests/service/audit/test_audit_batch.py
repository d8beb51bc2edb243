"""The queue before the tree: first in, first out, as much as fits, and a change's entry never lost, doubled or overtaken."""

import asyncio
import os

import pytest

from service.audit.batch import MOST_BYTES, MOST_ENTRIES, PATIENCE_SECONDS, Item, Queue
from service.audit.entry import Entry
from service.audit.journal import Receipt
from service.audit.lanes import Lane, Scribe
from service.errors import LogBroken, RecordUnavailable
from tests.service.audit import logs
from tests.service.audit.logs import CLERK

SCRIBE = Scribe(policy=logs.POLICY, chance=os.urandom, address_mac=lambda _address, _month: "a1")


def answer() -> "asyncio.Future[Receipt]":
    return asyncio.get_running_loop().create_future()


def a_read(**more: object) -> Item:
    return Item(answer(), logs.read(**more), CLERK)


def a_change(name: str) -> Item:
    entry = SCRIBE.write(Lane("change", "AAECAwQFBgcICQoLDA0ODw"), 1, logs.change(operation=name), CLERK, now=logs.now())
    return Item(answer(), entry=entry)


def names(entries: list[Entry]) -> list[str]:
    return [entry.raw.split(b'"op":"')[1].split(b'"')[0].decode() if b'"op"' in entry.raw else entry.typ for entry in entries]


async def test_what_nobody_could_write_is_given_back_and_nothing_of_its_lane_overtakes_it() -> None:
    queue, lane = Queue(), SCRIBE.lane("read")
    first, second, third = a_change("first"), a_change("second"), a_change("third")
    for item in (first, a_read(operation="lost"), second):
        queue.put(item)
    batch = queue.next_batch(lane, SCRIBE, logs.now())
    assert names(batch.entries) == ["first", "boot", "lost", "second"]
    queue.put(third)
    queue.put_back(batch)
    again = queue.next_batch(lane, SCRIBE, logs.now())
    assert names(again.entries) == ["first", "second", "third"]
    assert again.pending == [item.entry.id for item in (first, second, third) if item.entry is not None]


async def test_late_reads_join_a_batch_up_to_the_first_change_and_only_those_that_somebody_waits_for() -> None:
    queue, lane = Queue(), SCRIBE.lane("read")
    queue.put(a_change("first"))
    batch = queue.next_batch(lane, SCRIBE, logs.now())
    gone = a_read(operation="gone")
    for item in (a_read(operation="late"), gone, a_read(operation="later"), a_change("second"), a_read(operation="behind")):
        queue.put(item)
    assert gone.answer is not None
    gone.answer.cancel()
    assert names(queue.late_reads(batch, SCRIBE, logs.now())) == ["boot", "late", "later"]
    assert (names(batch.entries), batch.reads, len(batch.pending)) == (["first", "boot", "late", "later"], 3, 1)
    assert (queue.late_reads(batch, SCRIBE, logs.now()), len(queue), queue.arrived.is_set()) == ([], 2, True)


async def test_a_full_batch_takes_nobody_who_is_late() -> None:
    queue, lane = Queue(), SCRIBE.lane("read")
    for _ in range(MOST_ENTRIES):
        queue.put(a_read())
    batch = queue.next_batch(lane, SCRIBE, logs.now())
    queue.put(a_read())
    assert batch.full
    assert (queue.late_reads(batch, SCRIBE, logs.now()), len(queue)) == ([], 2)


async def test_a_changes_entry_that_is_found_waiting_is_not_queued_twice() -> None:
    queue, lane = Queue(), SCRIBE.lane("read")
    change = a_change("once")
    queue.put(change)
    queue.put(Item(entry=change.entry))
    batch = queue.next_batch(lane, SCRIBE, logs.now())
    queue.put(Item(entry=change.entry))
    assert (names(batch.entries), len(queue)) == (["once"], 0)
    queue.done(batch)
    queue.put(Item(entry=change.entry))
    assert len(queue) == 1, "somebody put the row back: the tree will be asked"


@pytest.mark.parametrize(("extra", "expected"), [("", MOST_ENTRIES), ("x" * 4000, MOST_BYTES // 4000)])
async def test_a_batch_holds_so_many_entries_or_so_many_bytes_and_the_rest_waits(extra: str, expected: int) -> None:
    queue, lane = Queue(), SCRIBE.lane("read")
    for _ in range(MOST_ENTRIES + 100):
        queue.put(a_read(extra={"a": extra} if extra else {}))
    batch = queue.next_batch(lane, SCRIBE, logs.now())
    assert abs(len(batch.entries) - expected) < 60
    assert len(queue) == MOST_ENTRIES + 100 - batch.reads + 1
    assert queue.arrived.is_set()


async def test_numbers_are_used_up_when_the_batch_is_in_the_tree_and_not_before() -> None:
    queue, lane = Queue(), SCRIBE.lane("read")
    queue.put(a_read())
    assert [queue.next_batch(lane, SCRIBE, logs.now()).reads, lane.next] == [2, 0]
    queue.put(a_read())
    batch = queue.next_batch(lane, SCRIBE, logs.now())
    from service.audit.appending import Placed

    batch.settle(Placed([4, 5], 6))
    assert lane.next == 2
    assert batch.owners[1] is not None
    assert batch.owners[1].answer is not None
    assert batch.owners[1].answer.result() == Receipt(batch.entries[1].id, 5, 6)


async def test_whoever_has_waited_too_long_is_told_and_only_a_changes_entry_is_still_written() -> None:
    queue, lane = Queue(), SCRIBE.lane("read")
    read, change = a_read(), a_change("kept")
    queue.put(read)
    queue.put(change)
    now = asyncio.get_running_loop().time()
    queue.expire(now + PATIENCE_SECONDS / 2)
    assert read.waits
    queue.expire(now + PATIENCE_SECONDS + 1)
    for item in (read, change):
        assert item.answer is not None
        assert isinstance(item.answer.exception(), RecordUnavailable)
    assert names(queue.next_batch(lane, SCRIBE, logs.now()).entries) == ["kept"]


async def test_when_the_log_is_broken_everybody_is_told() -> None:
    queue, read = Queue(), a_read()
    queue.put(read)
    queue.fail_all(LogBroken("x"))
    assert read.answer is not None
    assert isinstance(read.answer.exception(), LogBroken)
    assert len(queue) == 0
