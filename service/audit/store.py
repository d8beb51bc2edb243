"""The log's SQL, as it is written: the head's one row, entries with their search columns, full tiles, and the changes' entries that wait.

Appending is one statement on PostgreSQL: it moves the head only if nobody else did, and everything else hangs on that. Its rows go
as one text, because arrays cost this process more than twice as much (64 rows: 390 µs against 170). Fields are divided by U+001F and
rows by U+001E, which cannot occur in them: JSON escapes control characters, and the grammar admits none in the other columns.
"""

import functools
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Table, any_, bindparam, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import String

from menshen_verifier import merkle
from service.audit.entry import Entry
from service.audit.head import Head
from service.audit.tree import Tile
from service.db.engine import Session, Transaction
from service.db.statement import Bulk, Prepared, Row
from service.db.tables import audit_entry, audit_head, audit_pending, audit_subject, audit_tile

FIELD, ROW = "\x1f", "\x1e"
ENTRY_COLUMNS = ("idx", "entry_id", "entry", "leaf", "ts", "typ", "dec", "actor", "pur", "req")


class Step(NamedTuple):
    """One append: the head before and after, and what is added.

    `pending` names the entries that wait in `audit_pending` no longer afterwards. Unless the head's lock is held (`locked`), which says
    more, they must still wait there.
    """

    before: Head
    after: Head
    entries: Sequence[Entry]
    tiles: Sequence[Tile]
    pending: Sequence[str]
    locked: bool = False


class Taken(NamedTuple):
    """The log under its head's lock: the leaves from where we were to the head, and which of the entries asked for are in it, and where.

    `leaves` are joined; they are None where they are too many to be read while everybody waits.
    """

    head: Head | None
    leaves: bytes | None
    there: dict[str, int]


class Waiting(NamedTuple):
    """A change's entry that is not in the tree yet. `sealed` is its MAC and its bytes."""

    entry_id: str
    writer: str
    number: int
    sealed: bytes


def _names(table: Table) -> list[str]:
    return [column.name for column in table.columns]


def among(column: ColumnElement[str], name: str) -> dict[str, ColumnElement[bool]]:
    """`column` is one of the texts in parameter `name`, by dialect: an array for PostgreSQL, a JSON list for SQLite."""
    listed = func.json_each(bindparam(name)).table_valued("value")
    return {
        "postgresql": column == any_(bindparam(name, type_=ARRAY(String))),
        "sqlite": column.in_(select(listed.c.value)),
    }


def listed(dialect: str, texts: Iterable[str]) -> list[str] | str:
    """The parameter for `among`."""
    return list(texts) if dialect == "postgresql" else json.dumps(list(texts))


_MOST_UNDER_LOCK = 20_000
"""Leaves: a tenth of a second's work. Who is further behind follows before the lock."""

_HEAD = select(audit_head.c.size, audit_head.c.frontier, audit_head.c.root, audit_head.c.mac).where(
    audit_head.c.log_id == bindparam("log_id")
)
_READ_HEAD = Prepared(_HEAD)
_LOCK_HEAD = Prepared(_HEAD.with_for_update())
_NAMES = Prepared(select(audit_head.c.log_id).order_by(audit_head.c.log_id))
_FOUND = Prepared(insert(audit_head).values({name: bindparam(name) for name in _names(audit_head)}))
_ANY_ENTRY = Prepared(select(audit_entry.c.idx).limit(1))
_LEAVES = Prepared(
    select(audit_entry.c.leaf)
    .where(audit_entry.c.idx >= bindparam("first"), audit_entry.c.idx < bindparam("last"))
    .order_by(audit_entry.c.idx)
)
_TILE_ROOTS = Prepared(
    select(audit_tile.c.root)
    .where(audit_tile.c.level == bindparam("of_level"), audit_tile.c.n >= bindparam("first"), audit_tile.c.n < bindparam("last"))
    .order_by(audit_tile.c.n)
)
_TILE_HASHES = Prepared(
    select(audit_tile.c.hashes)
    .where(audit_tile.c.level == bindparam("of_level"), audit_tile.c.n >= bindparam("first"), audit_tile.c.n < bindparam("last"))
    .order_by(audit_tile.c.n)
)
_LOCATED = {
    dialect: Prepared(select(audit_entry.c.entry_id, audit_entry.c.idx).where(condition))
    for dialect, condition in among(audit_entry.c.entry_id, "ids").items()
}
_ADD_PENDING = Prepared(insert(audit_pending).values({name: bindparam(name) for name in _names(audit_pending)}))
_OLD_WRITERS = select(audit_pending.c.writer).where(audit_pending.c.created_at <= bindparam("before"))
# All that wait of a writer, or none: its numbers must enter the tree in their order.
_ORPHANS = Prepared(
    select(audit_pending.c.entry_id, audit_pending.c.writer, audit_pending.c.number, audit_pending.c.entry)
    .where(audit_pending.c.writer.in_(_OLD_WRITERS))
    .order_by(audit_pending.c.writer, audit_pending.c.number)
    .limit(10_000)
)
_DURABLE = Prepared(
    text(
        "SELECT set_config('synchronous_commit', 'on', true), set_config('lock_timeout', '1500ms', true), "
        "set_config('idle_in_transaction_session_timeout', '5s', true)"
    )
)
_SETTINGS = {
    "postgresql": Prepared(
        text("SELECT current_setting('server_encoding'), current_setting('fsync'), current_setting('full_page_writes')")
    ),
    "sqlite": Prepared(text("SELECT encoding, 'on', synchronous FROM pragma_encoding, pragma_synchronous")),
}

