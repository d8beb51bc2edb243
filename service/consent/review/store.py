"""The SQL over all members' standings: one statement a page, however many members there are."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import and_, bindparam, case, delete, func, insert, or_, select

from policies.terms import ConsentState, MemberStatus
from service.consent.model import ConsentEvent, Overview, StaleConsent
from service.consent.store import FIRST_SCOPE, standing_values, state_of
from service.db.engine import Session
from service.db.statement import Prepared
from service.db.tables import consent_standing, member, member_secret
from service.values import MemberId

_scope = func.coalesce(consent_standing.c.scope, FIRST_SCOPE)
_LIVE = or_(consent_standing.c.expires_at.is_(None), consent_standing.c.expires_at > bindparam("now"))
_STALE = Prepared(
    select(
        consent_standing.c.member_id,
        consent_standing.c.since,
        _scope,
        consent_standing.c.notice_version,
        member.c.generation,
        member_secret.c.wrapped,
    )
    .select_from(
        consent_standing.join(member, member.c.member_id == consent_standing.c.member_id).join(
            member_secret,
            and_(member_secret.c.member_id == member.c.member_id, member_secret.c.generation == member.c.generation),
        )
    )
    .where(
        consent_standing.c.purpose == bindparam("purpose"),
        consent_standing.c.permits == 1,
        _LIVE,
        _scope < bindparam("version"),
        consent_standing.c.member_id > bindparam("after"),
        member.c.member_id > bindparam("after"),
        member_secret.c.member_id > bindparam("after"),
    )
    .order_by(consent_standing.c.member_id)
    .limit(bindparam("size"))
)
_EXPIRED = and_(consent_standing.c.permits == 1, ~_LIVE)
_OVERVIEW = Prepared(
    select(
        consent_standing.c.state,
        func.count(),
        func.sum(case((_EXPIRED, 1), else_=0)),
        func.sum(case((and_(consent_standing.c.permits == 1, _LIVE, _scope < bindparam("version")), 1), else_=0)),
    )
    .where(consent_standing.c.purpose == bindparam("purpose"))
    .group_by(consent_standing.c.state)
)

_KEPT_COLUMNS = tuple(column.name for column in consent_standing.columns)
_MEMBERS = Prepared(
    select(member.c.member_id)
    .where(member.c.member_id > bindparam("after"), member.c.status != MemberStatus.ERASED.value)
    .order_by(member.c.member_id)
    .limit(bindparam("size"))
)
_LOCK = Prepared(
    select(member.c.member_id)
    .where(member.c.member_id == bindparam("member_id"), member.c.status != MemberStatus.ERASED.value)
    .with_for_update()
)
_KEPT = Prepared(select(*consent_standing.columns).where(consent_standing.c.member_id == bindparam("member_id")))
_TAKE_AWAY = Prepared(delete(consent_standing).where(consent_standing.c.member_id == bindparam("member_id")))
_PUT = Prepared(insert(consent_standing).values({name: bindparam(name) for name in _KEPT_COLUMNS}))

Kept = Mapping[str, Mapping[str, object]]


async def members(session: Session, *, after: MemberId, size: int) -> list[MemberId]:
    """The next members by id; of those who were erased nothing is derived any more."""
    return [row[0] for row in await session.rows(_MEMBERS, {"after": after, "size": size})]


async def lock(session: Session, member_id: MemberId) -> bool:
    """Keep every other change of this member waiting; False when they were erased meanwhile."""
    return bool(await session.rows(_LOCK, {"member_id": member_id}))


async def kept(session: Session, member_id: MemberId) -> Kept:
    """The standings as they are kept: purpose to columns."""
    rows = await session.rows(_KEPT, {"member_id": member_id})
    found = (dict(zip(_KEPT_COLUMNS, row, strict=True)) for row in rows)
    return {str(each["purpose"]): each for each in found}


def derived(member_id: MemberId, newest: Mapping[str, ConsentEvent]) -> Kept:
    """The same as it follows from the ledger."""
    return {purpose: {"member_id": member_id, "purpose": purpose, **standing_values(event)} for purpose, event in newest.items()}


def unproven(kept: Kept) -> Kept:
    """What is left to keep where the ledger proves nothing: nobody knows what was said, and so nothing permits."""
    nothing = {"state": ConsentState.UNKNOWN.value, "permits": 0, "expires_at": None}
    return {purpose: {**columns, **nothing} if columns["permits"] else columns for purpose, columns in kept.items()}


async def replace(session: Session, member_id: MemberId, standings: Kept) -> None:
    """Put these standings in the place of whatever is kept."""
    await session.run(_TAKE_AWAY, {"member_id": member_id})
    for columns in standings.values():
        await session.run(_PUT, dict(columns))


async def stale(session: Session, *, purpose: str, version: int, after: MemberId, size: int, now: datetime) -> list[StaleConsent]:
    """The next members, by id, whose consent stands under another version than this."""
    given = {"purpose": purpose, "version": version, "after": after, "size": size, "now": now}
    return [StaleConsent(*row) for row in await session.rows(_STALE, given)]


async def overview(session: Session, *, purpose: str, version: int, now: datetime) -> Overview:
    """How many standings of a purpose are in which state at a moment."""
    rows = await session.rows(_OVERVIEW, {"purpose": purpose, "version": version, "now": now})
    states: dict[ConsentState, int] = {}
    for text, count, expired, _ in rows:
        state = state_of(text)
        states[state] = states.get(state, 0) + int(count) - int(expired)
        states[ConsentState.EXPIRED] = states.get(ConsentState.EXPIRED, 0) + int(expired)
    return Overview({state: count for state, count in states.items() if count}, sum(int(row[3]) for row in rows))
