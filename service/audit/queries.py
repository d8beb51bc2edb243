"""Entries for rooms that look something up in the log: by subject and time, by id. Whoever searches it does so in `service.inspection`.

The columns and subjects' rows only find; what is given out is parsed from the entry's own bytes, hashed anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from menshen_verifier import merkle
from service.audit.entry import dated
from service.audit.reading import store
from service.db.engine import Session
from service.errors import BadInput, Malformed
from service.values import ActorKind, utc_text

MOST_MONTHS = 37
"""Three years and the month that has begun: so long must records of processing be kept (PIPL 56), and so far a search goes back."""

MOST = 1000
_END = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What to look for; everything that is given must hold. `subjects` are the pseudonyms of one member, one for each month.

    `actor` is an account id, or a kind and an id as in `staff:clerk-7`. `before` is the index at which the last page ended.
    """

    subjects: Sequence[str] = ()
    actor: str = ""
    purpose: str = ""
    denied: bool = False
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    most: int = field(default=100)


@dataclass(frozen=True, slots=True)
class Found:
    """One entry. `whole` says that its bytes have the leaf hash that stands beside them; `entry` is empty for bytes that are none.

    `leaf` is that hash, in hex.
    """

    index: int
    whole: bool
    entry: dict[str, Any]
    leaf: str = ""


async def find(session: Session, wanted: Search) -> list[Found]:
    """Find entries, for a caller that records the looking itself. Raises BadInput, StoreUnavailable."""
    if len(wanted.subjects) > MOST_MONTHS or not 0 < wanted.most <= MOST:
        raise BadInput(f"search: at most {MOST_MONTHS} months and {MOST} entries at once")
    return [_found(*row) for row in await store.search(session, _in_columns(wanted))]


async def entry(session: Session, entry_id: str) -> Found | None:
    """The entry of this id, for a caller that records the looking itself. Bytes with another id than their column are not whole."""
    rows = await store.by_id(session, entry_id)
    if not rows:
        return None
    found = _found(*rows[0])
    alone = len(rows) == 1 and found.entry.get("id") == entry_id
    return found if alone else replace(found, whole=False)


def months(since: datetime, until: datetime) -> list[str]:
    """The months from one moment to the other, as pseudonyms count them. Raises BadInput for more than 37."""
    first, last = (moment.astimezone(UTC) for moment in (since, until))
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    if not 0 < count <= MOST_MONTHS:
        raise BadInput(f"search: from one month to {MOST_MONTHS}")
    start = first.year * 12 + first.month - 1
    return [f"{month // 12:04d}-{month % 12 + 1:02d}" for month in range(start, start + count)]


def _in_columns(wanted: Search) -> store.Wanted:
    actor = wanted.actor
    named = [actor] if ":" in actor else [f"{kind.value}:{actor}" for kind in ActorKind]
    return store.Wanted(
        subjects=wanted.subjects,
        actors=named if actor else [],
        purpose=wanted.purpose,
        denied=wanted.denied,
        since=utc_text(wanted.since) if wanted.since else "",
        until=utc_text(wanted.until) if wanted.until else "9",
        before=_END if wanted.before is None else wanted.before,
        most=wanted.most,
    )


def _found(index: int, raw: bytes, leaf: bytes) -> Found:
    try:
        return Found(index, merkle.leaf_hash(raw) == leaf, dated(raw), leaf.hex())
    except Malformed:
        return Found(index, whole=False, entry={}, leaf=leaf.hex())
