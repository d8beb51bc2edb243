"""The SQL that reads the log.

A verification reads everything, and what it costs is the number of values that the driver makes. So on PostgreSQL a page comes as one
row: all entries in one value, all leaves, all columns. Entries hold no line breaks and columns no separators; where somebody put some
in, the numbers do not agree, and the page is read again row by row.
"""

import functools
import operator
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Integer, Text, bindparam, cast, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from menshen_verifier import merkle
from service.audit.entry import actor_of
from service.audit.index.terms import BLOCK
from service.audit.store import ENTRY_COLUMNS, FIELD, ROW, Waiting, among, listed
from service.db.engine import Database, Session
from service.db.statement import Prepared
from service.db.tables import audit_entry, audit_pending, audit_segment, audit_subject, audit_tile

PAGE = BLOCK
"""Entries: eight tiles' worth, so that a page, its tiles and its words end together."""

SEGMENT = merkle.TILE_WIDTH**2
"""Entries that are archived and pruned together (docs/formats/audit-archive.md)."""

_GROUPS = 8

Tiles = dict[int, tuple[bytes, bytes]]
"""Stored tiles of one level, by number: hashes and root."""

Pair = tuple[int, str]
"""An entry's index and a pseudonym in it."""


class Page(NamedTuple):
    """Entries in the order of their indices. `leaves` are joined, `columns` are as `columns` makes them."""

    indices: Sequence[int]
    raws: list[bytes]
    leaves: bytes
    columns: list[str]


class Named(NamedTuple):
    """The subjects' rows of page `number`: how many, and `INDEX SUBJECT` of each, joined by commas in their order."""

    number: int
    rows: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A search, in the columns' own terms; what is empty is not asked for. `since` and `until` are texts as in `ts`."""

    subjects: Sequence[str]
    actors: Sequence[str]
    purpose: str
    denied: bool
    since: str
    until: str
    before: int
    most: int


_OF = audit_entry.c
COLUMNS = functools.reduce(
    operator.add, (part for name in ENTRY_COLUMNS[4:] for part in (literal(FIELD), _OF[name])), _OF.entry_id
)
_IN_PAGE = (_OF.idx >= bindparam("first"), _OF.idx < bindparam("last"))
_ROWS = Prepared(select(_OF.idx, _OF.entry, _OF.leaf, COLUMNS).where(*_IN_PAGE).order_by(_OF.idx))
_AT_ONCE = Prepared(
    select(
        func.min(_OF.idx),
        func.max(_OF.idx),
        func.count(),
        func.string_agg(_OF.entry, aggregate_order_by(literal(b"\n"), _OF.idx)),
        func.string_agg(_OF.leaf, aggregate_order_by(literal(b""), _OF.idx)),
        func.string_agg(COLUMNS, aggregate_order_by(literal(ROW), _OF.idx)),
    ).where(*_IN_PAGE)
)
_SUB = audit_subject.c
_NUMBER = _SUB.idx // literal(PAGE, Integer)
_BEFORE = (_SUB.idx >= 0, _SUB.idx < bindparam("size"))
_SUBJECT_ROWS = Prepared(select(_SUB.idx, _SUB.sub).where(*_BEFORE).order_by(_SUB.idx, _SUB.sub))
_SUBJECTS_AT_ONCE = Prepared(
    select(
        _NUMBER,
        func.count(),
        func.string_agg(cast(_SUB.idx, Text) + " " + _SUB.sub, aggregate_order_by(literal(","), _SUB.idx, _SUB.sub)),
    )
    .where(*_BEFORE)
    .group_by(_NUMBER)
    .order_by(_NUMBER)
)
_PAIRS = Prepared(
    select(_SUB.idx, _SUB.sub).where(_SUB.idx >= bindparam("first"), _SUB.idx < bindparam("last")).order_by(_SUB.idx, _SUB.sub)
)
_TILES = Prepared(
    select(audit_tile.c.n, audit_tile.c.hashes, audit_tile.c.root)
    .where(audit_tile.c.level == bindparam("of_level"), audit_tile.c.n >= bindparam("first"), audit_tile.c.n < bindparam("last"))
    .order_by(audit_tile.c.n)
)
_TILE_COUNTS = Prepared(select(audit_tile.c.level, func.count()).group_by(audit_tile.c.level))
# Two questions for the entries, so that both ends of their index are looked at and nothing between.
_OUTSIDE = {
    table: Prepared(
        select(
            func.coalesce(
                select(func.min(table.c.idx)).where(table.c.idx < 0).scalar_subquery(),
                select(func.min(table.c.idx)).where(table.c.idx >= bindparam("size")).scalar_subquery(),
            )
        )
    )
    for table in (audit_entry, audit_subject)
}
_PRUNED = Prepared(select(audit_segment.c.n).where(audit_segment.c.pruned_at.is_not(None)))
_FIRST = Prepared(select(func.coalesce(func.min(_OF.idx), 0)))
_LAST = Prepared(select(func.max(_OF.idx)).where(_OF.idx < bindparam("size")))
_BY_ID = Prepared(select(_OF.idx, _OF.entry, _OF.leaf).where(_OF.entry_id == bindparam("entry_id")).order_by(_OF.idx))
_WAITING = Prepared(
    select(audit_pending.c.entry_id, audit_pending.c.writer, audit_pending.c.number, audit_pending.c.entry).order_by(
        audit_pending.c.writer, audit_pending.c.number
    )
)


def columns(entry: Mapping[str, Any]) -> str:
    """What the search columns of an entry must be, in one text."""
    told = f"{entry['id']}{FIELD}{entry['ts']}{FIELD}{entry['typ']}{FIELD}{entry['dec']}{FIELD}{actor_of(entry)}{FIELD}"
    return f"{told}{entry.get('pur', '')}{FIELD}{entry['req']}"


