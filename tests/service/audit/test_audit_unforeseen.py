"""What nobody thought of: an error of no kind that the writer knows. It costs answers while it lasts, and neither entries nor the writer."""

import asyncio
import logging
import os
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.audit.batch import Item, Queue
from service.audit.changes import Changes
from service.audit.findings import Verdict
from service.audit.head import Authority, Seen
from service.audit.lanes import Scribe
from service.audit.remembered import RememberedHead
from service.audit.writer import Writer
from service.db.engine import Database
from service.errors import RecordUnavailable
from tests.service.audit import logs, work
from tests.service.audit.logs import CLERK

Healthy = Callable[[Writer], Awaitable[None]]
VALUE = "13800138000"


class Odd(Exception):
    """An error of nobody's. Its message holds what a driver would quote."""


class Fault:
    """What goes wrong: at which places, and how many times more."""

    def __init__(self) -> None:
        self.left: Counter[str] = Counter()

    def here(self, place: str) -> None:
        """Raises, if it goes wrong here."""
        if self.left[place] > 0:
            self.left[place] -= 1
            raise Odd(f"a row is there already: ({VALUE})")


class Faulty:
    """A real object, some of whose methods go wrong before or after they have done their work."""

    def __init__(self, real: Any, fault: Fault, *names: str, whose: str = "") -> None:
        self._real, self._fault, self._names, self._whose = real, fault, names, whose

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        return self._wrapped(name, found) if name in self._names else found

    def _wrapped(self, name: str, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def run(*given: Any, **more: Any) -> Any:
            self._fault.here(f"before {self._whose}{name}")
            done = await method(*given, **more)
            self._fault.here(f"after {self._whose}{name}")
            return done

        return run


class FaultyConnection:
    """The writer's own connection, whose statements and commits may go wrong."""

    def __init__(self, real: Any, fault: Fault) -> None:
        self._real, self._fault = real, fault

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Any]:
        async with self._real.write() as transaction:
            yield Faulty(transaction, self._fault, "rows", "commit")

    @asynccontextmanager
    async def single(self) -> AsyncIterator[Any]:
        async with self._real.single() as session:
            yield Faulty(session, self._fault, "rows")

    async def close(self) -> None:
        await self._real.close()


class FaultyDatabase:
    """A real database for the log's writer, which goes wrong where `fault` says."""

    def __init__(self, real: Database, fault: Fault) -> None:
        self._real, self._fault = real, fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    @property
    def read(self) -> Any:
        return Faulty(self._real.read, self._fault, "rows", whose="the pool's ")

    def pipelined(self) -> FaultyConnection:
        return FaultyConnection(self._real.pipelined(), self._fault)


class FaultyMemory(RememberedHead):
    """A remembered head that cannot be written, though no disk is full."""

    fault: Fault

    def write(self, authority: Authority, seen: Seen) -> None:
        self.fault.here("remembering")
        super().write(authority, seen)


class FaultyHandler(logging.Handler):
    """A place for log lines that goes wrong when the writer says that all is well again: in the middle of `_succeeded`."""

    fault: Fault

    def emit(self, record: logging.LogRecord) -> None:
        if "again" in record.getMessage():
            self.fault.here("saying so")


@pytest.fixture
def fault() -> Fault:
    return Fault()


@pytest.fixture
async def faulty(database: Database, home: Path, fault: Fault) -> AsyncIterator[Writer]:
    """A writer at work, made of parts that go wrong as `fault` says."""

    def clock() -> datetime:
        fault.here("the clock")
        return logs.now()

    handler, memory = FaultyHandler(), FaultyMemory(home / "audit-head")
    handler.fault = memory.fault = fault
    logging.getLogger("service.audit.writer").addHandler(handler)
    journal = logs.writer(FaultyDatabase(database, fault), home, clock, memory)  # type: ignore[arg-type]
    await journal.start()
    yield journal
    await journal.close()
    logging.getLogger("service.audit.writer").removeHandler(handler)


@pytest.fixture
def healthy(eventually: Callable[..., Awaitable[None]]) -> Healthy:
    async def wait(journal: Writer) -> None:
        async def health() -> str:
            return journal.health()

        await eventually(health, "ok")

    return wait


FAULTS = {
    **{place: {place: 1} for place in ("the clock", "before rows", "after rows", "remembering")},
    # PostgreSQL needs no lock, and so no transaction, until something has gone wrong.
    **{place: {"before rows": 1, place: 1} for place in ("before commit", "after commit")},
    "saying that it works again": {"before rows": 1, "saying so": 1},
    "everywhere": {"the clock": 2, "before rows": 2, "after rows": 1, "after commit": 2, "remembering": 1, "saying so": 1},
    "the clock, for longer than anybody waits": {"the clock": 70},
    "the database, for longer than anybody waits": {"after rows": 70},
}


