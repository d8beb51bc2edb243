"""The archive's SQL: what was deposited outside, tiles and entries as they are served and exported, and the rows of segments."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, literal, select, text, update
from sqlalchemy.dialects.postgresql import aggregate_order_by

from service.archive.model import SEGMENT, Segment
from service.audit.entry import Entry
from service.audit.store import put
from service.db.engine import Session
from service.db.statement import Prepared
from service.db.tables import audit_anchor, audit_entry, audit_segment, audit_subject, audit_tile
from service.values import utc_text

_OF, _TILE = audit_entry.c, audit_tile.c
_ANCHORS = Prepared(
    select(audit_anchor.c.size, audit_anchor.c.kind, audit_anchor.c.receipt)
    .where(audit_anchor.c.size <= bindparam("size"))
    .order_by(audit_anchor.c.size, audit_anchor.c.kind, audit_anchor.c.at)
)
_TILES = Prepared(
    select(_TILE.n, _TILE.hashes)
    .where(_TILE.level == bindparam("of_level"), _TILE.n >= bindparam("first"), _TILE.n < bindparam("last"))
    .order_by(_TILE.n)
)
_TILE_ROOT = Prepared(select(_TILE.root).where(_TILE.level == bindparam("of_level"), _TILE.n == bindparam("of_n")))
# Whatever the clocks: a change whose entry waited through a crash stands behind many that are younger. `offset` keeps the planner from
# walking the whole log by index to find the first.
_SINCE = select(_OF.idx).where(_OF.ts >= bindparam("since")).offset(0).subquery()
_BEFORE = select(_OF.idx).where(_OF.ts < bindparam("until")).offset(0).subquery()
_FIRST_SINCE = Prepared(select(func.min(_SINCE.c.idx)))
_LAST_BEFORE = Prepared(select(func.max(_BEFORE.c.idx)))
_FIRST = Prepared(select(func.min(_OF.idx)))
_IN_PAGE = (_OF.idx >= bindparam("first"), _OF.idx < bindparam("last"))
_ENTRIES = Prepared(select(_OF.entry).where(*_IN_PAGE).order_by(_OF.idx))
# One value instead of two thousand: what a page costs is the number of values that the driver makes.
_ENTRIES_AT_ONCE = Prepared(
    select(func.count(), func.string_agg(_OF.entry, aggregate_order_by(literal(b"\n"), _OF.idx))).where(*_IN_PAGE)
)


_SEG = audit_segment.c
_SEGMENT_NAMES = [column.name for column in audit_segment.columns]
_SEGMENTS = Prepared(select(*audit_segment.columns).order_by(_SEG.n))
_ADD_SEGMENT = Prepared(insert(audit_segment).values({name: bindparam(name) for name in _SEGMENT_NAMES}))
_SET_PRUNED = Prepared(
    update(audit_segment)
    .where(_SEG.n >= bindparam("first"), _SEG.n <= bindparam("last"))
    .values(pruned_at=bindparam("pruned_at"))
)
_PRUNE = Prepared(text("SELECT audit_prune(:first, :last)"))
_DELETE = [
    Prepared(delete(table).where(table.c.idx >= bindparam("first"), table.c.idx < bindparam("last")))
    for table in (audit_subject, audit_entry)
]
_AHEAD = Prepared(text("SELECT audit_partitions_ahead()"))
_ANY_BETWEEN = Prepared(select(func.count()).select_from(audit_entry).where(*_IN_PAGE))


async def anchors(session: Session, size: int) -> list[tuple[int, str, bytes]]:
    """What was deposited outside for checkpoints up to `size`: its size, kind and receipt, the newest of one kind last."""
    return [(at, kind, bytes(receipt)) for at, kind, receipt in await session.rows(_ANCHORS, {"size": size})]


async def tiles(session: Session, level: int, first: int, last: int) -> dict[int, bytes]:
    """The full tiles of `level` from number `first` up to, not including, `last`, as they are stored."""
    rows = await session.rows(_TILES, {"of_level": level, "first": first, "last": last})
    return {n: bytes(hashes) for n, hashes in rows}


async def tile_root(session: Session, level: int, n: int) -> bytes | None:
    """The root of a full tile, as it is stored."""
    rows = await session.rows(_TILE_ROOT, {"of_level": level, "of_n": n})
    return bytes(rows[0][0]) if rows else None


async def entries(session: Session, first: int, last: int) -> list[bytes]:
    """The entries' bytes from index `first` up to, not including, `last`; fewer where some are not there any more."""
    named = {"first": first, "last": last}
    if session.dialect == "postgresql":
        count, joined = (await session.rows(_ENTRIES_AT_ONCE, named))[0]
        found: Sequence[bytes] = joined.split(b"\n") if joined else []
        # An entry holds no line break; where somebody put one in, they are read one by one.
        if len(found) == count:
            return list(found)
    rows: list[tuple[Any, ...]] = await session.rows(_ENTRIES, named)
    return [bytes(raw) for (raw,) in rows]


async def first_here(session: Session) -> int:
    """The smallest index that has an entry: 0, unless something was pruned."""
    return (await session.rows(_FIRST))[0][0] or 0


async def first_since(session: Session, since: datetime) -> int | None:
    """The smallest index of all entries from a moment on, None where there is none."""
    found: int | None = (await session.rows(_FIRST_SINCE, {"since": utc_text(since)}))[0][0]
    return found


async def last_before(session: Session, until: datetime) -> int | None:
    """The largest index of all entries before a moment, None where there is none."""
    found: int | None = (await session.rows(_LAST_BEFORE, {"until": utc_text(until)}))[0][0]
    return found


async def segments(session: Session) -> list[Segment]:
    """Every segment that was archived, in order."""
    return [Segment(*row) for row in await session.rows(_SEGMENTS)]


async def add_segment(session: Session, segment: Segment) -> None:
    """Remember where it was archived. Raises Duplicate where it was before."""
    await session.run(_ADD_SEGMENT, {name: getattr(segment, name) for name in _SEGMENT_NAMES})


async def prune(session: Session, first: int, last: int, at: datetime) -> None:
    """Take the entries of segments `first` to `last` (included) away: partitions where they are whole ones, rows elsewhere."""
    await session.run(_SET_PRUNED, {"first": first, "last": last, "pruned_at": at})
    if session.dialect == "postgresql":
        await session.rows(_PRUNE, {"first": first, "last": last})
        return
    for statement in _DELETE:
        await session.run(statement, {"first": first * SEGMENT, "last": (last + 1) * SEGMENT})


async def restore(session: Session, segment: Segment, entries: Sequence[Entry]) -> None:
    """Put the entries of one segment back, as they were."""
    await put(session, segment.first, entries)
    await session.run(_SET_PRUNED, {"first": segment.n, "last": segment.n, "pruned_at": None})


async def count(session: Session, first: int, last: int) -> int:
    """How many entries there are from index `first` up to, not including, `last`."""
    found: int = (await session.rows(_ANY_BETWEEN, {"first": first, "last": last}))[0][0]
    return found


async def partitions_ahead(session: Session) -> int:
    """See to it that the next entries have a partition; how many were made. Nothing to do on SQLite."""
    if session.dialect != "postgresql":
        return 0
    made: int = (await session.rows(_AHEAD))[0][0]
    return made
