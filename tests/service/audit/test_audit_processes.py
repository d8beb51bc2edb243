"""Several processes, and processes that are killed: afterwards the log is whole, and every change has its entry."""

import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from service.audit.findings import Verdict
from service.db.engine import Database
from tests.journeys.servers import begun
from tests.plugins.nursery import Child
from tests.service.audit import logs
from tests.service.audit.logs import Begin
from tests.service.audit.work import done, recorded


@pytest.fixture
def processes() -> Iterator[ExitStack]:
    """Whoever is still running at the end is killed."""
    with ExitStack() as running:
        yield running


async def at_work(running: ExitStack, *arguments: object) -> Child:
    module = "tests.service.audit.another_process"
    process = running.enter_context(begun(dict(os.environ), *map(str, arguments), module=module))
    async with asyncio.timeout(60):
        while not process.said.endswith("ready\n") and process.poll() is None:
            await asyncio.sleep(0.005)
    assert process.poll() is None, process.said
    return process


async def whole(database: Database, home: Path) -> Counter[str]:
    """Nothing is missing, nothing is there twice; how many entries of each type there are."""
    names = await recorded(database)
    assert sorted(names) == sorted(await done(database))
    report = await logs.verified(database, home)
    assert (report.verdict, report.waiting, report.findings) == (Verdict.OK, 0, ())
    lanes = defaultdict(list)
    found = await logs.entries(database)
    for entry in found:
        lanes[entry["w"]].append(entry["s"])
    assert all(numbers == list(range(len(numbers))) for numbers in lanes.values())
    return Counter(entry["typ"] for entry in found)


@pytest.mark.obligation("AL-02", "AL-03")
async def test_after_kill_9_at_any_moment_the_log_is_whole_and_no_change_is_without_its_entry(
    database: Database, database_url: str, home: Path, processes: ExitStack, begin: Begin
) -> None:
    for life, moment in enumerate((0.05, 0.2, 0.02, 0.11)):
        process = await at_work(processes, database_url, home, f"life-{life}")
        await asyncio.sleep(moment)
        process.kill()
    survivor = await begin(home)
    await survivor.close()
    types = await whole(database, home)
    assert types["change"] >= 5
    assert types["access"] >= 5
    assert types["stop"] == 0


async def test_two_processes_race_and_neither_loses_nor_doubles_an_entry(
    database: Database, database_url: str, home: Path, tmp_path: Path, processes: ExitStack
) -> None:
    other = tmp_path / "other home"
    other.mkdir()
    racing = [await at_work(processes, database_url, place, place.name, 40) for place in (home, other)]
    for process in racing:
        assert await asyncio.to_thread(process.wait) == 0
        assert process.said.endswith("ready\ndone\n")
    types = await whole(database, home)
    assert (types["access"], types["change"]) == (640, 240)
    assert types["boot"] == types["stop"] >= 4, (
        "each process has a lane for reads, and as many for changes as were on their way at once"
    )
