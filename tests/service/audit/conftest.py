"""A started writer on each database, and its administrator."""

from collections.abc import AsyncIterator
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
