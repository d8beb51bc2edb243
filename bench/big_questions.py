"""A log of millions is asked: `python -m bench big-questions --url URL --home DIR [--rounds N]`, of what `bench big-log` made.

A whole Menshen is opened on it, follows and signs all of it and gives its blocks their words; how long that takes is told. Then, with the
publisher and its patrol at work as ever: searches by member through the operation, entry and proof of each row included, of members drawn
evenly and of those that come up the most; a member's own view; the checkpoint that covers a new entry, from the commit to the signature;
and proofs. A figure is the middle, the 95th hundredth and the most, in milliseconds.
"""

import argparse
import asyncio
import random
import resource
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psycopg
import uvloop

from bench.big_log import MEMBERS, a_site
from bench.cluster import info
from bench.seed import Site
from service import app
from service.archive.proofs import proof_of
from service.audit.consistency import consistency
from service.audit.entry import Draft
from service.audit.index.indexer import Indexer
from service.audit.journal import Ack
from service.audit.store import head as read_head
from service.inspection.model import Filter, Status
from service.values import Actor, ActorKind, Call

_PAGE, _LONG, _HEAVY = 50, 100, 300
"""Rows of a page as one gets it unasked, and of one that was asked for; the members that are named the most."""
_OWN, _PAGES = 20, 5
"""Rows of a member's page; pages that one auditor asks for, as what a person is shown of in a day is counted (LB-07)."""

Question = Callable[[int], Awaitable[int]]
"""Asked for the n-th time; how many rows it had."""


class Questions:
    """What is asked of a running Menshen. The members of `people` come up the more, the earlier they stand."""

    def __init__(self, running: app.Parts, people: list[str]) -> None:
        self._running, self._people = running, people
        self._dice = random.Random(7)
        self._pages = self._appended = 0

    async def anybody(self, _: int) -> int:
        """The first page of everything about a member drawn evenly."""
        return await self._about(self._dice.choice(self._people), Filter())

    async def a_long_page(self, _: int) -> int:
        """A page of 100."""
        return await self._about(self._dice.choice(self._people), Filter(), first=_LONG)

    async def often_named(self, turn: int) -> int:
        """The first page of those whom most entries name."""
        return await self._about(self._people[turn % _HEAVY], Filter())

    async def a_field(self, _: int) -> int:
        """Who has seen a phone number since May."""
        return await self._about(self._dice.choice(self._people), Filter(field="phone"))

    async def own_view(self, _: int) -> int:
        """A member's own page, with a proof for each row."""
        who = self._dice.choice(self._people)
        call = Call(Actor(ActorKind.MEMBER, who, frozenset({"member"}), member_id=who), "bench-own", "192.0.2.7")
        found = await self._running.operations.my_access_log(call, first=_OWN, after=None, since=None, until=None, field="")
        assert found is not None
        return len(found.items)

    async def checkpoint(self, _: int) -> int:
        """From the commit of an entry to a signed checkpoint over it."""
        await self._running.publisher.reached(self._appended, Ack.SIGNED)
        return 1

    async def append(self) -> None:
        """What the next `checkpoint` waits for."""
        draft = Draft(typ="audit", operation="bench", count=0)
        self._appended = (await self._running.journal.append(draft, _auditor(0))).index + 1

    async def proof(self, _: int) -> int:
        """A tlog-proof of an entry anywhere in the log."""
        index = self._dice.randrange(self._running.publisher.state.signed)
        await proof_of(self._running.database.read, self._running.journal.authority, index, trust=self._running.units.trust)
        return 1

    async def growth(self, _: int) -> int:
        """That the log of now goes on from that of then."""
        signed = self._running.publisher.state.signed
        return len(await consistency(self._running.database.read, self._dice.randrange(1, signed), signed))

    async def _about(self, who: str, wanted: Filter, first: int = _PAGE) -> int:
        self._pages += 1
        auditor = _auditor(self._pages // _PAGES)
        found = await self._running.operations.audit_entries(auditor, wanted, member_id=who, first=first, after=None)
        assert found is not None
        assert all(line.status is Status.PROVEN for line in found.lines)
        return len(found.lines)


def _auditor(number: int) -> Call:
    return Call(Actor(ActorKind.STAFF, f"auditor-{number}", frozenset({"auditor"})), "bench-questions", "192.0.2.7")


async def asked(name: str, question: Question, *, rounds: int, before: Callable[[], Awaitable[None]] | None = None) -> None:
    """Ask so many times, one after the other, and tell."""
    took, rows = [], 0
    for turn in range(rounds):
        if before is not None:
            await before()
        begun = time.perf_counter()
        rows += await question(turn)
        took.append((time.perf_counter() - begun) * 1e3)
    took.sort()
    middle, tail = took[rounds // 2], took[rounds * 95 // 100]
    print(f"  {name:44} p50 {middle:7.1f}  p95 {tail:7.1f}  most {took[-1]:7.1f} ms   {rows / rounds:5.1f} rows", flush=True)


async def measure(site: Site, rounds: int) -> None:
    """Open it, wait until it is signed and has words, ask."""
    begun = time.perf_counter()
    async with app.parts(site.config()) as running:
        head = await read_head(running.database.read, running.journal.authority.origin)
        size = head.size if head else 0
        while running.publisher.state.signed < size:
            if running.publisher.state.breaker:
                raise SystemExit(running.publisher.state.breaker)
            await asyncio.sleep(0.1)
        print(f"{size:,} entries followed and signed {time.perf_counter() - begun:.0f} s after the start", flush=True)
        begun = time.perf_counter()
        blocks = await Indexer(database=running.database, authority=running.journal.authority).once()
        print(f"{blocks:,} blocks given their words in {time.perf_counter() - begun:.0f} s", flush=True)
        questions = Questions(running, _people(site))
        for name, question in (
            ("one member, drawn evenly: a page of 50", questions.anybody),
            ("the same, a page of 100", questions.a_long_page),
            ("one of the 300 that are named the most", questions.often_named),
            ("one member and a field", questions.a_field),
            ("a member's own view: a page of 20", questions.own_view),
            ("a proof of any entry", questions.proof),
            ("a proof that the log only grew", questions.growth),
        ):
            await asked(name, question, rounds=rounds)
        await asked("a checkpoint, from commit to signature", questions.checkpoint, rounds=rounds, before=questions.append)
    print(f"largest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


def _people(site: Site) -> list[str]:
    with psycopg.connect(info(site.url)) as connection:
        return [who for (who,) in connection.execute("SELECT member_id FROM member ORDER BY member_id").fetchall()]


def main() -> None:
    """Ask the log that is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True, help="the database that `bench big-log --url` filled")
    parser.add_argument("--home", type=Path, required=True, help="the folder of its development key")
    parser.add_argument("--members", type=int, default=MEMBERS)
    parser.add_argument("--rounds", type=int, default=300)
    given = parser.parse_args()
    uvloop.run(measure(a_site(given.url, given.home, given.members), given.rounds))


if __name__ == "__main__":
    main()
