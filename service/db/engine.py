"""Connections: a pool of readers, transactions for writers, and a connection of its own for the audit writer.

Two drivers stand behind one small surface: psycopg 3 for PostgreSQL, aiosqlite for SQLite. Whatever a driver raises leaves
here as
one of our own errors: `StoreUnavailable`, `Duplicate` (a key that exists already) or `Retry` (the database asks for another try).
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import structlog

from service.db.statement import Bulk, Params, Prepared, Row
from service.errors import ChangeRefused, Conflict, ServiceError

_log = structlog.get_logger("menshen.db")


class Duplicate(Conflict):
    """A row with this key exists already."""


class Retry(ServiceError):
    """A serialization failure or deadlock: the same unit may well succeed when it is run again."""

    code = "RETRY"


def change_refused(kind: str) -> ChangeRefused:
    """The error for a change that no code of ours attempts, and the alarm: somebody has got in, or something is badly wrong (NC-08)."""
    _log.error("change_refused", type=kind)
    return ChangeRefused(kind)


class Session(Protocol):
    """What a store works with. Rows are plain tuples in the order of the statement's columns."""

    @property
    def dialect(self) -> str:
        """'postgresql' or 'sqlite'."""

    async def rows(self, statement: Prepared, params: Params | None = None) -> list[Row]:
        """Run a statement and fetch what it returns."""

    async def run(self, statement: Prepared, params: Params | None = None) -> int:
        """Run a statement that returns nothing; the number of rows it touched."""

    async def bulk(self, statement: Bulk, rows: Sequence[Row]) -> None:
        """Insert many rows, each in the order of the bulk's columns."""


class Transaction(Session, Protocol):
    """A session whose work stands or falls together: nothing stays unless `commit` is called."""

    async def commit(self, last: Prepared | None = None, params: Params | None = None) -> list[Row]:
        """Make the work durable, with a `last` statement whose rows are returned. Afterwards the transaction is over."""


class Database(Protocol):
    """One database.

    `read` runs each statement by itself; `write` is one transaction; `own` is a connection that is never shared.
    """

    dialect: str

    @property
    def read(self) -> Session:
        """Single statements, each on whatever reader connection is free, outside any transaction."""

    def snapshot(self) -> AbstractAsyncContextManager[Session]:
        """Several statements that see one state, and can write nothing."""

    def write(self) -> AbstractAsyncContextManager[Transaction]:
        """One transaction; it takes its turn at the start (SQLite: BEGIN IMMEDIATE) and is rolled back unless committed."""

    def own(self) -> "OwnConnection":
        """A connection for one long-lived task. It connects when first used and again after a failure."""

    def pipelined(self) -> "OwnConnection":
        """The same, in fewer round trips where the database can: a transaction begins with its first statement and ends with its last."""

    def stream(self, statement: Prepared, params: Params | None = None, *, size: int = 5000) -> AsyncIterator[list[Row]]:
        """All rows in pages of `size`, in flat memory, from one state."""

    async def start(self) -> None:
        """Open the pool. Raises StoreUnavailable."""

    async def close(self) -> None:
        """Close every connection."""


class OwnConnection(Protocol):
    """See `Database.own`."""

    def write(self) -> AbstractAsyncContextManager[Transaction]:
        """One transaction on this connection."""

    def single(self) -> AbstractAsyncContextManager[Session]:
        """Statements that each commit by themselves."""

    async def close(self) -> None:
        """Give the connection back."""


def connect(url: str, *, pool_size: int = 8, transaction_pooler: bool = False) -> Database:
    """The database at `url` (`sqlite:///path` or `postgresql+psycopg://…`). Raises ConfigError for any other scheme.

    `transaction_pooler` says that a pooler in transaction mode stands in between, where prepared statements break.
    """
    from service.db.postgres import Postgres
    from service.db.sqlite import Sqlite, path_of
    from service.errors import ConfigError

    if url.startswith("sqlite"):
        return Sqlite(path_of(url), readers=min(pool_size, 4))
    if url.startswith("postgresql"):
        return Postgres(url, pool_size=pool_size, prepare=not transaction_pooler)
    raise ConfigError("MENSHEN_DATABASE_URL: only sqlite:/// and postgresql+psycopg:// are known")
