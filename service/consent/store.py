"""The consent tables' SQL. The ledger knows INSERT and SELECT, nothing else."""

from sqlalchemy import bindparam, delete, insert, select, update

from policies.terms import ConsentState
from service.consent.ledger import PERMITTING, canonical, read_record, standing_of
from service.consent.model import ConsentEvent, ConsentStanding
from service.db.engine import Session
from service.db.statement import Prepared, Row
from service.db.tables import consent_event, consent_standing
from service.values import MemberId

FIRST_SCOPE = 1
"""The version that a standing of before the versions was given for."""

_EVENT_COLUMNS = tuple(column.name for column in consent_event.columns)
_STANDING_COLUMNS = tuple(column.name for column in consent_standing.columns)
_ADD_EVENT = Prepared(insert(consent_event).values({name: bindparam(name) for name in _EVENT_COLUMNS}))
_ADD_STANDING = Prepared(insert(consent_standing).values({name: bindparam(name) for name in _STANDING_COLUMNS}))
_MOVE_STANDING = Prepared(
    update(consent_standing)
    .where(consent_standing.c.member_id == bindparam("member_id"), consent_standing.c.purpose == bindparam("purpose"))
    .values({name: bindparam("new_" + name) for name in _STANDING_COLUMNS if name not in {"member_id", "purpose"}})
)
_STANDINGS = Prepared(
    select(
        consent_standing.c.purpose,
        consent_standing.c.state,
        consent_standing.c.since,
        consent_standing.c.expires_at,
        consent_standing.c.event_id,
        consent_standing.c.notice_version,
        consent_standing.c.hash,
        consent_standing.c.scope,
        consent_standing.c.by_guardian,
    ).where(consent_standing.c.member_id == bindparam("member_id"))
)
_EVENTS = Prepared(
    select(
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
    .where(consent_event.c.member_id == bindparam("member_id"))
    .order_by(consent_event.c.recorded_at, consent_event.c.event_id)
)


_FORGET_STANDINGS = Prepared(delete(consent_standing).where(consent_standing.c.member_id == bindparam("member_id")))


async def forget_standings(session: Session, member_id: MemberId) -> None:
    """Take away what was derived. The ledger stays: it proves what was done, and names nobody once the member's key is gone."""
    await session.run(_FORGET_STANDINGS, {"member_id": member_id})


async def standings(session: Session, member_id: MemberId) -> dict[str, tuple[ConsentStanding, bytes]]:
    """Every standing the member has, by purpose, with the hash of the event it rests on."""
    rows = await session.rows(_STANDINGS, {"member_id": member_id})
    return {row[0]: (_standing(row), row[6]) for row in rows}


async def events(session: Session, member_id: MemberId) -> list[ConsentEvent]:
    """The member's ledger, oldest first. Raises Malformed for a row that does not hash to what it says."""
    rows = await session.rows(_EVENTS, {"member_id": member_id})
    return [_event(row) for row in rows]


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
    return ConsentStanding(row[0], state_of(row[1]), row[2], row[3], row[4], row[5], row[7] or FIRST_SCOPE, bool(row[8]))


def _event(row: Row) -> ConsentEvent:
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
