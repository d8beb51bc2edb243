"""The command that brings a lost tail back, killed (SIGKILL) at each of its steps: what was there before is there, or all of it is."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.config import Config
from tests.journeys.servers import environment
from tests.plugins.nursery import of_this_run
from tests.service.archive import losing
from tests.service.archive.losing import Databases, Lost
from tests.service.audit.logs import Administrator

ENTRIES = 12_000
"""So many that each step takes long enough to be killed in."""


@pytest.fixture
def lost(config: Config, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lost]:
    """A large tail is gone."""
    databases = Databases(lambda: request.getfixturevalue("postgres"))
    member = losing.begun(config)
    before = databases.copied(config, tmp_path / "dump.db")
    asyncio.run(losing.grown(config, ENTRIES))
    yield Lost(before, config, asyncio.run(losing.exported(config, tmp_path / "copy")), member)
    databases.drop()


def standing(lost: Lost) -> tuple[int, int, int, int]:
    """What is there: the head's size, entries, tiles, and entries that say that something came back."""
    dba = Administrator(lost.before.database_url)
    counts = [dba.run(f"SELECT count(*) FROM {table}")[0][0] for table in ("audit_entry", "audit_tile")]
    said = sum(b'"op":"restoreTail"' in bytes(row[2]) for row in dba.run("SELECT * FROM audit_entry WHERE typ = 'admin'"))
    return int(dba.run("SELECT size FROM audit_head")[0][0]), *map(int, counts), said


def test_killed_at_any_step_it_leaves_the_old_state_or_the_whole(lost: Lost, tmp_path: Path) -> None:
    """While it reads the copy, when the report is there and the transaction is under way, in the middle of that, and at its end."""
    home, out = lost.before.home, tmp_path / "out"
    settings = environment(home, lost.before.database_url)
    old, seen = standing(lost), set()
    steps: list[tuple[Callable[[], bool], float]] = [
        (lambda: any(home.glob("lost-*.part")), 0.0),
        *((lambda: any(home.glob("lost-*.jsonl")), pause) for pause in (0.0, 0.1, 0.4)),
    ]
    for reached, pause in steps:
        for path in home.glob("lost-*"):
            path.unlink()
        child = of_this_run().begin(settings, "audit", "tail", "restore", "--from", str(lost.copy), out=out)
        losing.killed(child, reached, pause)
        now = standing(lost)
        seen.add(now == old)
        if now != old:
            break
    assert "INSTANCE_RUNNING" not in child.said
    assert True in seen, "at least once it was killed before its end"
    if now == old:
        result = lost.restore()
        assert result.exit_code == 0, result.exception
        now = standing(lost)
    whole = Administrator(lost.after.database_url).run("SELECT size FROM audit_head")[0][0]
    assert now == (whole + 3, whole + 3, now[2], 1), "all of it, and said once"
    assert lost.run("verify").exit_code == 0
