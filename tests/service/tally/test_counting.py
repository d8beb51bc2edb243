"""What is counted waits for the operator first: a page that waits for its turn stands in nobody's way (LB-07)."""

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from policies.bulk import BulkClass
from service.db.engine import Database, connect
from service.db.statement import Prepared
from service.tally import store

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
WAITING = Prepared(text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"))


def told(*marks: str) -> list[tuple[BulkClass, str]]:
    return [(BulkClass.TRANSACTION, mark) for mark in marks]


async def second_page(database: Database) -> int:
    async with database.write() as transaction:
        await store.mark(transaction, "clerk@shop", told("b", "c"), now=NOW)
        counted = await store.counts(transaction, "clerk@shop", since=NOW - timedelta(days=1))
        await transaction.commit()
    return counted[BulkClass.TRANSACTION]


async def test_a_page_that_waits_for_its_turn_has_marked_nobody_and_then_counts_the_first_ones(postgresql_url: str) -> None:
    database = connect(postgresql_url)
    await database.start()
    async with asyncio.timeout(20), database.write() as first:
        await store.mark(first, "clerk@shop", told("a"), now=NOW)
        second = asyncio.create_task(second_page(database))
        while await database.read.rows(WAITING) == [(0,)]:
            await asyncio.sleep(0.01)
        # If the other page had these rows already, each would wait for the other.
        await store.mark(first, "clerk@shop", told("c", "b"), now=NOW)
        await first.commit()
    assert await second == 3
    await database.close()


async def test_a_page_of_nobody_holds_the_count_all_the_same(database: Database) -> None:
    async with database.write() as transaction:
        await store.mark(transaction, "clerk@shop", [], now=NOW)
        assert await transaction.rows(Prepared(text("SELECT count(*) FROM tally_operator"))) == [(1,)]
        await transaction.commit()
