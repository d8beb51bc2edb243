"""Databases for tests: real ones, made by the real migrations, one of its own for each test.

SQLite: a migrated file is copied (1 ms). PostgreSQL: a migrated template is copied (about 10 ms to make, 5 to drop; emptying the
tables would take less than 1, but a test may drop a trigger to play the malicious administrator, and its successor must not inherit that).
Both lie in memory where there is room: a hundred commits wait for the disk a hundred times, and prove nothing by it.
`MENSHEN_TEST_DATABASE_URL` names a server (15 or newer, as its superuser) to use instead of the one that the tests bring.
"""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url

from service.db import engine, migrate
from tests.plugins import canary
from tests.plugins.postgres import OwnServer, Server

_MEMORY = Path("/dev/shm")
_ROOM = 2 << 30


def memory() -> Path | None:
    """A folder in memory with two gigabytes to spare, where the system has one."""
    usable = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM
    return _MEMORY if usable else None


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Put `tmp_path`, and so the SQLite files, into memory, unless somebody chose a place."""
    chosen = {"TMPDIR", "PYTEST_DEBUG_TEMPROOT"} & set(os.environ) or config.option.basetemp
    if not chosen and (folder := memory()):
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The PostgreSQL server of this run."""
    given = os.environ.get("MENSHEN_TEST_DATABASE_URL")
    server = Server(make_url(given)) if given else OwnServer(memory())
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def postgresql_template(postgres: Server) -> URL:
    """A migrated, empty database that others are copied from."""
    url = postgres.make()
    migrate.upgrade(text(url))
    return url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty file that others are copied from."""
    path = tmp_path_factory.mktemp("template") / "menshen.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> Iterator[str]:
    """An SQLite database of this test's own; searched for canaries afterwards, like every other such file in `tmp_path`."""
    path = tmp_path / "menshen.db"
    shutil.copy(sqlite_template, path)
    yield f"sqlite:///{path}"
    canary.search_folder(tmp_path)


@pytest.fixture
def postgresql_url(postgres: Server, postgresql_template: URL) -> Iterator[str]:
    """A PostgreSQL database of this test's own; searched for canaries afterwards."""
    assert postgresql_template.database is not None
    url = postgres.make(postgresql_template.database)
    postgres.written()
    yield text(url)
    try:
        canary.look("the PostgreSQL server's log", postgres.written())
        with postgres.connect(url) as connection:
            canary.search_postgresql(connection)
    finally:
        postgres.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of this test's own, once on SQLite and once on PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[engine.Database]:
    """The same, started."""
    database = engine.connect(database_url)
    await database.start()
    try:
        yield database
    finally:
        await database.close()


def text(url: URL) -> str:
    """The URL as the configuration takes it."""
    return url.render_as_string(hide_password=False)
