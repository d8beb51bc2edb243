"""A whole instance and a witness elsewhere: cosigned as it goes, and not served again once it was taken back."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from menshen_verifier.checkpoint import open_checkpoint
from service.app import Parts, origin_of, parts
from service.audit.entry import Draft
from service.audit.journal import Ack
from service.checkpoints import store
from service.config import Config
from service.db import revision
from service.errors import LogBroken, RecordUnavailable
from tests.conftest import StillClock
from tests.service.audit.logs import CLERK
from tests.service.checkpoints.test_witnesses import GONE, NAMES, House, key
from tests.service.witness.house import Log


@pytest.fixture
async def config(tmp_path: Path, sqlite_template: Path) -> Config:
    """A development instance on SQLite, whose file can be put back as a backup is."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    shutil.copy(sqlite_template, home / "menshen.db")
    made = Config(home=home)
    assert revision.current(made.database) == revision.newest()
    return made


class KeyOnly(Log):
    """A log of which the witness knows origin and key, and no more."""

    def __init__(self, running: Parts) -> None:
        super().__init__([], origin=running.publisher.keys[0].name)
        self._key = running.publisher.keys[0]

    @property
    def key(self):
        return self._key


async def eventually(held: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await held():
            await asyncio.sleep(0.02)


def witnessed(config: Config, folder: Path, url: str, *, strict: bool = False) -> Config:
    """The same instance with a witness."""
    path = folder / "witnesses.toml"
    path.write_text(f'quorum = 1\nstrict = {str(strict).lower()}\n[[witness]]\nurl = "{url}"\nvkeys = ["{key(NAMES[0]).vkey}"]\n')
    path.chmod(0o600)
    return config.model_copy(update={"witnesses": path})


def forget(config: Config) -> None:
    """What an intruder on the machine takes away: the remembered head, and what the signer's file remembers."""
    (config.home / "audit-head").unlink()
    (config.home / "log.key.state").unlink()


@pytest.mark.obligation("AL-03")
async def test_a_restored_database_is_refused_by_what_the_witness_has_seen(
    config: Config, tmp_path: Path, clock: StillClock
) -> None:
    async with AsyncExitStack() as stack:
        house = House(tmp_path, stack, clock)
        async with parts(config, clock=clock) as running:
            await running.journal.append(Draft(typ="access", operation="test"), CLERK)
            url = await house.witness(NAMES[0], KeyOnly(running))
        backup = shutil.copytree(config.home, tmp_path / "backup")
        config = witnessed(config, tmp_path, url)
        async with parts(config, clock=clock) as running:
            receipt = await running.journal.append(Draft(typ="access", operation="test"), CLERK)
            await running.publisher.reached(receipt.index + 1, Ack.WITNESSED)
            published = await store.newest(running.database.read)
            assert published is not None
            assert published.witnessed_at is not None
            opened = open_checkpoint(published.note.encode(), running.publisher.keys, [key(NAMES[0])])
            assert [one.key for one in opened.signed] == [running.publisher.keys[0], key(NAMES[0])]
            assert opened.checkpoint.origin == origin_of(config, running.catalogue)
        async with parts(config, clock=clock):
            pass
        shutil.copy(backup / "menshen.db", config.home / "menshen.db")
        forget(config)
        with pytest.raises(LogBroken, match="a witness has seen"):
            async with parts(config, clock=clock):
                pass


async def test_a_witness_that_is_gone_stops_a_strict_start_and_no_other(
    config: Config, tmp_path: Path, clock: StillClock
) -> None:
    async with parts(witnessed(config, tmp_path, GONE), clock=clock) as running:
        receipt = await running.journal.append(Draft(typ="access", operation="test"), CLERK)

        async def told() -> bool:
            return running.publisher.state.witnesses == {NAMES[0]: "UNREACHABLE"}

        await eventually(told)
        assert receipt.index >= 0
        with pytest.raises(RecordUnavailable):
            await running.journal.append(Draft(typ="export", operation="test", count=1), CLERK)
    with pytest.raises(RecordUnavailable):
        async with parts(witnessed(config, tmp_path, GONE, strict=True), clock=clock):
            pass
