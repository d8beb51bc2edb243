"""The suppressions' SQL: events appended, the row beside them moved, and the addresses of a member that they are joined with."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, insert, select, tuple_, update

from service.db.engine import Session
from service.db.statement import Prepared
from service.db.tables import address_asked, member_lookup, suppression, suppression_event
from service.suppression.model import Address, Suppression, SuppressionState
from service.values import MemberId

_KNOWN = (suppression.c.channel, suppression.c.mark, suppression.c.state, suppression.c.reason, suppression.c.since)
_ONE = Prepared(
    select(*_KNOWN)
    .where(suppression.c.channel == bindparam("channel"), suppression.c.mark == bindparam("mark"))
    .with_for_update()
)
_KNOWN_ONE = Prepared(
    select(*_KNOWN).where(suppression.c.channel == bindparam("channel"), suppression.c.mark == bindparam("mark"))
)
_OF_MEMBER = Prepared(
    select(member_lookup.c.field, member_lookup.c.mark, member_lookup.c.proven_at, *_KNOWN)
    .select_from(member_lookup.outerjoin(suppression, suppression.c.mark == member_lookup.c.mark))
    .where(member_lookup.c.member_id == bindparam("member_id"), member_lookup.c.mark.is_not(None))
    .order_by(member_lookup.c.field, member_lookup.c.mark, suppression.c.channel)
)
_PAGE = Prepared(
    select(*_KNOWN)
    .where(tuple_(suppression.c.channel, suppression.c.mark) > tuple_(bindparam("after_channel"), bindparam("after_mark")))
    .order_by(suppression.c.channel, suppression.c.mark)
    .limit(bindparam("size"))
)
_ADD = Prepared(insert(suppression).values({column.name: bindparam(column.name) for column in suppression.columns}))
_MOVE = Prepared(
    update(suppression)
    .where(suppression.c.channel == bindparam("of_channel"), suppression.c.mark == bindparam("of_mark"))
    .values(state=bindparam("state"), reason=bindparam("reason"), since=bindparam("since"))
)
_ADD_EVENT = Prepared(
    insert(suppression_event).values({column.name: bindparam(column.name) for column in suppression_event.columns})
)
_ASKED = Prepared(
    select(address_asked.c.mark)
    .select_from(member_lookup.join(address_asked, address_asked.c.mark == member_lookup.c.mark))
    .where(member_lookup.c.member_id == bindparam("member_id"), address_asked.c.channel == bindparam("channel"))
)
_ADD_ASKED = Prepared(insert(address_asked).values({column.name: bindparam(column.name) for column in address_asked.columns}))


async def marks_of(session: Session, member_id: MemberId, fields: Collection[str]) -> list[tuple[str, bytes, datetime | None]]:
    """The member's addresses in these fields: field, mark, when it was last proven to be theirs."""
    found = await addresses(session, member_id)
    return [(each.field, each.mark, each.proven_at) for each in found if each.field in fields]


async def addresses(session: Session, member_id: MemberId) -> list[Address]:
    """Every address of a member, with what is known of it: one statement, and nothing is opened for it."""
    found: dict[tuple[str, bytes], tuple[datetime | None, dict[str, Suppression]]] = {}
    for field, mark, proven_at, *known in await session.rows(_OF_MEMBER, {"member_id": member_id}):
        _, held = found.setdefault((field, mark), (proven_at, {}))
        if known[0] is not None:
            held[known[0]] = _shaped(*known)
    return [Address(field, mark, proven_at, held) for (field, mark), (proven_at, held) in found.items()]


async def one(session: Session, channel: str, mark: bytes) -> Suppression | None:
    """What is known of one address on one channel, locked until the transaction ends."""
    rows = await session.rows(_ONE, {"channel": channel, "mark": mark})
    return _shaped(*rows[0]) if rows else None


async def known(session: Session, channel: str, mark: bytes) -> Suppression | None:
    """The same, for whoever only looks."""
    rows = await session.rows(_KNOWN_ONE, {"channel": channel, "mark": mark})
    return _shaped(*rows[0]) if rows else None


async def page(session: Session, *, after: Suppression | None, size: int) -> list[Suppression]:
    """The next suppressions, lifted ones included, by channel and mark."""
    given = {"after_channel": after.channel if after else "", "after_mark": after.mark if after else b"", "size": size}
    return [_shaped(*row) for row in await session.rows(_PAGE, given)]


async def write(session: Session, now: Suppression, *, event_id: str, way: str, first: bool) -> None:
    """Append what happened and put the row right; `first`: there is none yet. Raises Duplicate when a twin was faster."""
    said = {"channel": now.channel, "mark": now.mark, "state": now.state.value, "reason": now.reason}
    await session.run(_ADD_EVENT, {**said, "event_id": event_id, "way": way, "recorded_at": now.since})
    if first:
        await session.run(_ADD, {**said, "since": now.since})
        return
    moved = {"of_channel": now.channel, "of_mark": now.mark, "state": now.state.value, "reason": now.reason, "since": now.since}
    await session.run(_MOVE, moved)


async def asked(session: Session, member_id: MemberId, channel: str) -> frozenset[bytes]:
    """Which of the member's addresses were ever asked over this channel, whoever held them then."""
    rows = await session.rows(_ASKED, {"member_id": member_id, "channel": channel})
    return frozenset(row[0] for row in rows)


async def note_asked(session: Session, channel: str, mark: bytes, *, now: datetime) -> None:
    """A question has been put to this address. Raises Duplicate where one had been."""
    await session.run(_ADD_ASKED, {"channel": channel, "mark": mark, "asked_at": now})


def _shaped(channel: str, mark: bytes, state: str, reason: str, since: datetime) -> Suppression:
    lifted = state == SuppressionState.LIFTED.value
    return Suppression(channel, mark, SuppressionState.LIFTED if lifted else SuppressionState.SUPPRESSED, reason, since)
