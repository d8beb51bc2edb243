"""The tally's SQL: lock the operator, mark whom they read, count. The lock comes first: under READ COMMITTED each statement sees what was
committed before it began, so of two pages at one moment the second counts the first one's members.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import String, bindparam, delete, func, select, text
from sqlalchemy.dialects import postgresql, sqlite

from policies.bulk import BulkClass
from service.db.engine import Session
from service.db.statement import Prepared
from service.db.tables import tally, tally_operator

Dialects = dict[str, Prepared]


def _locking(dialect: str) -> Prepared:
    added = postgresql.insert(tally_operator) if dialect == "postgresql" else sqlite.insert(tally_operator)
    added = added.values(operator=bindparam("operator"), at=bindparam("at"))
    return Prepared(added.on_conflict_do_update(index_elements=["operator"], set_={"at": added.excluded.at}))


_LOCK: Dialects = {name: _locking(name) for name in ("postgresql", "sqlite")}
_AT = bindparam("at", type_=tally.c.at.type)
_MARK: Dialects = {
    "postgresql": Prepared(
        text(
            "INSERT INTO tally (operator, bulk, mark, at) SELECT CAST(:operator AS varchar), bulk, mark, :at"
            " FROM unnest(CAST(:bulks AS varchar[]), CAST(:marks AS varchar[])) AS given (bulk, mark)"
            " ON CONFLICT (operator, bulk, mark) DO UPDATE SET at = excluded.at"
        ).bindparams(_AT)
    ),
    "sqlite": Prepared(
        text(
            "INSERT INTO tally (operator, bulk, mark, at)"
            " SELECT :operator, json_extract(value, '$[0]'), json_extract(value, '$[1]'), :at FROM json_each(:rows) WHERE true"
            " ON CONFLICT (operator, bulk, mark) DO UPDATE SET at = excluded.at"
        ).bindparams(_AT)
    ),
}
_COUNT = Prepared(
    select(tally.c.bulk, func.count())
    .where(tally.c.operator == bindparam("operator", type_=String), tally.c.at > bindparam("since"))
    .group_by(tally.c.bulk)
)
_PURGE = Prepared(delete(tally).where(tally.c.at <= bindparam("before")))
_PURGE_OPERATORS = Prepared(delete(tally_operator).where(tally_operator.c.at <= bindparam("before")))


async def lock(session: Session, operator: str, *, now: datetime) -> None:
    """Hold the operator's count until the transaction ends."""
    await session.run(_LOCK[session.dialect], {"operator": operator, "at": now})


async def mark(session: Session, operator: str, bulks: Iterable[BulkClass], marks: Sequence[str], *, now: datetime) -> None:
    """Write down of whom the operator is about to be told; whoever was told of them before today is told of them last now."""
    rows = sorted((bulk.value, one) for bulk in bulks for one in marks)
    given: dict[str, object] = {"operator": operator, "at": now}
    if session.dialect == "postgresql":
        given |= {"bulks": [row[0] for row in rows], "marks": [row[1] for row in rows]}
    else:
        given["rows"] = json.dumps(rows)
    await session.run(_MARK[session.dialect], given)


async def counts(session: Session, operator: str, *, since: datetime) -> dict[BulkClass, int]:
    """How many distinct members the operator has been told of since, by class."""
    return {BulkClass(bulk): int(count) for bulk, count in await session.rows(_COUNT, {"operator": operator, "since": since})}


async def purge(session: Session, *, before: datetime) -> int:
    """Forget what no count needs any more."""
    await session.run(_PURGE_OPERATORS, {"before": before})
    return await session.run(_PURGE, {"before": before})
