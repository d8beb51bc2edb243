"""The members' SQL: one row a member, the wrapped secret beside it, lookups in rows of their own."""

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime

from sqlalchemy import and_, bindparam, delete, func, insert, select, update

from policies.terms import LookupKind, MemberStatus
from service.db.engine import Session
from service.db.statement import Bulk, Prepared, Row
from service.db.tables import guardian_request, idempotency, job, member, member_lookup, member_secret, metadata
from service.members import model
from service.values import MemberId
from service.vault.vault import Value

_MEMBER_COLUMNS = tuple(column.name for column in member.columns)
ADD_MEMBERS = Bulk(member, *_MEMBER_COLUMNS)
ADD_SECRETS = Bulk(member_secret, "member_id", "generation", "wrapped", "created_at")
ADD_LOOKUPS = Bulk(member_lookup, "field", "digest", "generation", "holder", "member_id", "mark")

ROW_COLUMNS = (
    member.c.member_id,
    member.c.status,
    member.c.generation,
    member.c.sealed,
    member_secret.c.wrapped,
    member.c.tier,
    member.c.points,
    member.c.joined_on,
    member.c.tags,
    member.c.version,
    member.c.minor,
    member.c.sensitive,
    member.c.personalisation,
)
"""What every read of a member fetches, in the order that `row` expects."""

WITH_SECRET = member.outerjoin(
    member_secret,
    and_(member_secret.c.member_id == member.c.member_id, member_secret.c.generation == member.c.generation),
)

_LOCKED = Prepared(
    select(*ROW_COLUMNS).select_from(WITH_SECRET).where(member.c.member_id == bindparam("member_id")).with_for_update(of=member)
)
_PLAIN_ROW = Prepared(select(*ROW_COLUMNS).select_from(WITH_SECRET).where(member.c.member_id == bindparam("member_id")))
_CHANGE = Prepared(
    update(member)
    .where(member.c.member_id == bindparam("of_member"), member.c.version == bindparam("was_version"))
    .values({name: bindparam(name) for name in _MEMBER_COLUMNS if name not in {"member_id", "generation", "created_at"}})
)
_HOLDER = Prepared(
    select(member_lookup.c.member_id).where(
        member_lookup.c.field == bindparam("field"),
        member_lookup.c.digest == bindparam("digest"),
        member_lookup.c.generation == bindparam("generation"),
        member_lookup.c.holder == "",
    )
)
_HOLDERS = Prepared(
    select(member_lookup.c.member_id)
    .where(
        member_lookup.c.field == bindparam("field"),
        member_lookup.c.digest == bindparam("digest"),
        member_lookup.c.generation == bindparam("generation"),
    )
    .order_by(member_lookup.c.member_id)
)
_FORGET_LOOKUP = Prepared(
    delete(member_lookup).where(member_lookup.c.member_id == bindparam("member_id"), member_lookup.c.field == bindparam("field"))
)
_FORGET_LOOKUPS = Prepared(delete(member_lookup).where(member_lookup.c.member_id == bindparam("member_id")))
_FORGET_KEYS = Prepared(delete(idempotency).where(idempotency.c.member_id == bindparam("member_id")))
# Whatever room a table belongs to: a row that is a member's own goes with the member. The vault destroys the secret, and the row that
# says ERASED stays; so does what others have yet to be told: a person has to see to it now. What a guardian asked and was answered stays,
# too: that it was answered has to be shown (MIN 34, 37), and it names nobody any more.
_STAYS = frozenset({member.name, member_secret.name, job.name, guardian_request.name})
_FORGET_OWN = tuple(
    Prepared(delete(table).where(table.c.member_id == bindparam("member_id")))
    for table in metadata.sorted_tables
    if table.info["kind"] == "member" and table.name not in _STAYS
)
_SWITCH = Prepared(
    update(member)
    .where(member.c.member_id == bindparam("of_member"))
    .values(personalisation=bindparam("personalisation"), updated_at=bindparam("now"), version=member.c.version + 1)
)
_EMPTY = Prepared(
    update(member)
    .where(member.c.member_id == bindparam("of_member"))
    .values(
        status=MemberStatus.ERASED.value,
        sealed=b"",
        tier=None,
        points=None,
        joined_on=None,
        tags=None,
        minor=None,
        sensitive=None,
        personalisation=None,
        updated_at=bindparam("now"),
        version=member.c.version + 1,
    )
)
_REMEMBERED = Prepared(
    select(idempotency.c.request_digest, idempotency.c.member_id).where(idempotency.c.key_digest == bindparam("key_digest"))
)
_REMEMBER = Prepared(
    insert(idempotency).values({name: bindparam(name) for name in ("key_digest", "request_digest", "member_id", "created_at")})
)
_NEWEST = Prepared(
    select(member.c.member_id).where(member.c.status == MemberStatus.ACTIVE.value).order_by(member.c.member_id.desc()).limit(1)
)
_PROVE = Prepared(
    update(member_lookup)
    .where(member_lookup.c.member_id == bindparam("of_member"), member_lookup.c.field == bindparam("of_field"))
    .values(proven_at=bindparam("at"))
)
_CONTACTS = Prepared(
    select(member_lookup.c.field, func.max(member_lookup.c.proven_at).label("proven_at"))
    .where(member_lookup.c.member_id == bindparam("member_id"))
    .group_by(member_lookup.c.field)
    .order_by(member_lookup.c.field)
)
_COUNT = Prepared(select(func.count()).select_from(member))


