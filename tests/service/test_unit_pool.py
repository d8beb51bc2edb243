"""The door's connections: what a change asks of one, and that it gives it back before it waits for the log."""

import asyncio
import time

import pytest
from sqlalchemy import func, select

from service.app import parts
from service.audit.entry import Draft
from service.config import Config
from service.db.statement import Prepared
from service.db.tables import audit_pending
from tests.factories import a_call
from tests.service.audit.logs import Administrator

CALLERS = 64
WAITING = Prepared(select(func.count()).select_from(audit_pending))


@pytest.fixture
async def narrow(postgresql_url, tmp_path, clock):
    """An instance with two connections for everybody."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    async with parts(Config(home=home, database_url=postgresql_url, database_pool=2), clock=clock) as made:
        yield made


async def change(running, work):
    return await running.units.change(a_call(), Draft(typ="change", operation="try"), work)


async def nothing(_):
    return "done"


async def waiting(running, many):
    """How many entries wait for the tree, once they are so many or a second and a half is over; asked over the same two connections."""
    end = time.monotonic() + 1.5
    while (found := (await running.database.read.rows(WAITING))[0][0]) < many and time.monotonic() < end:
        await asyncio.sleep(0.01)
    return found


@pytest.mark.obligation("AL-02")
async def test_changes_that_wait_for_the_log_keep_nobody_from_the_database(narrow, postgresql_url):
    await change(narrow, nothing)
    with Administrator(postgresql_url).holding_the_head():
        changes = [asyncio.create_task(change(narrow, nothing)) for _ in range(CALLERS)]
        found = await waiting(narrow, CALLERS)
        told = [each for each in changes if each.done()]
    # A lane that is opened for the second connection begins with an entry of its own.
    assert found >= CALLERS, "all are committed, over two connections"
    assert told == [], "and nobody has been told anything"
    assert await asyncio.gather(*changes) == ["done"] * CALLERS
    assert (await narrow.database.read.rows(WAITING))[0][0] == 0


async def test_a_change_is_three_messages_beside_its_work(narrow):
    await change(narrow, nothing)
    asked = []
    for connection in narrow.database._pool._free:
        connection.add_query_logger(lambda record: asked.append(record.query.split(" (")[0]))
    await change(narrow, nothing)
    assert asked == ["BEGIN", "INSERT INTO audit_pending", "COMMIT"]


async def test_on_either_database_many_changes_at_once_are_all_answered(running):
    assert await asyncio.gather(*(change(running, nothing) for _ in range(CALLERS))) == ["done"] * CALLERS
