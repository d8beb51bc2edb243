"""How fast the log is exported, and what the disk takes: `python -m bench.export [--entries N] [--rounds N] [--url URL] [--keep FOLDER]`.

A log of N entries of the service's own scribe is exported to a folder, as `menshen audit export` does it, and in the same round the same
files are written plainly: nothing but open, write and close, and as many syncs at the same places. Then the export's parts by themselves,
and `menshen-verify` over it. With `--url` the log of that database is exported (of `python -m bench big-log`, or any other: nothing is
written into it), under a checkpoint that the bench signs; with `--keep` (an empty folder) the export stays there in `export`, with
`policy` for whoever verifies it.
"""

import argparse
import asyncio
import os
import resource
import shutil
import statistics
import tempfile
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from bench.audit_verify import make
from bench.cluster import open_cluster
from bench.offline import measured, shown
from menshen_verifier.checkpoint import Checkpoint
from menshen_verifier.note import Key, Kind
from menshen_verifier.verify import cores
from service.archive import exporting, files, store
from service.archive.exporting import ENTRIES, PAGE, Plan, planned
from service.audit.store import head as read_head
from service.checkpoints.model import Noted
from service.db import migrate
from service.db.engine import Database, connect
from service.db.statement import Prepared

_SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(32))
_ORIGIN = Prepared(text("SELECT log_id FROM audit_head"))
_MEGA = 1 << 20
_PAGES_TO_SYNC = 64


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of the clock, and of this process's core."""

    clock: float
    core: float


class _Watch:
    def __init__(self) -> None:
        self._clock, self._core = time.perf_counter(), time.process_time()

    def stopped(self) -> Took:
        return Took(time.perf_counter() - self._clock, time.process_time() - self._core)


async def plan_of(database: Database, policy: Path) -> Plan:
    """The whole log under a checkpoint of the bench's own key, which goes into `policy`."""
    origin = str((await database.read.rows(_ORIGIN))[0][0])
    head = await read_head(database.read, origin)
    assert head is not None
    key = Key(origin, Kind.ED25519, _SIGNER.public_key().public_bytes_raw())
    said = Checkpoint(origin, head.size, head.root).text
    policy.write_text(f"log {key.vkey}\nquorum none\n")
    note = f"{said}\n{key.line(_SIGNER.sign(said.encode()))}\n"
    return planned(origin, Noted(head.size, head.root, note), "", first=0, end=None)


async def exported(database: Database, plan: Plan, folder: Path) -> Took:
    """One export."""
    folder.mkdir(mode=0o700)
    watch = _Watch()
    done = await exporting.export(database, plan, folder)
    if done.count != plan.last - plan.first:
        raise SystemExit(f"{plan.last - plan.first - done.count} entries are missing")
    return watch.stopped()


def written(made: Path, folder: Path) -> tuple[Took, int]:
    """The same files, from memory to the disk; their bytes. Reading them is not counted."""
    clock = core = 0.0
    length = 0
    lines = made / ENTRIES
    for one in sorted(path for path in made.rglob("*") if path.is_file() and path != lines):
        content = one.read_bytes()
        watch = _Watch()
        files.put(folder / one.relative_to(made), content)
        took = watch.stopped()
        clock, core, length = clock + took.clock, core + took.core, length + len(content)
    with lines.open("rb") as source, files.opened(folder / ENTRIES) as into:
        for number, content in enumerate(iter(lambda: source.read(_MEGA), b""), start=1):
            watch = _Watch()
            into.write(content)
            if number % _PAGES_TO_SYNC == 0:
                into.flush()
                os.fsync(into.fileno())
            took = watch.stopped()
            clock, core, length = clock + took.clock, core + took.core, length + len(content)
    watch = _Watch()
    files.settle(folder)
    took = watch.stopped()
    return Took(clock + took.clock, core + took.core), length


async def parts(database: Database, plan: Plan, made: Path) -> list[tuple[str, Took]]:
    """What the export does, one thing after another, each by itself."""
    found = []
    watch = _Watch()
    for first in range(plan.first, plan.last, PAGE):
        await store.entries(database.read, first, min(first + PAGE, plan.last))
    found.append(("fetch the entries", watch.stopped()))
    watch = _Watch()
    for _ in files.listed(made, but=frozenset()):
        pass
    found.append(("hash every file for the manifest", watch.stopped()))
    return found


async def measure(url: str, place: Path, rounds: int) -> None:
    """Everything, over one database. The last export is left in `place`."""
    database = connect(url, pool_size=4)
    await database.start()
    plan = await plan_of(database, place / "policy")
    count = plan.last - plan.first
    ratios = []
    for number in range(rounds):
        shutil.rmtree(place / "export", ignore_errors=True)
        took = await exported(database, plan, place / "export")
        plain, length = await asyncio.to_thread(written, place / "export", place / "plain")
        shutil.rmtree(place / "plain")
        ratios.append(plain.clock / took.clock)
        print(
            f"  round {number + 1}: {count / took.clock:,.0f} entries/s, {length / took.clock / _MEGA:,.0f} MiB/s; "
            f"{count / took.core:,.0f} for each second of its core. The disk alone: {length / plain.clock / _MEGA:,.0f} MiB/s"
        )
    print(f"  of what the disk takes: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    print(f"  at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB, {length / count:.0f} bytes an entry")
    for name, took in await parts(database, plan, place / "export"):
        print(f"    {took.clock / count * 1e6:5.2f} µs an entry, {took.core / count * 1e6:5.2f} of its core: {name}")
    await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--url", help="a database with a log; by default PostgreSQL of the bench's own, and SQLite")
    parser.add_argument("--keep", type=Path, help="an empty folder where the last export stays")
    given = parser.parse_args()
    with ExitStack() as stack:
        place = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="menshen-bench-")))
        place.mkdir(exist_ok=True)
        for url in [given.url] if given.url else _own(stack, given.entries):
            print(url.split(":", 1)[0].split("+")[0])
            uvloop.run(measure(url, place, given.rounds))
            for processes in sorted({1, cores()}):
                print(shown(measured(place / "export", processes, 1, place / "policy"), processes))


def _own(stack: ExitStack, entries: int) -> list[str]:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="menshen-bench-")))
    cluster = stack.enter_context(closing(open_cluster()))
    urls = [cluster.make("export").render_as_string(hide_password=False), f"sqlite:///{folder / 'menshen.db'}"]
    for number, url in enumerate(urls):
        migrate.upgrade(url)
        (folder / f"{number}").mkdir()
        uvloop.run(_made(url, folder / f"{number}", entries))
    return urls


async def _made(url: str, home: Path, entries: int) -> None:
    database = connect(url, pool_size=4)
    await database.start()
    await make(database, home, entries)
    await database.close()


if __name__ == "__main__":
    main()
