"""Reading the entries of a bundle at once: one pass of one expression over all their lines, instead of a call for each.

Most of an entry's bytes were in an entry before it: who asked, on what basis, for which fields; which operation under which policy; whose
lane. The expression reads past these pieces, and only one that was not seen before is held to its own expression. What differs from entry
to entry (ids, nonces, numbers, pseudonyms, times) it holds to the grammar itself. An entry is known when all its pieces are; any other
is left to `facts_of`, so what is accepted is what that accepts, no more and no less (Hypothesis holds them to each other).

How this can hurt: a log of nothing but different pieces must not fill the memory, so what is remembered is forgotten when it is much.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from menshen_verifier import form
from menshen_verifier.entry import facts_of, in_order
from menshen_verifier.errors import Malformed
from menshen_verifier.lanes import Lane

_MOST_PIECES = 4096
_MOST_PIECE = 1024
"""Longer ones are left to `facts_of`; of such pieces no entry can come to 32 KiB, the most that one may have."""

_LINES = re.compile(
    (
        rf"(?:({form.PAST_HEAD})|{form.HEAD}{form.CONSENT}(){form.CHOICE}){form.NAMES}({form.PAST_RULE}){form.CALL}"
        rf"(?(2){form.SUBJECT}|(?:{form.SUBJECT})?+){form.WHEN}({form.PAST_TAIL})\n|[^\n]*+\n"
    ).encode()
).findall
"""Of each line head (empty where a consent follows it), nothing, rule, number, time and tail; of any other line nothing at all."""


class Page(NamedTuple):
    """What a replay needs of some entries, column by column. Of bytes that are no entry the time is empty and the lane None."""

    numbers: list[int]
    times: list[bytes]
    lanes: list[Lane | None]


class Reader:
    """Reads bundle after bundle, and remembers the pieces that it has seen. `most` is how many of each
    kind; `left` counts the entries that it left to `facts_of`."""

    def __init__(self, most: int = _MOST_PIECES) -> None:
        self.left = 0
        self._most = most
        self._heads = _Pieces(form.HEAD + form.CHOICE, most)
        self._rules = _Pieces(form.RULE, most)
        self._tail = re.compile(form.TAIL.encode()).fullmatch
        self._lanes: dict[bytes, Lane | None] = {}

    def read(self, entries: Sequence[bytes], lines: bytes) -> Page:
        """`lines` are the entries, a line break behind each."""
        found = _LINES(lines)
        if not found or len(found) != len(entries):
            return self._read_slowly(entries)
        heads, _, rules, numbers, times, tails = zip(*found, strict=True)
        strange = self._heads.missing(heads) | self._rules.missing(rules) | self._unread(tails)
        if not strange:
            return Page(list(map(int, numbers)), list(times), list(map(self._lanes.__getitem__, tails)))
        # No piece has a line break in it. One that is strange may, and so may entries: then nobody can say which line is whose.
        if lines.count(b"\n") != len(entries):
            return self._read_slowly(entries)
        page = Page([int(one or 0) for one in numbers], list(times), list(map(self._lanes.__getitem__, tails)))
        strange.discard(b"")
        return self._mended(page, entries, [at for at, row in enumerate(found) if not row[5] or not strange.isdisjoint(row)])

    def _unread(self, tails: Sequence[bytes]) -> set[bytes]:
        """Which of these are none; of the others it is known whose they are."""
        known, distinct = self._lanes, set(tails)
        if len(known) > self._most:
            known.clear()
        for tail in distinct.difference(known):
            match = self._tail(tail) if len(tail) <= _MOST_PIECE else None
            known[tail] = Lane(match["w"], match["typ"]) if match is not None and in_order(match["x"]) else None
        return {tail for tail in distinct if known[tail] is None}

    def _read_slowly(self, entries: Sequence[bytes]) -> Page:
        page = Page([0] * len(entries), [b""] * len(entries), [None] * len(entries))
        return self._mended(page, entries, range(len(entries)))

    def _mended(self, page: Page, entries: Sequence[bytes], places: Sequence[int]) -> Page:
        """The page with what the full path says of the entries at these places."""
        self.left += len(places)
        for at in places:
            page.numbers[at], page.times[at], page.lanes[at] = _slowly(entries[at])
        return page


def _slowly(raw: bytes) -> tuple[int, bytes, Lane | None]:
    try:
        facts = facts_of(raw)
    except Malformed:
        return 0, b"", None
    return facts.number, facts.ts, Lane(facts.writer, facts.typ)


class _Pieces:
    """Those of one kind that were held to their expression."""

    def __init__(self, text: str, most: int) -> None:
        self._most = most
        self._fits = re.compile(text.encode()).fullmatch
        self._known = {b""}

    def missing(self, pieces: Iterable[bytes]) -> set[bytes]:
        """Which of these are none."""
        if self._known.issuperset(pieces):
            return set()
        if len(self._known) > self._most:
            self._known = {b""}
        for piece in set(pieces).difference(self._known):
            if len(piece) <= _MOST_PIECE and self._fits(piece):
                self._known.add(piece)
        return set(pieces).difference(self._known)
