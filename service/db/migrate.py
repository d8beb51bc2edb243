"""Bring a database to the newest schema, or say how far it is."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, pool

import migrations


def upgrade(url: str) -> str:
    """Run every migration that is missing, and return the revision reached. Makes the file of an SQLite database.

    Running it twice, or twice at once, is harmless: on PostgreSQL one of two waits for the other's lock.
    """
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).touch(mode=0o600)
    command.upgrade(_config(url), "head")
    return newest()


def newest() -> str:
    """The revision that this release needs."""
    head = ScriptDirectory.from_config(_config("")).get_current_head()
    assert head is not None
    return head


def current(url: str) -> str | None:
    """The revision that the database has, None for an empty one."""
    engine = create_engine(url, poolclass=pool.NullPool)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config
