"""SQLite through aiosqlite: WAL, writers that take their turn at the start, readers that can write nothing.

Left to itself the driver opens every transaction as a reader, so that two can both read and then both fail to write, or silently
lose an update. Here a writer begins with BEGIN IMMEDIATE and waits; a reader has `query_only` set and never waits.
"""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite

from service.db.engine import Duplicate, OwnConnection, Retry, Transaction, change_refused
from service.db.engine import Session as AnySession
from service.db.statement import Bulk, Params, Prepared, Row
from service.errors import StoreUnavailable

_SETTINGS = (
    "busy_timeout = 5000",
    "journal_mode = WAL",
    # NORMAL may lose the last commits when the power fails; an answer may have left by then.
    "synchronous = FULL",
    "secure_delete = ON",
)

# At its debug level the driver writes every statement with its parameters into the log.
logging.getLogger("aiosqlite").setLevel(logging.WARNING)


def path_of(url: str) -> Path:
    """The file of `sqlite:///relative` or `sqlite:////absolute`."""
    return Path(url.split(":///", 1)[1])


class Sqlite:
    """See `service.db.engine.Database`."""

    dialect = "sqlite"

    def __init__(self, path: Path, *, readers: int) -> None:
        self._path = path
        self._readers: asyncio.LifoQueue[aiosqlite.Connection] = asyncio.LifoQueue()
        self._turn = asyncio.Lock()
        self._writer = _Own(path, self._turn)
        self._size = readers

    @property
    def read(self) -> AnySession:
        """See `Database.read`."""
        return _Pooled(self._readers)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AnySession]:
        """See `Database.snapshot`."""
        async with _lent(self._readers) as connection:
            transaction = _Transaction(connection)
            try:
                await transaction.begin("BEGIN")
                yield transaction
            finally:
                await transaction.end()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """See `Database.write`."""
        async with self._writer.write() as transaction:
            yield transaction

    def own(self) -> OwnConnection:
        """See `Database.own`."""
        return _Own(self._path, self._turn)

    def pipelined(self) -> OwnConnection:
        """See `Database.pipelined`: there is no way here for anything to go round."""
        return self.own()

    async def stream(self, statement: Prepared, params: Params | None = None, *, size: int = 5000) -> AsyncIterator[list[Row]]:
        """See `Database.stream`."""
        compiled = statement.compiled(self.dialect)
        async with _lent(self._readers) as connection, _translated():
            cursor = await connection.execute(compiled.text, compiled.parameters(params or {}))
            while page := await cursor.fetchmany(size):
                yield compiled.rows(page)  # type: ignore[arg-type]
            await cursor.close()

    async def start(self) -> None:
        """See `Database.start`."""
        for _ in range(self._size):
            connection = await _open(self._path)
            await connection.execute("PRAGMA query_only = 1")
            self._readers.put_nowait(connection)

    async def close(self) -> None:
        """See `Database.close`."""
        await self._writer.close()
        while not self._readers.empty():
            await self._readers.get_nowait().close()


class _Session:
    """Statements on one connection."""

    dialect = "sqlite"

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def rows(self, statement: Prepared, params: Params | None = None) -> list[Row]:
        compiled = statement.compiled("sqlite")
        async with _translated():
            found = await self._connection.execute_fetchall(compiled.text, compiled.parameters(params or {}))
            return compiled.rows(list(found))  # type: ignore[arg-type]

    async def run(self, statement: Prepared, params: Params | None = None) -> int:
        compiled = statement.compiled("sqlite")
        async with _translated(), self._connection.execute(compiled.text, compiled.parameters(params or {})) as cursor:
            return cursor.rowcount

    async def bulk(self, statement: Bulk, rows: Sequence[Row]) -> None:
        if rows:
            compiled = statement.single.compiled("sqlite")
            named = [compiled.parameters(dict(zip(statement.columns, row, strict=True))) for row in rows]
            async with _translated():
                await self._connection.executemany(compiled.text, named)


