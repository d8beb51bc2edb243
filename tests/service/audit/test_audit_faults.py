"""What goes wrong around the log: an answer is then an error and no data, and the service recovers by itself, or stops for good."""

import asyncio
import resource
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from service.audit.findings import Finding, Part, Verdict
from service.audit.writer import Writer
from service.db.engine import Database, connect
from service.db.sqlite import path_of
from service.errors import ConfigError, LogBroken, RecordUnavailable, StoreUnavailable
from tests.service.audit import logs
from tests.service.audit.logs import CLERK, Administrator, Begin
from tests.service.audit.wire import wire_to

Healthy = Callable[..., Awaitable[None]]


@pytest.fixture
def healthy(eventually: Callable[..., Awaitable[None]]) -> Healthy:
    async def wait(journal: Writer) -> None:
        async def health() -> str:
            return journal.health()

        await eventually(health, "ok")

    return wait


@pytest.mark.obligation("AL-02")
async def test_while_the_head_cannot_be_moved_there_is_no_answer_and_afterwards_there_is(
    database: Database, journal: Writer, home: Path, administrator: Administrator, healthy: Healthy
) -> None:
    await journal.append(logs.read(), CLERK)
    with administrator.holding_the_head(), pytest.raises(RecordUnavailable):
        await journal.append(logs.read(operation="refused"), CLERK)
    await healthy(journal)
    await journal.append(logs.read(operation="answered"), CLERK)
    found = await logs.entries(database)
    assert [entry["s"] for entry in found] == list(range(len(found)))
    assert found[-1]["op"] == "answered"
    assert (await logs.verified(database, home)).verdict is Verdict.OK


@pytest.mark.obligation("AL-02")
async def test_a_database_that_is_away_gives_no_answer_and_one_that_is_back_is_written_again(
    postgresql_url: str, tmp_path: Path, home: Path, healthy: Healthy
) -> None:
    async with wire_to(postgresql_url) as (wire, url), logs.at_work(url, home) as (database, journal):
        await asyncio.gather(*(journal.append(logs.read(), CLERK) for _ in range(20)))
        wire.down()
        results = await asyncio.gather(*(journal.append(logs.read(), CLERK) for _ in range(20)), return_exceptions=True)
        assert {type(result) for result in results} == {RecordUnavailable}
        assert journal.health() == "unavailable"
        wire.up()
        await healthy(journal)
        await asyncio.gather(*(journal.append(logs.read(), CLERK) for _ in range(20)))
        found = await logs.entries(database)
        assert sum(entry["typ"] == "access" for entry in found) == 40
        assert (await logs.verified(database, home)).verdict is Verdict.OK


@pytest.mark.obligation("AL-02")
async def test_a_full_disk_gives_no_answer_and_room_on_it_does(sqlite_url: str, home: Path, healthy: Healthy) -> None:
    async with logs.at_work(sqlite_url, home) as (database, journal):
        await journal.append(logs.read(), CLERK)
        with _no_file_may_grow_beyond(path_of(f"{sqlite_url}-wal")):
            with pytest.raises(RecordUnavailable):
                for _ in range(500):
                    await journal.append(logs.read(), CLERK)
            assert journal.health() == "unavailable"
            before = len(await logs.entries(database))
            with pytest.raises(RecordUnavailable):
                await journal.append(logs.read(), CLERK)
            assert len(await logs.entries(database)) == before
        await healthy(journal)
        await journal.append(logs.read(), CLERK)
        assert (await logs.verified(database, home)).verdict is Verdict.OK


@pytest.mark.obligation("AL-03")
@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE audit_head SET root = (SELECT leaf FROM audit_entry WHERE idx = 0)",
        "UPDATE audit_head SET size = size - 1",
        "UPDATE audit_head SET frontier = (SELECT leaf FROM audit_entry WHERE idx = 1)",
        "UPDATE audit_head SET mac = root",
        "DELETE FROM audit_head",
    ],
)
async def test_a_head_that_somebody_touched_stops_the_log_until_somebody_looks(
    database: Database, home: Path, administrator: Administrator, forgery: str, begin: Begin
) -> None:
    journal = await begin(home)
    await asyncio.gather(*(journal.append(logs.read(), CLERK) for _ in range(7)))
    administrator.run(forgery)
    with pytest.raises(LogBroken):
        await journal.append(logs.read(), CLERK)
    with pytest.raises(LogBroken):
        await journal.append(logs.read(), CLERK)
    assert journal.health() == "broken"
    await journal.close()
    with pytest.raises(LogBroken):
        await logs.writer(database, home).start()


