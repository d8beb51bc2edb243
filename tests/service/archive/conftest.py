"""A log of one segment and a bit, made once a run and copied for each test, under a service that is started on it."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from service.app import Parts, parts
from service.archive.keeping import House
from service.archive.model import SEGMENT
from service.config import Config
from service.db import migrate
from tests.conftest import StillClock
from tests.plugins.databases import text
from tests.plugins.postgres import Server
from tests.service.archive.logs import START, Signer, fill

SEGMENTS = 1
SIZE = SEGMENTS * SEGMENT + 300


@dataclass(frozen=True)
class Filled:
    """A database and a home that belong together, to be copied: the head's MAC key is in both."""

    url: Any
    home: Path


async def _fill(config: Config, clock: Callable[[], Any]) -> None:
    """Begin as a service does, so that keys and head are a service's, and add the rest by the log's own appender."""
    async with parts(config, clock=clock) as running:
        authority = running.journal.authority
        await running.journal.close()
        await fill(config.database, config.home, SIZE, authority)


def _made(url: str, home: Path) -> None:
    home.mkdir(mode=0o700)
    migrate.upgrade(url)
    asyncio.run(_fill(Config(home=home, database_url=url), StillClock(START)))


@pytest.fixture(scope="session")
def sqlite_filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """On SQLite."""
    folder = tmp_path_factory.mktemp("filled")
    _made(f"sqlite:///{folder}/menshen.db", folder / "home")
    return Filled(folder / "menshen.db", folder / "home")


@pytest.fixture(scope="session")
def postgresql_filled(tmp_path_factory: pytest.TempPathFactory, postgres: Server) -> Filled:
    """On PostgreSQL."""
    folder, url = tmp_path_factory.mktemp("filled"), postgres.make()
    _made(text(url), folder / "home")
    return Filled(url, folder / "home")


@pytest.fixture(params=["sqlite", "postgresql"])
def full(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """The configuration of an instance on a copy."""
    filled: Filled = request.getfixturevalue(f"{request.param}_filled")
    home = tmp_path / "full"
    shutil.copytree(filled.home, home)
    if not isinstance(filled.url, URL):
        shutil.copy(filled.url, tmp_path / "full.db")
        yield Config(home=home, database_url=f"sqlite:///{tmp_path}/full.db")
        return
    postgres: Server = request.getfixturevalue("postgres")
    assert filled.url.database is not None
    copy = postgres.make(filled.url.database)
    yield Config(home=home, database_url=text(copy))
    postgres.drop(copy)


@dataclass(frozen=True)
class Kept:
    """A running service whose log is published, and where its archive is."""

    running: Parts
    signer: Signer
    base: Path
    clock: StillClock

    @property
    def house(self) -> House:
        """Whose log it is."""
        return House(self.running.vault.origin, [self.signer.key])


@pytest.fixture
async def kept(full: Config, tmp_path: Path) -> Any:
    """Three years and a month after the entries were written."""
    clock = StillClock(START + timedelta(days=365 * 3 + 31))
    async with parts(full, clock=clock) as running:
        signer = Signer(running.vault.origin)
        await signer.publish(running.database, full.database)
        yield Kept(running, signer, tmp_path / "archive", clock)
