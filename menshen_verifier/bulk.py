"""Reading the entries of a bundle at once: one pass of one expression over all their lines, instead of a call for each.

Most of an entry's bytes were in an entry before it: who asked on what basis; for which fields; which operation under which policy; whose
lane. The expression reads past these pieces, and only one that was not seen before is held to its own expression. What differs from entry
to entry (ids, nonces, pseudonyms, requests, times) it reads past as well, by its length, and all of a bundle's are held to the grammar
together, by turning each byte into its kind. An entry is known when all its pieces are; any other is left to `facts_of`, so what is
accepted is what that accepts, no more and no less (Hypothesis holds them to each other).

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
        rf"{form.PAST_WHO}{form.PAST_CONSENT}{form.PAST_CHOICE}{form.PAST_NAMES}{form.PAST_RULE}{form.PAST_CALL}"
        rf"{form.PAST_SUBJECT}{form.PAST_WHEN}{form.PAST_TAIL}\n|[^\n]*+\n"
    ).encode(),
    re.DOTALL,
).findall
"""Of each line its pieces; of any other line nothing at all."""

_HEX = bytes.maketrans(b"123456789abcdef", b"0" * 15)
_UUID = b"00000000-0000-0000-0000-000000000000"
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_MOMENT = b"0000-00-00T00:00:00.000000Z"
_MINUTE, _SECOND, _TENS = 14, 17, b"012345"
_is_hour = re.compile(form.HOUR.encode()).fullmatch
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_LAST = b"AQgw"
"""What the last of 22 characters may be: it has two bits of sixteen bytes."""
_RANDOM_BYTES = 22
_REQUEST = bytes(one for one in range(0x21, 0x7F) if one not in b'"\\')


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
        self._whose = _Pieces(form.HEAD, most)
        self._choices = _Pieces(form.CHOICE, most)
        self._rules = _Pieces(form.RULE, most)
        self._tail = re.compile(form.TAIL.encode()).fullmatch
        self._lanes: dict[bytes, Lane | None] = {}

    def read(self, entries: Sequence[bytes], lines: bytes) -> Page:
        """`lines` are the entries, a line break behind each."""
        found = _LINES(lines)
        if not found or len(found) != len(entries):
            return self._read_slowly(entries)
        whose, cons, choices, ids, nonces, rules, requests, numbers, subjects, times, tails = zip(*found, strict=True)
        if not (_are_ids(ids + cons) and _are_random(nonces + subjects) and _are_requests(requests) and _are_moments(times)):
            return self._read_slowly(entries)
        strange = self._whose.missing(whose) | self._choices.missing(choices) | self._rules.missing(rules) | self._unread(tails)
        if not strange:
            return Page(list(map(int, numbers)), list(times), list(map(self._lanes.__getitem__, tails)))
        # No piece has a line break in it. One that is strange may, and so may entries: then nobody can say which line is whose.
        if lines.count(b"\n") != len(entries):
            return self._read_slowly(entries)
        page = Page([int(one or 0) for one in numbers], list(times), list(map(self._lanes.__getitem__, tails)))
        strange.discard(b"")
        return self._mended(page, entries, [at for at, row in enumerate(found) if not row[-1] or not strange.isdisjoint(row)])

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


def _are_ids(some: Sequence[bytes]) -> bool:
    joined = b"".join(some)
    return joined.translate(_HEX) == _UUID * (len(joined) // len(_UUID))


def _are_random(some: Sequence[bytes]) -> bool:
    joined = b"".join(some)
    return not joined.translate(None, _BASE64) and not joined[_RANDOM_BYTES - 1 :: _RANDOM_BYTES].translate(None, _LAST)


def _are_requests(some: Sequence[bytes]) -> bool:
    return not b"".join(some).translate(None, _REQUEST)


def _are_moments(some: Sequence[bytes]) -> bool:
    """Digits where they have to be, and no month, day, hour, minute or second that is none."""
    joined, step = b"".join(some), len(_MOMENT)
    if joined.translate(_DIGITS) != _MOMENT * (len(joined) // step):
        return False
    if (joined[_MINUTE::step] + joined[_SECOND::step]).translate(None, _TENS):
        return False
    # They stand in their order already, or nearly. Between two of one hour there is none of another.
    ordered = sorted(some)
    hours = {ordered[0][:_MINUTE], ordered[-1][:_MINUTE]}
    return all(map(_is_hour, hours if len(hours) == 1 else {one[:_MINUTE] for one in some if one}))


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
