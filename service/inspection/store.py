"""The SQL of a search. What is found is judged by the entries' bytes; this only says where to look."""

import functools
import json
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, Integer, and_, any_, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import BindParameter

from service.audit.reading.store import COLUMNS
from service.audit.store import among, listed
from service.db.engine import Session
from service.db.statement import Prepared
from service.db.tables import audit_block, audit_entry, audit_head, audit_segment, audit_subject, member, member_secret
from service.values import MemberId

_OF, _SUB = audit_entry.c, audit_subject.c
_WITHIN = (_OF.idx >= bindparam("first"), _OF.idx < bindparam("last"))


class Stored(NamedTuple):
    """A row of the log. `told` are the columns beside the bytes, in one text."""

    idx: int
    raw: bytes
    leaf: bytes
    told: str


class Secret(NamedTuple):
    """A living member's wrapped secret."""

    member_id: MemberId
    generation: int
    wrapped: bytes


class Looked(NamedTuple):
    """How long the log is, the first entry that is here, how many blocks have words; the pruned segments, with first and last moment."""

    size: int
    low: int
    indexed: int
    pruned: dict[int, tuple[str, str]]


_ROWS = select(_OF.idx, _OF.entry, _OF.leaf, COLUMNS).order_by(_OF.idx.desc())
_LISTED = func.json_each(bindparam("indices")).table_valued("value")
_AT = {
    "postgresql": Prepared(_ROWS.where(_OF.idx == any_(bindparam("indices", type_=ARRAY(BigInteger))))),
    "sqlite": Prepared(_ROWS.where(_OF.idx.in_(select(_LISTED.c.value)))),
}
_RANGE = Prepared(_ROWS.where(*_WITHIN))
_ABOUT = {
    dialect: Prepared(
        select(_SUB.idx)
        .where(condition, _SUB.idx < bindparam("before"))
        .distinct()
        .order_by(_SUB.idx.desc())
        .limit(bindparam("most", type_=Integer))
    )
    for dialect, condition in among(_SUB.sub, "subjects").items()
}
_OF_REQUEST = Prepared(
    select(_OF.idx)
    .where(_OF.req == bindparam("request"), _OF.idx < bindparam("before"))
    .order_by(_OF.idx.desc())
    .limit(bindparam("most", type_=Integer))
)
_SEGMENT = audit_segment.c
_LOG = select(
    select(audit_head.c.size).where(audit_head.c.log_id == bindparam("log_id")).scalar_subquery().label("size"),
    select(func.min(_OF.idx)).where(_OF.idx >= 0).scalar_subquery().label("low"),
    select(func.max(audit_block.c.block)).scalar_subquery().label("last"),
).subquery()
_LOOK = Prepared(
    select(_LOG.c.size, _LOG.c.low, _LOG.c.last, _SEGMENT.n, _SEGMENT.first_ts, _SEGMENT.last_ts).select_from(
        _LOG.outerjoin(audit_segment, _SEGMENT.pruned_at.is_not(None))
    )
)
_SECRETS = Prepared(
    select(member_secret.c.member_id, member_secret.c.generation, member_secret.c.wrapped)
    .join(member, and_(member.c.member_id == member_secret.c.member_id, member.c.generation == member_secret.c.generation))
    .where(member_secret.c.member_id > bindparam("after"))
    .order_by(member_secret.c.member_id)
    .limit(bindparam("most", type_=Integer))
)


@functools.cache
def _holding(dialect: str, count: int) -> Prepared:
    """Entries of a range with one of so many texts in their bytes."""
    needles: list[BindParameter[bytes]] = [bindparam(f"needle_{number}") for number in range(count)]
    if dialect == "postgresql":
        found = [func.position(needle.op("IN")(_OF.entry)) > 0 for needle in needles]
    else:
        found = [func.instr(_OF.entry, needle) > 0 for needle in needles]
    return Prepared(select(_OF.idx).where(*_WITHIN, or_(*found)).order_by(_OF.idx.desc()))


async def at(session: Session, indices: Sequence[int]) -> dict[int, Stored]:
    """The rows at these indices, as far as they are there."""
    named = {"indices": list(indices) if session.dialect == "postgresql" else json.dumps(list(indices))}
    return {row[0]: _stored(*row) for row in await session.rows(_AT[session.dialect], named)}


async def between(session: Session, first: int, last: int) -> dict[int, Stored]:
    """The rows from index `first` up to, not including, `last`."""
    return {row[0]: _stored(*row) for row in await session.rows(_RANGE, {"first": first, "last": last})}


async def look(session: Session, origin: str) -> Looked:
    """The log as it stands. One statement."""
    rows = await session.rows(_LOOK, {"log_id": origin})
    size, low, last = rows[0][:3]
    pruned = {n: (first, until) for _, _, _, n, first, until in rows if n is not None}
    return Looked(size or 0, low or 0, 0 if last is None else last + 1, pruned)


async def about(session: Session, subjects: Sequence[str], before: int, most: int) -> list[int]:
    """Entries about these pseudonyms, the newest first."""
    named = {"subjects": listed(session.dialect, subjects), "before": before, "most": most}
    return [index for (index,) in await session.rows(_ABOUT[session.dialect], named)]


async def of_request(session: Session, request: str, before: int, most: int) -> list[int]:
    """Entries of one request, the newest first."""
    return [index for (index,) in await session.rows(_OF_REQUEST, {"request": request, "before": before, "most": most})]


async def holding(session: Session, needles: Sequence[bytes], first: int, last: int) -> list[int]:
    """Entries of a range with one of these texts in their bytes, the newest first."""
    named = {f"needle_{number}": needle for number, needle in enumerate(needles)}
    rows = await session.rows(_holding(session.dialect, len(needles)), {"first": first, "last": last, **named})
    return [index for (index,) in rows]


async def secrets(session: Session, after: MemberId, most: int) -> list[Secret]:
    """Living members' secrets, by id."""
    return [Secret(*row) for row in await session.rows(_SECRETS, {"after": after, "most": most})]


def _stored(idx: int, raw: object, leaf: object, told: object) -> Stored:
    """An administrator can store anything; what is no bytes is not what was there."""
    bytes_, hash_ = (one if isinstance(one, bytes) else b"" for one in (raw, leaf))
    return Stored(idx, bytes_, hash_, told if isinstance(told, str) else "")
