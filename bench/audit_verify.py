"""How fast the log is verified, and written: `python -m bench.audit_verify [--entries N] [--url URL] [--rounds N]`.

A log of N entries is made by the service's own scribe and appender, in batches of 2,000: real bytes, real tree, columns and subjects' rows.
Then `menshen audit verify`'s replay reads all of it again, on one core, with PostgreSQL on the others. Last, where that
core's time goes, step by step over the same rows held in memory, and how fast the log's one writer takes reads' entries.
"""

import argparse
import asyncio
import hmac
import os
import statistics
import tempfile
import time
from base64 import urlsafe_b64encode
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import orjson
import uvloop

from bench.cluster import open_cluster
from bench.machine import SERVER_CORE
from menshen_verifier import merkle
from service.audit.appending import Appender
from service.audit.entry import Draft
from service.audit.findings import Verdict
from service.audit.head import Authority
from service.audit.lanes import Scribe
from service.audit.reading import store
from service.audit.remembered import RememberedHead
from service.audit.replay import Replay
from service.audit.tree import Tree
from service.audit.verify import verify
from service.audit.writer import Writer
from service.db import migrate
from service.db.engine import Database, connect
from service.values import Actor, ActorKind, Call

_BATCH = 2000
_SAMPLE = 20_000
_FIELDS = ("name", "phone", "email", "birthday", "gender", "region", "address", "tier", "points", "tags")
_CALL = Call(
    Actor(ActorKind.STAFF, "clerk-0017", frozenset({"customer_service_agent"})),
    "01987f2e-5c1a-7b3e-9f10-2a4b6c8d0e1f",
    "192.0.2.7",
)
_AUTHORITY = Authority("members.example.cn/audit", lambda message: hmac.digest(bytes(32), message, "sha256"))


def draft() -> Draft:
    """A read of one member, ten fields."""
    somebody = "p1:" + urlsafe_b64encode(os.urandom(16))[:22].decode()
    given = {"operation": "member", "purpose": "order_shipping", "basis": "CONTRACT", "subjects": [somebody], "fields": _FIELDS}
    return Draft(typ="access", withheld=("notes",), count=1, **given)


def scribe() -> Scribe:
    """As the writer's own."""
    return Scribe(policy="5f" * 32, chance=os.urandom, address_mac=lambda _address, _month: "00112233445566778899aabb")


async def make(database: Database, home: Path, entries: int) -> None:
    """A log of so many entries, in one lane."""
    appender = Appender(database=database, authority=_AUTHORITY, remembered=RememberedHead(home / "head"))
    await appender.open()
    hand = scribe()
    lane = hand.lane("read")
    while lane.next < entries:
        now = datetime.now(UTC)
        batch = hand.opening(lane, now)
        while len(batch) < min(_BATCH, entries - lane.next):
            batch.append(hand.write(lane, lane.next + len(batch), draft(), _CALL, now=now))
        await appender.append(batch, ())
        lane.next += len(batch)
    await appender.close()


async def verified(database: Database, home: Path, rounds: int) -> tuple[list[float], list[float]]:
    """Entries a second of the clock and of this process's CPU, for each round. Raises SystemExit when the log is not whole."""
    remembered = RememberedHead(home / "head").read(_AUTHORITY)
    clock, core = [], []
    for _ in range(rounds):
        begun, used = time.perf_counter(), time.process_time()
        report = await verify(database, _AUTHORITY, remembered)
        clock.append(report.entries / (time.perf_counter() - begun))
        core.append(report.entries / (time.process_time() - used))
        if report.verdict is not Verdict.OK:
            raise SystemExit(f"the log that was just made is found {report.verdict}")
    return clock, core


