"""The tally's SQL: lock the operator and mark whom they read, then count. Under READ COMMITTED each statement sees what was committed
before it began, so of two pages at one moment the second counts the first one's members: it counts after it has the lock.
"""

import json
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import String, bindparam, delete, func, select, text

from policies.bulk import BulkClass
from service.db.engine import Session
from service.db.statement import Prepared
from service.db.tables import tally, tally_operator

Dialects = dict[str, Prepared]


_AT = bindparam("at", type_=tally.c.at.type)
_LOCKED = text(
    "INSERT INTO tally_operator (operator, at) VALUES (:operator, :at) ON CONFLICT (operator) DO UPDATE SET at = excluded.at"
).bindparams(_AT)
# A row is marked only once the operator is locked, so two pages that name the same members in turn do not wait for each other.
_MARK: Dialects = {
    "postgresql": Prepared(
        text(
            f"WITH locked AS ({_LOCKED.text} RETURNING 1)"  # noqa: S608  (a constant of this file)
            " INSERT INTO tally (operator, bulk, mark, at) SELECT CAST(:operator AS varchar), bulk, mark, :at"
            " FROM unnest(CAST(:bulks AS varchar[]), CAST(:marks AS varchar[])) AS given (bulk, mark)"
            " WHERE (SELECT count(*) FROM locked) = 1"
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
_LOCK = Prepared(_LOCKED)
_COUNT = Prepared(
    select(tally.c.bulk, func.count())
    .where(tally.c.operator == bindparam("operator", type_=String), tally.c.at > bindparam("since"))
    .group_by(tally.c.bulk)
)
_PURGE = Prepared(delete(tally).where(tally.c.at <= bindparam("before")))
_PURGE_OPERATORS = Prepared(delete(tally_operator).where(tally_operator.c.at <= bindparam("before")))


async def mark(session: Session, operator: str, told: Iterable[tuple[BulkClass, str]], *, now: datetime) -> None:
    """Hold the operator's count until the transaction ends, and write down of whom they are about to be told, by class; whoever was told
    of them before today is told of them last now.
    """
    rows = sorted((bulk.value, one) for bulk, one in told)
    given: dict[str, object] = {"operator": operator, "at": now}
    if session.dialect == "postgresql":
        await session.run(_MARK[session.dialect], {**given, "bulks": [row[0] for row in rows], "marks": [row[1] for row in rows]})
    else:
        await session.run(_LOCK, given)
        await session.run(_MARK[session.dialect], {**given, "rows": json.dumps(rows)})


async def counts(session: Session, operator: str, *, since: datetime) -> dict[BulkClass, int]:
    """How many distinct members the operator has been told of since, by class."""
    return {BulkClass(bulk): int(count) for bulk, count in await session.rows(_COUNT, {"operator": operator, "since": since})}


async def purge(session: Session, *, before: datetime) -> int:
    """Forget what no count needs any more."""
    await session.run(_PURGE_OPERATORS, {"before": before})
    return await session.run(_PURGE, {"before": before})
