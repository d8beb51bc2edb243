"""The SQL of guardians' requests, of approvals, and of the yearly account."""

from datetime import date, datetime

from sqlalchemy import Integer, bindparam, func, insert, or_, select, update

from service.db.engine import Session
from service.db.statement import Prepared
from service.db.statement import Row as Raw
from service.db.tables import consent_event, guardian_link, guardian_request, member, minor_approval
from service.members.model import Row
from service.members.store import ROW_COLUMNS, WITH_SECRET, shaped
from service.minors.model import Approval, LinkState, Request, RequestKind, RequestState
from service.values import MemberId

_REQUEST = (
    guardian_request.c.member_id,
    guardian_request.c.request_id,
    guardian_request.c.guardian_id,
    guardian_request.c.kind,
    guardian_request.c.state,
    guardian_request.c.created_at,
    guardian_request.c.due_on,
    guardian_request.c.reason,
    guardian_request.c.decided_at,
    guardian_request.c.decided_by,
)
_ADD_REQUEST = Prepared(insert(guardian_request).values({column.name: bindparam(column.name) for column in _REQUEST}))
_REQUESTS_FOR = Prepared(
    select(*_REQUEST)
    .where(guardian_request.c.member_id == bindparam("member_id"))
    .order_by(guardian_request.c.created_at, guardian_request.c.request_id)
)
_OPEN_REQUESTS = Prepared(
    select(*_REQUEST)
    .where(guardian_request.c.state == RequestState.OPEN.value)
    .order_by(guardian_request.c.due_on, guardian_request.c.member_id, guardian_request.c.request_id)
    .limit(bindparam("size", type_=Integer))
)
_DECIDE = Prepared(
    update(guardian_request)
    .where(guardian_request.c.member_id == bindparam("of_member"), guardian_request.c.request_id == bindparam("of_request"))
    .values({name: bindparam(name) for name in ("state", "reason", "decided_at", "decided_by")})
)
_ADD_APPROVAL = Prepared(
    insert(minor_approval).values({column.name: bindparam(column.name) for column in minor_approval.columns})
)
_MAY_BE_MINOR = or_(member.c.minor.is_(None), member.c.minor != 0)
_MINORS = Prepared(
    select(*ROW_COLUMNS)
    .select_from(WITH_SECRET)
    .where(member.c.member_id > bindparam("after"), member.c.created_at < bindparam("before"), _MAY_BE_MINOR)
    .order_by(member.c.member_id)
    .limit(bindparam("size", type_=Integer))
)
_EVENTS = Prepared(
    select(consent_event.c.member_id, consent_event.c.purpose, consent_event.c.state)
    .select_from(consent_event.join(member, member.c.member_id == consent_event.c.member_id))
    .where(
        consent_event.c.member_id >= bindparam("first"),
        consent_event.c.member_id <= bindparam("last"),
        consent_event.c.recorded_at < bindparam("before"),
        _MAY_BE_MINOR,
    )
    .order_by(consent_event.c.member_id, consent_event.c.recorded_at, consent_event.c.event_id)
)
_LINKS = Prepared(
    select(guardian_link.c.verified_at, guardian_link.c.ended_at).where(guardian_link.c.requested_at < bindparam("before"))
)
_APPROVALS = Prepared(
    select(func.count()).where(
        minor_approval.c.created_at >= bindparam("since"), minor_approval.c.created_at < bindparam("before")
    )
)
_REQUESTS = Prepared(
    select(guardian_request.c.kind, guardian_request.c.state, func.count())
    .where(guardian_request.c.created_at >= bindparam("since"), guardian_request.c.created_at < bindparam("before"))
    .group_by(guardian_request.c.kind, guardian_request.c.state)
)
_DECIDED = Prepared(
    select(func.count()).where(
        guardian_request.c.decided_at >= bindparam("since"), guardian_request.c.decided_at < bindparam("before")
    )
)
_SENSITIVE = Prepared(select(func.count()).where(member.c.sensitive == 1))


