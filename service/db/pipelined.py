"""A connection to PostgreSQL whose transactions take two round trips: BEGIN goes with the first statement, COMMIT with the last.

For the log's writer: while it holds the head's lock every instance waits for it, so a round trip there is paid by all of them. asyncpg
has no pipeline. psycopg has, but its cursors cost more than the round trips they save; so this asks libpq itself (docs/decisions/0028).
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, NamedTuple

import psycopg
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.generators import fetch_many, send
from psycopg.pq import DiagnosticField, ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.waiting import wait_async

from service.db.engine import Duplicate, Retry, Transaction, change_refused
from service.db.engine import Session as AnySession
from service.db.statement import Bulk, Params, Prepared, Row
from service.errors import ServiceError, StoreUnavailable

_CONNECT_SECONDS = 5
_LOOK_SECONDS = 1.0
_GOOD = {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}
_UNIQUE = "23505"
_TRY_AGAIN = {"40001", "40P01", "55P03"}
_NOT_ALLOWED = {"23001", "42501"}


class _Question(NamedTuple):
    """A statement and its arguments, in their order."""

    text: str
    arguments: Sequence[Any] = ()


_BEGIN, _COMMIT, _ROLLBACK = _Question("BEGIN"), _Question("COMMIT"), _Question("ROLLBACK")


class _Line:
    """One open connection."""

    def __init__(self, connection: psycopg.AsyncConnection[Any], *, prepare: bool) -> None:
        self._held = connection  # an open one that nobody holds complains when it is collected
        self._libpq = connection.pgconn
        self._libpq.enter_pipeline_mode()
        self._adapters = Transformer(connection)
        self._prepare = prepare
        self._names: dict[str, bytes] = {}

    @property
    def closed(self) -> bool:
        """Whether it is of no use any more."""
        return self._libpq.transaction_status == TransactionStatus.UNKNOWN

    def close(self) -> None:
        """At once, whatever is under way."""
        self._libpq.finish()

    async def ask(self, *questions: _Question) -> list[PGresult]:
        """The answers, in one round trip. Raises our error for the first question that failed; those behind it were not looked at."""
        for text in {question.text for question in questions} - self._names.keys() if self._prepare else ():
            name = b"q%d" % len(self._names)
            await self._exchange(partial(self._libpq.send_prepare, name, text.encode()))
            self._names[text] = name
        return await self._exchange(*map(self._asking, questions))

    def rows(self, answer: PGresult) -> list[Row]:
        """What an answer holds."""
        self._adapters.set_pgresult(answer, format=Format.BINARY)
        return self._adapters.load_rows(0, answer.ntuples, tuple)

    def _asking(self, question: _Question) -> Callable[[], None]:
        given = self._adapters.dump_sequence(question.arguments, [PyFormat.TEXT] * len(question.arguments))
        if self._prepare:
            return partial(self._libpq.send_query_prepared, self._names[question.text], given, result_format=Format.BINARY)
        return partial(self._libpq.send_query_params, question.text.encode(), given, result_format=Format.BINARY)

    async def _exchange(self, *commands: Callable[[], None]) -> list[PGresult]:
        try:
            answers = await wait_async(self._said(commands), self._libpq.socket, interval=_LOOK_SECONDS)
        except BaseException as problem:
            # Its answers may still be on their way: nobody else shall meet them.
            self.close()
            if isinstance(problem, psycopg.Error):
                raise StoreUnavailable(type(problem).__name__) from None
            raise
        for answer in answers:
            if answer.status not in _GOOD:
                raise _ours(answer)
        return answers

    def _said(self, commands: Sequence[Callable[[], None]]) -> PQGen[list[PGresult]]:
        """What is asked leaves together, and everything that is answered is read, up to the mark that ends it."""
        for command in commands:
            command()
        self._libpq.pipeline_sync()
        yield from send(self._libpq)
        answers: list[PGresult] = []
        while found := (yield from fetch_many(self._libpq)):
            if found[-1].status == ExecStatus.PIPELINE_SYNC:
                return answers
            answers += found
        # Without the mark, not even what was answered is known to be committed.
        raise psycopg.OperationalError


class _Session:
    """Statements that each commit by themselves."""

    dialect = "postgresql"

    def __init__(self, line: _Line) -> None:
        self._line = line

    async def rows(self, statement: Prepared, params: Params | None = None) -> list[Row]:
        answers = await self._line.ask(*self._before(), _question(statement, params))
        return statement.compiled("postgresql").rows(self._line.rows(answers[-1]))

    async def run(self, statement: Prepared, params: Params | None = None) -> int:
        answers = await self._line.ask(*self._before(), _question(statement, params))
        return answers[-1].command_tuples or 0

    async def bulk(self, statement: Bulk, rows: Sequence[Row]) -> None:
        if rows:
            columns = (list(column) for column in zip(*rows, strict=True))
            await self.run(statement.arrays, dict(zip(statement.columns, columns, strict=True)))

    def _before(self) -> Sequence[_Question]:
        return ()


class _Transaction(_Session):
    """Begun with its first statement, so that one without any never was."""

    def __init__(self, line: _Line) -> None:
        super().__init__(line)
        self._open = False

    def _before(self) -> Sequence[_Question]:
        # Open from here on: if the task is cancelled now, it may have begun all the same.
        before, self._open = self._open, True
        return () if before else (_BEGIN,)

    async def commit(self, last: Prepared | None = None, params: Params | None = None) -> list[Row]:
        final = [_question(last, params)] if last else []
        answers = await self._line.ask(*self._before(), *final, _COMMIT)
        self._open = False
        return last.compiled("postgresql").rows(self._line.rows(answers[-2])) if last else []

    async def end(self) -> None:
        """Roll back what nobody committed. A connection that cannot even do that is thrown away."""
        if not self._open or self._line.closed:
            return
        self._open = False
        try:
            await self._line.ask(_ROLLBACK)
        except ServiceError:
            self._line.close()


class Pipelined:
    """See `service.db.engine.OwnConnection`. Made when needed, and made anew once it is broken."""

    def __init__(self, url: str, *, prepare: bool) -> None:
        self._url = url
        self._prepare = prepare
        self._line: _Line | None = None

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """See `OwnConnection.write`."""
        transaction = _Transaction(await self._ready())
        try:
            yield transaction
        finally:
            await transaction.end()

    @asynccontextmanager
    async def single(self) -> AsyncIterator[AnySession]:
        """See `OwnConnection.single`."""
        yield _Session(await self._ready())

    async def close(self) -> None:
        """See `OwnConnection.close`."""
        if self._line is not None:
            self._line.close()
            self._line = None

    async def _ready(self) -> _Line:
        if self._line is None or self._line.closed:
            try:
                made = await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True, connect_timeout=_CONNECT_SECONDS, client_encoding="UTF8"
                )
            except psycopg.Error as problem:
                raise StoreUnavailable(type(problem).__name__) from None
            self._line = _Line(made, prepare=self._prepare)
        return self._line


def _question(statement: Prepared, params: Params | None) -> _Question:
    compiled = statement.compiled("postgresql")
    return _Question(compiled.text, compiled.arguments(params or {}))


def _ours(answer: PGresult) -> ServiceError:
    """The server's refusal as one of ours. Its message quotes values (`Key (phone)=(…) already exists`), so only its code passes."""
    code = (answer.error_field(DiagnosticField.SQLSTATE) or b"connection").decode()
    if code == _UNIQUE:
        return Duplicate((answer.error_field(DiagnosticField.TABLE_NAME) or b"").decode())
    if code in _TRY_AGAIN:
        return Retry(code)
    return change_refused(code) if code in _NOT_ALLOWED else StoreUnavailable(code)
