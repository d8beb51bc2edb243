"""What the tests of minors share: which statements reach the database."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from service.app import Parts


class Listening:
    """The real database, with the text of whatever is asked of it outside transactions."""

    def __init__(self, database: Any, heard: list[str]) -> None:
        self._database = database
        self._heard = heard

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @property
    def read(self) -> "Listening":
        return self

    async def rows(self, statement: Any, params: Any = None) -> Any:
        self._heard.append(str(statement.statement))
        return await self._database.read.rows(statement, params)


@pytest.fixture
def statements(running: Parts) -> Callable[[], AbstractContextManager[list[str]]]:
    """`with statements() as heard:` the statements of reads from here on."""

    @contextmanager
    def listen() -> Iterator[list[str]]:
        heard: list[str] = []
        database = running.units.database
        running.units.database = Listening(database, heard)  # type: ignore[assignment]
        try:
            yield heard
        finally:
            running.units.database = database

    return listen