@pytest.mark.obligation("AL-02", "AL-03")
async def test_no_change_is_committed_to_a_log_that_is_broken_or_closed(
    database: Database, home: Path, administrator: Administrator, begin: Begin
) -> None:
    """Without its entry a change would stand that nobody can prove, though whoever asked for it is told that it did not."""

    async def change(journal: Writer) -> None:
        async with database.write() as transaction:
            await journal.commit(logs.change(), CLERK, transaction)

    broken = await begin(home)
    broken.fail(LogBroken("somebody read it again"))
    with pytest.raises(LogBroken):
        await change(broken)
    await broken.close()
    ended = await begin(home)
    await ended.close()
    with pytest.raises(RecordUnavailable):
        await change(ended)
    with pytest.raises(RecordUnavailable):
        await ended.append(logs.read(), CLERK)
    assert administrator.run("SELECT count(*) FROM audit_pending") == [(0,)]


@pytest.mark.obligation("AL-03")
async def test_an_old_backup_under_a_running_instance_stops_it_and_no_instance_starts_on_it(
    database: Database, home: Path, administrator: Administrator, begin: Begin
) -> None:
    journal = await begin(home)
    await journal.append(logs.read(), CLERK)
    backup = administrator.backup()
    await journal.append(logs.read(), CLERK)
    administrator.restore(backup)
    with pytest.raises(LogBroken, match="rolled back"):
        await journal.append(logs.read(), CLERK)
    assert journal.health() == "broken"
    await journal.close()
    with pytest.raises(LogBroken, match="rolled back"):
        await logs.writer(database, home).start()
    report = await logs.verified(database, home)
    assert (report.verdict, report.first, report.size, report.remembered) == (Verdict.ROLLED_BACK, 2, 2, 3)


@pytest.mark.obligation("AL-03")
async def test_an_old_backup_that_has_grown_past_what_an_instance_saw_is_another_log_to_it(
    database: Database, home: Path, tmp_path: Path, administrator: Administrator, begin: Begin
) -> None:
    journal = await begin(home)
    await journal.append(logs.read(), CLERK)
    backup = administrator.backup()
    await journal.append(logs.read(), CLERK)
    administrator.restore(backup)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    ignorant = await begin(elsewhere)
    for _ in range(5):
        await ignorant.append(logs.read(), CLERK)
    await ignorant.close()
    with pytest.raises(LogBroken, match="does not go on"):
        await journal.append(logs.read(), CLERK)
    await journal.close()
    with pytest.raises(LogBroken, match="rolled back"):
        await logs.writer(database, home).start()
    report = await logs.verified(database, home)
    assert report.findings == (Finding(Verdict.ROLLED_BACK, Part.HEAD, 0, 2),)


async def test_a_log_is_begun_only_where_there_is_none(
    database: Database, home: Path, administrator: Administrator, begin: Begin
) -> None:
    journal = await begin(home)
    await journal.close()
    administrator.run("DELETE FROM audit_head")
    with pytest.raises(LogBroken, match="gone"):
        await logs.writer(database, home).start()
    assert (await logs.verified(database, home)).verdict is Verdict.REMOVED


async def test_two_instances_may_begin_one_log_at_once(database: Database, tmp_path: Path, begin: Begin) -> None:
    homes = [tmp_path / name for name in "abc"]
    for path in homes:
        path.mkdir()
    journals = await asyncio.gather(*(begin(path) for path in homes))
    await asyncio.gather(*(journal.append(logs.read(), CLERK) for journal in journals))
    assert sum(entry["typ"] == "access" for entry in await logs.entries(database)) == 3


async def test_a_database_in_another_encoding_is_refused(postgres: object, tmp_path: Path, home: Path) -> None:
    file = tmp_path / "other.db"
    with closing(sqlite3.connect(file)) as made:
        made.executescript("PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (x);")
    database = connect(f"sqlite:///{file}")
    await database.start()
    with pytest.raises(ConfigError, match="UTF8"):
        await logs.writer(database, home).start()
    await database.close()


async def test_a_start_without_a_database_is_no_start(database: Database, home: Path, administrator: Administrator) -> None:
    administrator.run("DROP TABLE audit_head")
    journal = logs.writer(database, home)
    with pytest.raises(StoreUnavailable):
        await journal.start()
    assert journal.health() == "unavailable"


@contextmanager
def _no_file_may_grow_beyond(file: Path) -> Iterator[None]:
    """To this process the disk is full."""
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 8192, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))
