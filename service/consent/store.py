"""The consent tables' SQL. The ledger knows INSERT and SELECT, nothing else."""

from datetime import datetime

from sqlalchemy import and_, bindparam, case, func, insert, select, update

from policies.terms import PERMITTING, ConsentState
from service.consent.ledger import canonical, read_record, standing_of
from service.consent.model import ConsentEvent, ConsentStanding
from service.db.engine import Session
from service.db.statement import Prepared, Row
from service.db.tables import consent_ask, consent_event, consent_standing, job
from service.propagation.model import Progress
from service.values import MemberId
from service.work.model import TELL, State

FIRST_SCOPE = 1
"""The version that a standing of before the versions was given for."""

_ALL_OF_AN_EVENT = tuple(column.name for column in consent_event.columns)
_ALL_OF_A_STANDING = tuple(column.name for column in consent_standing.columns)
_ADD_EVENT = Prepared(insert(consent_event).values({name: bindparam(name) for name in _ALL_OF_AN_EVENT}))
_ADD_STANDING = Prepared(insert(consent_standing).values({name: bindparam(name) for name in _ALL_OF_A_STANDING}))
_MOVE_STANDING = Prepared(
    update(consent_standing)
    .where(consent_standing.c.member_id == bindparam("member_id"), consent_standing.c.purpose == bindparam("purpose"))
    .values({name: bindparam("new_" + name) for name in _ALL_OF_A_STANDING if name not in {"member_id", "purpose"}})
)
# How far the recipients have been told, in the same statement: 0 while one of them has not confirmed, NULL where nobody need be told. For
# each standing by itself, so that a member who has changed their mind a thousand times is read as fast as any other.
_TOLD = (
    select(func.min(case((job.c.state == State.DONE.value, 1), else_=0)))
    .where(job.c.member_id == consent_standing.c.member_id, job.c.event_id == consent_standing.c.event_id, job.c.kind == TELL)
    .correlate(consent_standing)
    .scalar_subquery()
)
_STANDING = (
    consent_standing.c.purpose,
    consent_standing.c.state,
    consent_standing.c.since,
    consent_standing.c.expires_at,
    consent_standing.c.event_id,
    consent_standing.c.notice_version,
    consent_standing.c.hash,
    consent_standing.c.scope,
    consent_standing.c.by_guardian,
    _TOLD,
)
_EVENT = (
    consent_event.c.event_id,
    consent_event.c.purpose,
    consent_event.c.state,
    consent_event.c.recorded_at,
    consent_event.c.expires_at,
    consent_event.c.notice_version,
    consent_event.c.evidence,
    consent_event.c.previous_hash,
    consent_event.c.hash,
)
_STANDINGS = Prepared(select(*_STANDING).where(consent_standing.c.member_id == bindparam("member_id")))
_EVENTS = Prepared(
    select(*_EVENT)
    .where(consent_event.c.member_id == bindparam("member_id"))
    .order_by(consent_event.c.recorded_at, consent_event.c.event_id)
)
_WITH_EVENTS = Prepared(
    select(
        *_STANDING,
        *_EVENT,
    )
    .select_from(
        consent_standing.join(
            consent_event,
            and_(
                consent_event.c.member_id == consent_standing.c.member_id, consent_event.c.event_id == consent_standing.c.event_id
            ),
        )
    )
    .where(consent_standing.c.member_id == bindparam("member_id"))
)
_ADD_ASK = Prepared(insert(consent_ask).values({column.name: bindparam(column.name) for column in consent_ask.columns}))
_ASKS = Prepared(
    select(consent_ask.c.purpose, consent_ask.c.channel, func.max(consent_ask.c.asked_at).label("asked_at"))
    .where(consent_ask.c.member_id == bindparam("member_id"))
    .group_by(consent_ask.c.purpose, consent_ask.c.channel)
)


