"""Bring a database to the newest schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, pool
from sqlalchemy.exc import OperationalError

import migrations
from service.db.revision import newest
from service.db.tables import APPEND_ONLY, metadata
from service.errors import StoreUnavailable

_MOVING = frozenset({"audit_head", "audit_checkpoint", "audit_position"})
"""Of the log, what changes in its place; nothing of it is ever taken away."""

_NOT_PRUNE = "REVOKE ALL ON FUNCTION audit_prune(bigint, bigint) FROM"


def upgrade(url: str, *, service_role: str = "", archivist_role: str = "") -> str:
    """Run every migration that is missing, and return the revision reached. Makes the file of an SQLite database.

    `service_role` (PostgreSQL) is granted what the service needs and no more, `archivist_role` the same and what pruning the log needs.
    Running it twice, or twice at once, is harmless.
    Raises StoreUnavailable when the database does not answer.
    """
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).touch(mode=0o600)
    try:
        command.upgrade(_config(url), "head")
        if service_role:
            _grant(url, service_role)
        if archivist_role:
            _grant(url, archivist_role, archivist=True)
    except OperationalError as problem:
        raise StoreUnavailable(type(problem.orig).__name__) from None
    return newest()


def _grant(url: str, role: str, *, archivist: bool = False) -> None:
    """The service reads and adds everywhere, changes and deletes only where nothing is a ledger or the log (NC-08, AL-03). The archivist
    may say that a segment was archived, and have a function prune it; to delete from the log is granted to nobody.
    """
    engine = create_engine(url, poolclass=pool.NullPool)
    quoted = engine.dialect.identifier_preparer.quote_identifier(role)
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            verbs = "SELECT, INSERT" if table.name in APPEND_ONLY else "SELECT, INSERT, UPDATE, DELETE"
            verbs = "SELECT, INSERT, UPDATE" if table.name in _MOVING else verbs
            if table.name == "audit_segment":
                verbs = "SELECT, INSERT, UPDATE" if archivist else "SELECT"
            connection.exec_driver_sql(f"REVOKE ALL ON {table.name} FROM {quoted}")
            connection.exec_driver_sql(f"GRANT {verbs} ON {table.name} TO {quoted}")
        connection.exec_driver_sql(f"GRANT SELECT ON alembic_version TO {quoted}")
        connection.exec_driver_sql(f"GRANT EXECUTE ON FUNCTION audit_partitions_ahead() TO {quoted}")
        verb = "GRANT EXECUTE ON FUNCTION audit_prune(bigint, bigint) TO" if archivist else _NOT_PRUNE
        connection.exec_driver_sql(f"{verb} {quoted}")
    engine.dispose()


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config
