"""What the archive knows without looking: where a tile stands, what a segment is, how long entries are kept. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from menshen_verifier import merkle, tiles
from service.errors import ConfigError

SEGMENT = merkle.TILE_WIDTH**2
"""Entries: one full tile of level 1. Its root is one hash of level 2."""

PARTITION_SEGMENTS = 16
"""Of one partition on PostgreSQL (migrations/partitions.py): pruned together, they leave without a row being touched."""

ENTRIES = "entries"
FEWEST_MONTHS = 6
"""Cybersecurity Law 23(3): network logs are kept for at least six months."""

FEWEST_DAYS = timedelta(days=184)
"""Six months at their longest: from February to July they have 181 days, and nobody has to count which six somebody means."""

_NUMBER = re.compile(r"((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
_LEVEL = re.compile(r"0|[1-9]|[1-5][0-9]|6[0-3]")


@dataclass(frozen=True, slots=True)
class Where:
    """A tile of hashes, or (level None) the bundle of the entries under a tile of level 0. `width` is 256 for a full one."""

    level: int | None
    n: int
    width: int

    def within(self, size: int) -> bool:
        """Whether a tree of `size` has it. What a smaller tree had, this one has too."""
        return self.n * merkle.TILE_WIDTH + self.width <= size >> merkle.TILE_HEIGHT * (self.level or 0)


def where(level: str, number: str) -> Where | None:
    """The tile at `tile/<level>/<number>` of C2SP tlog-tiles, level `entries` for bundles. None for what is no such address."""
    found = _NUMBER.fullmatch(number)
    if found is None or not (level == ENTRIES or _LEVEL.fullmatch(level)):
        return None
    n = int(re.sub(r"[x/]", "", found[1]))
    width = int(found[2] or merkle.TILE_WIDTH)
    # One tile has one address: x000/001 is none.
    canonical = tiles.bundle_path(n, width).removeprefix("tile/entries/") == number
    return Where(None if level == ENTRIES else int(level), n, width) if canonical and 0 < width <= merkle.TILE_WIDTH else None


@dataclass(frozen=True, slots=True)
class Segment:
    """Entries `first` to `last` of the log, which were archived at `uri` under checkpoint `size`; `digest` is that of its manifest."""

    n: int
    root: bytes
    size: int
    first_ts: str
    last_ts: str
    uri: str
    digest: bytes
    archived_at: datetime
    pruned_at: datetime | None = None

    @property
    def first(self) -> int:
        """Its first index."""
        return self.n * SEGMENT

    @property
    def end(self) -> int:
        """One past its last index."""
        return self.first + SEGMENT


def subtree_path(first: int, last: int, size: int) -> list[tuple[int, int]]:
    """For each hash from the subtree over these leaves up to the root of a tree of `size`, the leaves it covers, the nearest first."""
    return [(start, end) for start, end in merkle.path_spans(first, size) if end <= first or start >= last]


def climbed(root: bytes, spans: Sequence[tuple[int, int]], path: Sequence[bytes], first: int) -> bytes:
    """The root that the subtree beginning at `first` comes to with these hashes beside it. Raises ValueError for too many or too few."""
    for (start, _), other in zip(spans, path, strict=True):
        root = merkle.node_hash(root, other) if start > first else merkle.node_hash(other, root)
    return root


def kept_since(now: datetime, months: int) -> datetime:
    """Entries from this moment on are kept. Raises ConfigError for a time that the law does not allow."""
    if months < FEWEST_MONTHS:
        raise ConfigError(f"MENSHEN_AUDIT_MONTHS: network logs are kept for {FEWEST_MONTHS} months at least (CSL 23(3))")
    month = now.year * 12 + now.month - 1 - months
    # The same day of that month or, where it has none, its last hours are kept as well: rather a day more than one less.
    return min(now.replace(year=month // 12, month=month % 12 + 1, day=min(now.day, 28)), now - FEWEST_DAYS)
