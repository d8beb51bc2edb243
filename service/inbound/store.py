"""The SQL of what came in: each once, what waits for staff, and what an investigation of a complaint needs."""

from datetime import datetime, timedelta

from sqlalchemy import Integer, bindparam, func, insert, or_, select, update

from service.db.engine import Session
from service.db.statement import Prepared
from service.db.statement import Row as Raw
from service.db.tables import consent_event, inbound, job, member_lookup, send_decision, send_outcome, subscription_event
from service.gate.model import SENT_LATE, Outcome
from service.inbound.model import Inbound, InboundState
from service.senders.model import SEND
from service.subscriptions.model import LETTER
from service.values import MemberId
from service.work.model import State

_COLUMNS = tuple(inbound.columns)
_ADD = Prepared(insert(inbound).values({column.name: bindparam(column.name) for column in _COLUMNS}))
_ONE = Prepared(select(*_COLUMNS).where(inbound.c.source == bindparam("source"), inbound.c.digest == bindparam("digest")))
_BY_ID = Prepared(select(*_COLUMNS).where(inbound.c.inbound_id == bindparam("inbound_id")).with_for_update())
_WAITING = Prepared(
    select(*_COLUMNS)
    .where(inbound.c.state == InboundState.FOR_STAFF.value, inbound.c.inbound_id > bindparam("after"))
    .order_by(inbound.c.inbound_id)
    .limit(bindparam("size", type_=Integer))
)
_HANDLE = Prepared(
    update(inbound)
    .where(
        inbound.c.source == bindparam("of_source"),
        inbound.c.digest == bindparam("of_digest"),
        inbound.c.state == InboundState.FOR_STAFF.value,
    )
    .values(
        {name: bindparam(name) for name in ("state", "outcome", "handled_by", "handled_at")},
    )
)
_LATE = Prepared(
    select(func.count()).where(
        send_outcome.c.outcome == Outcome.SENT.value,
        send_outcome.c.recorded_at >= bindparam("since"),
        send_outcome.c.code == SENT_LATE,
    )
)
_DEAD = Prepared(
    select(func.count()).where(
        job.c.state == State.FAILED.value, job.c.ended_at >= bindparam("since"), or_(job.c.kind == SEND, job.c.kind == LETTER)
    )
)
_HOLDERS = Prepared(
    select(member_lookup.c.member_id)
    .where(
        member_lookup.c.field == bindparam("field"),
        member_lookup.c.digest == bindparam("digest"),
        member_lookup.c.generation == bindparam("generation"),
    )
    .order_by(member_lookup.c.member_id)
    .limit(2)
)
_SENDS = Prepared(
    select(send_decision.c.send_id)
    .where(send_decision.c.member_id == bindparam("member_id"), send_decision.c.channel == bindparam("channel"))
    .order_by(send_decision.c.send_id.desc())
    .limit(bindparam("size", type_=Integer))
)
_CONSENTS = Prepared(
    select(consent_event.c.event_id)
    .where(consent_event.c.member_id == bindparam("member_id"))
    .order_by(consent_event.c.recorded_at.desc(), consent_event.c.event_id.desc())
    .limit(bindparam("size", type_=Integer))
)
_SUBSCRIPTIONS = Prepared(
    select(subscription_event.c.event_id)
    .where(subscription_event.c.member_id == bindparam("member_id"), subscription_event.c.channel == bindparam("channel"))
    .order_by(subscription_event.c.event_id.desc())
    .limit(bindparam("size", type_=Integer))
)
_OUTCOMES = Prepared(
    select(send_decision.c.campaign_id, send_outcome.c.outcome, func.count())
    .select_from(
        send_outcome.join(
            send_decision,
            (send_decision.c.member_id == send_outcome.c.member_id) & (send_decision.c.send_id == send_outcome.c.send_id),
        )
    )
    .where(
        or_(*(send_outcome.c.outcome == outcome for outcome in ("SENT", "BOUNCED", "COMPLAINED"))),
        send_outcome.c.recorded_at >= bindparam("since"),
        send_decision.c.channel == bindparam("channel"),
    )
    .group_by(send_decision.c.campaign_id, send_outcome.c.outcome)
)
PACK = 50
"""How many ids of each kind an evidence pack has at most: the newest ones."""

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