_ADD_ENTRIES = Bulk(audit_entry, *ENTRY_COLUMNS)
_ADD_SUBJECTS = Bulk(audit_subject, "sub", "idx")
_ADD_TILES = Bulk(audit_tile, "level", "n", "hashes", "root")
_FORGET_PENDING = Prepared(delete(audit_pending).where(among(audit_pending.c.entry_id, "ids")["sqlite"]))
_MOVE_HEAD = Prepared(
    update(audit_head)
    .where(
        audit_head.c.log_id == bindparam("of_log"),
        audit_head.c.size == bindparam("old_size"),
        audit_head.c.mac == bindparam("old_mac"),
    )
    .values(size=bindparam("size"), frontier=bindparam("frontier"), root=bindparam("root"), mac=bindparam("mac"))
)


# Settings, lock, head, leaves and places in one round trip (migrations/partitions.py).
_TAKE = Prepared(
    text("SELECT size, frontier, root, mac, leaves, ids, places FROM audit_take(:log_id, :first, :most, CAST(:ids AS text[]))")
)

# The parts of the one statement. The head is compared whole: a forged root beside an honest MAC must not be written over unseen.
_MOVED = """head AS (
    UPDATE audit_head SET size = :size, frontier = :frontier, root = :root, mac = :mac
    WHERE log_id = :log_id AND size = :old_size AND mac = :old_mac AND root = :old_root AND frontier = :old_frontier"""
_STILL_WAITING = " AND (SELECT count(*) FROM audit_pending WHERE entry_id = ANY(string_to_array(:pending, ','))) = :waiting"
_ENTERED = """ RETURNING 1),
line AS MATERIALIZED (
    SELECT CAST(:old_size AS bigint) + ordinal - 1 AS idx, string_to_array(line, E'\\x1f') AS f
    FROM head, unnest(string_to_array(:lines, E'\\x1e')) WITH ORDINALITY AS all_lines (line, ordinal)),
entry AS (
    INSERT INTO audit_entry (idx, entry_id, entry, leaf, ts, typ, dec, actor, pur, req)
    SELECT idx, f[1], convert_to(f[2], 'UTF8'), decode(f[3], 'hex'), f[4], f[5], f[6], f[7], f[8], f[9] FROM line),
subject AS (
    INSERT INTO audit_subject (sub, idx) SELECT sub, idx FROM line, unnest(string_to_array(f[10], ',')) AS sub)"""
_TILED = """,
tile AS (
    INSERT INTO audit_tile (level, n, hashes, root) SELECT made.* FROM head,
    unnest(CAST(:levels AS smallint[]), CAST(:ns AS bigint[]), CAST(:hashes AS bytea[]), CAST(:roots AS bytea[])) AS made)"""
_WAITED = """,
waited AS (
    DELETE FROM audit_pending WHERE entry_id = ANY(string_to_array(:pending, ',')) AND EXISTS (SELECT 1 FROM head))"""
