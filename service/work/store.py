"""The jobs' SQL. A claim is one statement that commits by itself; what comes of a job is written only by whoever still holds it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, case, func, or_, select, tuple_, update

from service.db.engine import Session
from service.db.statement import Bulk, Prepared, Row
from service.db.tables import job
from service.values import MemberId
from service.work.model import DELETE, TELL, Backlog, Job, State

_COLUMNS = tuple(column.name for column in job.columns)
_ADD = Bulk(job, *_COLUMNS)
_HELD = and_(
    job.c.member_id == bindparam("of_member"),
    job.c.job_id == bindparam("of_job"),
    job.c.state == State.WAITING.value,
    job.c.attempts == bindparam("claim"),
)
# Where a lock is held the row is somebody's; nobody waits for it. SQLite has one writer, and no such clause. By name before the change,
# because PostgreSQL may run a subquery inside of it for every row, and then claims without limit.
_DUE = (
    select(job.c.member_id, job.c.job_id)
    .where(
        job.c.state == State.WAITING.value,
        job.c.due_at <= bindparam("now"),
        job.c.kind == bindparam("of_kind"),
        job.c.recipient == bindparam("for_recipient"),
    )
    .order_by(job.c.due_at)
    .limit(bindparam("width"))
    .with_for_update(skip_locked=True)
    .cte("due")
)
_CLAIM = Prepared(
    update(job)
    .where(tuple_(job.c.member_id, job.c.job_id).in_(select(_DUE.c.member_id, _DUE.c.job_id)))
    .values(due_at=bindparam("until"), attempts=job.c.attempts + 1)
    .returning(*job.columns)
)
_IS_HELD = Prepared(select(job.c.job_id).where(_HELD))
_SETTLE = Prepared(
    update(job).where(_HELD).values(state=bindparam("reached"), outcome=bindparam("code"), ended_at=bindparam("now"))
)
_POSTPONE = Prepared(update(job).where(_HELD).values(due_at=bindparam("until"), outcome=bindparam("code")))
_OF_PURPOSE = and_(
    job.c.member_id == bindparam("of_member"), job.c.purpose == bindparam("for_purpose"), job.c.state == State.WAITING.value
)
_CANCEL = Prepared(
    update(job)
    .where(_OF_PURPOSE, job.c.kind != TELL, job.c.kind != DELETE)
    .values(state=State.CANCELLED_WITHDRAWN.value, outcome="WITHDRAWN", ended_at=bindparam("now"))
)
_CALL_OFF = Prepared(
    update(job)
    .where(_OF_PURPOSE, job.c.kind == TELL)
    .values(state=State.DONE.value, outcome="GIVEN_AGAIN", ended_at=bindparam("now"))
)
_WAITING_FOR = Prepared(
    select(job.c.recipient).where(
        job.c.member_id == bindparam("of_member"),
        job.c.kind == TELL,
        or_(job.c.state == State.WAITING.value, job.c.state == State.FAILED.value),
    )
)
_UNTOLD = and_(job.c.kind == TELL, job.c.created_at <= bindparam("alarm"))
_BACKLOG = Prepared(
    select(
        func.sum(case((job.c.state == State.WAITING.value, 1), else_=0)),
        func.sum(case((job.c.state == State.FAILED.value, 1), else_=0)),
        func.sum(case((_UNTOLD, 1), else_=0)),
        func.min(case((job.c.kind == TELL, job.c.created_at), else_=job.c.due_at)),
    ).where(
        or_(
            and_(job.c.state == State.WAITING.value, job.c.due_at <= bindparam("soon")),
            job.c.state == State.FAILED.value,
        )
    )
)


async def queue(session: Session, jobs: Sequence[Job]) -> None:
    """Put jobs down in the unit's own transaction: they are there exactly if what they follow from is."""
    await session.bulk(_ADD, [tuple(_text(getattr(found, name)) for name in _COLUMNS) for found in jobs])


async def claim(session: Session, *, kind: str, recipient: str, now: datetime, lease: timedelta, width: int) -> list[Job]:
    """Take up to `width` due jobs for the time of a lease. Whoever dies with them loses them to the next claim after it."""
    given = {"now": now, "of_kind": kind, "for_recipient": recipient, "width": width, "until": now + lease}
    return [shaped(row) for row in await session.rows(_CLAIM, given)]


async def held(session: Session, found: Job) -> bool:
    """Whether the job is still waiting, and still in the hands that claimed it."""
    return bool(await session.rows(_IS_HELD, _mine(found)))


async def settle(session: Session, found: Job, state: State, code: str, *, now: datetime) -> bool:
    """End a job; False when it is no longer in these hands."""
    return await session.run(_SETTLE, {**_mine(found), "reached": state.value, "code": code, "now": now}) == 1


async def postpone(session: Session, found: Job, code: str, *, until: datetime) -> bool:
    """Let a job wait for its next try; False when it is no longer in these hands."""
    return await session.run(_POSTPONE, {**_mine(found), "until": until, "code": code}) == 1


async def cancel(session: Session, member_id: MemberId, purpose: str, *, now: datetime) -> int:
    """Cancel all that was queued for a purpose, claimed or not (WD-03)."""
    return await session.run(_CANCEL, {"of_member": member_id, "for_purpose": purpose, "now": now})


async def call_off(session: Session, member_id: MemberId, purpose: str, *, now: datetime) -> int:
    """Tell nobody any more of an end that is over."""
    return await session.run(_CALL_OFF, {"of_member": member_id, "for_purpose": purpose, "now": now})


async def untold(session: Session, member_id: MemberId) -> frozenset[str]:
    """The recipients that have yet to be told something of this member."""
    return frozenset(row[0] for row in await session.rows(_WAITING_FOR, {"of_member": member_id}))


async def backlog(session: Session, *, soon: datetime, alarm: datetime) -> Backlog:
    """What waits and is due before `soon`; `overdue` are the recipients that have not been told since before `alarm`."""
    waiting, failed, overdue, oldest = (await session.rows(_BACKLOG, {"soon": soon, "alarm": alarm}))[0]
    return Backlog(waiting or 0, failed or 0, overdue or 0, oldest)


def shaped(row: Row) -> Job:
    """A fetched row, in the table's order, as a value."""
    given = dict(zip(_COLUMNS, row, strict=True))
    return Job(**{**given, "state": State(given["state"])})


def _text(value: object) -> object:
    return value.value if isinstance(value, State) else value


def _mine(found: Job) -> dict[str, object]:
    return {"of_member": found.member_id, "of_job": found.job_id, "claim": found.attempts}
