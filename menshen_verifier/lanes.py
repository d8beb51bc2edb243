"""Lanes: each writer numbers its entries from a `boot` with 0, without a gap, in the order of the tree (docs/formats/audit-log.md).
The lane of a log's entry 0 may begin with `genesis` instead.

A number that is missing is an entry that was lost between the service and the tree, or taken out of a log whose tree was made anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Lane(NamedTuple):
    """Whose an entry is, and of which type."""

    writer: bytes
    typ: bytes


@dataclass(slots=True)
class Span:
    """What one stretch of the log has of one writer: the first and the last number, where they stand, and whether it begins as it must."""

    first: int
    last: int
    first_at: int
    last_at: int
    boots: bool


@dataclass(frozen=True, slots=True)
class Break:
    """At index `at` stood another number than the one due. The writer's entry before it is at `before`, -1 where there is none."""

    before: int
    at: int
    due: int
    number: int


@dataclass(slots=True)
class Lanes:
    """The writers of a stretch of the log. `partial` says that the log began before it: a writer may be in the middle of its count."""

    partial: bool = False
    spans: dict[bytes, Span] = field(default_factory=dict)
    breaks: list[Break] = field(default_factory=list)

    def saw(self, writer: bytes, number: int, at: int, typ: bytes) -> None:
        """An entry, in the order of the log."""
        span = self.spans.get(writer)
        if span is None:
            self.spans[writer] = Span(number, number, at, at, typ == b"boot" or (at == 0 and typ == b"genesis"))
            return
        if number != span.last + 1:
            self._broke(Break(span.last_at, at, span.last + 1, number))
        span.last, span.last_at = number, at

    def went_on(self, lanes: Sequence[Lane | None], numbers: Sequence[int], at: int) -> None:
        """Entries from index `at` on; of those without a lane nobody knows what they were."""
        lead, first, last = lanes[0], numbers[0], at + len(numbers) - 1
        alone = lanes.count(lead) == len(lanes) or len({lane and lane.writer for lane in lanes}) == 1
        # Nearly always one writer, counting: what a loop over the entries would find is known from both ends.
        counted = numbers == [*range(first, first + len(numbers))]
        if lead is not None and alone and counted:
            self.saw(lead.writer, first, at, lead.typ)
            span = self.spans[lead.writer]
            span.last, span.last_at = first + len(numbers) - 1, last
            return
        for lane, number, place in zip(lanes, numbers, range(at, last + 1), strict=True):
            if lane is not None:
                self.saw(lane.writer, number, place, lane.typ)

    def joined(self, later: "Lanes") -> None:
        """Go on with the stretch that follows this one."""
        for one in later.breaks:
            self._broke(one)
        for writer, span in later.spans.items():
            before = self.spans.get(writer)
            if before is None:
                self._began(span)
                self.spans[writer] = span
            else:
                if span.first != before.last + 1:
                    self._broke(Break(before.last_at, span.first_at, before.last + 1, span.first))
                before.last, before.last_at = span.last, span.last_at

    def _began(self, span: Span) -> None:
        if not self.partial and (span.first or not span.boots):
            self._broke(Break(-1, span.first_at, 0, span.first))

    def _broke(self, found: Break) -> None:
        """A few are enough: what follows a lost entry is its consequence."""
        if len(self.breaks) < 1000:
            self.breaks.append(found)
