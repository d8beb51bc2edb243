"""The tags' SQL: one row a tag and source, the codes together in the member's row, and what the member deleted."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update

from service.db.engine import Session
from service.db.statement import Bulk, Prepared, Row
from service.db.tables import member, member_tag, member_tag_refused
from service.members.tags.model import Deleted, HeldTag, Source
from service.values import MemberId

ADD_TAGS = Bulk(member_tag, "member_id", "tag", "source", "source_digest", "recorded_at")
_ADD_DELETED = Bulk(member_tag_refused, "member_id", "tag", "source_digest", "refused_at")
_HELD = Prepared(
    select(member_tag.c.tag, member_tag.c.source, member_tag.c.source_digest, member_tag.c.recorded_at)
    .where(member_tag.c.member_id == bindparam("member_id"))
    .order_by(member_tag.c.tag, member_tag.c.source)
)
_DELETED = Prepared(
    select(member_tag_refused.c.tag, member_tag_refused.c.source_digest).where(
        member_tag_refused.c.member_id == bindparam("member_id")
    )
)
_FORGET = Prepared(
    delete(member_tag).where(
        member_tag.c.member_id == bindparam("member_id"),
        member_tag.c.tag == bindparam("tag"),
        member_tag.c.source == bindparam("source"),
    )
)
_FORGET_ALL = Prepared(delete(member_tag).where(member_tag.c.member_id == bindparam("member_id")))
_WRITE_CODES = Prepared(
    update(member)
    .where(member.c.member_id == bindparam("of_member"))
    .values(tags=bindparam("tags"), updated_at=bindparam("now"), version=member.c.version + 1)
)
_SOURCES = {source.value: source for source in Source}


async def held(session: Session, member_id: MemberId) -> tuple[HeldTag, ...]:
    """Every tag with its source; one that two sources gave, twice."""
    rows = await session.rows(_HELD, {"member_id": member_id})
    return tuple(HeldTag(row[0], _SOURCES.get(row[1], Source.IMPORT), bytes(row[2]), row[3]) for row in rows)


async def deleted(session: Session, member_id: MemberId) -> Deleted:
    """What the member deleted, with the digests of the data that it followed from."""
    rows = await session.rows(_DELETED, {"member_id": member_id})
    return frozenset((row[0], bytes(row[1])) for row in rows)


def rows_of(member_id: MemberId, found: Iterable[HeldTag]) -> list[Row]:
    """The rows of these tags, in the order of ADD_TAGS."""
    return [(member_id, tag.tag, tag.source.value, tag.digest, tag.recorded_at) for tag in found]


async def add(session: Session, member_id: MemberId, found: Iterable[HeldTag]) -> None:
    """Keep where these tags came from."""
    await session.bulk(ADD_TAGS, rows_of(member_id, found))


async def forget(session: Session, member_id: MemberId, found: Iterable[HeldTag]) -> None:
    """Forget where these tags came from."""
    for tag in found:
        await session.run(_FORGET, {"member_id": member_id, "tag": tag.tag, "source": tag.source.value})


async def refuse(session: Session, member_id: MemberId, found: Iterable[tuple[str, bytes]], *, now: datetime) -> None:
    """Keep that the member deleted these, each with the digest of its data. They must not be there yet."""
    await session.bulk(_ADD_DELETED, [(member_id, tag, digest, now) for tag, digest in found])


async def write_codes(session: Session, member_id: MemberId, codes: Sequence[str], *, now: datetime) -> None:
    """The codes as reading shows them; none of them is no value at all."""
    text = json.dumps(codes, ensure_ascii=False) if codes else None
    await session.run(_WRITE_CODES, {"of_member": member_id, "tags": text, "now": now})


async def clear(session: Session, member_id: MemberId, *, now: datetime) -> None:
    """Take away all tags of a member and where they came from. What the member deleted stays deleted."""
    await session.run(_FORGET_ALL, {"member_id": member_id})
    await write_codes(session, member_id, (), now=now)
