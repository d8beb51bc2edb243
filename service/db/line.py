"""One open line to PostgreSQL, on which several statements travel together and are answered together.

Through psycopg's libpq (`psycopg.pq`), without its cursors and without its waiting: the socket is watched for as long as the line is
open, and who asks waits for one future. To be told of the socket anew for each answer costs more than the answer's own round trip. So a
server that goes away is noticed at once, too, and not by the next who asks.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import DiagnosticField, ExecStatus, Format
from psycopg.pq.abc import PGresult

from service.db.engine import Duplicate, Retry, change_refused
from service.db.statement import Row
from service.errors import ServiceError, StoreUnavailable

_GOOD = {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}
_UNIQUE = "23505"
_TRY_AGAIN = {"40001", "40P01", "55P03"}
_NOT_ALLOWED = {"23001", "42501"}


class Question(NamedTuple):
    """A statement and its arguments, in their order."""

    text: str
    arguments: Sequence[Any] = ()


class Line:
    """One task asks on it, one question or several at a time. Made and closed on the event loop that it is used on."""

    def __init__(self, connection: psycopg.AsyncConnection[Any], *, prepare: bool) -> None:
        self._held = connection  # an open one that nobody holds complains when it is collected
        self._libpq = connection.pgconn
        self._libpq.enter_pipeline_mode()
        self._adapters = Transformer(connection)
        self._prepare = prepare
        self._names: dict[str, bytes] = {}
        self._answers: list[PGresult] = []
        self._between = False
        self._asker: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._socket = self._libpq.socket
        self._loop.add_reader(self._socket, self._readable)
        self.closed = False
        """Whether it is of no use any more."""

    def close(self) -> None:
        """At once, whatever is under way."""
        if not self.closed:
            self.closed = True
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._libpq.finish()

    async def ask(self, *questions: Question) -> list[PGresult]:
        """The answers, in one round trip. Raises our error for the first question that failed; those behind it were not looked at."""
        if self._prepare:
            for question in questions:
                if question.text not in self._names:
                    await self._get_prepared(question.text)
        return await self._exchange([self._asking(question) for question in questions])

    def rows(self, answer: PGresult) -> list[Row]:
        """What an answer holds."""
        self._adapters.set_pgresult(answer, format=Format.BINARY)
        return self._adapters.load_rows(0, answer.ntuples, tuple)

    async def _get_prepared(self, text: str) -> None:
        name = b"q%d" % len(self._names)
        await self._exchange([partial(self._libpq.send_prepare, name, text.encode())])
        self._names[text] = name

    def _asking(self, question: Question) -> Callable[[], None]:
        given = self._adapters.dump_sequence(question.arguments, [PyFormat.TEXT] * len(question.arguments))
        if self._prepare:
            return partial(self._libpq.send_query_prepared, self._names[question.text], given, result_format=Format.BINARY)
        return partial(self._libpq.send_query_params, question.text.encode(), given, result_format=Format.BINARY)

    async def _exchange(self, commands: Sequence[Callable[[], None]]) -> list[PGresult]:
        """What is asked leaves together, and everything that is answered is read, up to the mark that ends it."""
        if self.closed:
            raise StoreUnavailable("connection")
        self._answers, self._asker = [], self._loop.create_future()
        try:
            for command in commands:
                command()
            self._libpq.pipeline_sync()
            self._send()
            await self._asker
        except BaseException as problem:
            # Its answers may still be on their way: nobody else shall meet them.
            self.close()
            if isinstance(problem, psycopg.Error):
                raise StoreUnavailable(type(problem).__name__) from None
            raise
        finally:
            self._asker = None
        for answer in self._answers:
            if answer.status not in _GOOD:
                raise _ours(answer)
        return self._answers

    def _send(self) -> None:
        """As much as the socket takes; the rest when it takes more."""
        if self._libpq.flush():
            self._loop.add_writer(self._socket, self._writable)

    def _writable(self) -> None:
        try:
            self._loop.remove_writer(self._socket)
            self._send()
        except psycopg.Error as problem:
            self._lost(problem)

    def _readable(self) -> None:
        """Something has come: what was asked for, a notice, or the end."""
        try:
            self._libpq.consume_input()
            while not self._libpq.is_busy() and self._asker is not None and not self._asker.done():
                self._take(self._asker)
        except psycopg.Error as problem:
            self._lost(problem)

    def _take(self, asker: asyncio.Future[None]) -> None:
        """One answer, or the nothing behind each, or the mark behind the last."""
        answer, after = self._libpq.get_result(), self._between
        self._between = answer is None
        if answer is not None and answer.status != ExecStatus.PIPELINE_SYNC:
            self._answers.append(answer)
        elif answer is not None:
            asker.set_result(None)
        elif after:
            # Nothing more, and no mark: not even what was answered is known to be committed.
            raise psycopg.OperationalError

    def _lost(self, problem: psycopg.Error) -> None:
        self.close()
        if self._asker is not None and not self._asker.done():
            self._asker.set_exception(problem)


def _ours(answer: PGresult) -> ServiceError:
    """The server's refusal as one of ours. Its message quotes values (`Key (phone)=(…) already exists`), so only its code passes."""
    code = (answer.error_field(DiagnosticField.SQLSTATE) or b"connection").decode()
    if code == _UNIQUE:
        return Duplicate((answer.error_field(DiagnosticField.TABLE_NAME) or b"").decode())
    if code in _TRY_AGAIN:
        return Retry(code)
    return change_refused(code) if code in _NOT_ALLOWED else StoreUnavailable(code)
