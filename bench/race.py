"""Whether anybody ever gets a fourth: `python -m bench.race [--members N] [--seconds N]`, also a part of `python -m bench.sending`.

race   Sixteen senders, each with a campaign of its own, ask for the same 1,000 members at once: from four processes over PostgreSQL, from
       one over SQLite. What was allowed is counted from the ledgers by the tests' own counter (tests/service/gate/counting.py), which
       shares nothing with the gate. It ends after `--seconds`, whatever happens, and fails where somebody has another number than three.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from bench.cluster import open_cluster
from service.app import Parts, parts
from service.config import Config
from service.db import migrate
from service.errors import RecordUnavailable
from tests.service.gate import made
from tests.service.gate.counting import live, most

SENDERS, PROCESSES, ALLOWED = 16, 4, 3
_MORNING = datetime(2026, 11, 23, 2, tzinfo=UTC)
_AT_ONCE = 8

Race = Callable[[Parts, Path, list[str], list[str]], Awaitable[int]]


async def _everybody(running: Parts, size: int) -> list[str]:
    """Members who want it, through the door."""

    async def some(share: int) -> list[str]:
        return [await made.subscriber(running) for _ in range(share)]

    shares = [size // _AT_ONCE + (number < size % _AT_ONCE) for number in range(_AT_ONCE)]
    return [one for found in await asyncio.gather(*map(some, shares)) for one in found]


async def _ask(running: Parts, members: list[str], campaigns: list[str], tasks: int) -> int:
    """So many senders at once, each with its share of the campaigns; how many answers were withheld because the log was busy for too long.
    What such a call reserved stands, and lapses: its tokens were told to nobody.
    """

    async def one(number: int) -> int:
        withheld = 0
        for campaign in campaigns[number::tasks]:
            try:
                await made.page(running, campaign, members=members)
            except RecordUnavailable:
                withheld += 1
        return withheld

    return sum(await asyncio.gather(*(one(number) for number in range(tasks))))


async def _in_one(running: Parts, _: Path, members: list[str], campaigns: list[str]) -> int:
    """All of them in this process."""
    return await _ask(running, members, campaigns, SENDERS)


async def _in_four(running: Parts, folder: Path, members: list[str], campaigns: list[str]) -> int:
    """Four processes with four senders each."""
    racers = [
        await _racer(running, folder / f"home-{number}", members, campaigns[number::PROCESSES]) for number in range(PROCESSES)
    ]
    try:
        told = await asyncio.gather(*(one.communicate() for one in racers))
    finally:
        for one in racers:
            if one.returncode is None:
                one.kill()
    if any(one.returncode for one in racers):
        raise SystemExit(f"race: processes ended with {[one.returncode for one in racers]}")
    return sum(int(out.split()[-1]) for out, _ in told)


async def _racer(running: Parts, home: Path, members: list[str], campaigns: list[str]) -> asyncio.subprocess.Process:
    home.mkdir(mode=0o700)
    share = home / "race.json"
    # One log, one key: whoever is elected signs, and the others believe it.
    for key in ("development.key", "log.key"):
        (home / key).touch(mode=0o600)
        (home / key).write_bytes((running.config.home / key).read_bytes())
    share.write_text(json.dumps({"url": running.config.database_url, "members": members, "campaigns": campaigns}), "utf-8")
    command = [sys.executable, "-m", "bench.race", "--racer", str(home)]
    return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL)


async def _as_racer(home: Path) -> None:
    """One of the four processes: it prints how many answers were withheld."""
    given = json.loads((home / "race.json").read_text("utf-8"))
    config = Config(home=home, database_url=given["url"], log_level="warning")
    async with parts(config, clock=lambda: _MORNING) as running:
        print(await _ask(running, given["members"], given["campaigns"], SENDERS // PROCESSES))


async def _run(name: str, url: str, folder: Path, *, size: int, race: Race) -> None:
    home = folder / "home"
    home.mkdir(mode=0o700, parents=True)
    config = Config(home=home, database_url=url, log_level="warning")
    migrate.upgrade(config.database)
    async with parts(config, clock=lambda: _MORNING) as running:
        members = await _everybody(running, size)
        campaigns = [await made.campaign(running) for _ in range(SENDERS)]
        begun = time.perf_counter()
        withheld = await race(running, folder, members, campaigns)
        seconds = time.perf_counter() - begun
        _tell(name, Counter(most(moments) for moments in await _counted(running, members)), size, seconds, withheld)


async def _counted(running: Parts, members: list[str]) -> list[list[datetime]]:
    found = await live(running.database, _MORNING)
    return [found.get(member_id, []) for member_id in members]


def _tell(name: str, had: Counter[int], size: int, seconds: float, withheld: int) -> None:
    """One line; the end of the run where anybody has more or fewer than they may."""
    fourth = sum(number for times, number in had.items() if times > ALLOWED)
    fewer = sum(number for times, number in had.items() if times < ALLOWED)
    print(
        f"race {name}: {SENDERS} senders, {size:,} members, {SENDERS * size / seconds:,.0f} decisions/s in {seconds:.1f} s: "
        f"{fourth} fourth reservations, {fewer} members with fewer than {ALLOWED}, "
        f"{withheld} answers withheld",
        flush=True,
    )
    if fourth or fewer:
        raise SystemExit(f"race {name}: MISSED")


def races(size: int, seconds: float) -> None:
    """Both, each within its time. Raises SystemExit or TimeoutError."""
    with tempfile.TemporaryDirectory(prefix="menshen-bench-race-") as name:
        folder = Path(name)
        asyncio.run(_bounded("sqlite, one process", f"sqlite:///{folder / 'race.db'}", folder / "one", size, seconds, _in_one))
        cluster = open_cluster()
        try:
            url = cluster.make("race").render_as_string(hide_password=False)
            asyncio.run(_bounded("postgresql, four processes", url, folder / "four", size, seconds, _in_four))
        finally:
            cluster.close()


async def _bounded(name: str, url: str, folder: Path, size: int, seconds: float, race: Race) -> None:
    async with asyncio.timeout(seconds):
        await _run(name, url, folder, size=size, race=race)


def main() -> None:
    """Race, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=240)
    parser.add_argument("--racer", type=Path, help="one of the processes; the race starts it itself")
    wanted = parser.parse_args()
    if wanted.racer:
        asyncio.run(_as_racer(wanted.racer))
        return
    races(wanted.members, wanted.seconds)


if __name__ == "__main__":
    main()
