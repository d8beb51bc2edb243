"""Commands that are killed in the middle (SIGKILL) and given again: nothing is lost, and they come to their end."""

import asyncio
import json
import time
from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy import create_engine, text

from service.app import parts
from service.approvals.exports import Export
from service.archive.model import SEGMENT
from service.archive.queries import Asked
from service.cli.terminal import caller
from service.config import Config
from tests.journeys.servers import begun, environment, menshen
from tests.plugins import canary
from tests.plugins.nursery import Child
from tests.service.approvals.leaves import AUDITOR, allowed

_PATIENCE = 120


def begin(config: Config, *command: str) -> AbstractContextManager[Child]:
    return begun(environment(config.home, config.database), "audit", *command)


def run(config: Config, *command: str) -> str:
    done = menshen(environment(config.home, config.database), "audit", *command, timeout=_PATIENCE)
    said = done.stdout + done.stderr
    canary.look("a command", said.encode())
    assert done.returncode == 0, said
    return said


def killed_when(beginning: AbstractContextManager[Child], there: Path) -> None:
    limit = time.monotonic() + _PATIENCE
    with beginning as process:
        while not there.exists() and process.poll() is None and time.monotonic() < limit:
            time.sleep(0.002)
        process.kill()


def stored(config: Config) -> int:
    engine = create_engine(config.database_url)
    with engine.connect() as connection:
        found: int = connection.execute(text("SELECT count(*) FROM audit_entry WHERE idx < :end"), {"end": SEGMENT}).scalar_one()
    engine.dispose()
    return found


async def permitted(config: Config) -> None:
    """Whoever sits at this terminal may take the whole log."""
    async with parts(config) as running:
        await allowed(running, caller(running, "approval.ask"), Export("audit", AUDITOR, Asked().text))


def test_an_export_that_is_killed_goes_on_where_it_was(full: Config, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asyncio.run(permitted(full))
    command = ("export", "-o", str(out), "--recipient", AUDITOR)
    killed_when(begin(full, *command), out / ".unfinished")
    was_cut = not (out / "manifest.json").exists()
    if was_cut:
        asked = json.loads((out / ".unfinished").read_bytes())
        run(full, *command)
        told = json.loads((out / "manifest.json").read_bytes())
        assert (told["size"], told["to"]) == (asked["size"], asked["last"])
    told = json.loads((out / "manifest.json").read_bytes())
    assert (out / "entries.jsonl").read_bytes().count(b"\n") == told["entries"] == told["to"]


def test_a_segment_whose_archiving_is_killed_is_archived_by_the_next_run(full: Config, tmp_path: Path) -> None:
    base = tmp_path / "archive"
    killed_when(begin(full, "segment", "archive", "-o", str(base)), base / "seg-000000" / "tile")
    assert stored(full) == SEGMENT
    assert "0" in run(full, "segment", "archive", "-o", str(base))
    assert (base / "seg-000000" / "manifest.json").exists()
    run(full, "segment", "prune")
    assert stored(full) == 0


def count(config: Config, statement: str) -> int:
    engine = create_engine(config.database_url)
    with engine.connect() as connection:
        found: int = connection.execute(text(statement)).scalar_one()
    engine.dispose()
    return found


def killed_once(config: Config, beginning: AbstractContextManager[Child], statement: str, more_than: int) -> None:
    """As soon as the database shows so many of something."""
    limit = time.monotonic() + _PATIENCE
    with beginning as process:
        while count(config, statement) <= more_than and process.poll() is None and time.monotonic() < limit:
            time.sleep(0.002)
        process.kill()


SAID = "SELECT count(*) FROM audit_entry WHERE typ = 'prune'"
BEGUN = "SELECT count(*) FROM audit_entry WHERE typ = 'boot'"
MARKED = "SELECT count(*) FROM audit_segment WHERE pruned_at IS NOT NULL"


def test_prune_and_restore_that_are_killed_in_the_middle_lose_nothing_and_come_to_their_end(full: Config, tmp_path: Path) -> None:
    """Right after the entry that says what will be gone; and in the restoring process once it is at work."""
    run(full, "segment", "archive", "-o", str(tmp_path / "archive"))
    killed_once(full, begin(full, "segment", "prune"), SAID, 0)
    assert (stored(full), count(full, MARKED)) in {(SEGMENT, 0), (0, 1)}, "all of it or nothing"
    run(full, "segment", "prune")
    assert (stored(full), count(full, MARKED)) == (0, 1)
    run(full, "verify")

    killed_once(full, begin(full, "segment", "restore", "0"), BEGUN, count(full, BEGUN))
    assert (stored(full), count(full, MARKED)) in {(SEGMENT, 0), (0, 1)}
    if not stored(full):
        run(full, "segment", "restore", "0")
    assert (stored(full), count(full, MARKED)) == (SEGMENT, 0)
    run(full, "verify")
