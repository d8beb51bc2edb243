"""A database that counts what reads ask it."""

from typing import Any


class Counted:
    """The real database, with a count of the statements that reads send to it."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self.statements = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @property
    def read(self) -> "Counted":
        """Every reading session is this one."""
        return self

    async def rows(self, *given: Any, **named: Any) -> Any:
        """See `Session.rows`."""
        self.statements += 1
        return await self._database.read.rows(*given, **named)
