"""A started writer on each database, and its administrator."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from service.audit.writer import Writer
from service.db.engine import Database
from service.values import Clock
from tests.service.audit import logs


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the instance remembers its head."""
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
async def begin(database: Database) -> AsyncIterator[logs.Begin]:
    """`await begin(home)` is a writer at work; whatever becomes of the test, it is closed in the end."""
    made: list[Writer] = []

    async def start(home: Path, clock: Clock = logs.now) -> Writer:
        made.append(logs.writer(database, home, clock))
        await made[-1].start()
        return made[-1]

    yield start
    for writer in made:
        await writer.close()


@pytest.fixture
async def journal(begin: logs.Begin, home: Path) -> Writer:
    """A writer at work."""
    return await begin(home)


@pytest.fixture
def administrator(database_url: str) -> logs.Administrator:
    """Who can do anything to the database."""
    return logs.Administrator(database_url)


@pytest.fixture
def eventually() -> Callable[..., Awaitable[None]]:
    """Wait until something is as it should be, for some seconds."""

    async def wait(look: Callable[[], Awaitable[object]], expected: object, *, seconds: float = 8) -> None:
        limit = time.monotonic() + seconds
        while (found := await look()) != expected and time.monotonic() < limit:
            await asyncio.sleep(0.05)
        assert found == expected

    return wait
