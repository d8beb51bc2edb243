"""The SQL of sending: which sends are queued already, which need a person, what was handed over."""

from collections.abc import Sequence
from dataclasses import fields

from sqlalchemy import and_, bindparam, select

from service.audit.store import among, listed
from service.db.engine import Session
from service.db.statement import Bulk, Prepared
from service.db.tables import job, member, member_secret, send_record
from service.members.store import ROW_COLUMNS, shaped
from service.senders.model import SEND, FailedRow, Record
from service.values import MemberId
from service.work import store as jobs
from service.work.model import State

_WIDTH = len(job.columns)
_RECORD = tuple(part.name for part in fields(Record))
_ADD = Bulk(send_record, "member_id", "record_id", *_RECORD)
_QUEUED = {
    dialect: Prepared(select(job.c.job_id).where(of_some, job.c.kind == SEND))
    for dialect, of_some in among(job.c.job_id, "ids").items()
}
_FAILED = Prepared(
    select(*job.columns, *ROW_COLUMNS)
    .select_from(
        job.join(member, member.c.member_id == job.c.member_id).outerjoin(
            member_secret,
            and_(member_secret.c.member_id == member.c.member_id, member_secret.c.generation == member.c.generation),
        )
    )
    .where(job.c.kind == SEND, job.c.state == State.FAILED.value, job.c.job_id > bindparam("after"))
    .order_by(job.c.job_id)
    .limit(bindparam("size"))
)
_RECORDS = Prepared(
    select(*(send_record.c[name] for name in _RECORD))
    .where(send_record.c.member_id == bindparam("of_member"), send_record.c.send_id == bindparam("of_send"))
    .order_by(send_record.c.record_id)
)


async def queued(session: Session, send_ids: Sequence[str]) -> frozenset[str]:
    """Those of these sends that have a job, whatever became of it."""
    found = await session.rows(_QUEUED[session.dialect], {"ids": listed(session.dialect, send_ids)})
    return frozenset(row[0] for row in found)


async def failed(session: Session, *, after: str, size: int) -> list[FailedRow]:
    """The next sends that need a person, the oldest first, with their members."""
    rows = await session.rows(_FAILED, {"after": after, "size": size})
    return [FailedRow(jobs.shaped(row[:_WIDTH]), shaped(row[_WIDTH:])) for row in rows]


async def add_record(session: Session, member_id: MemberId, record_id: str, record: Record) -> None:
    """Write down that a message is being handed over."""
    await session.bulk(_ADD, [(member_id, record_id, *(getattr(record, name) for name in _RECORD))])


async def records(session: Session, member_id: MemberId, send_id: str) -> tuple[Record, ...]:
    """Each time that this send was handed over, the first one first."""
    rows = await session.rows(_RECORDS, {"of_member": member_id, "of_send": send_id})
    return tuple(Record(*row) for row in rows)
