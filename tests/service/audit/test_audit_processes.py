"""Several processes, and processes that are killed: afterwards the log is whole, and every change has its entry."""

import asyncio
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.audit.findings import Verdict
from service.db.engine import Database
from tests.architecture.text_rules import REPOSITORY
from tests.service.audit import logs
from tests.service.audit.logs import Begin
from tests.service.audit.work import done, recorded


@pytest.fixture
def processes() -> Iterator[list["subprocess.Popen[str]"]]:
    """Whoever is still running at the end is killed."""
    running: list[subprocess.Popen[str]] = []
    yield running
    for process in running:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


async def begun(running: "list[subprocess.Popen[str]]", *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.service.audit.another_process", *map(str, arguments)]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    running.append(process)
    assert process.stdout is not None
    assert await asyncio.to_thread(process.stdout.readline) == "ready\n"
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
    database: Database, database_url: str, home: Path, processes: "list[subprocess.Popen[str]]", begin: Begin
) -> None:
    for life, moment in enumerate((0.05, 0.2, 0.02, 0.11)):
        process = await begun(processes, database_url, home, f"life-{life}")
        await asyncio.sleep(moment)
        process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(process.wait)
    survivor = await begin(home)
    await survivor.close()
    types = await whole(database, home)
    assert types["change"] >= 5
    assert types["access"] >= 5
    assert types["stop"] == 0


async def test_two_processes_race_and_neither_loses_nor_doubles_an_entry(
    database: Database, database_url: str, home: Path, tmp_path: Path, processes: "list[subprocess.Popen[str]]"
) -> None:
    other = tmp_path / "other home"
    other.mkdir()
    racing = [await begun(processes, database_url, place, place.name, 40) for place in (home, other)]
    for process in racing:
        said, _ = await asyncio.to_thread(process.communicate)
        assert (said, process.returncode) == ("done\n", 0)
    types = await whole(database, home)
    assert (types["access"], types["change"]) == (640, 240)
    assert types["boot"] == types["stop"] >= 4, (
        "each process has a lane for reads, and as many for changes as were on their way at once"
    )
