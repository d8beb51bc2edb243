"""Who asks while an instance waits for the head's lock is written with those who wait for it, and not after another turn of everybody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from service.audit.findings import Verdict
from service.audit.journal import Receipt
from service.audit.writer import Writer
from service.db.engine import Database
from service.db.postgres import conninfo
from tests.service.audit import logs
from tests.service.audit.logs import CLERK
from tests.service.audit.wire import Wire, wire_to
from tests.service.audit.work import do

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def read(journal: Writer, name: str) -> Receipt:
    return await journal.append(logs.read(operation=name), CLERK)


async def queued(journal: Writer, count: int) -> None:
    while len(journal._queue) < count:
        await asyncio.sleep(0.01)


@pytest.fixture
async def among_others(postgresql_url: str, home: Path, tmp_path: Path) -> AsyncIterator[tuple[Wire, Database, Writer]]:
    """A writer that knows that it is not alone."""
    (tmp_path / "other").mkdir()
    async with (
        asyncio.timeout(30),
        wire_to(postgresql_url) as (wire, url),
        logs.at_work(url, home) as (database, journal),
        logs.at_work(postgresql_url, tmp_path / "other") as (_, other),
    ):
        for each in (journal, other, journal):
            await read(each, "before")
        yield wire, database, journal


@asynccontextmanager
async def waiting_for_the_lock(url: str, journal: Writer) -> AsyncIterator["asyncio.Task[Receipt]"]:
    """While this lasts the head is another's, and one read waits for it."""
    with psycopg.connect(conninfo(url)) as holder, psycopg.connect(conninfo(url), autocommit=True) as watcher:
        holder.execute("SELECT 1 FROM audit_head FOR UPDATE")
        first = asyncio.create_task(read(journal, "first"))
        while watcher.execute(WAITING).fetchone() != (1,):
            await asyncio.sleep(0.01)
        yield first


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "not answered"])
async def test_reads_that_come_while_the_lock_is_waited_for_share_its_batch_and_are_there_once(
    among_others: tuple[Wire, Database, Writer], postgresql_url: str, home: Path, lost: bool
) -> None:
    wire, database, journal = among_others
    async with waiting_for_the_lock(postgresql_url, journal) as first:
        late = [asyncio.create_task(read(journal, f"late{number}")) for number in range(3)]
        await queued(journal, 3)
        if lost:
            wire.lose_answer(b"late2")
    receipts = await asyncio.gather(first, *late)
    assert wire.cut.is_set() == lost
    assert len({receipt.size for receipt in receipts}) == 1
    found = await logs.entries(database)
    assert [entry.get("op") for entry in found[-4:]] == ["first", "late0", "late1", "late2"]
    assert [found[receipt.index]["id"] for receipt in receipts] == [receipt.entry_id for receipt in receipts]
    mine = [entry["s"] for entry in found if entry["w"] == found[-1]["w"]]
    assert mine == list(range(len(mine)))
    assert (await logs.verified(database, home)).verdict is Verdict.OK


async def test_a_changes_entry_waits_for_the_next_turn_and_what_came_behind_it_does_not_pass(
    among_others: tuple[Wire, Database, Writer], postgresql_url: str, home: Path
) -> None:
    _, database, journal = among_others
    async with waiting_for_the_lock(postgresql_url, journal) as first:
        early = asyncio.create_task(read(journal, "early"))
        await queued(journal, 1)
        changed = asyncio.create_task(do(database, journal, "changed"))
        await queued(journal, 2)
        late = asyncio.create_task(read(journal, "late"))
        await queued(journal, 3 + 1)
    sizes = [receipt.size for receipt in await asyncio.gather(first, early, late)]
    await changed
    assert sizes[0] == sizes[1] < sizes[2]
    assert (await logs.verified(database, home)).verdict is Verdict.OK
