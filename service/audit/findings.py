"""What a verification says: one verdict, and where."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """OK, or what was done to the log. Indices are those of the log, from 0."""

    OK = "OK"
    ALTERED = "ALTERED"
    REMOVED = "REMOVED"
    INSERTED = "INSERTED"
    ROLLED_BACK = "ROLLED-BACK"


class Part(StrEnum):
    """What of the log a finding is about. Only ENTRY and HEAD touch the record itself; the others are what is kept beside it."""

    ENTRY = "entry"
    HEAD = "head"
    LEAF = "leaf"
    TILE = "tile"
    COLUMNS = "columns"
    SUBJECTS = "subjects"
    TERMS = "terms"
    NUMBERS = "numbers"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was written. `first` to `last` are the entries among which it is; equal when it is known exactly."""

    verdict: Verdict
    part: Part
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. `remembered` is the size of the remembered head, None where there is none to compare with. Before `pruned` there are
    entries that were archived and pruned, of which only the hashes were verified.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    size: int
    root: str
    entries: int
    remembered: int | None
    waiting: int
    pruned: int = 0

    @property
    def first(self) -> int | None:
        """The first bad index, if there is one."""
        return self.findings[0].first if self.findings else None
