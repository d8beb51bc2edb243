"""Transactions: cancelled at the worst moment they leave nothing open, and the next one works."""

import asyncio

import pytest
from sqlalchemy import bindparam, insert, select, text

from service.db.statement import Bulk, Prepared
from service.db.tables import import_run

COLUMNS = ("import_id", "started_at", "rows_done", "members_made", "rows_rejected", "rows_duplicate")
ADD = Prepared(insert(import_run).values({name: bindparam(name) for name in COLUMNS}))
IDS = Prepared(select(import_run.c.import_id))


def run(name, clock):
    return dict(zip(COLUMNS, (name, clock(), 0, 0, 0, 0), strict=True))


async def test_what_is_not_committed_is_not_there(database, clock):
    async with database.write() as transaction:
        await transaction.run(ADD, run("lost", clock))
    assert await database.read.rows(IDS) == []


@pytest.mark.parametrize("ticks", range(6))
async def test_a_task_cancelled_while_it_writes_leaves_the_database_free(database, clock, ticks):
    async def write():
        async with database.write() as transaction:
            await transaction.run(ADD, run("cancelled", clock))
            await asyncio.sleep(5)

    task = asyncio.create_task(write())
    for _ in range(ticks):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(3), database.write() as transaction:
        await transaction.run(ADD, run("after", clock))
        await transaction.commit()
    assert await database.read.rows(IDS) == [("after",)]


async def test_twenty_writers_at_once_lose_nothing(database, clock):
    async def write(number):
        async with database.write() as transaction:
            await transaction.run(ADD, run(f"run-{number}", clock))
            await transaction.commit()

    await asyncio.gather(*(write(number) for number in range(20)))
    assert len(await database.read.rows(IDS)) == 20


@pytest.mark.parametrize("count", [0, 1, 3, 60])
async def test_many_rows_at_once_are_the_rows_that_were_given(database, clock, count):
    rows = [tuple(run(f"run-{number:03}", clock).values()) for number in range(count)]
    async with database.write() as transaction:
        await transaction.bulk(Bulk(import_run, *COLUMNS), rows)
        await transaction.commit()
    every = Prepared(select(*(import_run.c[name] for name in COLUMNS)).order_by(import_run.c.import_id))
    assert await database.read.rows(every) == rows


async def test_a_stream_gives_every_row_in_pages(database, clock):
    rows = [tuple(run(f"run-{number:03}", clock).values()) for number in range(25)]
    async with database.write() as transaction:
        await transaction.bulk(Bulk(import_run, *COLUMNS), rows)
        await transaction.commit()
    pages = [page async for page in database.stream(IDS, size=10)]
    assert [len(page) for page in pages] == [10, 10, 5]


async def test_a_snapshot_can_write_nothing(database):
    from service.errors import StoreUnavailable

    with pytest.raises(StoreUnavailable):
        async with database.snapshot() as session:
            await session.run(Prepared(text("DELETE FROM import_run")))
