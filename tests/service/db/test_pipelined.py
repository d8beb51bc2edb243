"""The log's connection: whatever becomes of a transaction on it, it is whole or nothing, and the next one begins on sound ground."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import bindparam, insert, select, text

from service.db.engine import Database, Duplicate, OwnConnection, Retry, connect
from service.db.statement import Prepared
from service.db.tables import audit_head
from service.errors import StoreUnavailable

_ADD = Prepared(insert(audit_head).values({column.name: bindparam(column.name) for column in audit_head.columns}))
_NAMES = Prepared(select(audit_head.c.log_id).order_by(audit_head.c.log_id))


def named(name: str) -> dict[str, object]:
    return {"log_id": name, "size": 2**40, "frontier": bytes(range(256)), "root": b"\x00\xff", "mac": b""}


@pytest.fixture(params=["prepared", "behind a pooler"])
async def own(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[OwnConnection]:
    database: Database = connect(database_url, transaction_pooler=request.param == "behind a pooler")
    connection = database.pipelined()
    yield connection
    await connection.close()


async def names(own: OwnConnection) -> list[str]:
    async with own.single() as session:
        return [name for (name,) in await session.rows(_NAMES)]


async def test_what_was_committed_stays_and_nothing_else(own: OwnConnection) -> None:
    async with own.write() as transaction:
        assert await transaction.run(_ADD, named("门神")) == 1
        assert await transaction.commit(_NAMES) == [("门神",)]
    async with own.write() as transaction:
        await transaction.run(_ADD, named("forgotten"))
    async with own.write():
        pass
    assert await names(own) == ["门神"]


async def test_a_last_statement_that_fails_takes_all_with_it_and_the_connection_goes_on(own: OwnConnection) -> None:
    with pytest.raises(Duplicate) as refused:
        async with own.write() as transaction:
            await transaction.run(_ADD, named("13800138000"))
            await transaction.commit(_ADD, named("13800138000"))
    assert "13800138000" not in str(refused.value)
    assert await names(own) == []
    async with own.write() as transaction:
        await transaction.commit(_ADD, named("next"))
    assert await names(own) == ["next"]


async def test_rows_come_back_as_they_went_in(own: OwnConnection) -> None:
    async with own.single() as session:
        await session.run(_ADD, named("a"))
        (row,) = await session.rows(Prepared(select(*audit_head.columns)))
    assert dict(zip((column.name for column in audit_head.columns), row, strict=True)) == named("a")


async def test_a_statement_that_nobody_waits_for_any_more_does_not_answer_the_next_one(postgresql_url: str) -> None:
    own = connect(postgresql_url).pipelined()
    async with own.single() as session:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await session.rows(Prepared(text("SELECT 1 FROM pg_sleep(1)")))
    assert await names(own) == []
    await own.close()


async def test_a_connection_that_the_server_ended_is_told_and_made_anew(postgresql_url: str) -> None:
    own = connect(postgresql_url).pipelined()
    with pytest.raises(StoreUnavailable):
        async with own.write() as transaction:
            await transaction.run(_ADD, named("lost"))
            await transaction.rows(Prepared(text("SELECT pg_terminate_backend(pg_backend_pid())")))
    assert await names(own) == []
    await own.close()


async def test_who_waits_too_long_for_a_lock_may_try_again(postgresql_url: str) -> None:
    first, second = connect(postgresql_url).pipelined(), connect(postgresql_url).pipelined()
    lock = Prepared(
        text("SELECT count(*) FROM (SELECT pg_advisory_xact_lock(1), set_config('lock_timeout', '50ms', true)) AS held")
    )
    quick = Prepared(text("SELECT set_config('lock_timeout', '50ms', true)"))
    async with first.write() as holder:
        await holder.rows(lock)
        with pytest.raises(Retry):
            async with second.write() as waiting:
                await waiting.rows(quick)
                await waiting.rows(lock)
    for each in (first, second):
        await each.close()


async def test_a_server_that_goes_away_while_nobody_asks_is_not_found_by_the_next_who_does(postgresql_url: str) -> None:
    own, other = connect(postgresql_url).pipelined(), connect(postgresql_url).pipelined()
    async with own.single() as idle, other.single() as session:
        ((process,),) = await idle.rows(Prepared(text("SELECT pg_backend_pid()")))
        end = Prepared(text("SELECT pg_terminate_backend(CAST(:process AS integer), 5000)"))
        assert await session.rows(end, {"process": process}) == [(True,)]
        await session.rows(Prepared(text("SELECT 1")))
    assert await names(own) == []
    for each in (own, other):
        await each.close()


async def test_what_the_socket_does_not_take_at_once_arrives_whole(own: OwnConnection) -> None:
    much = "门" * 3_000_000
    async with own.single() as session:
        echo = Prepared(text("SELECT CAST(:much AS text), length(CAST(:much AS text))"))
        assert await session.rows(echo, {"much": much}) == [(much, len(much))]
