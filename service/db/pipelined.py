"""A connection to PostgreSQL whose transactions take two round trips: BEGIN goes with the first statement, COMMIT with the last.

For the log's writer: while it holds the head's lock every instance waits for it, so a round trip there is paid by all of them. asyncpg
has no pipeline. psycopg has, but its cursors cost more than the round trips they save; so this asks libpq itself (docs/decisions/0028).
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import psycopg

from service.db.engine import Session as AnySession
from service.db.engine import Transaction
from service.db.line import Line, Question
from service.db.statement import Bulk, Params, Prepared, Row
from service.errors import ServiceError, StoreUnavailable

_CONNECT_SECONDS = 5
_BEGIN, _COMMIT, _ROLLBACK = Question("BEGIN"), Question("COMMIT"), Question("ROLLBACK")


class _Session:
    """Statements that each commit by themselves."""

    dialect = "postgresql"

    def __init__(self, line: Line) -> None:
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

    def _before(self) -> Sequence[Question]:
        return ()


class _Transaction(_Session):
    """Begun with its first statement, so that one without any never was."""

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self._open = False

    def _before(self) -> Sequence[Question]:
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
        self._line: Line | None = None

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

    async def _ready(self) -> Line:
        if self._line is None or self._line.closed:
            try:
                made = await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True, connect_timeout=_CONNECT_SECONDS, client_encoding="UTF8"
                )
            except psycopg.Error as problem:
                raise StoreUnavailable(type(problem).__name__) from None
            self._line = Line(made, prepare=self._prepare)
        return self._line


def _question(statement: Prepared, params: Params | None) -> Question:
    compiled = statement.compiled("postgresql")
    return Question(compiled.text, compiled.arguments(params or {}))
