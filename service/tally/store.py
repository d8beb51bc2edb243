"""The tally's SQL: lock the operator and mark whom they read, then count. Under READ COMMITTED each statement sees what was committed
before it began, so of two pages at one moment the second counts the first one's members: it counts after it has the lock.
"""

import json
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import String, and_, bindparam, delete, func, or_, select, text

from policies.bulk import BulkClass
from service.approvals.model import parts_of
from service.db.engine import Session
from service.db.statement import Prepared
from service.db.tables import tally, tally_operator

Dialects = dict[str, Prepared]


_AT = bindparam("at", type_=tally.c.at.type)
_LOCKED = text(
    "INSERT INTO tally_operator (operator, at) VALUES (:bare, :at) ON CONFLICT (operator) DO UPDATE SET at = excluded.at"
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
_PERSON = or_(
    tally.c.operator.in_([bindparam(name, type_=String) for name in ("operator", "bare", "nowhere")]),
    and_(tally.c.operator >= bindparam("first", type_=String), tally.c.operator < bindparam("end", type_=String)),
)
_SEEN = select(tally.c.bulk, tally.c.mark).where(_PERSON, tally.c.at > bindparam("since")).distinct().subquery()
_COUNT = Prepared(select(_SEEN.c.bulk, func.count()).group_by(_SEEN.c.bulk))
_PURGE = Prepared(delete(tally).where(tally.c.at <= bindparam("before")))
_PURGE_OPERATORS = Prepared(delete(tally_operator).where(tally_operator.c.at <= bindparam("before")))


async def mark(session: Session, operator: str, told: Iterable[tuple[BulkClass, str]], *, now: datetime) -> None:
    """Hold the count of whoever has this name, in any realm, until the transaction ends, and write down of whom the operator is about to be
    told, by class; whoever was told of them before today is told of them last now.
    """
    rows = sorted((bulk.value, one) for bulk, one in told)
    given: dict[str, object] = {"operator": operator, "bare": parts_of(operator)[0], "at": now}
    if session.dialect == "postgresql":
        await session.run(_MARK[session.dialect], {**given, "bulks": [row[0] for row in rows], "marks": [row[1] for row in rows]})
    else:
        await session.run(_LOCK, given)
        await session.run(_MARK[session.dialect], {**given, "rows": json.dumps(rows)})


async def counts(session: Session, operator: str, *, since: datetime) -> dict[BulkClass, int]:
    """How many distinct members the person has been told of since, by class, under any of their accounts (`approvals.same_person`)."""
    bare, realm = parts_of(operator)
    # A terminal's `li` may be anybody who is `li` somewhere; `li@corp` is `li@corp`, or `li` at a terminal. `li@` is a terminal's, too.
    first, end = ("", "") if realm else (f"{bare}@", f"{bare}A")
    given = {"operator": operator, "bare": bare, "nowhere": f"{bare}@", "first": first, "end": end, "since": since}
    return {BulkClass(bulk): int(count) for bulk, count in await session.rows(_COUNT, given)}


async def purge(session: Session, *, before: datetime) -> int:
    """Forget what no count needs any more."""
    await session.run(_PURGE_OPERATORS, {"before": before})
    return await session.run(_PURGE, {"before": before})