async def known(session: Session, source: str, digest: bytes) -> Inbound | None:
    """What was made of it when it came before."""
    rows = await session.rows(_ONE, {"source": source, "digest": digest})
    return _shaped(rows[0]) if rows else None


async def add(session: Session, found: Inbound) -> None:
    """Keep it. Raises Duplicate where a twin was faster."""
    values = (
        found.source,
        found.digest,
        found.inbound_id,
        found.kind,
        found.member_id,
        found.state.value,
        found.outcome,
        found.sealed,
        found.received_at,
        found.handled_by,
        found.handled_at,
    )
    await session.run(_ADD, {column.name: value for column, value in zip(_COLUMNS, values, strict=True)})


async def one(session: Session, inbound_id: str) -> Inbound | None:
    """By its id, locked."""
    rows = await session.rows(_BY_ID, {"inbound_id": inbound_id})
    return _shaped(rows[0]) if rows else None


async def waiting(session: Session, *, first: int, after: str) -> list[Inbound]:
    """What somebody has to read, the oldest first."""
    return [_shaped(row) for row in await session.rows(_WAITING, {"after": after, "size": first})]


async def handle(session: Session, found: Inbound, *, outcome: str, by: str, now: datetime) -> bool:
    """End it; False where somebody else just has."""
    said = {"state": InboundState.DONE.value, "outcome": outcome, "handled_by": by, "handled_at": now}
    return await session.run(_HANDLE, {**said, "of_source": found.source, "of_digest": found.digest}) == 1


async def holders(session: Session, field: str, digest: bytes, *, generation: int) -> list[MemberId]:
    """Up to two members who are found by an address: one more than one is too many to tell whose it is."""
    return [row[0] for row in await session.rows(_HOLDERS, {"field": field, "digest": digest, "generation": generation})]


async def pack(session: Session, member_id: MemberId, channel: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The ids of the newest decisions, consent events and subscription events."""
    about = {"member_id": member_id, "size": PACK}
    sends = await session.rows(_SENDS, {**about, "channel": channel})
    consents = await session.rows(_CONSENTS, about)
    subscriptions = await session.rows(_SUBSCRIPTIONS, {**about, "channel": channel})
    return _ids(sends), _ids(consents), _ids(subscriptions)


async def outcomes(session: Session, channel: str, *, now: datetime) -> list[tuple[str, str, int]]:
    """How many messages of each campaign were sent, came back or were complained of in the last day: (campaign, outcome, number)."""
    rows = await session.rows(_OUTCOMES, {"since": now - DAY, "channel": channel})
    return [(row[0], row[1], int(row[2])) for row in rows]


async def late(session: Session, *, now: datetime) -> int:
    """How many messages of the last week were sent though their decision had run out."""
    rows = await session.rows(_LATE, {"since": now - WEEK})
    return int(rows[0][0])


async def dead(session: Session, *, now: datetime) -> int:
    """How many jobs that send or write ended within the last week in a way that only a person can see to."""
    return int((await session.rows(_DEAD, {"since": now - WEEK}))[0][0])


def _ids(rows: list[Raw]) -> tuple[str, ...]:
    return tuple(row[0] for row in rows)


def _shaped(row: Raw) -> Inbound:
    return Inbound(
        source=row[0],
        digest=bytes(row[1]),
        inbound_id=row[2],
        kind=row[3],
        member_id=row[4],
        state=InboundState(row[5]),
        outcome=row[6],
        sealed=None if row[7] is None else bytes(row[7]),
        received_at=row[8],
        handled_by=row[9],
        handled_at=row[10],
    )
