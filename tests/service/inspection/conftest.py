"""A log of a little more than two blocks, of everything that a search can ask for, on each database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.audit.appending import Appender
from service.audit.remembered import RememberedHead
from service.db.engine import Database
from tests.service.audit.logs import AUTHORITY, Administrator
from tests.service.inspection.mixed import mixed


@pytest.fixture
def administrator(database_url: str) -> Administrator:
    """Who can do anything to the database."""
    return Administrator(database_url)


@pytest.fixture
async def log(database: Database, tmp_path: Path) -> AsyncIterator[Database]:
    """The database with that log in it; no block has words yet."""
    appender = Appender(database=database, authority=AUTHORITY, remembered=RememberedHead(tmp_path / "head"))
    await appender.open()
    await appender.append(mixed(), ())
    await appender.close()
    yield database
