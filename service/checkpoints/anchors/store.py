"""Anchors' SQL: receipts are added, and never changed."""

from sqlalchemy import bindparam, insert, select

from service.checkpoints.anchors.model import Receipt
from service.db.engine import Session
from service.db.statement import Prepared
from service.db.tables import audit_anchor

_OF = audit_anchor.c
_ADD = Prepared(insert(audit_anchor).values({column.name: bindparam(column.name) for column in _OF}))
_NEWEST = Prepared(
    select(_OF.size, _OF.kind, _OF.at, _OF.receipt).where(_OF.kind == bindparam("of_kind")).order_by(_OF.at.desc()).limit(1)
)


async def add(session: Session, receipt: Receipt) -> None:
    """One more. Raises Duplicate for the same kind, size and moment."""
    await session.run(_ADD, {"size": receipt.size, "kind": receipt.kind, "at": receipt.at, "receipt": receipt.receipt})


async def newest(session: Session, kind: str) -> Receipt | None:
    """The last one of a kind."""
    rows = await session.rows(_NEWEST, {"of_kind": kind})
    return Receipt(*rows[0]) if rows else None
