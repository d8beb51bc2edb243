"""The read path's SQL: a member's row, its secret and its standing for the purpose at hand, in one statement.

The consent predicate of a list is here, in the SQL, put there by the service and by nobody else (promise 2).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, and_, bindparam, or_, select
from sqlalchemy.sql.expression import ColumnElement

from policies.decide import Standing
from policies.terms import ConsentState, MemberStatus
from service.consent.store import state_of
from service.db.engine import Session
from service.db.statement import Prepared, Row
from service.db.tables import consent_standing, member, member_lookup, member_secret
from service.members.store import ROW_COLUMNS, WITH_SECRET, plain_values, status_of
from service.values import MemberId
from service.vault.vault import Value


class Found(NamedTuple):
    """What a disclosure needs of one member's row, nothing opened, and its standing. `wrapped` is None once shredded.

    Light, because a page has a hundred of them; `columns` are what `plain` is read from, for whoever asks for one of those fields.
    """

    member_id: MemberId
    generation: int
    sealed: bytes
    wrapped: bytes | None
    columns: Row
    standing: Standing

    @property
    def plain(self) -> Mapping[str, Value]:
        """The unsealed fields that have a value."""
        return plain_values(self.columns)


_STANDING_COLUMNS = (consent_standing.c.state, consent_standing.c.expires_at, consent_standing.c.event_id)
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
_ACTIVE = member.c.status == MemberStatus.ACTIVE.value
# The planner carries no inequality over a join: where the joined tables are not told, too, it walks them from their first row to
# the cursor, and a page deep in a million members costs a thousand times the first one.
_PAGE = Prepared(
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
_PAGE_OF_CONSENTING = Prepared(
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
        consent_standing.c.member_id > bindparam("after"),
        member.c.member_id > bindparam("after"),
        member_secret.c.member_id > bindparam("after"),
        _ACTIVE,
    )
    .order_by(consent_standing.c.member_id)
    .limit(bindparam("size"))
)


async def one(session: Session, member_id: MemberId, purpose: str) -> Found | None:
    """One member with its standing for one purpose: one round trip."""
    rows = await session.rows(_ONE, {"member_id": member_id, "purpose": purpose})
    return _found(rows[0]) if rows else None


async def by_lookup(session: Session, *, field: str, digest: bytes, generation: int, purpose: str) -> list[Found]:
    """The members (two at most: more than one is one too many) that a blind index points to."""
    given = {"field": field, "digest": digest, "generation": generation, "purpose": purpose}
    return [_found(row) for row in await session.rows(_BY_LOOKUP, given)]


async def page(session: Session, *, purpose: str, consented: bool, after: MemberId, size: int, now: datetime) -> list[Found]:
    """The next members whose rows are permitted, by id: `consented` puts the consent predicate into the statement."""
    given = {"purpose": purpose, "after": after, "size": size}
    if consented:
        rows = await session.rows(_PAGE_OF_CONSENTING, {**given, "now": now})
    else:
        rows = await session.rows(_PAGE, given)
    return [_found(row) for row in rows]


def _found(row: Row) -> Found:
    member_id, status, generation, sealed, wrapped, *columns, _, state, expires_at, event_id = row
    consent = ConsentState.NEVER_ASKED if state is None else state_of(state)
    return Found(
        member_id,
        generation,
        sealed,
        wrapped,
        tuple(columns),
        Standing(member_id, status_of(status), consent, expires_at, event_id),
    )