async def row(session: Session, member_id: MemberId, *, lock: bool = False) -> model.Row | None:
    """One member; `lock` keeps every other change of this member waiting until the transaction ends."""
    rows = await session.rows(_LOCKED if lock else _PLAIN_ROW, {"member_id": member_id})
    return shaped(rows[0]) if rows else None


async def add(
    session: Session,
    found: model.Row,
    *,
    wrapped: bytes,
    lookups: Iterable[model.Lookup],
    generation: int,
    now: datetime,
) -> None:
    """A new member with its secret and lookups. Raises Duplicate when somebody else took an identity meanwhile."""
    await session.bulk(ADD_MEMBERS, [values(found, now=now)])
    await session.bulk(ADD_SECRETS, [(found.member_id, found.generation, wrapped, now)])
    await add_lookups(session, found.member_id, lookups, generation=generation)


async def add_lookups(session: Session, member_id: MemberId, lookups: Iterable[model.Lookup], *, generation: int) -> None:
    """Make a member findable by these digests."""
    await session.bulk(ADD_LOOKUPS, [lookup_row(lookup, member_id, generation=generation) for lookup in lookups])


def lookup_row(lookup: model.Lookup, member_id: MemberId, *, generation: int) -> Row:
    """In the order of `ADD_LOOKUPS`."""
    return (lookup.field, lookup.digest, generation, holder(lookup.kind, member_id), member_id, lookup.mark)


async def forget_lookup(session: Session, member_id: MemberId, field: str) -> None:
    """Make a member unfindable by one field, in every generation."""
    await session.run(_FORGET_LOOKUP, {"member_id": member_id, "field": field})


async def prove(session: Session, member_id: MemberId, field: str, at: datetime | None) -> None:
    """Note when a contact was last proven to be the member's (LB-05); None: it is so no longer."""
    await session.run(_PROVE, {"of_member": member_id, "of_field": field, "at": at})


async def contacts(session: Session, member_id: MemberId) -> list[tuple[str, datetime | None]]:
    """The fields that a member is found by, each with the moment of its last proof."""
    return [(row[0], row[1]) for row in await session.rows(_CONTACTS, {"member_id": member_id})]


async def change(session: Session, found: model.Row, *, now: datetime) -> bool:
    """Write a member's row anew; False when another version has taken its place."""
    columns = dict(zip(_MEMBER_COLUMNS, values(found, now=now), strict=True))
    del columns["generation"], columns["created_at"], columns["member_id"]
    columns["version"] = found.version + 1
    given = {**columns, "of_member": found.member_id, "was_version": found.version}
    return await session.run(_CHANGE, given) == 1


async def erase(session: Session, member_id: MemberId, *, now: datetime) -> None:
    """Leave of a member nothing but an id that says ERASED, and the ledgers: no values, no lookups, nothing derived, no way to find it
    again.
    """
    await session.run(_EMPTY, {"of_member": member_id, "now": now})
    await session.run(_FORGET_LOOKUPS, {"member_id": member_id})
    await session.run(_FORGET_KEYS, {"member_id": member_id})
    for statement in _FORGET_OWN:
        await session.run(statement, {"member_id": member_id})