@pytest.mark.obligation("AL-02")
@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
async def test_an_error_of_no_known_kind_loses_no_acknowledged_entry_and_no_writer(
    database: Database, faulty: Writer, home: Path, fault: Fault, healthy: Healthy, faults: dict[str, int]
) -> None:
    async def read(name: str) -> str:
        return (await faulty.append(logs.read(operation=name), CLERK)).entry_id

    async def change(name: str) -> None:
        await work.do(database, faulty, name)

    await asyncio.gather(*map(read, "ab"), *map(change, "cd"))
    # No more than there are connections: a change keeps its own until its entry is in the tree.
    names = [f"n{number}" for number in range(6)]
    fault.left.update(faults)
    reads, changes = await asyncio.gather(
        asyncio.gather(*map(read, names), return_exceptions=True), asyncio.gather(*map(change, names), return_exceptions=True)
    )
    await healthy(faulty)
    assert sum(fault.left.values()) < sum(faults.values()), "nothing went wrong"
    await asyncio.gather(read("afterwards"), change("afterwards"))
    await faulty.close()
    assert {type(result) for result in reads} <= {str, RecordUnavailable}
    found = await logs.entries(database)
    assert {result for result in reads if isinstance(result, str)} <= {entry["id"] for entry in found}
    assert max(Counter(entry["op"] for entry in found if entry["typ"] == "access").values()) == 1
    await _assert_that_changes_and_entries_are_one(database, dict(zip(names, changes, strict=True)))
    _assert_that_no_number_is_missing(found)
    assert (await logs.verified(database, home)).verdict is Verdict.OK


async def _assert_that_changes_and_entries_are_one(database: Database, results: dict[str, BaseException | None]) -> None:
    """What was answered, or would have been but for its entry, is done; what failed is not; and each has one entry."""
    done = await work.done(database)
    assert sorted(await work.recorded(database)) == sorted(done)
    assert {type(result) for result in results.values()} <= {type(None), RecordUnavailable, Odd}
    assert {name for name, result in results.items() if not isinstance(result, Odd)} == done & results.keys()


def _assert_that_no_number_is_missing(found: list[dict[str, Any]]) -> None:
    lanes: dict[str, list[int]] = defaultdict(list)
    for entry in found:
        lanes[entry["w"]].append(entry["s"])
    assert {tuple(numbers) for numbers in lanes.values()} == {tuple(range(len(numbers))) for numbers in lanes.values()}


@pytest.mark.obligation("AL-02")
async def test_what_a_dead_instance_left_is_brought_in_though_looking_for_it_has_failed(
    database: Database, faulty: Writer, home: Path, fault: Fault, eventually: Callable[..., Awaitable[None]]
) -> None:
    fault.left["before the pool's rows"] = 1

    async def failed() -> int:
        return fault.left["before the pool's rows"]

    await eventually(failed, 0)
    await _a_change_whose_instance_died(database)
    await eventually(lambda: work.recorded(database), ["left"])
    await faulty.close()
    assert (await logs.verified(database, home)).verdict is Verdict.OK


async def _a_change_whose_instance_died(database: Database) -> None:
    """A minute ago it was committed with its waiting entry, and the queue that it was put into is gone."""

    def clock() -> datetime:
        return logs.now() - timedelta(minutes=1)

    scribe = Scribe(policy=logs.POLICY, chance=os.urandom, address_mac=lambda *_: "00")
    changes = Changes(database=database, authority=logs.AUTHORITY, scribe=scribe, clock=clock, queue=Queue())
    async with database.write() as transaction:
        await changes.commit(logs.change(extra={"row": "left"}), CLERK, transaction, Item())


@pytest.mark.obligation("SE-08")
@pytest.mark.parametrize("place", ["the clock", "before rows", "before the pool's rows"])
async def test_the_log_line_has_the_kind_of_an_error_and_not_its_message(
    faulty: Writer, fault: Fault, eventually: Callable[..., Awaitable[None]], caplog: pytest.LogCaptureFixture, place: str
) -> None:
    async def said() -> bool:
        return "Odd" in caplog.text

    fault.left[place] = 1
    await faulty.append(logs.read(), CLERK)
    await eventually(said, True)
    assert VALUE not in caplog.text
