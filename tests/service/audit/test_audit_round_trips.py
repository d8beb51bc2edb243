"""What an append asks of the database: as much for one entry as for sixty-four, and least of all while the others wait for it."""

import asyncio
from pathlib import Path
from typing import Any

import aiosqlite
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


@pytest.mark.parametrize("company", [False, True], ids=["alone", "among others"])
async def test_on_sqlite_a_batch_is_as_many_calls_of_the_driver_however_many_share_it(
    sqlite_url: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, company: bool
) -> None:
    calls = []

    async def counted(self: aiosqlite.Connection, *given: Any, **more: Any) -> Any:
        calls.append(given[0])
        return await direct(self, *given, **more)

    direct = aiosqlite.Connection._execute
    monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
    (tmp_path / "other").mkdir()
    async with logs.at_work(sqlite_url, home) as (_, journal), logs.at_work(sqlite_url, tmp_path / "other") as (_, other):
        for each in (journal, other, journal):
            await batch(each, 2)
        found = []
        for entries in SIZES:
            if company:
                await batch(other, 3)
            calls.clear()
            await batch(journal, entries)
            found.append(len(calls))
        assert found == [found[0]] * len(SIZES)
        assert found[0] <= (9 if company else 8)
