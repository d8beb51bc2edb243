"""How often a publisher looks, in time that costs none; and what a round asks of the database, however much was appended."""

import asyncio
import selectors
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from math import inf
from pathlib import Path
from typing import Any

import pytest

from service.audit.head import Authority
from service.audit.journal import Ack
from service.audit.writer import Writer
from service.checkpoints.model import Published
from service.checkpoints.patrol import LATE_SECONDS, Patrol
from service.checkpoints.publisher import Publisher
from service.db.engine import Database
from service.errors import StoreUnavailable
from tests.service.audit import logs as audit_logs
from tests.service.checkpoints.logs import grow, newest, publishing, signer

PROMISED = 1.0
"""Seconds from an entry to its checkpoint."""


class Leaping(selectors.DefaultSelector):
    """Waits for nothing: a time in which nothing happens is over at once, and counted in `passed`."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        """Nobody comes from outside in these tests."""
        self.passed += timeout or 0
        return super().select(0)


class Gone:
    """A database that nobody reaches, and that notes when it was asked."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    def own(self) -> "Gone":
        return self

    @contextmanager
    def _gone(self) -> Iterator[None]:
        self.asked.append(asyncio.get_running_loop().time())
        raise StoreUnavailable("gone")
        yield

    @asynccontextmanager
    async def single(self) -> AsyncIterator[None]:
        with self._gone():
            yield

    async def close(self) -> None:
        """There is nothing to give back."""


def test_a_publisher_looks_twice_within_the_second_that_is_promised_even_while_nothing_works(home: Path) -> None:
    """An entry that just missed a look is found by the next; what is left of the second is for reading, signing and storing."""
    database, selector = Gone(), Leaping()

    async def run() -> None:
        authority = Authority(audit_logs.ORIGIN, audit_logs.mac)
        given: Any = {"database": database, "authority": authority, "clock": audit_logs.now, "broken": pytest.fail}
        stop = asyncio.Event()
        task = asyncio.create_task(Publisher(signer=signer(home), **given).run(stop))
        await asyncio.sleep(60)
        stop.set()
        await task

    with asyncio.Runner(loop_factory=lambda: _on(selector)) as runner:
        runner.run(run())
    gaps = [later - earlier for earlier, later in zip(database.asked, database.asked[1:], strict=False)]
    assert 60 <= selector.passed < 70 and len(gaps) > 50
    assert max(gaps) <= PROMISED / 2


def _on(selector: Leaping) -> asyncio.AbstractEventLoop:
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.passed  # type: ignore[method-assign]
    return loop


class Counted:
    """A publisher's connection, with a count of the statements on it."""

    def __init__(self, own: Any) -> None:
        self._own = own
        self.statements = 0
        self.close = own.close

    @asynccontextmanager
    async def single(self) -> AsyncIterator[Any]:
        async with self._own.single() as session:
            yield _Session(session, self)


class _Session:
    def __init__(self, session: Any, count: Counted) -> None:
        self._session, self._count = session, count
        self.dialect = session.dialect

    async def rows(self, *given: Any) -> Any:
        self._count.statements += 1
        return await self._session.rows(*given)

    async def run(self, *given: Any) -> Any:
        self._count.statements += 1
        return await self._session.run(*given)


async def test_a_round_costs_the_same_statements_for_one_entry_and_for_two_hundred(
    database: Database, journal: Writer, home: Path
) -> None:
    """The proof of growth, for which the signer asks, included: one of them."""
    async with publishing(database, journal, home) as publisher:
        await grow(journal, 2)
        await publisher.once()
        publisher._patrol._due = inf  # the patrol reads by the time, not by what was appended
        counted = publisher._own = Counted(publisher._own)  # type: ignore[assignment]
        asked = []
        for count in (1, 200):
            await grow(journal, count)
            before = counted.statements
            await publisher.once()
            asked.append(counted.statements - before)
        assert (await newest(database, publisher)).size == 204
        assert asked[0] == asked[1] <= 7
        before = counted.statements
        await publisher.once()
        assert counted.statements - before <= 3, (
            "without growth it looks who leads, at the head, and whether the newest row is ours"
        )


class Asked(Patrol):
    """A patrol that notes who still waits when its turn comes."""

    def __init__(self, publisher: Publisher) -> None:
        super().__init__(publisher._authority)
        self._publisher = publisher
        self.waiting: list[bool] = []

    async def step(self, session: Any, signed: Published, *, pressed: bool = False) -> None:
        """As ever."""
        self.waiting.append(bool(self._publisher._waiting))
        await super().step(session, signed, pressed=pressed)


async def test_whoever_waits_for_a_checkpoint_has_it_before_anything_is_read_again(
    database: Database, journal: Writer, home: Path
) -> None:
    async with publishing(database, journal, home) as publisher:
        patrol = publisher._patrol = Asked(publisher)
        await grow(journal, 2)
        waits = asyncio.create_task(publisher.reached(3, Ack.SIGNED))
        await asyncio.sleep(0)
        await publisher.once()
        assert patrol.waiting == [False] and patrol.walks == 1
        await waits


async def test_the_patrol_gives_way_to_those_who_wait_but_not_for_long(database: Database, journal: Writer, home: Path) -> None:
    async with publishing(database, journal, home) as publisher:
        await grow(journal, 2)
        await publisher.once()
        patrol, signed = publisher._patrol, await newest(database, publisher)
        assert patrol.walks == 1
        loop = asyncio.get_running_loop()
        for due, pressed, walks in ((0, True, 1), (0, False, 2), (-LATE_SECONDS, True, 3)):
            patrol._due = loop.time() + due
            async with publisher._own.single() as session:
                await patrol.step(session, signed, pressed=pressed)
            assert patrol.walks == walks
