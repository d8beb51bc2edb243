"""Distinct members in the last 24 hours, by class: what is counted, and how a machine's reading is counted in memory."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from policies.bulk import BulkClass
from policies.terms import Catalogue

WINDOW = timedelta(hours=24)
KIND = "bulk.read"
SHOWN = BulkClass.OTHER
"""What a pseudonym in the log tells of somebody: that something was done, and the names of fields."""

MOST_MEMBERS = 1_000_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """What was approved: so many distinct members of a class within 24 hours, instead of the law's count."""

    operator: str
    bulk: BulkClass
    most: int

    @property
    def what(self) -> str:
        """The words that are approved, to the letter. The account stands last: it may have spaces in it."""
        return f"{self.bulk.value} {self.most} {self.operator}"


def allowance(what: str) -> Allowance | None:
    """What these words allow; None for words of another form."""
    bulk, _, rest = what.partition(" ")
    most, _, operator = rest.partition(" ")
    known = bulk in BulkClass.__members__ and most.isascii() and most.isdigit()
    return Allowance(operator, BulkClass(bulk), int(most)) if known else None


def classes_of(catalogue: Catalogue, fields: Iterable[str]) -> frozenset[BulkClass]:
    """What reading these fields of somebody counts as. Whatever is known of somebody without a field of theirs is OTHER."""
    found = {catalogue.categories[catalogue.fields[key].category].bulk for key in fields if key in catalogue.fields}
    return frozenset(found) or frozenset({BulkClass.OTHER})


class Recent:
    """Distinct members that were read in the last 24 hours, as this process has answered them. It keeps `most` and one more.

    What is kept of a member is a number that means nothing outside this process.
    """

    __slots__ = ("_most", "_seen", "crossed")

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: dict[int, datetime] = {}
        self.crossed: datetime | None = None

    def add(self, marks: Iterable[str], now: datetime) -> bool:
        """Count them; whether they are now too many for the first time in 24 hours."""
        seen = self._seen
        for mark in marks:
            key = hash(mark)
            seen.pop(key, None)
            seen[key] = now
        since = now - WINDOW
        while seen:
            oldest = next(iter(seen))
            if seen[oldest] > since and len(seen) <= self._most + 1:
                break
            del seen[oldest]
        if len(seen) <= self._most or (self.crossed is not None and self.crossed > since):
            return False
        self.crossed = now
        return True

    def __len__(self) -> int:
        return len(self._seen)
