"""PostgreSQL through asyncpg: a pool in autocommit for single statements, transactions on connections of the same pool.

Why asyncpg and not the driver that SQLAlchemy takes by default: docs/decisions/0003. The migrations use psycopg, because it is
synchronous.
"""

from asyncio import CancelledError
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from types import TracebackType

import asyncpg
from asyncpg import exceptions as refusals

from service.db.engine import Duplicate, OwnConnection, Retry, Transaction, change_refused
from service.db.engine import Session as AnySession
from service.db.pipelined import Pipelined
from service.db.pool import Connection, Pool
from service.db.statement import Bulk, Params, Prepared, Row
from service.errors import ConfigError, ServiceError, StoreUnavailable

_CONNECT_SECONDS = 5.0
_STATEMENTS_KEPT = 200
_COPY_FROM = 50
"""Rows: below it, one prepared statement is quicker than the messages of a COPY."""


class Postgres:
    """See `service.db.engine.Database`."""

    dialect = "postgresql"

    def __init__(self, url: str, *, pool_size: int, prepare: bool) -> None:
        self._url = conninfo(url)
        # A pooler in transaction mode hands each statement to another backend, where no prepared statement waits.
        self._kept = _STATEMENTS_KEPT if prepare else 0
        self._pool = Pool(self._url, size=pool_size, statements_kept=self._kept)
        self.read: AnySession = _Pooled(self._pool)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AnySession]:
        """See `Database.snapshot`."""
        async with _lent(self._pool) as connection:
            session = _Transaction(connection)
            try:
                await session.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
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
        return _Own(self._url, self._kept)

    def pipelined(self) -> OwnConnection:
        """See `Database.pipelined`."""
        return Pipelined(self._url, prepare=bool(self._kept))

    async def stream(self, statement: Prepared, params: Params | None = None, *, size: int = 5000) -> AsyncIterator[list[Row]]:
        """See `Database.stream`: a server-side cursor in one repeatable-read transaction."""
        compiled = statement.compiled(self.dialect)
        async with self.snapshot() as session:
            assert isinstance(session, _Transaction)
            with _translated:
                cursor = await session.connection.cursor(compiled.text, *compiled.arguments(params or {}))
            while True:
                with _translated:
                    page = await cursor.fetch(size)
                if not page:
                    return
                yield compiled.rows([tuple(record) for record in page])

    async def start(self) -> None:
        """See `Database.start`. Raises ConfigError behind a pooler that nobody told us of."""
        with _translated:
            await self._pool.open()
        try:
            if self._kept:
                await self._stand_before_the_server()
        except BaseException:
            await self.close()
            raise

    async def _stand_before_the_server(self) -> None:
        """Whoever answered the handshake runs the statements. The driver numbers its prepared statements, so behind a pooler two processes
        would give one name to different statements, and one would be answered with the other's rows.
        """
        async with _lent(self._pool) as connection:
            with _translated:
                backend = await connection.fetchval("SELECT pg_backend_pid()")
        if backend != connection.get_server_pid():
            raise ConfigError("MENSHEN_DATABASE_URL leads to a connection pooler: set MENSHEN_TRANSACTION_POOLER=true")

    async def close(self) -> None:
        """See `Database.close`."""
        with _translated:
            await self._pool.close()


class _Session:
    """Statements on one connection."""

    dialect = "postgresql"

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def rows(self, statement: Prepared, params: Params | None = None) -> list[Row]:
        compiled = statement.compiled("postgresql")
        with _translated:
            found = await self.connection.fetch(compiled.text, *compiled.arguments(params or {}))
        return compiled.rows([tuple(record) for record in found])

    async def run(self, statement: Prepared, params: Params | None = None) -> int:
        compiled = statement.compiled("postgresql")
        with _translated:
            status: str = await self.connection.execute(compiled.text, *compiled.arguments(params or {}))
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def bulk(self, statement: Bulk, rows: Sequence[Row]) -> None:
        if len(rows) >= _COPY_FROM:
            with _translated:
                await self.connection.copy_records_to_table(statement.table, records=rows, columns=statement.columns)
        elif rows:
            columns = (list(column) for column in zip(*rows, strict=True))
            await self.run(statement.arrays, dict(zip(statement.columns, columns, strict=True)))


