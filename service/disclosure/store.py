"""The read path's SQL: a member's row, its secret and its standing for the purpose at hand, in one statement.

The consent predicate of a list is here, in the SQL, put there by the service and by nobody else (promise 2).
"""

from datetime import datetime

from sqlalchemy import Select, and_, bindparam, func, or_, select
from sqlalchemy.sql.expression import ColumnElement

from policies.decide import Standing
from policies.terms import ConsentState, MemberStatus
from service.consent.store import FIRST_SCOPE, state_of
from service.db.engine import Session
from service.db.statement import Prepared, Row
from service.db.tables import consent_standing, member, member_lookup, member_secret
from service.members.model import Row as MemberRow
from service.members.store import ROW_COLUMNS, WITH_SECRET, shaped
from service.values import MemberId

Found = tuple[MemberRow, Standing]
_MEMBER_WIDTH = len(ROW_COLUMNS)

_STANDING_COLUMNS = (
    consent_standing.c.state,
    consent_standing.c.expires_at,
    consent_standing.c.event_id,
    consent_standing.c.scope,
    consent_standing.c.by_guardian,
)
_OF_PURPOSE: ColumnElement[bool] = and_(
    consent_standing.c.member_id == member.c.member_id, consent_standing.c.purpose == bindparam("purpose")
)
_WITH_STANDING: Select[tuple[object, ...]] = select(*ROW_COLUMNS, *_STANDING_COLUMNS).select_from(
    WITH_SECRET.outerjoin(consent_standing, _OF_PURPOSE)
)
_ONE = Prepared(_WITH_STANDING.where(member.c.member_id == bindparam("member_id")))
_BY_LOOKUP = Prepared(
    select(*ROW_COLUMNS, *_STANDING_COLUMNS)
    .select_from(
        member_lookup.join(member, member.c.member_id == member_lookup.c.member_id)
        .outerjoin(
            member_secret,
            and_(member_secret.c.member_id == member.c.member_id, member_secret.c.generation == member.c.generation),
        )
        .outerjoin(consent_standing, _OF_PURPOSE)
    )
    .where(
        member_lookup.c.field == bindparam("field"),
        member_lookup.c.digest == bindparam("digest"),
        member_lookup.c.generation == bindparam("generation"),
    )
    .limit(2)
)
# Whoever waits for a guardian may have grown out of it since: `decide` tells, by the birthday.
_ACTIVE = or_(
    member.c.status == MemberStatus.ACTIVE.value,
    and_(member.c.status == MemberStatus.GUARDIAN_PENDING.value, member.c.minor == 1),
)
# The planner carries no inequality over a join: where the joined tables are not told, too, it walks them from their first row to
# the cursor, and a page deep in a million members costs a thousand times the first one.
_OF_ANYBODY = (
    select(*ROW_COLUMNS, *_STANDING_COLUMNS)
    .select_from(
        member.outerjoin(
            member_secret,
            and_(
                member_secret.c.member_id == member.c.member_id,
                member_secret.c.generation == member.c.generation,
                member_secret.c.member_id > bindparam("after"),
            ),
        ).outerjoin(consent_standing, and_(_OF_PURPOSE, consent_standing.c.member_id > bindparam("after")))
    )
    .where(_ACTIVE, member.c.member_id > bindparam("after"))
    .order_by(member.c.member_id)
    .limit(bindparam("size"))
)
# Walks the index (purpose, permits, member_id): the cost is that of those who said yes, however many never did.
_OF_CONSENTING = (
    select(*ROW_COLUMNS, *_STANDING_COLUMNS)
    .select_from(
        consent_standing.join(member, member.c.member_id == consent_standing.c.member_id).join(
            member_secret,
            and_(member_secret.c.member_id == member.c.member_id, member_secret.c.generation == member.c.generation),
        )
    )
    .where(
        consent_standing.c.purpose == bindparam("purpose"),
        consent_standing.c.permits == 1,
        or_(consent_standing.c.expires_at.is_(None), consent_standing.c.expires_at > bindparam("now")),
        func.coalesce(consent_standing.c.scope, FIRST_SCOPE) >= bindparam("least_scope"),
        consent_standing.c.member_id > bindparam("after"),
        member.c.member_id > bindparam("after"),
        member_secret.c.member_id > bindparam("after"),
        _ACTIVE,
    )
    .order_by(consent_standing.c.member_id)
    .limit(bindparam("size"))
)
# Who has switched personalisation off is in no list that a machine decides by (PIPL 24).
_NOT_SWITCHED_OFF = func.coalesce(member.c.personalisation, 1) == 1
_PAGES = {
    (False, False): Prepared(_OF_ANYBODY),
    (False, True): Prepared(_OF_ANYBODY.where(_NOT_SWITCHED_OFF)),
    (True, False): Prepared(_OF_CONSENTING),
    (True, True): Prepared(_OF_CONSENTING.where(_NOT_SWITCHED_OFF)),
}
"""The list's statement, by whether the purpose rests on consent and whether it decides automatically."""


async def one(session: Session, member_id: MemberId, purpose: str) -> Found | None:
    """One member with its standing for one purpose: one round trip."""
    rows = await session.rows(_ONE, {"member_id": member_id, "purpose": purpose})
    return _found(rows[0]) if rows else None


async def by_lookup(session: Session, *, field: str, digest: bytes, generation: int, purpose: str) -> list[Found]:
    """The members (two at most: more than one is one too many) that a blind index points to."""
    given = {"field": field, "digest": digest, "generation": generation, "purpose": purpose}
    return [_found(row) for row in await session.rows(_BY_LOOKUP, given)]


async def page(
    session: Session, *, purpose: str, least_scope: int | None, automated: bool, after: MemberId, size: int, now: datetime
) -> list[Found]:
    """The next members whose rows are permitted, by id. `least_scope` puts the consent predicate into the statement: the oldest version of
    the purpose under which a consent still carries anything; None for a purpose that needs none. `automated` leaves out whoever has
    switched personalisation off.
    """
    given: dict[str, object] = {"purpose": purpose, "after": after, "size": size}
    if least_scope is not None:
        given |= {"now": now, "least_scope": least_scope}
    rows = await session.rows(_PAGES[least_scope is not None, automated], given)
    return [_found(row) for row in rows]


def _found(row: Row) -> Found:
    shaped_row = shaped(row)
    state, expires_at, event_id, scope, by_guardian = row[_MEMBER_WIDTH:]
    return shaped_row, Standing(
        member_id=shaped_row.member_id,
        status=shaped_row.status,
        consent=ConsentState.NEVER_ASKED if state is None else state_of(state),
        expires_at=expires_at,
        event_id=event_id,
        scope=scope or FIRST_SCOPE,
        by_guardian=bool(by_guardian),
        personalisation=shaped_row.personalisation,
    )
