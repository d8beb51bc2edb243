"""The SQL of whoever looks after the tellings: a page of them with their members, one of them under lock."""

from datetime import UTC, datetime

from sqlalchemy import Integer, and_, bindparam, or_, select, update

from service.db.engine import Session
from service.db.statement import Prepared
from service.db.tables import job, member, member_secret
from service.members.store import ROW_COLUMNS, shaped
from service.propagation.model import Told
from service.values import MemberId
from service.work import store as jobs
from service.work.model import TELL, Job, State

_WIDTH = len(job.columns)
_ANY = datetime(1970, 1, 1, tzinfo=UTC)
_WITH_MEMBER = job.join(member, member.c.member_id == job.c.member_id).outerjoin(
    member_secret,
    and_(member_secret.c.member_id == member.c.member_id, member_secret.c.generation == member.c.generation),
)
_PAGE = Prepared(
    select(*job.columns, *ROW_COLUMNS)
    .select_from(_WITH_MEMBER)
    .where(
        job.c.kind == TELL,
        job.c.state == bindparam("state"),
        job.c.job_id > bindparam("after"),
        or_(bindparam("late", type_=Integer) == 0, job.c.created_at <= bindparam("alarm")),
    )
    .order_by(job.c.job_id)
    .limit(bindparam("size"))
)
_ONE = Prepared(
    select(*job.columns)
    .where(job.c.member_id == bindparam("of_member"), job.c.job_id == bindparam("of_job"), job.c.kind == TELL)
    .with_for_update()
)
# The claim is taken out of every other hand: a worker that is at it finds that the job is no longer its own.
_ACKNOWLEDGE = Prepared(
    update(job)
    .where(job.c.member_id == bindparam("of_member"), job.c.job_id == bindparam("of_job"), job.c.state != State.DONE.value)
    .values(state=State.DONE.value, outcome="ACKNOWLEDGED_BY_PERSON", ended_at=bindparam("now"), attempts=job.c.attempts + 1)
)


async def page(session: Session, *, state: State, alarm: datetime | None, after: str, size: int) -> list[Told]:
    """The next tellings in a state by age, with their members; `alarm`: only those queued before it."""
    given = {"state": state.value, "after": after, "size": size, "late": int(alarm is not None), "alarm": alarm or _ANY}
    return [Told(jobs.shaped(row[:_WIDTH]), shaped(row[_WIDTH:])) for row in await session.rows(_PAGE, given)]


async def one(session: Session, member_id: MemberId, job_id: str) -> Job | None:
    """One telling, locked."""
    rows = await session.rows(_ONE, {"of_member": member_id, "of_job": job_id})
    return jobs.shaped(rows[0]) if rows else None


async def acknowledge(session: Session, found: Job, *, now: datetime) -> None:
    """End a telling by a person's word."""
    await session.run(_ACKNOWLEDGE, {"of_member": found.member_id, "of_job": found.job_id, "now": now})
