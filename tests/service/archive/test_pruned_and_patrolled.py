"""What is read again for ever lives with segments that leave and come back, and believes no table that says they did."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from service.archive.model import SEGMENT
from service.audit import store as log
from service.audit.findings import Finding, Part, Verdict
from service.audit.head import Head
from service.audit.verify import verify
from service.checkpoints import store
from service.checkpoints.follower import Follower
from service.checkpoints.patrol import Patrol
from service.errors import LogBroken
from tests.service.archive.conftest import Kept
from tests.service.archive.test_segments import OFFICER, archived, pruned
from tests.service.audit.logs import Administrator

DROPPED = ("audit_entry", "audit_subject")


async def walk(kept: Kept, made: Patrol, *, meanwhile: Callable[[], Any] | None = None) -> None:
    """Once over the log; `meanwhile` comes about after the first page."""
    database, walks = kept.running.database, made.walks
    async with asyncio.timeout(60):
        while made.walks == walks:
            signed = await store.newest(database.read)
            assert signed is not None
            await made.step(database.read, signed)
            if meanwhile is not None:
                await meanwhile()
                meanwhile = None


async def a_head(kept: Kept) -> Head:
    found = await log.head(kept.running.database.read, kept.house.origin)
    assert found is not None
    return found


def dropped(kept: Kept) -> None:
    """Who owns the database says that the first segment was pruned, and takes it away."""
    administrator = Administrator(kept.running.config.database)
    administrator.run("UPDATE audit_segment SET pruned_at = archived_at WHERE n = 0")
    for table in DROPPED:
        administrator.run(f"DELETE FROM {table} WHERE idx < ?", given=(SEGMENT,))


async def test_a_walk_goes_over_what_is_pruned_and_restored_while_it_walks(kept: Kept) -> None:
    await archived(kept)
    made = Patrol(kept.running.journal.authority, pause=0, idle=0)
    await walk(kept, made)
    await walk(kept, made, meanwhile=lambda: pruned(kept))
    await walk(kept, made)
    await walk(kept, made, meanwhile=lambda: kept.running.operations.restore_segment(OFFICER, kept.house, 0))
    await walk(kept, made)
    assert made.walks == 5


async def test_who_reads_the_log_from_its_beginning_gets_over_what_was_pruned(kept: Kept) -> None:
    """The position of the follower was lost, too."""
    await archived(kept)
    await pruned(kept)
    made = Follower(kept.running.journal.authority)
    for _ in range(2):
        await made.follow(kept.running.database.read, await a_head(kept))
    assert made.tree.root == (await a_head(kept)).root


@pytest.mark.obligation("AL-03")
async def test_rows_that_no_entry_says_were_pruned_are_missed_by_everybody_who_reads_again(kept: Kept) -> None:
    await archived(kept)
    dropped(kept)
    missing = f"entries 0 to {SEGMENT - 1} are missing"
    with pytest.raises(LogBroken, match=missing):
        await walk(kept, Patrol(kept.running.journal.authority, pause=0, idle=0))
    made = Follower(kept.running.journal.authority)
    with pytest.raises(LogBroken, match=missing):
        for _ in range(2):
            await made.follow(kept.running.database.read, await a_head(kept))
    journal = kept.running.journal
    report = await verify(kept.running.database, journal.authority, journal.remembered.read(journal.authority))
    assert report.verdict is Verdict.REMOVED
    assert (report.findings[0].part, report.findings[0].first, report.findings[0].last) == (Part.ENTRY, 0, SEGMENT - 1)


@pytest.mark.obligation("AL-03")
async def test_a_running_service_answers_nothing_any_more_when_rows_are_gone_that_no_entry_names(kept: Kept) -> None:
    await archived(kept)
    dropped(kept)
    async with asyncio.timeout(60):
        while not kept.running.publisher.state.breaker:
            await asyncio.sleep(0.05)
    assert "missing" in kept.running.publisher.state.breaker
    assert kept.running.journal.health() == "broken"


@pytest.mark.obligation("AL-03")
async def test_the_leaf_hashes_of_what_was_pruned_are_read_again_too(kept: Kept) -> None:
    await archived(kept)
    made = Patrol(kept.running.journal.authority, pause=0, idle=0)
    with pytest.raises(LogBroken):
        await walk(kept, made, meanwhile=lambda: _pruned_and_altered(kept))


@pytest.mark.obligation("AL-03")
async def test_a_tile_of_a_higher_level_that_is_not_what_the_entries_make_is_found(kept: Kept) -> None:
    journal = kept.running.journal
    Administrator(kept.running.config.database).run("UPDATE audit_tile SET root = ? WHERE level = 1", given=(bytes(32),))
    report = await verify(kept.running.database, journal.authority, journal.remembered.read(journal.authority))
    assert report.findings == (Finding(Verdict.ALTERED, Part.TILE, 0, SEGMENT - 1),)


async def _pruned_and_altered(kept: Kept) -> None:
    await pruned(kept)
    administrator = Administrator(kept.running.config.database)
    administrator.run("UPDATE audit_tile SET hashes = ? WHERE level = 0 AND n = 77", given=(bytes(8192),))
