"""The reading: entries become accounts and uses."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from service.audit.entry import dated
from service.db.engine import Database, Session
from service.db.statement import Row
from service.errors import Malformed
from service.oversight.tracing import store
from service.oversight.tracing.store import Use

ACCOUNTS = ("staff:", "service:")
"""Whose accounts are reviewed: members are who they are, and the system is this program."""

BATCH = 5000
ROLE, OPERATION, PURPOSE = "role", "operation", "purpose"


async def trace(database: Database, *, now: datetime) -> int:
    """Read on until the end of the log; how many entries were new."""
    connection, done = database.own(), 0
    try:
        async with connection.single() as session:
            while read := await _batch(session, now):
                done += read
    finally:
        await connection.close()
    return done


async def _batch(session: Session, now: datetime) -> int:
    rows = await store.entries(session, await store.position(session), size=BATCH)
    if not rows:
        return 0
    seen, used = _folded(rows)
    for name, (first, last) in seen.items():
        await store.see(session, name, first, last)
    for use, at in used.items():
        await store.use(session, use, at)
    await store.mark(session, rows[-1][0] + 1, now=now)
    return len(rows)


def _folded(rows: Iterable[Row]) -> tuple[dict[str, tuple[datetime, datetime]], dict[Use, datetime]]:
    """Of each account the first and the last moment, of each use the last. Clocks of instances differ: the latest counts, not the last."""
    seen: dict[str, tuple[datetime, datetime]] = {}
    used: dict[Use, datetime] = {}
    for _, name, raw in rows:
        entry = _opened(raw) if name.startswith(ACCOUNTS) else None
        if entry is None:
            continue
        at = datetime.fromisoformat(entry["ts"])
        first, last = seen.get(name, (at, at))
        seen[name] = min(at, first), max(at, last)
        for use in _uses(name, entry) if entry["dec"] == "allow" else ():
            used[use] = max(at, used.get(use, at))
    return seen, used


def _opened(raw: bytes) -> Mapping[str, Any] | None:
    """None for bytes that are no entry any more: that somebody altered the log is found by those who verify it, and must not stop this."""
    try:
        return dated(raw)
    except Malformed:
        return None


def _uses(name: str, entry: Mapping[str, Any]) -> Iterable[Use]:
    for role in entry["act"]["role"]:
        yield Use(name, role, ROLE, role)
        for what, key in ((OPERATION, "op"), (PURPOSE, "pur")):
            if told := entry.get(key):
                yield Use(name, role, what, told)
