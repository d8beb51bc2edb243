"""The alarms' SQL. A claim is one statement that commits by itself, as of jobs; what comes of it is written by whoever still holds it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Integer, and_, bindparam, case, func, insert, or_, select, tuple_, update

from service.alarms.model import SEEN_HOLDS, Alarm, AlarmKind, AlarmState
from service.db.engine import Session
from service.db.statement import Prepared, Row
from service.db.tables import alarm, bait

_NAMES = tuple(column.name for column in alarm.columns)
_OPEN = and_(alarm.c.kind == bindparam("of_kind"), alarm.c.about == bindparam("of_about"), alarm.c.slot == "")
_ADD = Prepared(insert(alarm).values({name: bindparam(name) for name in _NAMES}))
_NOW = bindparam("now", type_=alarm.c.last_at.type)
_LEFT = and_(alarm.c.state == AlarmState.SEEN.value, alarm.c.handled_at <= bindparam("before", type_=alarm.c.handled_at.type))
_AGAIN = Prepared(
    update(alarm)
    .where(_OPEN)
    .values(
        last_at=_NOW,
        count=alarm.c.count + 1,
        state=case((_LEFT, AlarmState.OPEN.value), else_=alarm.c.state),
        due_at=case((_LEFT, _NOW), else_=alarm.c.due_at),
    )
    .returning(alarm.c.alarm_id)
)
_ONE = Prepared(select(*alarm.columns).where(alarm.c.alarm_id == bindparam("alarm_id")).with_for_update())
_HANDLE = Prepared(
    update(alarm)
    .where(alarm.c.alarm_id == bindparam("of_alarm"))
    .values({name: bindparam(name) for name in ("state", "slot", "handled_by", "handled_at", "note")} | {"due_at": None})
)
_LISTED = Prepared(
    select(*alarm.columns)
    .where(
        alarm.c.alarm_id > bindparam("after"),
        or_(bindparam("live", type_=Integer) == 0, alarm.c.slot == ""),
    )
    .order_by(alarm.c.alarm_id)
    .limit(bindparam("size", type_=Integer))
)
_LIVE = Prepared(select(*alarm.columns).where(alarm.c.slot == "").order_by(alarm.c.alarm_id))
_COUNTS = Prepared(select(alarm.c.kind, func.count()).where(alarm.c.slot == "").group_by(alarm.c.kind))
_DUE = (
    select(alarm.c.kind, alarm.c.about, alarm.c.slot)
    .where(alarm.c.state == AlarmState.OPEN.value, alarm.c.due_at <= bindparam("now"))
    .order_by(alarm.c.due_at)
    .limit(8)
    .with_for_update(skip_locked=True)
    .cte("due")
)
_CLAIM = Prepared(
    update(alarm)
    .where(tuple_(alarm.c.kind, alarm.c.about, alarm.c.slot).in_(select(_DUE.c.kind, _DUE.c.about, _DUE.c.slot)))
    .values(due_at=bindparam("until"), tries=alarm.c.tries + 1)
    .returning(*alarm.columns)
)
_SETTLE = Prepared(
    update(alarm)
    .where(
        alarm.c.alarm_id == bindparam("of_alarm"),
        alarm.c.state == AlarmState.OPEN.value,
        alarm.c.tries == bindparam("claim"),
    )
    .values({name: bindparam(name) for name in ("due_at", "tries", "outcome", "told_at")})
)
_BAIT = tuple(column.name for column in bait.columns)
_ADD_BAIT = Prepared(insert(bait).values({name: bindparam(name) for name in _BAIT}))
_BAITS = Prepared(select(bait.c.bait_id, bait.c.sealed).order_by(bait.c.bait_id))


async def again(session: Session, kind: AlarmKind, about: str, *, now: datetime) -> str | None:
    """Count one more of what is open already; its id, None where nothing is. What somebody said a day ago that they see to is told anew."""
    given = {"of_kind": kind.value, "of_about": about, "now": now, "before": now - SEEN_HOLDS}
    rows = await session.rows(_AGAIN, given)
    return str(rows[0][0]) if rows else None


async def add(session: Session, raised: Alarm) -> None:
    """A new one. Raises Duplicate where somebody else has just raised it."""
    await session.run(
        _ADD, {name: getattr(raised, name) for name in _NAMES} | {"kind": raised.kind.value, "state": raised.state.value}
    )


async def one(session: Session, alarm_id: str) -> Alarm | None:
    """One by its id, locked in a transaction."""
    rows = await session.rows(_ONE, {"alarm_id": alarm_id})
    return _shaped(rows[0]) if rows else None


async def handle(session: Session, found: Alarm) -> None:
    """Write who has seen it or closed it. It is told to nobody any more."""
    names = ("slot", "handled_by", "handled_at", "note")
    given = {name: getattr(found, name) for name in names} | {"state": found.state.value, "of_alarm": found.alarm_id}
    await session.run(_HANDLE, given)


async def listed(session: Session, *, live: bool, after: str, size: int) -> Sequence[Alarm]:
    """The next ones by age: those that are not closed, or all."""
    return [_shaped(row) for row in await session.rows(_LISTED, {"live": int(live), "after": after, "size": size})]


async def live(session: Session) -> Sequence[Alarm]:
    """All that are not closed."""
    return [_shaped(row) for row in await session.rows(_LIVE)]


async def counts(session: Session) -> dict[AlarmKind, int]:
    """How many of each kind are not closed."""
    return {AlarmKind(kind): int(count) for kind, count in await session.rows(_COUNTS)}


async def claim(session: Session, *, now: datetime, lease: timedelta) -> Sequence[Alarm]:
    """Take those that are due to be told, for the time of a lease."""
    return [_shaped(row) for row in await session.rows(_CLAIM, {"now": now, "until": now + lease})]


async def settle(
    session: Session, claimed: Alarm, *, due_at: datetime, tries: int, outcome: str, told_at: datetime | None
) -> bool:
    """Write what came of telling it; False where somebody has handled it meanwhile, or taken the claim."""
    given = {"of_alarm": claimed.alarm_id, "claim": claimed.tries, "due_at": due_at, "tries": tries}
    return await session.run(_SETTLE, given | {"outcome": outcome, "told_at": told_at}) == 1


async def add_bait(session: Session, *, bait_id: str, sealed: bytes, added_by: str, now: datetime) -> None:
    """One more member that nobody has reason to look at."""
    await session.run(_ADD_BAIT, {"bait_id": bait_id, "sealed": sealed, "added_by": added_by, "added_at": now})


async def baits(session: Session) -> Sequence[bytes]:
    """All of them, sealed."""
    return [bytes(row[1]) for row in await session.rows(_BAITS)]


def _shaped(row: Row) -> Alarm:
    given = dict(zip(_NAMES, row, strict=True))
    return Alarm(**{**given, "kind": AlarmKind(given["kind"]), "state": AlarmState(given["state"])})
