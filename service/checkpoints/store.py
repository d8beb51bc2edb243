"""Checkpoints' SQL: the notes that were published, the follower's position, and who follows."""

from datetime import datetime
from hashlib import sha256

from sqlalchemy import Integer, bindparam, func, insert, select, text, update

from service.checkpoints.model import Published
from service.db.engine import Session
from service.db.statement import Prepared
from service.db.tables import audit_anchor, audit_checkpoint, audit_head, audit_position

LARGEST = 2**63 - 1

_OF = audit_checkpoint.c
_CHOSEN = select(_OF.size, _OF.root, _OF.note, _OF.signed_at, _OF.witnessed_at)
_NEWEST = Prepared(_CHOSEN.order_by(_OF.size.desc()).limit(1))
_NEWEST_COSIGNED = Prepared(_CHOSEN.where(_OF.witnessed_at.is_not(None)).order_by(_OF.size.desc()).limit(1))
_UP_TO = (
    _CHOSEN.where(_OF.size >= bindparam("least"), _OF.size <= bindparam("of_size"))
    .order_by(_OF.size.desc())
    .limit(bindparam("most", type_=Integer))
)
_LARGEST = {False: Prepared(_UP_TO), True: Prepared(_UP_TO.where(_OF.witnessed_at.is_not(None)))}
_WITHIN = _UP_TO.where(_OF.size <= select(audit_head.c.size).where(audit_head.c.log_id == bindparam("of_log")).scalar_subquery())
_IN_LOG = {False: Prepared(_WITHIN), True: Prepared(_WITHIN.where(_OF.witnessed_at.is_not(None)))}
_BY = Prepared(
    _UP_TO.where(_OF.witnessed_at <= bindparam("moment", type_=_OF.witnessed_at.type)),
)
_AT = Prepared(_CHOSEN.where(_OF.size == bindparam("of_size")))
_SOME = Prepared(_CHOSEN.where(_OF.size > bindparam("after"), _OF.size <= bindparam("of_size")).order_by(_OF.size).limit(500))
_PUBLISH = Prepared(insert(audit_checkpoint).values({column.name: bindparam(column.name) for column in _OF}))
_COSIGN = Prepared(
    update(audit_checkpoint)
    .where(_OF.size == bindparam("of_size"), _OF.note == bindparam("old_note"))
    .values(note=bindparam("note"), witnessed_at=bindparam("witnessed_at"))
)
_POSITION = Prepared(select(audit_position.c.state).where(audit_position.c.log_id == bindparam("of_log")))
_MOVE_POSITION = Prepared(
    update(audit_position).where(audit_position.c.log_id == bindparam("of_log")).values(state=bindparam("state"))
)
_ADD_POSITION = Prepared(insert(audit_position).values(log_id=bindparam("log_id"), state=bindparam("state")))
_ANCHORS = Prepared(
    select(audit_anchor.c.kind, func.max(audit_anchor.c.size), func.max(audit_anchor.c.at))
    .group_by(audit_anchor.c.kind)
    .order_by(audit_anchor.c.kind)
)
_ELECT = Prepared(text("SELECT pg_try_advisory_lock(:key)"))


async def newest(session: Session) -> Published | None:
    """The largest that was published."""
    return await _one(session, _NEWEST)


async def newest_cosigned(session: Session) -> Published | None:
    """The largest that enough witnesses cosigned."""
    return await _one(session, _NEWEST_COSIGNED)


async def largest(session: Session, least: int, size: int, *, cosigned: bool, most: int) -> list[Published]:
    """The `most` largest from `least` up to `size`, the largest first; with `cosigned` of those that the table says were."""
    given = {"least": least, "of_size": size, "most": most}
    return [Published(*row) for row in await session.rows(_LARGEST[cosigned], given)]


async def within(session: Session, origin: str, least: int, *, cosigned: bool, most: int) -> list[Published]:
    """The `most` largest from `least` on that are over no more entries than the head has, the largest first: none without a head."""
    given = {"of_log": origin, "least": least, "of_size": LARGEST, "most": most}
    return [Published(*row) for row in await session.rows(_IN_LOG[cosigned], given)]


async def cosigned_by(session: Session, moment: datetime, size: int, *, most: int) -> list[Published]:
    """The `most` largest up to `size` of those that the table says were cosigned, and not since that moment, the largest first."""
    given = {"least": 0, "of_size": size, "most": most, "moment": moment}
    return [Published(*row) for row in await session.rows(_BY, given)]


async def at(session: Session, size: int) -> Published | None:
    """The one of this size."""
    return await _one(session, _AT, of_size=size)


async def some(session: Session, after: int, size: int) -> list[Published]:
    """Some that are larger than `after`, up to and including `size`, in their order; none when there are no more."""
    return [Published(*row) for row in await session.rows(_SOME, {"after": after, "of_size": size})]


async def publish(session: Session, made: Published) -> None:
    """Add one. Raises Duplicate when there is one of this size."""
    named = {"size": made.size, "root": made.root, "note": made.note}
    await session.run(_PUBLISH, {**named, "signed_at": made.signed_at, "witnessed_at": made.witnessed_at})


async def cosign(session: Session, made: Published, note: str, at: datetime | None) -> bool:
    """The note with more cosignatures, in the place of that of `made`; False where another stands there by now.

    `at` is when they were enough, None while they are not.
    """
    named = {"of_size": made.size, "old_note": made.note, "note": note, "witnessed_at": at}
    return await session.run(_COSIGN, named) == 1


async def position(session: Session, origin: str) -> bytes | None:
    """Where a follower was, as it wrote it down."""
    rows = await session.rows(_POSITION, {"of_log": origin})
    return rows[0][0] if rows else None


async def move_position(session: Session, origin: str, state: bytes) -> None:
    """Write down where the follower is. Raises Duplicate when two do so for the first time."""
    if not await session.run(_MOVE_POSITION, {"of_log": origin, "state": state}):
        await session.run(_ADD_POSITION, {"log_id": origin, "state": state})


async def anchors(session: Session) -> list[tuple[str, int, datetime]]:
    """Of each kind of anchor, the largest size and the newest moment."""
    return [(kind, size, at) for kind, size, at in await session.rows(_ANCHORS)]


async def elected(session: Session, origin: str) -> bool:
    """Whether this connection is the one that follows this log, for as long as it lives. On SQLite there is one process anyway."""
    if session.dialect != "postgresql":
        return True
    key = int.from_bytes(sha256(b"publisher " + origin.encode()).digest()[:8], "big", signed=True)
    return bool((await session.rows(_ELECT, {"key": key}))[0][0])


async def _one(session: Session, statement: Prepared, **named: int) -> Published | None:
    rows = await session.rows(statement, named)
    return Published(*rows[0]) if rows else None