async def switch(session: Session, member_id: MemberId, *, on: bool, now: datetime) -> None:
    """Turn a member's personalisation on or off (PIPL 24)."""
    await session.run(_SWITCH, {"of_member": member_id, "personalisation": int(on), "now": now})


async def holder_of(session: Session, field: str, digest: bytes, *, generation: int) -> MemberId | None:
    """Who holds an identity, if anybody."""
    rows = await session.rows(_HOLDER, {"field": field, "digest": digest, "generation": generation})
    return rows[0][0] if rows else None


async def holders_of(session: Session, field: str, digest: bytes, *, generation: int) -> list[MemberId]:
    """Everybody with this contact, in the order in which they are to be locked."""
    rows = await session.rows(_HOLDERS, {"field": field, "digest": digest, "generation": generation})
    return [row[0] for row in rows]


async def remembered(session: Session, key_digest: bytes) -> tuple[bytes, MemberId] | None:
    """What was done under this idempotency key: the digest of the request and the member it made."""
    rows = await session.rows(_REMEMBERED, {"key_digest": key_digest})
    return (rows[0][0], rows[0][1]) if rows else None


async def remember(session: Session, *, key_digest: bytes, request_digest: bytes, member_id: MemberId, now: datetime) -> None:
    """Keep what was done under an idempotency key. Raises Duplicate when a twin was faster."""
    await session.run(
        _REMEMBER,
        {"key_digest": key_digest, "request_digest": request_digest, "member_id": member_id, "created_at": now},
    )


async def count(session: Session) -> int:
    """How many members there are, whatever their status."""
    return int((await session.rows(_COUNT))[0][0])


async def newest(session: Session) -> MemberId | None:
    """The id of the member who joined last and is active."""
    rows = await session.rows(_NEWEST)
    return rows[0][0] if rows else None


def holder(kind: LookupKind, member_id: MemberId) -> str:
    """What makes a lookup row unique: nothing more for an identity, the member for a contact that several may share."""
    return "" if kind is LookupKind.IDENTITY else member_id


def values(found: model.Row, *, now: datetime) -> Row:
    """The member table's row, in the table's order."""
    plain = found.plain
    return (
        found.member_id,
        found.status.value,
        found.generation,
        found.sealed,
        plain.get("tier"),
        plain.get("points"),
        _date_text(plain.get("joined_on")),
        json.dumps(plain["tags"], ensure_ascii=False) if "tags" in plain else None,
        minor_mark(found),
        int(found.sensitive),
        None if found.personalisation is None else int(found.personalisation),
        now,
        now,
        found.version,
    )


def shaped(raw: Row) -> model.Row:
    """A fetched row (ROW_COLUMNS) as a value."""
    return model.Row(
        member_id=raw[0],
        status=status_of(raw[1]),
        generation=raw[2],
        sealed=raw[3],
        wrapped=raw[4],
        plain=plain_values(raw[5:9]),
        version=raw[9],
        minor=None if raw[10] is None else raw[10] != _ADULT,
        sensitive=bool(raw[11]),
        personalisation=None if raw[12] is None else bool(raw[12]),
        guarded=raw[10] == _GUARDED,
    )


_ADULT, _MINOR, _GUARDED = 0, 1, 2


def minor_mark(found: model.Row) -> int | None:
    """The column `minor` of a row."""
    if found.minor is None:
        return None
    return (_GUARDED if found.guarded else _MINOR) if found.minor else _ADULT


_STATUSES = {status.value: status for status in MemberStatus}


def status_of(text: str) -> MemberStatus:
    """A stored status; whatever is not one of ours counts as RESTRICTED, under which nothing is processed."""
    return _STATUSES.get(text, MemberStatus.RESTRICTED)


def plain_values(raw: Row) -> Mapping[str, Value]:
    """The unsealed columns that have a value."""
    tier, points, joined_on, tags = raw
    found: dict[str, Value] = {}
    if tier is not None:
        found["tier"] = tier
    if points is not None:
        found["points"] = points
    if joined_on is not None:
        found["joined_on"] = date.fromisoformat(joined_on)
    if tags is not None:
        found["tags"] = tuple(json.loads(tags))
    return found


def _date_text(value: Value | None) -> str | None:
    return value.isoformat() if isinstance(value, date) else None