async def steps(database: Database, entries: int) -> Iterator[tuple[str, float]]:
    """What one entry costs in each step on this process's core, in microseconds, smallest of five."""
    pages = await _fetched(database, entries)
    sample = pages[: _SAMPLE // store.PAGE]
    count = sum(len(page.raws) for page in sample)
    leaves = [merkle.leaf_hashes(page.raws) for page in sample]
    begun = time.process_time()
    await _fetched(database, entries)
    fetched = (time.process_time() - begun) / entries * 1e6
    return iter(
        [
            ("fetch the rows (this side)", fetched),
            ("hash the bytes", _cost(lambda: [merkle.leaf_hashes(page.raws) for page in sample], count)),
            ("fold the tree", _cost(lambda: [Tree().grown(some) for some in leaves], count)),
            ("parse", _cost(lambda: [deque(map(orjson.loads, page.raws), maxlen=0) for page in sample], count)),
            ("parse, compare columns, lanes, subjects", _cost(lambda: [_replay()._contents(page) for page in sample], count)),  # noqa: SLF001
        ]
    )


async def _fetched(database: Database, entries: int) -> list[store.Page]:
    firsts = range(0, entries, store.PAGE)
    return [await store.page(database.read, first, first + store.PAGE) for first in firsts]


def _replay() -> Replay:
    return Replay(_AUTHORITY.head(Tree()), None)


def _cost(what: Callable[[], object], count: int) -> float:
    best = float("inf")
    for _ in range(5):
        begun = time.process_time()
        what()
        best = min(best, time.process_time() - begun)
    return best / count * 1e6


async def appended(database: Database, home: Path, clients: int, seconds: float) -> tuple[float, float, float]:
    """Entries a second that the writer takes from so many callers; the middle and the 99th hundredth of their waits, in ms."""
    journal = Writer(
        database=database,
        mac=_AUTHORITY.mac,
        origin=_AUTHORITY.origin,
        policy="5f" * 32,
        clock=lambda: datetime.now(UTC),
        chance=os.urandom,
        remembered=RememberedHead(home / "head"),
        address_mac=lambda _address, _month: "00112233445566778899aabb",
    )
    await journal.start()
    waits: list[float] = []
    end = time.perf_counter() + seconds

    async def client() -> None:
        while (begun := time.perf_counter()) < end:
            await journal.append(draft(), _CALL)
            waits.append(time.perf_counter() - begun)

    await asyncio.gather(*(client() for _ in range(clients)))
    await journal.close()
    waits.sort()
    return len(waits) / seconds, waits[len(waits) // 2] * 1e3, waits[len(waits) * 99 // 100] * 1e3


async def measure(url: str, entries: int, rounds: int) -> None:
    """Everything on one database."""
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as folder:
        home = Path(folder)
        database = connect(url, pool_size=4)
        await database.start()
        begun = time.perf_counter()
        await make(database, home, entries)
        print(f"  made {entries:,} entries, {entries / (time.perf_counter() - begun):,.0f} a second, in batches of {_BATCH:,}")
        clock, core = await verified(database, home, rounds)
        print(f"  verified {statistics.median(clock):,.0f} entries a second ({min(clock):,.0f} to {max(clock):,.0f});")
        print(f"           {statistics.median(core):,.0f} for each second of its core")
        for name, cost in await steps(database, entries):
            print(f"    {cost:5.2f} µs  {name}")
        for clients in (1, 16, 64):
            rate, middle, tail = await appended(database, home, clients, 3.0)
            print(f"  {clients:2} clients: {rate:8,.0f} entries written a second, p50 {middle:.2f} ms, p99 {tail:.2f} ms")
        await database.close()


def main() -> None:
    """Measure on the database that was named, or on a PostgreSQL of the bench's own and on SQLite."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--url", help="an empty, migrated or unmigrated database; by default PostgreSQL of the bench's own, and SQLite"
    )
    given = parser.parse_args()
    with ExitStack() as stack:
        urls = [given.url] if given.url else _own(stack)
        os.sched_setaffinity(0, {SERVER_CORE})
        for url in urls:
            migrate.upgrade(url)
            print(url.split(":", 1)[0].split("+")[0])
            uvloop.run(measure(url, given.entries, given.rounds))


def _own(stack: ExitStack) -> list[str]:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="menshen-bench-")))
    cluster = stack.enter_context(closing(open_cluster()))
    return [cluster.make("verify").render_as_string(hide_password=False), f"sqlite:///{folder / 'menshen.db'}"]


if __name__ == "__main__":
    main()