class _Pooled:
    """Each statement on whatever reader is free."""

    dialect = "sqlite"

    def __init__(self, readers: "asyncio.LifoQueue[aiosqlite.Connection]") -> None:
        self._readers = readers

    async def rows(self, statement: Prepared, params: Params | None = None) -> list[Row]:
        async with _lent(self._readers) as connection:
            return await _Session(connection).rows(statement, params)

    async def run(self, statement: Prepared, params: Params | None = None) -> int:
        async with _lent(self._readers) as connection:
            return await _Session(connection).run(statement, params)

    async def bulk(self, statement: Bulk, rows: Sequence[Row]) -> None:
        async with _lent(self._readers) as connection:
            await _Session(connection).bulk(statement, rows)


class _Transaction(_Session):
    """Begun by hand: the house has one place that commits, and it must be able to see it."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        super().__init__(connection)
        self._open = False

    async def begin(self, how: str) -> None:
        # Open from here on: a task that is cancelled now leaves the statement running in the driver's thread.
        self._open = True
        async with _translated():
            await self._connection.execute(how)

    async def commit(self, last: Prepared | None = None, params: Params | None = None) -> list[Row]:
        found = await self.rows(last, params) if last else []
        async with _translated():
            await self._connection.execute("COMMIT")
        self._open = False
        return found

    async def end(self) -> None:
        """Roll back what nobody committed, also when the task that began it is being cancelled."""
        if self._open:
            self._open = False
            await asyncio.shield(_roll_back(self._connection))


class _Own:
    """One writing connection, made when needed. In this process transactions take turns in the order in which they came: SQLite's own lock,
    which keeps other processes out, goes to whoever happens to look at the right moment, and would let the log starve among changes.
    """

    def __init__(self, path: Path, turn: asyncio.Lock) -> None:
        self._path = path
        self._turn = turn
        self._connection: aiosqlite.Connection | None = None

    async def _ready(self) -> aiosqlite.Connection:
        if self._connection is None:
            self._connection = await _open(self._path)
        return self._connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        async with self._turn:
            transaction = _Transaction(await self._ready())
            try:
                await transaction.begin("BEGIN IMMEDIATE")
                yield transaction
            finally:
                await transaction.end()

    @asynccontextmanager
    async def single(self) -> AsyncIterator[AnySession]:
        yield _Session(await self._ready())

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


async def _open(path: Path) -> aiosqlite.Connection:
    async with _translated():
        # mode=rw: a mistyped path must not come up as a new, empty, unguarded database.
        connection = await aiosqlite.connect(f"file:{path}?mode=rw", uri=True, isolation_level=None)
        try:
            for setting in _SETTINGS:
                await connection.execute(f"PRAGMA {setting}")
        except BaseException:
            await connection.close()
            raise
        return connection


async def _roll_back(connection: aiosqlite.Connection) -> None:
    # Statements of one connection run one after another, so whatever the cancelled task began is over by now.
    async with _translated():
        await connection.execute("SELECT 1")
        if connection.in_transaction:
            await connection.execute("ROLLBACK")


@asynccontextmanager
async def _lent(readers: "asyncio.LifoQueue[aiosqlite.Connection]") -> AsyncIterator[aiosqlite.Connection]:
    connection = await readers.get()
    try:
        yield connection
    finally:
        readers.put_nowait(connection)


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    """The driver's errors as ours, without their messages."""
    try:
        yield
    except sqlite3.IntegrityError as problem:
        if problem.sqlite_errorcode in {sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE}:
            raise Duplicate from None
        if problem.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_TRIGGER:
            raise change_refused(problem.sqlite_errorname) from None
        raise StoreUnavailable(problem.sqlite_errorname) from None
    except sqlite3.OperationalError as problem:
        if problem.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise Retry(problem.sqlite_errorname) from None
        raise StoreUnavailable(problem.sqlite_errorname) from None
    except sqlite3.DatabaseError as problem:
        raise StoreUnavailable(problem.sqlite_errorname) from None
