"""The command that closes a log, killed (SIGKILL) at each of its steps: the old log is whole, or the new one is."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.config import Config
from tests.journeys.servers import environment
from tests.plugins.nursery import of_this_run
from tests.service.archive import losing
from tests.service.archive.closing import NEW, OLD, Shop, shop, starts
from tests.service.archive.losing import Databases, Lost
from tests.service.audit.logs import Administrator

ENTRIES = 12_000
"""So many that each step takes long enough to be killed in."""


@pytest.fixture
def large(config: Config, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """Much is left, and a little is gone for good."""
    databases = Databases(lambda: request.getfixturevalue("postgres"))
    member = losing.begun(config)
    asyncio.run(losing.grown(config, ENTRIES))
    before = databases.copied(config, tmp_path / "dump.db")
    asyncio.run(losing.live(config, member, reads=32))
    yield shop(Lost(before, config, tmp_path, member), tmp_path)
    databases.drop()


def standing(config: Config) -> tuple[object, ...]:
    """Whose log is there, and how much of everything that tells of one."""
    dba = Administrator(config.database_url)
    tables = ("audit_entry", "audit_tile", "audit_checkpoint", "audit_position", "alarm")
    return (
        *dba.run("SELECT log_id, size FROM audit_head")[0],
        *(dba.run(f"SELECT count(*) FROM {table}")[0][0] for table in tables),
    )


def test_killed_at_any_step_one_of_the_two_logs_is_whole(large: Shop, tmp_path: Path) -> None:
    """While it exports, while it verifies that, when the closing is there and the transaction is under way, and at its end."""
    old, seen = standing(large.old), set()
    assert old[0] == OLD
    settings = environment(large.old.home, large.old.database_url)
    steps: list[tuple[Callable[[], bool], float]] = [
        ((large.kept / "log" / ".unfinished").exists, 0.0),
        ((large.kept / "log" / "manifest.json").exists, 0.0),
        *(((large.kept / "closing.json").exists, pause) for pause in (0.0, 0.01, 0.1, 1.0)),
    ]
    words = ["audit", "genesis", "--last", str(large.note), "--origin", NEW, "--reason", "nobody has the tail"]
    words += ["--approver", "wang.compliance", "--output", str(large.kept)]
    for reached, pause in steps:
        (large.kept / "closing.json").unlink(missing_ok=True)
        child = of_this_run().begin(settings, *words, out=tmp_path / "out")
        losing.killed(child, reached, pause)
        now = standing(large.old)
        seen.add(now == old)
        if now != old:
            break
    assert True in seen, "at least once it was killed before its end"
    if now == old:
        assert (result := large.close()).exit_code == 0, result.exception
        now = standing(large.old)
    assert now == (NEW, 2, 2, 0, 0, 0, 1), "all of it: no tile, no checkpoint of the old one, and one alarm"
    starts(large.new)
    assert large.lost.run("verify", origin=NEW).exit_code == 0