# The setting holds for this transaction, and counts at its end: not even a careless default may leave an entry in memory only.
_TOLD = " SELECT count(*), set_config('synchronous_commit', 'on', true) FROM head"


@functools.cache
def _append_all(*, pending: bool, waiting: bool, tiles: bool) -> Prepared:
    """The one statement, with the parts that a batch needs."""
    parts = [
        "WITH ",
        _MOVED,
        _STILL_WAITING if waiting else "",
        _ENTERED,
        _TILED if tiles else "",
        _WAITED if pending else "",
        _TOLD,
    ]
    return Prepared(text("".join(parts)))


async def head(session: Session, origin: str, *, lock: bool = False) -> Head | None:
    """The head's row; `lock` keeps every other writer waiting until the transaction ends."""
    rows = await session.rows(_LOCK_HEAD if lock else _READ_HEAD, {"log_id": origin})
    return Head(*rows[0]) if rows else None


async def names(session: Session) -> list[str]:
    """Of the logs that have a head here: one, unless somebody put in another."""
    return [str(name) for (name,) in await session.rows(_NAMES)]


async def take(session: Session, origin: str, first: int, ids: Sequence[str]) -> Taken:
    """Take the head's lock until the transaction ends, and read what an append must know: the leaves are those from `first` on.

    From here on the transaction waits for the disk at its end, not for ever on a lock, and does not sit on one when this process freezes.
    """
    if session.dialect == "postgresql":
        named = {"log_id": origin, "first": first, "most": _MOST_UNDER_LOCK, "ids": list(ids)}
        rows = await session.rows(_TAKE, named)
        if not rows:
            return Taken(None, None, {})
        size, frontier, root, mac, joined, entry_ids, places = rows[0]
        return Taken(Head(size, frontier, root, mac), joined, dict(zip(entry_ids or (), places or (), strict=True)))
    now = await head(session, origin, lock=True)
    behind = now.size - first if now else 0
    joined = b"".join(await leaves(session, first, first + behind)) if 0 < behind <= _MOST_UNDER_LOCK else None
    return Taken(now, joined, await located(session, ids) if ids else {})


async def found(session: Session, origin: str, head: Head) -> None:
    """Begin a log. Raises Duplicate when somebody else did."""
    named = {"log_id": origin, "size": head.size, "frontier": head.frontier, "root": head.root, "mac": head.mac}
    await session.run(_FOUND, named)


async def any_entry(session: Session) -> bool:
    """Whether there is an entry, under whatever head."""
    return bool(await session.rows(_ANY_ENTRY))


async def leaves(session: Session, first: int, last: int) -> list[bytes]:
    """The leaf hashes from index `first` up to, not including, `last`. Of entries that were pruned, the tiles still have them."""
    found = [leaf for (leaf,) in await session.rows(_LEAVES, {"first": first, "last": last})]
    return found if len(found) == last - first else await _leaves_of_tiles(session, first, last) or found


async def _leaves_of_tiles(session: Session, first: int, last: int) -> list[bytes]:
    """The same, where all of them are in full tiles or behind the last one; else nothing."""
    width = merkle.TILE_WIDTH
    start, end = first // width, -(-last // width)
    rows = await session.rows(_TILE_HASHES, {"of_level": 0, "first": start, "last": end})
    joined = b"".join(bytes(row[0]) for row in rows)
    known = [joined[at : at + merkle.HASH_BYTES] for at in range(0, len(joined), merkle.HASH_BYTES)]
    behind = start * width + len(known)
    if len(known) % width or behind < first:
        return []
    rest = await session.rows(_LEAVES, {"first": behind, "last": last}) if behind < last else []
    return [*known[first - start * width :], *(leaf for (leaf,) in rest)][: last - first]


async def hashes(session: Session, level: int, first: int, last: int) -> list[bytes]:
    """The hashes of a level of tiles from `first` up to, not including, `last`: leaves, or the roots of the level below."""
    if level == 0:
        return await leaves(session, first, last)
    return [root for (root,) in await session.rows(_TILE_ROOTS, {"of_level": level - 1, "first": first, "last": last})]


async def located(session: Session, ids: Iterable[str]) -> dict[str, int]:
    """Which of these entries are in the tree, and where."""
    rows = await session.rows(_LOCATED[session.dialect], {"ids": listed(session.dialect, ids)})
    return dict(rows)


