"""Words: made behind the writers' backs, the same whoever makes them, and held to the entries by `audit verify`."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from service.audit.findings import Part, Verdict
from service.audit.index import store as index
from service.audit.index import terms
from service.audit.index.indexer import Indexer
from service.audit.index.terms import BLOCK
from service.audit.remembered import RememberedHead
from service.audit.verify import verify
from service.db.engine import Database
from tests.service.audit.logs import AUTHORITY, Administrator


@pytest.fixture
def indexer(log: Database) -> Indexer:
    return Indexer(database=log, authority=AUTHORITY)


async def finding(database: Database, home: Path) -> tuple[Verdict, Part, int, int] | None:
    report = await verify(database, AUTHORITY, RememberedHead(home / "head").read(AUTHORITY))
    return next(((one.verdict, one.part, one.first, one.last) for one in report.findings), None)


async def test_only_full_blocks_get_words_and_each_once(log: Database, indexer: Indexer) -> None:
    assert await index.indexed(log.read) == 0
    assert await indexer.once() == 2
    assert await indexer.once() == 0
    assert await index.indexed(log.read) == 2


async def test_two_instances_that_index_at_once_make_the_same(log: Database, indexer: Indexer, tmp_path: Path) -> None:
    await asyncio.gather(indexer.once(), Indexer(database=log, authority=AUTHORITY).once())
    assert await index.indexed(log.read) == 2
    assert await finding(log, tmp_path) is None


async def test_a_log_is_whole_before_and_after_it_is_indexed(log: Database, indexer: Indexer, tmp_path: Path) -> None:
    assert await finding(log, tmp_path) is None
    await indexer.once()
    assert await finding(log, tmp_path) is None


class Asked:
    """The real database, and of how many entries it was asked for at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.widths: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @property
    def read(self) -> "Asked":
        return self

    async def rows(self, statement: Any, params: Any = None) -> Any:
        if params and "first" in params:
            self.widths.append(params["last"] - params["first"])
        return await self._database.read.rows(statement, params)


async def test_who_reads_meanwhile_waits_for_a_piece_of_a_block_and_not_for_all_of_it(log: Database) -> None:
    asked = Asked(log)
    assert await Indexer(database=asked, authority=AUTHORITY).once() == 2  # type: ignore[arg-type]
    assert sum(asked.widths) == 2 * BLOCK
    assert max(asked.widths) <= 256


@pytest.mark.obligation("AL-03")
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("DELETE FROM audit_posting WHERE term = 'op:member' AND block = 1", (Verdict.ALTERED, BLOCK, 2 * BLOCK - 1)),
        ("UPDATE audit_posting SET term = 'op:others' WHERE term = 'op:member' AND block = 0", (Verdict.ALTERED, 0, BLOCK - 1)),
        ("UPDATE audit_posting SET block = 7 WHERE term = 'op:member' AND block = 0", (Verdict.ALTERED, 0, BLOCK - 1)),
        ("UPDATE audit_block SET low = high WHERE block = 0", (Verdict.ALTERED, 0, BLOCK - 1)),
        ("DELETE FROM audit_block WHERE block = 0", (Verdict.ALTERED, 0, BLOCK - 1)),
        ("INSERT INTO audit_block VALUES (9, '', '9')", (Verdict.INSERTED, 9 * BLOCK, 10 * BLOCK - 1)),
    ],
)
async def test_who_hides_an_entry_from_search_is_found_by_a_verification(
    log: Database, indexer: Indexer, tmp_path: Path, administrator: Administrator, change: str, expected: tuple[Verdict, int, int]
) -> None:
    await indexer.once()
    administrator.run(change)
    verdict, first, last = expected
    assert await finding(log, tmp_path) == (verdict, Part.TERMS, first, last)


async def test_it_runs_until_it_is_told_to_stop(log: Database, indexer: Indexer) -> None:
    stop = asyncio.Event()
    task = asyncio.create_task(indexer.run(stop))
    async with asyncio.timeout(20):
        while await index.indexed(log.read) < 2:
            await asyncio.sleep(0.05)
        stop.set()
        await task
    assert task.done()


@pytest.mark.parametrize("some", [[], [0], [2047], [3, 5, 2000], list(range(0, 254, 2)), list(range(128)), list(range(2048))])
def test_places_come_back_as_they_were_written(some: list[int]) -> None:
    bits = sum(1 << place for place in some)
    raw = terms.packed(bits)
    assert len(raw) == min(2 * len(some), 256)
    assert terms.places(terms.unpacked(raw)) == some


@pytest.mark.parametrize("raw", [b"\x00", b"\x08\x00", b"\xff\xff", b"x" * 257, b"x" * 1000])
def test_places_of_no_form_hide_nothing(raw: bytes) -> None:
    assert terms.unpacked(raw) == (1 << BLOCK) - 1
