"""Some hundred rows at a time, and what becomes of each: a member, a duplicate, a conflict. What the database knows is given."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple, Self

from policies.terms import LookupKind
from service.intake.layout import PHONE
from service.intake.model import Candidate, Code, RawRow, Reject
from service.intake.seen import Memory
from service.members.model import Lookup

NUMBER = "#"
"""Under which name the shop's member numbers are remembered; no field is called so."""

SLICE = 25
"""Rows to work on before others are given a turn."""

Claim = tuple[str, bytes]
REMEMBERED = frozenset({PHONE, NUMBER})
"""Of these a report names the line where they stood first. Of the rest it is enough that the database knows them."""

Refusal = tuple[Reject, ...]
_CODES = {PHONE: Code.DUPLICATE, NUMBER: Code.MEMBER_NUMBER_REPEATED}


class Keyed(NamedTuple):
    """A candidate with the digests it would be found by, and what it claims for itself alone: first the phone, which decides who
    a row is, then its other identities, last the shop's member number.
    """

    candidate: Candidate
    lookups: tuple[Lookup, ...]
    claims: tuple[Claim, ...]

    @classmethod
    def of(cls, candidate: Candidate, lookups: tuple[Lookup, ...]) -> Self:
        """Work out the claims. `lookups` begin with the phone."""
        found = [(lookup.field, lookup.digest) for lookup in lookups if lookup.kind is LookupKind.IDENTITY]
        if candidate.number is not None:
            found.append((NUMBER, candidate.number))
        return cls(candidate, lookups, tuple(found))


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows from `first` up to `end`, counted from 0, in the order of the file."""

    first: int
    end: int
    rows: tuple[Keyed | Refusal, ...]

    def keyed(self) -> Iterator[Keyed]:
        """Those that passed every rule that needs no database."""
        return (row for row in self.rows if isinstance(row, Keyed))


@dataclass(slots=True)
class Judgement:
    """What becomes of a batch's rows."""

    made: list[Keyed] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


class Feed:
    """The file in pieces, in its order. Reading makes way every few rows: the piece before is being stored meanwhile."""

    def __init__(self, rows: Iterable[RawRow], read: Callable[[int, RawRow], Keyed | Refusal]) -> None:
        self._rows = iter(rows)
        self._read = read
        self.position = 0

    async def next(self, size: int) -> Batch | None:
        """The next `size` rows, or what is left of them; None at the end."""
        first = self.position
        found: list[Keyed | Refusal] = []
        while piece := list(islice(self._rows, min(SLICE, size - len(found)))):
            found += [self._read(number, row) for number, row in enumerate(piece, first + len(found))]
            await asyncio.sleep(0)
        self.position += len(found)
        return Batch(first, self.position, tuple(found)) if found else None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known besides the row itself: identities held in the database, and by the rows of this file that became members.

    `made` names the rows that an earlier run of this very import has made members of; None where there was none.
    """

    held: frozenset[Claim]
    memory: Memory
    labels: Mapping[str, str]
    made: frozenset[int] | None = None


def judge(batch: Batch, known: Known) -> Judgement:
    """Decide every row, in the order of the file. The first row that can hold an identity holds it; none is ever overwritten."""
    judgement = Judgement()
    here: dict[Claim, int] = {}
    for row in batch.rows:
        if not isinstance(row, Keyed):
            judgement.refused.append(row)
        elif reject := _objection(row, known, here):
            judgement.refused.append((reject,))
        else:
            judgement.made.append(row)
            here.update(dict.fromkeys(row.claims, row.candidate.line))
    return judgement


def _objection(row: Keyed, known: Known, here: Mapping[Claim, int]) -> Reject | None:
    candidate = row.candidate
    if known.made is not None and candidate.row in known.made:
        return None
    remembered = known.memory.kinds
    for claim in row.claims:
        first = here.get(claim) or (known.memory.line_of(claim) if claim[0] in remembered else None)
        if first or claim in known.held:
            code = _CODES.get(claim[0], Code.IDENTITY_CONFLICT)
            return Reject(str(candidate.line), known.labels[claim[0]], code, first if claim[0] in REMEMBERED else None)
    if known.made is not None:
        # Whoever held the phone has given it up or was erased since, or a rule has changed.
        return Reject(str(candidate.line), "", Code.LEFT_OUT)
    return None
