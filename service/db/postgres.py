"""PostgreSQL through psycopg 3: a pool in autocommit for single statements, transactions on connections of the same pool."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any

import psycopg
from psycopg import AsyncConnection, AsyncServerCursor, errors
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from service.db.engine import Duplicate, OwnConnection, Retry, Transaction
from service.db.engine import Session as AnySession
from service.db.statement import Bulk, Params, Prepared, Row
from service.errors import ServiceError, StoreUnavailable

_CONNECT_SECONDS = 5.0
_ACQUIRE_SECONDS = 2.0
_COPY_FROM = 20
"""Rows: below it, one prepared statement is quicker than the three messages of a COPY."""


class Postgres:
    """See `service.db.engine.Database`."""

    dialect = "postgresql"

    def __init__(self, url: str, *, pool_size: int, prepare: bool) -> None:
        self._conninfo = conninfo(url)
        # A pooler in transaction mode hands each statement to another backend, where no prepared statement waits.
        self._kwargs: dict[str, Any] = {
            "autocommit": True,
            "prepare_threshold": 2 if prepare else None,
            "connect_timeout": int(_CONNECT_SECONDS),
        }
        self._pool: AsyncConnectionPool[AsyncConnection[Row]] = AsyncConnectionPool(
            self._conninfo,
            min_size=1,
            max_size=pool_size,
            kwargs=self._kwargs,
            timeout=_ACQUIRE_SECONDS,
            open=False,
            name="menshen",
        )

    @property
    def read(self) -> AnySession:
        """See `Database.read`."""
        return _Pooled(self._pool)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AnySession]:
        """See `Database.snapshot`."""
        async with _lent(self._pool) as connection:
            session = _Transaction(connection)
            await session.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                yield session
            finally:
                await session.end()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """See `Database.write`."""
        async with _lent(self._pool) as connection, _transaction(connection) as transaction:
            yield transaction

    def own(self) -> OwnConnection:
        """See `Database.own`."""
        return _Own(self._conninfo, self._kwargs)

    async def stream(self, statement: Prepared, params: Params | None = None, *, size: int = 5000) -> AsyncIterator[list[Row]]:
        """See `Database.stream`: a server-side cursor in one repeatable-read transaction."""
        compiled = statement.compiled(self.dialect)
        async with _lent(self._pool) as connection, connection.transaction():
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            async with connection.cursor(name="menshen_stream", binary=True) as cursor:
                await cursor.execute(compiled.encoded, compiled.parameters(params or {}))
                while page := await self._fetched(cursor, size):
                    yield compiled.rows(page)

    @staticmethod
    async def _fetched(cursor: AsyncServerCursor[Row], size: int) -> list[Row]:
        with _translated:
            return await cursor.fetchmany(size)

    async def start(self) -> None:
        """See `Database.start`."""
        try:
            await self._pool.open(wait=True, timeout=_CONNECT_SECONDS)
        except (PoolTimeout, psycopg.Error) as problem:
            raise StoreUnavailable(type(problem).__name__) from None

    async def close(self) -> None:
        """See `Database.close`."""
        await self._pool.close()


class _Session:
    """Statements on one connection."""

    dialect = "postgresql"

    def __init__(self, connection: AsyncConnection[Row]) -> None:
        self._connection = connection

    async def rows(self, statement: Prepared, params: Params | None = None) -> list[Row]:
        compiled = statement.compiled("postgresql")
        with _translated:
            cursor = self._connection.cursor(binary=True)
            await cursor.execute(compiled.encoded, compiled.parameters(params or {}))
            return compiled.rows(await cursor.fetchall())

    async def run(self, statement: Prepared, params: Params | None = None) -> int:
        compiled = statement.compiled("postgresql")
        with _translated:
            cursor = await self._connection.execute(compiled.encoded, compiled.parameters(params or {}))
            return cursor.rowcount

    async def bulk(self, statement: Bulk, rows: Sequence[Row]) -> None:
        if len(rows) >= _COPY_FROM:
            await self._copy(statement, rows)
        elif rows:
            columns = (list(column) for column in zip(*rows, strict=True))
            await self.run(statement.arrays, dict(zip(statement.columns, columns, strict=True)))

    async def _copy(self, statement: Bulk, rows: Sequence[Row]) -> None:
        """Stream the rows in the server's own binary form. Arrays travel as text, and to escape 500 JSON texts takes 200 ms."""
        with _translated:
            async with self._connection.cursor() as cursor, cursor.copy(statement.copy.encode()) as stream:
                stream.set_types(statement.copy_types)
                for row in rows:
                    await stream.write_row(row)