async def make_durable(session: Session) -> None:
    """For this transaction: wait for the disk at the end, not for ever on a lock, and do not sit on one when this process freezes."""
    if session.dialect == "postgresql":
        await session.rows(_DURABLE)


async def settings(session: Session) -> tuple[str, str, str]:
    """The database's encoding, whether it waits for its disk, and how whole its pages stay."""
    encoding, flushes, pages = (await session.rows(_SETTINGS[session.dialect]))[0]
    return str(encoding), str(flushes), str(pages)


async def add_pending(session: Session, waiting: Iterable[Waiting], now: datetime) -> None:
    """Entries that stand or fall with the change in this transaction. Raises Duplicate for one that is there already."""
    for one in waiting:
        named = {"entry_id": one.entry_id, "writer": one.writer, "number": one.number, "entry": one.sealed, "created_at": now}
        await session.run(_ADD_PENDING, named)


async def orphans(session: Session, before: datetime) -> list[Waiting]:
    """What waits of writers that have left something waiting since `before`, in the order of their numbers."""
    return [Waiting(*row) for row in await session.rows(_ORPHANS, {"before": before})]


async def append(session: Session, origin: str, step: Step) -> bool:
    """Add everything, forget what waited, and move the head from `before` to `after`: by one statement on PostgreSQL, on SQLite inside a
    transaction that has begun as a writer.

    False, and nothing done, when the head is not `before`.
    """
    if session.dialect == "postgresql":
        return _moved(await session.rows(*_at_once(origin, step)))
    return await _in_parts(session, origin, step)


async def append_last(transaction: Transaction, origin: str, step: Step) -> bool:
    """The same, as the last of a transaction. A commit of nothing does no harm."""
    if transaction.dialect == "postgresql":
        return _moved(await transaction.commit(*_at_once(origin, step)))
    moved = await append(transaction, origin, step)
    await transaction.commit()
    return moved


def _moved(rows: Sequence[Row]) -> bool:
    return bool(rows[0][0] == 1)


def _at_once(origin: str, step: Step) -> tuple[Prepared, dict[str, Any]]:
    named: dict[str, Any] = {
        "log_id": origin,
        **_head_values(step),
        "old_root": step.before.root,
        "old_frontier": step.before.frontier,
        "lines": ROW.join(map(_line, step.entries)),
    }
    if step.pending:
        named["pending"] = ",".join(step.pending)
        named["waiting"] = len(step.pending)
    if step.tiles:
        levels, ns, hashes, roots = map(list, zip(*step.tiles, strict=True))
        named |= {"levels": levels, "ns": ns, "hashes": hashes, "roots": roots}
    statement = _append_all(pending=bool(step.pending), waiting=bool(step.pending) and not step.locked, tiles=bool(step.tiles))
    return statement, named


async def put(session: Session, first: int, entries: Sequence[Entry]) -> None:
    """The rows of entries from index `first` on, and of whom they are about: as they are written, and as they come back."""
    numbered = list(enumerate(entries, start=first))
    await session.bulk(_ADD_ENTRIES, [(index, entry.id, *entry[1:9]) for index, entry in numbered])
    await session.bulk(_ADD_SUBJECTS, [(subject, index) for index, entry in numbered for subject in entry.subjects])


def _line(entry: Entry) -> str:
    columns = (entry.id, entry.raw.decode(), entry.leaf.hex(), *entry[3:9], ",".join(entry.subjects))
    return FIELD.join(columns)


async def _in_parts(session: Session, origin: str, step: Step) -> bool:
    if await session.run(_MOVE_HEAD, {"of_log": origin, **_head_values(step)}) != 1:
        return False
    await put(session, step.before.size, step.entries)
    await session.bulk(_ADD_TILES, list(step.tiles))
    if step.pending:
        await session.run(_FORGET_PENDING, {"ids": listed(session.dialect, step.pending)})
    return True


def _head_values(step: Step) -> dict[str, int | bytes]:
    after = step.after
    new: dict[str, int | bytes] = {"size": after.size, "frontier": after.frontier, "root": after.root, "mac": after.mac}
    return {**new, "old_size": step.before.size, "old_mac": step.before.mac}
