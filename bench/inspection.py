"""How fast the record is searched: `python -m bench.inspection [--entries N] [--url URL]`.

A log of N entries over three years, of 200,000 members, 300 accounts, 12 roles and purposes, written by the service's own appender and
indexed by its own indexer. Then each kind of search asks for its first page of 100, and one member's for everything about them.
"""

import argparse
import os
import random
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvloop

from bench.audit_verify import _AUTHORITY
from bench.cluster import open_cluster
from service.audit.appending import Appender
from service.audit.entry import Draft
from service.audit.index.indexer import Indexer
from service.audit.lanes import Scribe
from service.audit.remembered import RememberedHead
from service.db import migrate
from service.db.engine import Database, connect
from service.inspection import searching
from service.inspection.model import Filter
from service.values import Actor, ActorKind, Call

_BATCH = 2000
_MEMBERS, _ACCOUNTS, _ROLES = 200_000, 300, 12
_END = datetime(2026, 11, 22, tzinfo=UTC)
_FIELDS = ("name", "phone", "email", "birthday", "gender", "region", "address", "tier", "points", "tags")
_ROUNDS = 40


def name_of(number: int, month: str) -> str:
    """A member's pseudonym of a month."""
    return "p1:" + urlsafe_b64encode(random.Random(f"{number} {month}").randbytes(16))[:22].decode()


async def make(database: Database, home: Path, entries: int) -> None:
    """The log."""
    dice = random.Random(7)
    appender = Appender(database=database, authority=_AUTHORITY, remembered=RememberedHead(home / "head"))
    await appender.open()
    hand = Scribe(policy="5f" * 32, chance=os.urandom, address_mac=lambda *_: "00112233445566778899aabb")
    lane = hand.lane("read")
    start, step = _END - timedelta(days=3 * 365), timedelta(days=3 * 365) / entries
    while lane.next < entries:
        now = start + lane.next * step
        batch = hand.opening(lane, now)
        while len(batch) < min(_BATCH, entries - lane.next):
            batch.append(hand.write(lane, lane.next + len(batch), _draft(dice, f"{now:%Y-%m}"), _call(dice), now=now))
        await appender.append(batch, ())
        lane.next += len(batch)
    await appender.close()


def _draft(dice: random.Random, month: str) -> Draft:
    purpose = dice.randrange(_ROLES)
    draft = Draft(
        typ="access",
        operation=f"operation{dice.randrange(20)}",
        purpose=f"purpose_{purpose}",
        basis="CONSENT" if purpose % 2 else "CONTRACT",
        subjects=[name_of(dice.randrange(_MEMBERS), month)],
        fields=tuple(dice.sample(_FIELDS, 3)),
        count=1,
        extra={"campaign": f"campaign-{dice.randrange(500)}"} if dice.randrange(4) == 0 else {},
    )
    if dice.randrange(1000) == 0:
        draft.deny("CONSENT_WITHDRAWN")
    return draft


def _call(dice: random.Random) -> Call:
    account = dice.randrange(_ACCOUNTS)
    actor = Actor(ActorKind.STAFF, f"clerk-{account}", frozenset({f"role_{account % _ROLES}"}))
    return Call(actor, f"r-{dice.randrange(10**9)}", "192.0.2.7")


async def asked(database: Database, wanted: Callable[[int], Filter], *, most: int = 100) -> tuple[float, float, int]:
    """Middle and 95th hundredth of the time for a page in milliseconds, and how many entries the last one had."""
    took, count = [], 0
    for number in range(_ROUNDS):
        begun = time.perf_counter()
        log, count = await searching.look(database.read, _AUTHORITY.origin), 0
        async for _ in searching.find(database.read, log, wanted(number)):
            count += 1
            if count == most:
                break
        took.append((time.perf_counter() - begun) * 1e3)
    took.sort()
    return took[_ROUNDS // 2], took[_ROUNDS * 95 // 100], count


def _months() -> list[str]:
    return [f"{2023 + at // 12}-{at % 12 + 1:02d}" for at in range(10, 47)]


def questions() -> Iterator[tuple[str, Callable[[int], Filter]]]:
    """Each kind of search."""
    day = _END - timedelta(days=400)
    yield "one member, 37 months", lambda at: Filter(subjects=tuple(name_of(at * 37, month) for month in _months()))
    yield "one member and a field", lambda at: Filter(subjects=tuple(name_of(at, month) for month in _months()), field="phone")
    yield "a field", lambda _: Filter(field="phone")
    yield "a role and a field", lambda at: Filter(role=f"role_{at % _ROLES}", field="phone")
    yield "an account", lambda at: Filter(actor=f"staff:clerk-{at}")
    yield "a campaign", lambda at: Filter(campaign=f"campaign-{at}")
    yield "a refusal's reason", lambda _: Filter(reason="CONSENT_WITHDRAWN")
    yield "an account and a reason", lambda at: Filter(actor=f"staff:clerk-{at}", reason="CONSENT_WITHDRAWN")
    yield "a day, a year ago", lambda at: Filter(since=day + timedelta(days=at), until=day + timedelta(days=at + 1))
    yield "a request", lambda at: Filter(request=f"r-{at}")
    yield "what nobody has", lambda _: Filter(role="nobody")


async def measure(url: str, entries: int) -> None:
    """Everything on one database."""
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as folder:
        database = connect(url, pool_size=4)
        await database.start()
        with _timed(f"made {entries:,} entries"):
            await make(database, Path(folder), entries)
        with _timed("gave all blocks their words"):
            await Indexer(database=database, authority=_AUTHORITY).once()
        for name, wanted in questions():
            middle, tail, count = await asked(database, wanted)
            print(f"  {name:28} p50 {middle:8.1f} ms   p95 {tail:8.1f} ms   ({count} entries)", flush=True)
        wanted = Filter(token="0" * 24)
        begun = time.perf_counter()
        log = await searching.look(database.read, _AUTHORITY.origin)
        _ = [line async for line in searching.find(database.read, log, wanted)]
        print(f"  {'a token, in all of it':28} {time.perf_counter() - begun:.1f} s", flush=True)
        await database.close()


@contextmanager
def _timed(what: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    print(f"  {what} in {time.perf_counter() - begun:.0f} s", flush=True)


def main() -> None:
    """Measure on the database that was named, or on a PostgreSQL of the bench's own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--url", help="an empty, unmigrated database; by default PostgreSQL of the bench's own")
    given = parser.parse_args()
    with ExitStack() as stack:
        url = given.url or stack.enter_context(closing(open_cluster())).make("search").render_as_string(hide_password=False)
        migrate.upgrade(url)
        uvloop.run(measure(url, given.entries))


if __name__ == "__main__":
    main()