class _Pooled:
    """Each statement on whatever connection is free. The hot path: no context manager stands between it and the driver."""

    dialect = "postgresql"

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[Row]]) -> None:
        self._pool = pool

    async def rows(self, statement: Prepared, params: Params | None = None) -> list[Row]:
        connection = await _take(self._pool)
        try:
            return await _Session(connection).rows(statement, params)
        finally:
            await self._pool.putconn(connection)

    async def run(self, statement: Prepared, params: Params | None = None) -> int:
        async with _lent(self._pool) as connection:
            return await _Session(connection).run(statement, params)

    async def bulk(self, statement: Bulk, rows: Sequence[Row]) -> None:
        async with _lent(self._pool) as connection:
            await _Session(connection).bulk(statement, rows)


class _Transaction(_Session):
    """Begun by hand: the house has one place that commits, and it must be able to see it."""

    def __init__(self, connection: AsyncConnection[Row]) -> None:
        super().__init__(connection)
        self._open = False

    async def begin(self, how: str) -> None:
        with _translated:
            await self._connection.execute(how.encode())
        self._open = True

    async def commit(self) -> None:
        with _translated:
            await self._connection.execute(b"COMMIT")
        self._open = False

    async def end(self) -> None:
        """Roll back what nobody committed. A connection that cannot even do that is thrown away."""
        if not self._open:
            return
        self._open = False
        try:
            await self._connection.execute(b"ROLLBACK")
        except psycopg.Error:
            await self._connection.close()


class _Own:
    """One connection, made when needed and made anew once it is broken."""

    def __init__(self, info: str, kwargs: dict[str, Any]) -> None:
        self._info = info
        self._kwargs = kwargs
        self._connection: AsyncConnection[Row] | None = None

    async def _ready(self) -> AsyncConnection[Row]:
        if self._connection is None or self._connection.closed or self._connection.broken:
            with _translated:
                self._connection = await AsyncConnection.connect(self._info, **self._kwargs)
        return self._connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        async with _transaction(await self._ready()) as transaction:
            yield transaction

    @asynccontextmanager
    async def single(self) -> AsyncIterator[AnySession]:
        yield _Session(await self._ready())

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


async def _take(pool: AsyncConnectionPool[AsyncConnection[Row]]) -> AsyncConnection[Row]:
    try:
        return await pool.getconn()
    except (PoolTimeout, psycopg.Error) as problem:
        raise StoreUnavailable(type(problem).__name__) from None


@asynccontextmanager
async def _lent(pool: AsyncConnectionPool[AsyncConnection[Row]]) -> AsyncIterator[AsyncConnection[Row]]:
    connection = await _take(pool)
    try:
        yield connection
    finally:
        await pool.putconn(connection)


@asynccontextmanager
async def _transaction(connection: AsyncConnection[Row]) -> AsyncIterator[_Transaction]:
    transaction = _Transaction(connection)
    await transaction.begin("BEGIN")
    try:
        yield transaction
    finally:
        await transaction.end()


class _Translation:
    """The driver's errors as ours. Their messages quote values (`Key (phone)=(…) already exists`), so no message passes."""

    def __enter__(self) -> None:
        """Nothing to set up: one instance serves everybody."""

    def __exit__(self, _kind: type[BaseException] | None, problem: BaseException | None, _trace: TracebackType | None) -> None:
        if isinstance(problem, psycopg.Error):
            raise _ours(problem) from None


_translated = _Translation()


def _ours(problem: psycopg.Error) -> ServiceError:
    if isinstance(problem, errors.UniqueViolation):
        return Duplicate(problem.diag.table_name or "")
    if isinstance(problem, errors.SerializationFailure | errors.DeadlockDetected | errors.LockNotAvailable):
        return Retry(type(problem).__name__)
    return StoreUnavailable(type(problem).__name__)


def conninfo(url: str) -> str:
    """The libpq form of an SQLAlchemy URL."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