async def page(session: Session, first: int, last: int) -> Page:
    """What is stored from index `first` up to, not including, `last`; less than that where something is missing."""
    named = {"first": first, "last": last}
    if session.dialect == "postgresql":
        low, high, count, raws, leaves, texts = (await session.rows(_AT_ONCE, named))[0]
        if count:
            whole = Page(range(low, high + 1), raws.split(b"\n"), leaves, texts.split(ROW))
            if count == len(whole.indices) == len(whole.raws) == len(whole.columns) == len(leaves) // merkle.HASH_BYTES:
                return whole
    rows = await session.rows(_ROWS, named)
    # An administrator can store anything, nothing at all included; then it is not what was there.
    raws, leaves = ([row[at] if isinstance(row[at], bytes) else b"" for row in rows] for at in (1, 2))
    return Page([row[0] for row in rows], raws, b"".join(leaves), [row[3] or "" for row in rows])


async def subjects(database: Database, size: int) -> AsyncGenerator[Named]:
    """The subjects' rows before index `size`, page by page; nothing for a page that has none."""
    if database.dialect == "postgresql":
        async for rows in database.stream(_SUBJECTS_AT_ONCE, {"size": size}, size=_GROUPS):
            for row in rows:
                yield Named(*row)
        return
    kept: list[Pair] = []
    async for rows in database.stream(_SUBJECT_ROWS, {"size": size}, size=PAGE):
        groups = [list(group) for _, group in groupby([*kept, *rows], key=lambda pair: pair[0] // PAGE)]
        for group in groups[:-1]:
            yield named(group)
        kept = groups[-1]
    if kept:
        yield named(kept)


def named(pairs: Sequence[Pair]) -> Named:
    """These pairs, which are of one page and in order, as the database says them."""
    return Named(pairs[0][0] // PAGE, len(pairs), ",".join([f"{index} {subject}" for index, subject in pairs]))


async def pairs(session: Session, first: int, last: int) -> list[Pair]:
    """The subjects' rows from index `first` up to, not including, `last`."""
    return [(index, subject) for index, subject in await session.rows(_PAIRS, {"first": first, "last": last})]


async def tiles(session: Session, level: int, first: int, last: int) -> Tiles:
    """The stored tiles of `level` from number `first` up to, not including, `last`."""
    rows = await session.rows(_TILES, {"of_level": level, "first": first, "last": last})
    return {n: (hashes, root) for n, hashes, root in rows}


async def tile_counts(session: Session) -> dict[int, int]:
    """How many tiles are stored of each level."""
    return dict(await session.rows(_TILE_COUNTS))


async def outside(session: Session, size: int) -> tuple[int | None, int | None]:
    """The first index below 0 or from `size` on that has an entry, and the first that has a subject's row."""
    found = [(await session.rows(statement, {"size": size}))[0][0] for statement in _OUTSIDE.values()]
    return found[0], found[1]


async def end(session: Session, size: int) -> int:
    """One past the last entry before index `size`: a forged size must not have anybody look for entries for ever."""
    last = (await session.rows(_LAST, {"size": size}))[0][0]
    return 0 if last is None else max(last + 1, 0)


async def pruned(session: Session) -> frozenset[int]:
    """The segments of which a table says that their entries were pruned."""
    return frozenset(n for (n,) in await session.rows(_PRUNED))


async def first(session: Session) -> int:
    """The smallest index that has an entry; 0 where there is none."""
    return int((await session.rows(_FIRST))[0][0])


async def by_id(session: Session, entry_id: str) -> list[tuple[int, bytes, bytes]]:
    """Index, bytes and leaf hash of every entry that claims this id."""
    return [(index, raw, leaf) for index, raw, leaf in await session.rows(_BY_ID, {"entry_id": entry_id})]


async def waiting(session: Session) -> list[Waiting]:
    """Everything that waits, by writer, in the order of the numbers."""
    return [Waiting(*row) for row in await session.rows(_WAITING)]


@functools.cache
def _search(dialect: str, *, subjects: bool, actors: bool, purpose: bool, denied: bool) -> Prepared:
    """Newest first, before an index. Only what is asked for is compared, so that the right index serves."""
    subject_is, actor_is = among(_SUB.sub, "subjects")[dialect], among(_OF.actor, "actors")[dialect]
    conditions = [
        (True, _OF.idx < bindparam("before")),
        (True, _OF.ts >= bindparam("since")),
        (True, _OF.ts < bindparam("until")),
        (subjects, _OF.idx.in_(select(_SUB.idx).where(subject_is))),
        (actors, actor_is),
        (purpose, _OF.pur == bindparam("purpose")),
        (denied, _OF.dec == "deny"),
    ]
    chosen = select(_OF.idx, _OF.entry, _OF.leaf).where(*(condition for wanted, condition in conditions if wanted))
    return Prepared(chosen.order_by(_OF.idx.desc()).limit(bindparam("most", type_=Integer)))


async def search(session: Session, wanted: Wanted) -> list[tuple[int, bytes, bytes]]:
    """Index, bytes and leaf hash of what is wanted."""
    dialect = session.dialect
    statement = _search(
        dialect,
        subjects=bool(wanted.subjects),
        actors=bool(wanted.actors),
        purpose=bool(wanted.purpose),
        denied=wanted.denied,
    )
    given = {
        "before": wanted.before,
        "since": wanted.since,
        "until": wanted.until,
        "subjects": listed(dialect, wanted.subjects),
        "actors": listed(dialect, wanted.actors),
        "purpose": wanted.purpose,
        "most": wanted.most,
    }
    return [(index, raw, leaf) for index, raw, leaf in await session.rows(statement, given)]
