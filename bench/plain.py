"""The twin of Menshen that protects nothing: `python -m bench.plain`.

Everything of the edge is the product's own: uvicorn as `menshen serve` sets it up, the endpoint with its limits and its token
check, the schema, the document cache, the executor, orjson; below it the product's driver path with a statement compiled once.
What is missing is what Menshen is for: no gate, no consent, nothing sealed, nothing recorded. One SELECT, and out it goes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import uvloop
from sqlalchemy import ARRAY, Column, Date, MetaData, Select, Table, Text, bindparam, select
from sqlalchemy.types import TypeEngine

from bench.people import FIELDS
from service.app import parts
from service.cli.listening import listen
from service.config import Config
from service.db.engine import Database
from service.db.statement import Prepared, Row
from service.disclosure.model import Page, Profile
from service.values import Call, MemberId
from service.vault.vault import Value

_TYPES: Mapping[str, TypeEngine[Any]] = {"birthday": Date(), "interests": ARRAY(Text())}
_NOTHING: frozenset[str] = frozenset()

_TABLE = Table(
    "profile",
    MetaData(schema="bench"),
    Column("member_id", Text, primary_key=True),
    *(Column(key, _TYPES.get(key, Text())) for key in FIELDS),
)
_ALL: Select[tuple[object, ...]] = select(*_TABLE.columns)
_ONE = Prepared(_ALL.where(_TABLE.c.member_id == bindparam("member_id")))
_PAGE = Prepared(_ALL.where(_TABLE.c.member_id > bindparam("after")).order_by(_TABLE.c.member_id).limit(bindparam("size")))


class PlainOperations:
    """The two verbs of `service.disclosure.operations.Operations` that are measured."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def member(self, call: Call, *, member_id: MemberId, purpose: str, fields: Sequence[str]) -> Profile | None:  # noqa: ARG002
        """One member by id; nobody is asked."""
        rows = await self._database.read.rows(_ONE, {"member_id": member_id})
        return _profile(rows[0]) if rows else None

    async def page(
        self,
        call: Call,  # noqa: ARG002
        *,
        purpose: str,  # noqa: ARG002
        fields: Sequence[str],  # noqa: ARG002
        first: int,
        after: str | None,
        edge_cursors: bool,
    ) -> Page:
        """The next members by id; the id is the cursor."""
        rows = await self._database.read.rows(_PAGE, {"after": after or "", "size": first + 1})
        found = tuple(map(_profile, rows[:first]))
        cursors = tuple(profile.member_id for profile in found) if edge_cursors else ()
        start, end = (found[0].member_id, found[-1].member_id) if found else (None, None)
        return Page(found, cursors, start, end, len(rows) > first)


def _profile(row: Row) -> Profile:
    return Profile(row[0], _values(row), _NOTHING, ())


def _values(row: Row) -> Mapping[str, Value]:
    values = dict(zip(FIELDS, row[1:], strict=True))
    values["interests"] = tuple(values["interests"])
    return values


async def _serve() -> None:
    async with parts(Config.load()) as running:
        await listen(replace(running, operations=PlainOperations(running.database)))  # type: ignore[arg-type]


if __name__ == "__main__":
    uvloop.run(_serve())
