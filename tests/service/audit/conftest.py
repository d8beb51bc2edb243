"""A started writer on each database, and its administrator."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from service.audit.writer import Writer
from service.db.engine import Database
from tests.service.audit import logs


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the instance remembers its head."""
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
async def journal(database: Database, home: Path) -> AsyncIterator[Writer]:
    """A writer at work."""
    writer = logs.writer(database, home)
    await writer.start()
    try:
        yield writer
    finally:
        await writer.close()


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
