"""What the record costs and gives: `python -m bench record [--only NAME]… [--seconds N]`.

append    Entries a second that the log takes from 64 concurrent callers: through one instance's writer, and through four processes' in sum.
          PostgreSQL waits for its disk; search columns, subjects' rows and tiles included.
latency   What the record adds to a read: a machine's `member` by the real operation, watch included, on the same members, in turns with its
          entry awaited and with its entry only handed over. The wait itself is measured read by read.
          In a closed loop: 1, 8 and 64 callers, each asking again at once; with 64 the instance is saturated, and the queue is measured.
          Paced: 64 clients, each at a steady beat, in sum at a share of what they reached in the loop; a client's lateness is counted.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

import uvloop

from bench import people
from bench.audit_verify import draft
from bench.big_log import a_site
from bench.cluster import Cluster, open_cluster
from bench.seed import Site, seed
from service.app import Parts, parts
from service.audit.entry import Draft
from service.audit.journal import Receipt
from service.audit.remembered import RememberedHead
from service.audit.writer import Writer
from service.db import migrate
from service.db.engine import connect
from service.hazmat.mac import KeyedMac
from service.operations import Operations
from service.unit import Units
from service.values import Actor, ActorKind, Call

_CALLERS = 64
_SHARES = (0.5, 0.8)
_MACHINE = Call(Actor(ActorKind.SERVICE, "crm", frozenset({people.ROLE})), "01987f2e-5c1a-7b3e-9f10-2a4b6c8d0e1f", "192.0.2.7")
_CALL = Call(Actor(ActorKind.STAFF, "clerk-0017", frozenset({people.ROLE})), "01987f2e-5c1a-7b3e-9f10-2a4b6c8d0e1f", "192.0.2.7")


Read = Callable[[int], Awaitable[object]]
"""The read of this number."""

Loop = Callable[[float, Read], Awaitable[list[float]]]
"""Reads for so many seconds; how long each took."""


def spread(waits: Sequence[float]) -> str:
    """The middle, the 95th and the 99th hundredth of some seconds, in milliseconds."""
    ordered = sorted(waits)
    at = [ordered[min(len(ordered) - 1, len(ordered) * part // 100)] * 1e3 for part in (50, 95, 99)]
    return f"p50 {at[0]:.2f}, p95 {at[1]:.2f}, p99 {at[2]:.2f} ms"


# --- append ----------------------------------------------------------------------------------------------------------------------


def ask_append(cluster: Cluster, folder: Path, seconds: float) -> None:
    """One instance, then four, with the same callers in sum; then four with as many each."""
    for instances, callers in ((1, _CALLERS), (4, _CALLERS // 4), (4, _CALLERS)):
        url = cluster.make(f"append_{instances}_{callers}").render_as_string(hide_password=False)
        migrate.upgrade(url)
        context = get_context("spawn")
        together = (context.Barrier(instances, timeout=60.0),)
        with ProcessPoolExecutor(instances, mp_context=context, initializer=_meet, initargs=together) as pool:
            shares = [(url, folder / f"{instances}-{callers}-{n}", callers, seconds) for n in range(instances)]
            found = list(pool.map(_appender, *zip(*shares, strict=True)))
        waits = [wait for each in found for wait in each]
        rates = ", ".join(f"{len(each) / seconds:,.0f}" for each in found)
        print(
            f"append: {instances} instance(s), {callers} callers each: {len(waits) / seconds:,.0f} entries/s ({rates}); {spread(waits)}"
        )


_START: list[Barrier] = []
"""In a process that appends: where it waits for the others, however long each of them took to load. Whose loading lay in the others'
measured time, or who measured alone at the end, would spoil the sum.
"""


def _meet(start: Barrier) -> None:
    _START.append(start)


def _appender(url: str, home: Path, callers: int, seconds: float) -> list[float]:
    home.mkdir()
    return uvloop.run(_appended(url, home, callers, seconds))


async def _appended(url: str, home: Path, callers: int, seconds: float) -> list[float]:
    database = connect(url, pool_size=4)
    await database.start()
    journal = Writer(
        database=database,
        mac=KeyedMac(bytes(32)),
        origin="members.example.cn/audit",
        policy="5f" * 32,
        clock=lambda: datetime.now(UTC),
        chance=os.urandom,
        remembered=RememberedHead(home / "audit-head"),
        address_mac=lambda _address, _month: "00112233445566778899aabb",
    )
    await journal.start()
    await asyncio.to_thread(_START[0].wait)
    waits = await _closed_loop(callers, seconds, lambda _: journal.append(draft(), _CALL))
    await journal.close()
    await database.close()
    return waits


async def _closed_loop(callers: int, seconds: float, do: Read) -> list[float]:
    """So many callers, each asking again as soon as it is answered; how long each time took."""
    waits: list[float] = []
    end = time.perf_counter() + seconds

    async def one(number: int) -> None:
        while (begun := time.perf_counter()) < end:
            await do(number)
            waits.append(time.perf_counter() - begun)
            number += callers

    await asyncio.gather(*map(one, range(callers)))
    return waits


# --- latency ---------------------------------------------------------------------------------------------------------------------


@dataclass
class HandedOver:
    """A journal that gives the read's entry to the real one and does not wait: the same work, but for the waiting."""

    journal: Writer
    under_way: set["asyncio.Task[Receipt]"] = field(default_factory=set)

    async def append(self, draft: Draft, call: Call) -> Receipt:
        """See `Journal.append`, which it is not: the bench's answers go to nobody."""
        task = asyncio.ensure_future(self.journal.append(draft, call))
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)
        return Receipt("", 0, 0)