async def add_request(session: Session, request: Request) -> None:
    """A guardian's request, as it came in."""
    await session.run(
        _ADD_REQUEST,
        {
            "member_id": request.member_id,
            "request_id": request.request_id,
            "guardian_id": request.guardian_id,
            "kind": request.kind.value,
            "state": request.state.value,
            "created_at": request.created_at,
            "due_on": request.due_on.isoformat(),
            "reason": request.reason,
            "decided_at": request.decided_at,
            "decided_by": request.decided_by,
        },
    )


async def decide(session: Session, request: Request) -> None:
    """Write what was decided."""
    decided = {"state": request.state.value, "reason": request.reason, "decided_at": request.decided_at}
    given = {"of_member": request.member_id, "of_request": request.request_id, **decided, "decided_by": request.decided_by}
    await session.run(_DECIDE, given)


async def requests_for(session: Session, member_id: MemberId) -> list[Request]:
    """Everything that was asked for one minor, oldest first."""
    return [_request(row) for row in await session.rows(_REQUESTS_FOR, {"member_id": member_id})]


async def open_requests(session: Session, *, size: int) -> list[Request]:
    """What waits for an answer, the most urgent first."""
    return [_request(row) for row in await session.rows(_OPEN_REQUESTS, {"size": size})]


async def add_approval(session: Session, approval: Approval) -> None:
    """Append to the ledger of approvals."""
    await session.run(
        _ADD_APPROVAL,
        {
            "member_id": approval.member_id,
            "approval_id": approval.approval_id,
            "staff": approval.staff,
            "approver": approval.approver,
            "reason": approval.reason,
            "created_at": approval.created_at,
            "expires_at": approval.expires_at,
        },
    )


async def sensitive_members(session: Session) -> int:
    """How many distinct members have a sensitive field: one count over its index."""
    return int((await session.rows(_SENSITIVE))[0][0])


async def minors(session: Session, *, after: MemberId, before: datetime, size: int) -> list[Row]:
    """The next members who joined before a moment and may be minors, by id."""
    return [shaped(row) for row in await session.rows(_MINORS, {"after": after, "before": before, "size": size})]


async def states(session: Session, *, first: MemberId, last: MemberId, before: datetime) -> dict[tuple[MemberId, str], str]:
    """Where each purpose stood before a moment for the minors in a range of ids: the state of its last event."""
    rows = await session.rows(_EVENTS, {"first": first, "last": last, "before": before})
    return {(row[0], row[1]): row[2] for row in rows}


async def link_states(session: Session, before: datetime) -> dict[LinkState, int]:
    """How many guardians' links stood in which state at a moment."""
    found = dict.fromkeys(LinkState, 0)
    for verified_at, ended_at in await session.rows(_LINKS, {"before": before}):
        ended = ended_at is not None and ended_at < before
        verified = verified_at is not None and verified_at < before
        found[LinkState.ENDED if ended else LinkState.VERIFIED if verified else LinkState.PENDING] += 1
    return found


async def approvals_given(session: Session, *, since: datetime, before: datetime) -> int:
    """How many approvals were given between two moments."""
    return int((await session.rows(_APPROVALS, {"since": since, "before": before}))[0][0])


async def requests_made(session: Session, *, since: datetime, before: datetime) -> dict[tuple[RequestKind, RequestState], int]:
    """What was asked between two moments, by kind and by what has become of it."""
    rows = await session.rows(_REQUESTS, {"since": since, "before": before})
    return {(RequestKind(kind), RequestState(state)): count for kind, state, count in rows}


async def requests_decided(session: Session, *, since: datetime, before: datetime) -> int:
    """How many requests were answered between two moments."""
    return int((await session.rows(_DECIDED, {"since": since, "before": before}))[0][0])


def _request(row: Raw) -> Request:
    return Request(
        member_id=row[0],
        request_id=row[1],
        guardian_id=row[2],
        kind=RequestKind(row[3]),
        state=RequestState(row[4]),
        created_at=row[5],
        due_on=date.fromisoformat(row[6]),
        reason=row[7],
        decided_at=row[8],
        decided_by=row[9],
    )
