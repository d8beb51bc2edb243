"""A prune whose connection is cut in its transaction, as by a kill, when all is gone but not committed. On PostgreSQL, for its seconds' sake."""

import asyncio
import time
from contextlib import ExitStack

import psycopg
import pytest

from service.archive.model import SEGMENT
from service.db.postgres import conninfo
from service.errors import StoreUnavailable
from tests.service.archive.conftest import Kept
from tests.service.archive.test_segments import archived, pruned

# Whoever holds this keeps the transaction waiting at its last word: every entry and every subject is gone by then.
HOLDING = "LOCK TABLE audit_pending IN SHARE MODE"
HELD = f"""
SELECT (SELECT md5(string_agg(e::text, '' ORDER BY idx)) FROM audit_entry e WHERE idx < {SEGMENT}),
    (SELECT md5(string_agg(s::text, '' ORDER BY idx, sub)) FROM audit_subject s WHERE idx < {SEGMENT}),
    (SELECT count(*) FROM audit_segment WHERE pruned_at IS NOT NULL)"""
WAITING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def cut_off(url: str, kept: Kept) -> BaseException | list[int]:
    """What comes of a prune whose connection ends while it waits for what is held."""
    with ExitStack() as stack:
        holder = stack.enter_context(psycopg.connect(url))
        watcher = stack.enter_context(psycopg.connect(url, autocommit=True))
        holder.execute(HOLDING)
        task = asyncio.create_task(pruned(kept))
        limit = time.monotonic() + 30
        while not (found := watcher.execute(WAITING).fetchall()):
            assert time.monotonic() < limit and not task.done()
            await asyncio.sleep(0.01)
        for (pid,) in found:
            watcher.execute("SELECT pg_terminate_backend(%s)", (pid,))
        return (await asyncio.gather(task, return_exceptions=True))[0]


@pytest.mark.parametrize("full", ["postgresql"], indirect=True)
async def test_a_prune_that_is_cut_off_has_taken_nothing_and_the_next_takes_all(kept: Kept) -> None:
    url = conninfo(kept.running.config.database)
    await archived(kept)
    with psycopg.connect(url, autocommit=True) as reader:
        before = reader.execute(HELD).fetchone()
        assert before is not None and all(before[:2]) and before[2] == 0
        assert isinstance(await cut_off(url, kept), StoreUnavailable)
        assert reader.execute(HELD).fetchone() == before
        assert await pruned(kept) == [0]
        assert reader.execute(HELD).fetchone() == (None, None, 1)
