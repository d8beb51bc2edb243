"""What an append asks of the database: as much for one entry as for sixty-four, and least of all while the others wait for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from service.audit.writer import Writer
from tests.service.audit import logs
from tests.service.audit.logs import CLERK
from tests.service.audit.wire import Wire, wire_to

SIZES = (1, 16, 64)


async def batch(journal: Writer, entries: int) -> None:
    """So many callers at once: they share one batch."""
    receipts = await asyncio.gather(*(journal.append(logs.read(), CLERK) for _ in range(entries)))
    assert len({receipt.size for receipt in receipts}) == 1


async def heard(wire: Wire, journal: Writer, entries: int) -> tuple[int, int]:
    """Round trips and statements of one batch."""
    wire.kinds.clear()
    await batch(journal, entries)
    return wire.kinds["S"] + wire.kinds["Q"], wire.kinds["E"] + wire.kinds["Q"]


async def test_alone_a_batch_is_one_statement_in_one_round_trip_however_many_share_it(postgresql_url: str, home: Path) -> None:
    async with wire_to(postgresql_url) as (wire, url), logs.at_work(url, home) as (_, journal):
        await batch(journal, 2)
        assert [await heard(wire, journal, entries) for entries in SIZES] == [(1, 1)] * len(SIZES)


async def test_among_others_a_batch_is_two_round_trips_and_holds_the_heads_lock_for_one(
    postgresql_url: str, home: Path, tmp_path: Path
) -> None:
    """The first takes the lock with all there is to know, the second adds everything and commits."""
    (tmp_path / "other").mkdir()
    async with (
        wire_to(postgresql_url) as (wire, url),
        logs.at_work(url, home) as (_, journal),
        logs.at_work(postgresql_url, tmp_path / "other") as (_, other),
    ):
        for each in (journal, other, journal):
            await batch(each, 2)
        found = []
        for entries in SIZES:
            await batch(other, 3)
            found.append(await heard(wire, journal, entries))
        assert found == [(2, 4)] * len(SIZES)


class Counted:
    """A real thing whose calls are counted: a connection's transactions and what each of them is asked."""

    def __init__(self, real: Any, calls: list[str]) -> None:
        self._real, self._calls = real, calls

    def __getattr__(self, name: str) -> Any:
        if name in {"rows", "run", "bulk", "commit"}:
            self._calls.append(name)
        return getattr(self._real, name)

    def pipelined(self) -> "Counted":
        return Counted(self._real.pipelined(), self._calls)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Any]:
        self._calls.append("write")
        async with self._real.write() as transaction:
            yield Counted(transaction, self._calls)


@pytest.mark.parametrize("company", [False, True], ids=["alone", "among others"])
async def test_on_sqlite_a_batch_asks_as_much_however_many_share_it(
    sqlite_url: str, home: Path, tmp_path: Path, company: bool
) -> None:
    (tmp_path / "other").mkdir()
    calls: list[str] = []
    async with logs.at_work(sqlite_url, tmp_path / "other") as (database, other):
        journal = logs.writer(Counted(database, calls), home)  # type: ignore[arg-type]
        await journal.start()
        for each in (journal, other, journal):
            await batch(each, 2)
        found = []
        for entries in SIZES:
            if company:
                await batch(other, 3)
            calls.clear()
            await batch(journal, entries)
            found.append(list(calls))
        await journal.close()
    # The head, the leaves of others; the head again, entries, subjects, tiles.
    looked = ["rows", "rows"] if company else ["rows"]
    assert found == [["write", *looked, "run", "bulk", "bulk", "bulk", "commit"]] * len(SIZES)
