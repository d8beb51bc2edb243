"""The SQL of what every decision about a minor needs: guardians, approvals, and the mark on the member's row."""

from datetime import datetime

from sqlalchemy import and_, bindparam, insert, select, update

from service.db.engine import Session
from service.db.statement import Prepared
from service.db.statement import Row as Raw
from service.db.tables import guardian_link, member, member_lookup, member_secret, minor_approval
from service.members.model import Row
from service.members.store import ROW_COLUMNS, minor_mark, shaped
from service.minors.model import Link, LinkState, Method
from service.values import MemberId

_WIDTH = len(ROW_COLUMNS)
_LINK = (
    guardian_link.c.member_id,
    guardian_link.c.guardian_id,
    guardian_link.c.state,
    guardian_link.c.method,
    guardian_link.c.requested_at,
    guardian_link.c.verified_at,
    guardian_link.c.ended_at,
)

_child = member.alias("child")
_child_secret = member_secret.alias("child_secret")
_CHILD_COLUMNS = [(_child_secret if column.table is member_secret else _child).c[column.name] for column in ROW_COLUMNS]


# The one who calls, the link to the child they name and the child, at once: so to act for a child costs one statement more.
_STANDING_IN = Prepared(
    select(*ROW_COLUMNS, guardian_link.c.state, *_CHILD_COLUMNS)
    .select_from(
        member.outerjoin(
            member_secret,
            and_(member_secret.c.member_id == member.c.member_id, member_secret.c.generation == member.c.generation),
        )
        .outerjoin(
            guardian_link,
            and_(guardian_link.c.guardian_id == member.c.member_id, guardian_link.c.member_id == bindparam("child_id")),
        )
        .outerjoin(_child, _child.c.member_id == guardian_link.c.member_id)
        .outerjoin(
            _child_secret,
            and_(_child_secret.c.member_id == _child.c.member_id, _child_secret.c.generation == _child.c.generation),
        )
    )
    .where(member.c.member_id == bindparam("guardian_id"))
)
_LINKS_OF_CHILD = Prepared(select(*_LINK).where(guardian_link.c.member_id == bindparam("member_id")))
_LINKS_OF_GUARDIAN = Prepared(select(*_LINK).where(guardian_link.c.guardian_id == bindparam("guardian_id")))
_ADD_LINK = Prepared(insert(guardian_link).values({column.name: bindparam(column.name) for column in _LINK}))
_MOVE_LINK = Prepared(
    update(guardian_link)
    .where(guardian_link.c.member_id == bindparam("of_member"), guardian_link.c.guardian_id == bindparam("of_guardian"))
    .values({column.name: bindparam(column.name) for column in _LINK[2:]})
)
_MARK = Prepared(
    update(member)
    .where(member.c.member_id == bindparam("of_member"))
    .values(
        status=bindparam("status"),
        minor=bindparam("minor"),
        sensitive=bindparam("sensitive"),
        updated_at=bindparam("now"),
        version=member.c.version + 1,
    )
)
_IDENTITIES = Prepared(
    select(member_lookup.c.field)
    .where(member_lookup.c.member_id == bindparam("member_id"), member_lookup.c.holder == "")
    .limit(1)
)
# By the range of the minors in question: they are neighbours on a page, and the table's key begins with the member.
_APPROVALS = Prepared(
    select(minor_approval.c.member_id, minor_approval.c.approval_id).where(
        minor_approval.c.member_id >= bindparam("first"),
        minor_approval.c.member_id <= bindparam("last"),
        minor_approval.c.staff == bindparam("staff"),
        minor_approval.c.created_at <= bindparam("now"),
        minor_approval.c.expires_at > bindparam("until"),
    )
)


async def has_identity(session: Session, member_id: MemberId) -> bool:
    """Whether the member can be told from all others by a number or an account that a service has proven."""
    return bool(await session.rows(_IDENTITIES, {"member_id": member_id}))


async def standing_in(session: Session, *, guardian_id: MemberId, child_id: MemberId) -> tuple[Row | None, Row | None]:
    """The one who wants to act for a child, and the child; None for the child where no verified link leads to it."""
    rows = await session.rows(_STANDING_IN, {"guardian_id": guardian_id, "child_id": child_id})
    if not rows:
        return None, None
    verified = rows[0][_WIDTH] == LinkState.VERIFIED.value
    return shaped(rows[0][:_WIDTH]), shaped(rows[0][_WIDTH + 1 :]) if verified else None


async def links(session: Session, member_id: MemberId) -> list[Link]:
    """Everybody who is, was or wants to be this child's guardian."""
    return [_link(row) for row in await session.rows(_LINKS_OF_CHILD, {"member_id": member_id})]


async def wards(session: Session, guardian_id: MemberId) -> list[Link]:
    """Everybody whose guardian this member is, was or wants to be."""
    return [_link(row) for row in await session.rows(_LINKS_OF_GUARDIAN, {"guardian_id": guardian_id})]


async def put(session: Session, link: Link, *, first: bool) -> None:
    """Write a link; `first`: there is none between these two yet."""
    state = {"state": link.state.value, "method": link.method.value if link.method else None}
    moments = {"requested_at": link.requested_at, "verified_at": link.verified_at, "ended_at": link.ended_at}
    if first:
        await session.run(_ADD_LINK, {"member_id": link.member_id, "guardian_id": link.guardian_id, **state, **moments})
    else:
        await session.run(_MOVE_LINK, {"of_member": link.member_id, "of_guardian": link.guardian_id, **state, **moments})


async def mark(session: Session, row: Row, *, now: datetime) -> None:
    """Write a locked member's status and age mark, and touch nothing else."""
    told = {"status": row.status.value, "minor": minor_mark(row), "sensitive": int(row.sensitive or row.child)}
    await session.run(_MARK, {"of_member": row.member_id, "now": now, **told})


async def approvals(session: Session, *, staff: str, first: MemberId, last: MemberId, now: datetime) -> dict[MemberId, str]:
    """The approvals that this member of staff has at this moment for minors with ids in this range, by member."""
    given = {"staff": staff, "first": first, "last": last, "now": now, "until": now}
    return dict(await session.rows(_APPROVALS, given))


def _link(row: Raw) -> Link:
    return Link(row[0], row[1], LinkState(row[2]), Method(row[3]) if row[3] else None, row[4], row[5], row[6])
