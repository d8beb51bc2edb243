"""Changes: the change and its entry are one commit, whatever happens before, during and after it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from service.audit import store
from service.audit.findings import Part, Verdict
from service.audit.writer import Writer
from service.db.engine import Database, Duplicate
from service.errors import RecordUnavailable, StoreUnavailable
from tests.service.audit import logs
from tests.service.audit.logs import CLERK, Administrator, Begin
from tests.service.audit.wire import Wire, wire_to
from tests.service.audit.work import do, done, recorded


@pytest.mark.obligation("AL-02")
async def test_a_change_and_its_entry_are_there_together(
    database: Database, journal: Writer, home: Path, administrator: Administrator
) -> None:
    await asyncio.gather(
        *(do(database, journal, f"c{n}") for n in range(20)), *(journal.append(logs.read(), CLERK) for _ in range(20))
    )
    assert await done(database) == set(await recorded(database))
    assert len(await recorded(database)) == 20
    assert administrator.run("SELECT count(*) FROM audit_pending") == [(0,)]
    assert (await logs.verified(database, home)).verdict is Verdict.OK


@pytest.mark.obligation("AL-02")
async def test_a_change_that_fails_leaves_neither_itself_nor_an_entry_nor_a_hole(
    database: Database, journal: Writer, home: Path
) -> None:
    await do(database, journal, "first")
    with pytest.raises(Duplicate):
        await do(database, journal, "first")
    with pytest.raises(ZeroDivisionError):
        await do(database, journal, "never", fail=True)
    await do(database, journal, "second")
    assert await recorded(database) == ["first", "second"]
    assert await done(database) == {"first", "second"}
    assert (await logs.verified(database, home)).verdict is Verdict.OK


async def test_a_caller_that_goes_away_in_the_middle_leaves_both_or_neither(
    database: Database, journal: Writer, home: Path
) -> None:
    for moment in range(12):
        begun = asyncio.Event()
        task = asyncio.create_task(do(database, journal, f"c{moment}", begun=begun))
        await begun.wait()
        await asyncio.sleep(moment * 0.0003)
        task.cancel()
        await asyncio.wait({task})
    await do(database, journal, "last")
    assert await done(database) == set(await recorded(database))
    assert (await logs.verified(database, home)).verdict is Verdict.OK


async def test_what_a_dead_instance_left_waiting_is_put_in_by_the_next_one(database: Database, home: Path, begin: Begin) -> None:
    first = await begin(home)
    await do(database, first, "done")
    await _die_between_commit_and_tree(database, first, "left", "left too")
    assert len(await store.orphans(database.read, logs.now())) == 2
    second = await begin(home)
    assert await recorded(database) == ["done", "left", "left too"]
    await second.close()
    assert (await logs.verified(database, home)).verdict is Verdict.OK


async def test_an_instance_that_lives_brings_in_what_another_has_left_for_some_seconds(
    database: Database, home: Path, eventually: Callable[..., Awaitable[None]], begin: Begin
) -> None:
    ahead = logs.now() + timedelta(seconds=60)
    survivor = await begin(home, clock=lambda: ahead)
    dead = await begin(home)
    await _die_between_commit_and_tree(database, dead, "left")
    await eventually(lambda: recorded(database), ["left"])
    await survivor.close()
    assert (await logs.verified(database, home)).verdict is Verdict.OK


@pytest.mark.obligation("AL-03")
async def test_rows_that_the_service_did_not_put_there_stay_out_of_the_log(
    database: Database, home: Path, administrator: Administrator, begin: Begin
) -> None:
    writer = await begin(home)
    await _die_between_commit_and_tree(database, writer, "true")
    (_, sealed), *_ = administrator.run("SELECT number, entry FROM audit_pending WHERE number = 1")
    forged = bytes(sealed).replace(b"clerk-7", b"clerk-8")
    administrator.run("UPDATE audit_pending SET entry = ? WHERE number = 1", given=(forged,))
    report = await logs.verified(database, home)
    assert (report.verdict, report.findings[0].part) == (Verdict.INSERTED, Part.WAITING)
    again = await begin(home)
    await again.close()
    assert [entry["typ"] for entry in await logs.entries(database)] == ["boot"]


async def _die_between_commit_and_tree(database: Database, writer: Writer, *names: str) -> None:
    """As a kill does: the commits are done, their entries have not reached the tree."""
    for task in writer._tasks:
        task.cancel()
    for name in names:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await do(database, writer, name)
    await writer._appender.close()


@pytest.fixture
async def through_a_wire(postgresql_url: str, tmp_path: Path, home: Path) -> AsyncIterator[tuple[Wire, Database, Writer]]:
    async with wire_to(postgresql_url) as (wire, url), logs.at_work(url, home) as (database, writer):
        yield wire, database, writer


@pytest.mark.parametrize("lost", ["request", "answer"])
async def test_a_read_whose_commit_nobody_answered_is_found_or_written_and_never_doubled(
    through_a_wire: tuple[Wire, Database, Writer], home: Path, lost: str
) -> None:
    wire, database, writer = through_a_wire
    await writer.append(logs.read(operation="before"), CLERK)
    (wire.lose_request if lost == "request" else wire.lose_answer)()
    receipt = await writer.append(logs.read(operation="doubted"), CLERK)
    await writer.append(logs.read(operation="after"), CLERK)
    assert wire.cut.is_set()
    found = await logs.entries(database)
    assert [entry.get("op") for entry in found] == [None, "before", "doubted", "after"]
    assert found[receipt.index]["id"] == receipt.entry_id
    assert [entry["s"] for entry in found] == [0, 1, 2, 3]
    assert (await logs.verified(database, home)).verdict is Verdict.OK


@pytest.mark.parametrize("lost", ["request", "answer"])
async def test_a_change_whose_commit_nobody_answered_is_looked_for_before_anybody_is_told(
    through_a_wire: tuple[Wire, Database, Writer], home: Path, lost: str
) -> None:
    wire, database, writer = through_a_wire
    await do(database, writer, "before")
    (wire.lose_request if lost == "request" else wire.lose_answer)(b"COMMIT")
    if lost == "request":
        with pytest.raises(StoreUnavailable):
            await do(database, writer, "doubted")
    else:
        await do(database, writer, "doubted")
    await do(database, writer, "after")
    assert wire.cut.is_set()
    expected = ["before", "after"] if lost == "request" else ["before", "doubted", "after"]
    assert await recorded(database) == expected
    assert await done(database) == set(expected)
    assert len({entry["w"] for entry in await logs.entries(database)}) == 1, "the lane goes on"
    assert (await logs.verified(database, home)).verdict is Verdict.OK


async def test_a_change_whose_fate_cannot_be_found_out_ends_its_lane(
    through_a_wire: tuple[Wire, Database, Writer], home: Path, eventually: Callable[..., Awaitable[None]]
) -> None:
    wire, database, writer = through_a_wire
    await do(database, writer, "before")
    wire.lose_answer(b"COMMIT")
    task = asyncio.create_task(do(database, writer, "doubted"))
    await wire.cut.wait()
    wire.down()
    with pytest.raises(StoreUnavailable):
        await task
    wire.up()
    await do(database, writer, "after")
    await eventually(lambda: recorded_sorted(database), ["after", "before", "doubted"], seconds=12)
    assert await done(database) == {"before", "doubted", "after"}
    assert len({entry["w"] for entry in await logs.entries(database)}) == 2
    assert (await logs.verified(database, home)).verdict is Verdict.OK


async def recorded_sorted(database: Database) -> list[str]:
    return sorted(await recorded(database))


async def test_an_entry_that_the_tree_does_not_take_in_time_waits_for_it(
    through_a_wire: tuple[Wire, Database, Writer],
    postgresql_url: str,
    home: Path,
    eventually: Callable[..., Awaitable[None]],
) -> None:
    _, database, writer = through_a_wire
    await do(database, writer, "before")
    with Administrator(postgresql_url).holding_the_head():
        with pytest.raises(RecordUnavailable):
            await do(database, writer, "slow")
        assert await done(database) == {"before", "slow"}
    await eventually(lambda: recorded(database), ["before", "slow"])
    assert (await logs.verified(database, home)).verdict is Verdict.OK