async def standings(session: Session, member_id: MemberId) -> dict[str, tuple[ConsentStanding, bytes]]:
    """Every standing the member has, by purpose, with the hash of the event it rests on."""
    rows = await session.rows(_STANDINGS, {"member_id": member_id})
    return {row[0]: (_standing(row), row[6]) for row in rows}


async def events(session: Session, member_id: MemberId) -> list[ConsentEvent]:
    """The member's ledger, oldest first. Raises Malformed for a row that does not hash to what it says."""
    rows = await session.rows(_EVENTS, {"member_id": member_id})
    return [event_of(row) for row in rows]


async def standings_with_events(session: Session, member_id: MemberId) -> dict[str, tuple[ConsentStanding, ConsentEvent]]:
    """Every standing with the event it rests on: one statement, however long the ledger. Raises Malformed."""
    rows = await session.rows(_WITH_EVENTS, {"member_id": member_id})
    width = len(_STANDING)
    return {row[0]: (_standing(row[:width]), event_of(row[width:])) for row in rows}


async def asks(session: Session, member_id: MemberId) -> dict[tuple[str, str], datetime]:
    """When the member was last asked for each purpose on each channel."""
    rows = await session.rows(_ASKS, {"member_id": member_id})
    return {(row[0], row[1]): row[2] for row in rows}


async def add_ask(session: Session, member_id: MemberId, **asked: object) -> None:
    """Append to the ledger of asking: one question, put now. Its columns by name."""
    await session.run(_ADD_ASK, {"member_id": member_id, **asked})


async def add(session: Session, member_id: MemberId, event: ConsentEvent, *, first: bool) -> ConsentStanding:
    """Append one event and move the standing it decides; `first`: there is no standing for this purpose yet."""
    await session.run(
        _ADD_EVENT,
        {
            "member_id": member_id,
            "event_id": event.event_id,
            "purpose": event.purpose,
            "state": event.state.value,
            "recorded_at": event.recorded_at,
            "expires_at": event.expires_at,
            "notice_version": event.notice_version,
            "evidence": canonical(event.record),
            "previous_hash": event.previous_hash,
            "hash": event.hash,
        },
    )
    values = standing_values(event)
    if first:
        await session.run(_ADD_STANDING, {"member_id": member_id, "purpose": event.purpose, **values})
    else:
        moved = {"new_" + name: value for name, value in values.items()}
        await session.run(_MOVE_STANDING, {"member_id": member_id, "purpose": event.purpose, **moved})
    return standing_of(event)


def standing_values(event: ConsentEvent) -> dict[str, object]:
    """The standing's columns (beside its key) that follow from the newest event."""
    return {
        "state": event.state.value,
        "permits": int(event.state in PERMITTING),
        "since": event.recorded_at,
        "expires_at": event.expires_at,
        "event_id": event.event_id,
        "notice_version": event.notice_version,
        "scope": event.scope,
        "by_guardian": int(event.by_guardian),
        "hash": event.hash,
    }


_STATES = {state.value: state for state in ConsentState}


def state_of(text: str) -> ConsentState:
    """A stored state; whatever is not one of ours counts as UNKNOWN, which permits nothing."""
    return _STATES.get(text, ConsentState.UNKNOWN)


def _standing(row: Row) -> ConsentStanding:
    told = None if row[9] is None else Progress.DONE if row[9] else Progress.PROPAGATING
    return ConsentStanding(row[0], state_of(row[1]), row[2], row[3], row[4], row[5], row[7] or FIRST_SCOPE, bool(row[8]), told)


def event_of(row: Row) -> ConsentEvent:
    """A fetched row of the ledger. Raises Malformed for one that does not hash to what it says."""
    return ConsentEvent(
        event_id=row[0],
        purpose=row[1],
        state=state_of(row[2]),
        recorded_at=row[3],
        expires_at=row[4],
        notice_version=row[5],
        record=read_record(row[6], row[8]),
        previous_hash=row[7],
        hash=row[8],
    )
