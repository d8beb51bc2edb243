"""What a verification says: one verdict, and where."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """OK, or what was done to the log; the worst first. Indices are those of the log, from 0."""

    FORKED = "FORKED"
    ROLLED_BACK = "ROLLED-BACK"
    ALTERED = "ALTERED"
    REMOVED = "REMOVED"
    INSERTED = "INSERTED"
    STALE = "STALE"
    UNSIGNED_TAIL = "UNSIGNED TAIL"
    OK = "OK"


class Part(StrEnum):
    """What of the export a finding is about. ENTRY and CHECKPOINT touch the record itself; the others are what is kept beside it."""

    ENTRY = "entry"
    CHECKPOINT = "checkpoint"
    FORM = "form"
    NUMBERS = "numbers"
    CLOCK = "clock"
    TILE = "tile"
    LINES = "entries.jsonl"
    MANIFEST = "manifest"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was signed. `first` to `last` are the entries among which it is; equal when it is known exactly."""

    verdict: Verdict
    part: Part
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file worth keeping, because somebody signed it: two of them that cannot both be true convict whoever holds the key."""

    name: str
    note: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found. `entries` were hashed from their bytes; of the tree's other leaves there were only the hashes in tiles.

    `checkpoints` were compared with the tree and fitted, `unchecked` lie where even the hashes are gone. Times are seconds since 1970.

    `begun_at` is the earliest by which the quorum had seen whatever lies before `first`. `continues` is the log that was closed for this,
    and the size of its last checkpoint, as entry 0 says.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    origin: str
    size: int
    root: str
    first: int
    end: int
    entries: int
    writers: int
    checkpoints: int
    unchecked: int
    since: int | None
    cosigned_size: int | None
    cosigned_at: int | None
    begun_at: int | None
    witnesses: tuple[str, ...]
    first_ts: str
    last_ts: str
    timestamps: tuple[tuple[int, str], ...]
    evidence: tuple[Evidence, ...]
    continues: tuple[str, int] | None = None
