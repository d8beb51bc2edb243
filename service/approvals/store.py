"""The SQL of approvals. A decision and a use are single statements with their condition in them: of two, one finds nothing to change."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Integer, and_, bindparam, insert, or_, select, update

from service.approvals.model import Approval, Decision
from service.db.engine import Session
from service.db.statement import Prepared, Row
from service.db.tables import approval

_NAMES = tuple(column.name for column in approval.columns)
_ADD = Prepared(insert(approval).values({name: bindparam(name) for name in _NAMES}))
_ONE = Prepared(select(*approval.columns).where(approval.c.approval_id == bindparam("approval_id")))
_DECIDE = Prepared(
    update(approval)
    .where(approval.c.approval_id == bindparam("of_approval"), approval.c.decision == Decision.OPEN.value)
    .values({name: bindparam(name) for name in ("decision", "decided_by", "decided_at")})
)
_OF = (
    select(*approval.columns)
    .where(approval.c.kind == bindparam("kind"), approval.c.until > bindparam("now"))
    .order_by(approval.c.asked_at, approval.c.approval_id)
)
_ABOUT = Prepared(_OF.where(approval.c.about == bindparam("about")))
_ALLOWED = Prepared(_OF.where(approval.c.decision == Decision.ALLOWED.value, approval.c.used_at.is_(None)))
_WAITING = Prepared(
    select(approval.c.asked_by).where(approval.c.until > bindparam("now"), approval.c.decision == Decision.OPEN.value)
)
_USE = Prepared(
    update(approval)
    .where(
        approval.c.approval_id == bindparam("of_approval"),
        approval.c.decision == Decision.ALLOWED.value,
        approval.c.until > bindparam("now"),
        approval.c.used_at.is_(None),
    )
    .values(used_at=bindparam("at"))
)
_LISTED = Prepared(
    select(*approval.columns)
    .where(
        approval.c.approval_id > bindparam("after"),
        or_(
            bindparam("waiting", type_=Integer) == 0,
            and_(approval.c.decision == Decision.OPEN.value, approval.c.until > bindparam("now")),
        ),
    )
    .order_by(approval.c.approval_id)
    .limit(bindparam("size", type_=Integer))
)


async def add(session: Session, asked: Approval) -> None:
    """A question, as it was asked."""
    given = {name: getattr(asked, name) for name in _NAMES}
    await session.run(_ADD, given | {"decision": asked.decision.value})


async def one(session: Session, approval_id: str) -> Approval | None:
    """One by its id."""
    rows = await session.rows(_ONE, {"approval_id": approval_id})
    return _shaped(rows[0]) if rows else None


async def decide(session: Session, approval_id: str, *, decision: Decision, by: str, now: datetime) -> bool:
    """Write the answer; False where there is one already."""
    given = {"of_approval": approval_id, "decision": decision.value, "decided_by": by, "decided_at": now}
    return await session.run(_DECIDE, given) == 1


async def about(session: Session, *, kind: str, about: bytes, now: datetime) -> Sequence[Approval]:
    """All that was asked for exactly this and has not run out, used or not, the oldest first."""
    return [_shaped(row) for row in await session.rows(_ABOUT, {"kind": kind, "about": about, "now": now})]


async def allowed(session: Session, *, kind: str, now: datetime) -> Sequence[Approval]:
    """All of a kind that hold now and were not used up."""
    return [_shaped(row) for row in await session.rows(_ALLOWED, {"kind": kind, "now": now})]


async def waiting(session: Session, *, now: datetime) -> Sequence[str]:
    """Who asked what nobody has answered yet, a name for each question."""
    return [name for (name,) in await session.rows(_WAITING, {"now": now})]


async def use(session: Session, approval_id: str, *, now: datetime) -> bool:
    """Use it up; False where somebody else just has."""
    return await session.run(_USE, {"of_approval": approval_id, "now": now, "at": now}) == 1


async def listed(session: Session, *, waiting: bool, now: datetime, after: str, size: int) -> Sequence[Approval]:
    """The next ones by age: those that wait for an answer, or all."""
    given = {"waiting": int(waiting), "now": now, "after": after, "size": size}
    return [_shaped(row) for row in await session.rows(_LISTED, given)]


def _shaped(row: Row) -> Approval:
    given = dict(zip(_NAMES, row, strict=True))
    return Approval(**{**given, "decision": Decision(given["decision"]), "about": bytes(given["about"])})