@dataclass
class Timed:
    """A journal that remembers how long each read waited for it."""

    journal: Writer
    waits: list[float] = field(default_factory=list)

    async def append(self, draft: Draft, call: Call) -> Receipt:
        """See `Journal.append`."""
        begun = time.perf_counter()
        receipt = await self.journal.append(draft, call)
        self.waits.append(time.perf_counter() - begun)
        return receipt


def ask_latency(cluster: Cluster, folder: Path, seconds: float) -> None:
    """On a site of 5,000 members."""
    site = a_site(cluster.make("latency").render_as_string(hide_password=False), folder / "latency", 5000)
    seed(site)
    uvloop.run(_latency(site, seconds))


async def _latency(site: Site, seconds: float) -> None:
    ids = [one.member_id for one in map(people.person, range(site.size)) if one.consents]
    async with parts(site.config(log_level="error")) as running:
        timed, handed = Timed(running.journal), HandedOver(running.journal)
        ways = {"awaited": _reading(running, timed, ids), "handed over": _reading(running, handed, ids)}
        for callers in (1, 8, _CALLERS):
            found = await _in_turns(ways, seconds, partial(_closed_loop, callers), (timed, handed))
            _print(f"{callers} callers in a closed loop", found, timed)
        reached = len(found["awaited"]) / seconds
        for share in _SHARES:
            found = await _in_turns(ways, seconds, partial(_paced, share * reached), (timed, handed))
            _print(f"{_CALLERS} clients, paced at {share * reached:,.0f} reads/s ({share:.0%} of that)", found, timed)


async def _in_turns(
    ways: Mapping[str, Read], seconds: float, loop: Loop, journals: tuple[Timed, HandedOver]
) -> dict[str, list[float]]:
    """How long each read took, by the way of its entry."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    timed, handed = journals
    timed.waits.clear()
    for turn in range(6):
        for name in (list(ways), list(reversed(ways)))[turn % 2]:
            found[name] += await loop(seconds / 6, ways[name])
            await asyncio.gather(*handed.under_way)
    return found


async def _paced(rate: float, seconds: float, do: Read) -> list[float]:
    """So many reads a second from all clients in sum; how long each took, from when it was due where the client was late for it."""
    waits: list[float] = []
    begin = time.perf_counter()

    async def one(number: int) -> None:
        while (due := begin + number / rate) < begin + seconds:
            early = due - time.perf_counter()
            if early > 0:
                await asyncio.sleep(early)
            # A timer's lateness is not the read's, but a client's is that still waited for its last answer.
            begun = time.perf_counter() if early > 0 else due
            await do(number)
            waits.append(time.perf_counter() - begun)
            number += _CALLERS

    await asyncio.gather(*map(one, range(_CALLERS)))
    return waits


def _print(title: str, found: Mapping[str, Sequence[float]], timed: Timed) -> None:
    print(f"latency: {title}: " + "; ".join(f"{name} {spread(waits)}" for name, waits in found.items()))
    print(f"    the wait for the entry alone: {spread(timed.waits)} of {len(timed.waits):,} reads")


def _reading(running: Parts, journal: Timed | HandedOver, ids: Sequence[str]) -> Read:
    units = Units(
        database=running.database,
        vault=running.vault,
        journal=journal,  # type: ignore[arg-type]
        catalogue=running.catalogue,
        clock=running.clock,
        chance=running.chance,
        watch=running.guard,
    )
    operations = Operations(units)

    async def read(number: int) -> object:
        return await operations.member(
            _MACHINE, member_id=ids[number * 7919 % len(ids)], purpose=people.PURPOSE, fields=people.FIELDS
        )

    return read


ASKED = {"append": ask_append, "latency": ask_latency}


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=tuple(ASKED))
    parser.add_argument("--seconds", type=float, default=6.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as folder, closing(open_cluster()) as cluster:
        for name in asked.only or ASKED:
            cluster.settle()
            ASKED[name](cluster, Path(folder), asked.seconds)


if __name__ == "__main__":
    main()
