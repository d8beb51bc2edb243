"""The receipts' SQL: whose an event is, and the ledger's rows as they are stored."""

from sqlalchemy import bindparam, select

from service.db.engine import Session
from service.db.statement import Prepared
from service.db.tables import consent_event
from service.receipts.model import Link
from service.values import MemberId

_OF = consent_event.c
_HOLDER = Prepared(select(_OF.member_id).where(_OF.event_id == bindparam("event_id")))
_LINKS = Prepared(
    select(
        _OF.event_id,
        _OF.purpose,
        _OF.state,
        _OF.recorded_at,
        _OF.expires_at,
        _OF.notice_version,
        _OF.evidence,
        _OF.previous_hash,
        _OF.hash,
    )
    .where(_OF.member_id == bindparam("member_id"))
    .order_by(_OF.recorded_at, _OF.event_id)
)


async def holder(session: Session, event_id: str) -> MemberId | None:
    """Whose event it is; None for one that is not there, or that two members claim."""
    rows = await session.rows(_HOLDER, {"event_id": event_id})
    return str(rows[0][0]) if len(rows) == 1 else None


async def links(session: Session, member_id: MemberId) -> tuple[Link, ...]:
    """The member's whole ledger, oldest first. No row is believed: what is wrong with one must be told, not raised."""
    return tuple(Link(*row) for row in await session.rows(_LINKS, {"member_id": member_id}))