class _Pooled:
    """Each statement on whatever connection is free. The hot path: no context manager stands between it and the driver."""

    dialect = "postgresql"

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def rows(self, statement: Prepared, params: Params | None = None) -> list[Row]:
        compiled = statement.compiled("postgresql")
        with _translated:
            connection = await self._pool.lend()
            try:
                found = await connection.fetch(compiled.text, *compiled.arguments(params or {}))
            except CancelledError:
                # Its statement may still be running: nobody else shall meet that.
                connection.terminate()
                raise
            finally:
                self._pool.take_back(connection)
        return compiled.rows([tuple(record) for record in found])

    async def run(self, statement: Prepared, params: Params | None = None) -> int:
        async with _lent(self._pool) as connection:
            return await _Session(connection).run(statement, params)

    async def bulk(self, statement: Bulk, rows: Sequence[Row]) -> None:
        async with _lent(self._pool) as connection:
            await _Session(connection).bulk(statement, rows)


class _Transaction(_Session):
    """Begun by hand: the house has one place that commits, and it must be able to see it."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._open = False

    async def begin(self, how: str) -> None:
        # Open from here on: a task that is cancelled now may have begun it all the same.
        self._open = True
        with _translated:
            await self.connection.execute(how)

    async def commit(self, last: Prepared | None = None, params: Params | None = None) -> list[Row]:
        found = await self.rows(last, params) if last else []
        with _translated:
            await self.connection.execute("COMMIT")
        self._open = False
        return found

    async def end(self) -> None:
        """Roll back what nobody committed. A connection that cannot even do that is thrown away."""
        if not self._open:
            return
        self._open = False
        try:
            await self.connection.execute("ROLLBACK")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
            with suppress(asyncpg.InterfaceError):
                self.connection.terminate()


class _Own:
    """One connection, made when needed and made anew once it is broken."""

    def __init__(self, url: str, kept: int) -> None:
        self._url = url
        self._kept = kept
        self._connection: Connection = None

    async def _ready(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            with _translated:
                self._connection = await asyncpg.connect(self._url, statement_cache_size=self._kept, timeout=_CONNECT_SECONDS)
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
            with _translated:
                await self._connection.close(timeout=_CONNECT_SECONDS)
            self._connection = None


@asynccontextmanager
async def _lent(pool: Pool) -> AsyncIterator[Connection]:
    with _translated:
        connection = await pool.lend()
    try:
        yield connection
    except CancelledError:
        connection.terminate()
        raise
    finally:
        pool.take_back(connection)


@asynccontextmanager
async def _transaction(connection: Connection) -> AsyncIterator[_Transaction]:
    transaction = _Transaction(connection)
    try:
        await transaction.begin("BEGIN")
        yield transaction
    finally:
        await transaction.end()


_DRIVER = asyncpg.PostgresError | asyncpg.InterfaceError | asyncpg.InternalClientError


class _Translation:
    """The driver's errors as ours. Their messages quote values (`Key (phone)=(…) already exists`), so no message passes."""

    def __enter__(self) -> None:
        """Nothing to set up: one instance serves everybody."""

    def __exit__(self, _kind: type[BaseException] | None, problem: BaseException | None, _trace: TracebackType | None) -> None:
        if isinstance(problem, _DRIVER | OSError | TimeoutError):
            raise _ours(problem) from None


_translated = _Translation()


def _ours(problem: Exception) -> ServiceError:
    if isinstance(problem, refusals.UniqueViolationError):
        return Duplicate(problem.table_name or "")
    if isinstance(problem, refusals.SerializationError | refusals.DeadlockDetectedError | refusals.LockNotAvailableError):
        return Retry(type(problem).__name__)
    if isinstance(problem, refusals.RestrictViolationError | refusals.InsufficientPrivilegeError):
        return change_refused(type(problem).__name__)
    return StoreUnavailable(type(problem).__name__)


def conninfo(url: str) -> str:
    """The libpq form of an SQLAlchemy URL."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
