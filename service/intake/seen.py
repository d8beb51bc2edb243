"""Which values this file has had before, and on which line: to say so, and to find repeats where nothing is written (--dry-run).

Eight bytes of a digest and four of a line number in two flat arrays: 24 bytes a row at most times, where a dictionary takes 200.
That two digests of one file agree in 63 bits by chance happens once in a million files of four million rows.
"""

from array import array
from collections.abc import Iterable

_LEAST = 1 << 10
_LIMIT = (1 << 64) - 1


class Seen:
    """A table from digest to line, open addressing, never more than half full. A line is at least 1."""

    def __init__(self) -> None:
        self._keys = array("Q", bytes(8 * _LEAST))
        self._lines = array("I", bytes(4 * _LEAST))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def size(self) -> int:
        """Bytes of memory."""
        return self._keys.itemsize * len(self._keys) + self._lines.itemsize * len(self._lines)

    def line_of(self, digest: int) -> int | None:
        """The line that this value was first seen on."""
        place = self._place(digest & _LIMIT | 1)
        return self._lines[place] or None

    def add(self, digest: int, line: int) -> None:
        """Remember the line of a value that has not been seen."""
        if 2 * self._count >= len(self._keys):
            self._grow()
        key = digest & _LIMIT | 1
        place = self._place(key)
        if not self._keys[place]:
            self._count += 1
            self._keys[place], self._lines[place] = key, line

    def _place(self, key: int) -> int:
        """Where the key stands, or the empty place where it would."""
        keys = self._keys
        mask = len(keys) - 1
        place = (key >> 1) & mask
        while keys[place] and keys[place] != key:
            place = (place + 1) & mask
        return place

    def _grow(self) -> None:
        keys, lines = self._keys, self._lines
        self._keys = array("Q", bytes(16 * len(keys)))
        self._lines = array("I", bytes(8 * len(lines)))
        for key, line in zip(keys, lines, strict=True):
            if key:
                place = self._place(key)
                self._keys[place], self._lines[place] = key, line


class Memory:
    """What this file's rows that became members hold, of these `kinds`. A digest is of its field, so one table serves all."""

    def __init__(self, kinds: Iterable[str]) -> None:
        self.kinds = frozenset(kinds)
        self._seen = Seen()

    def line_of(self, claim: tuple[str, bytes]) -> int | None:
        """The line of the row that holds it. Ask for these kinds only."""
        return self._seen.line_of(int.from_bytes(claim[1][:8]))

    def add(self, claims: Iterable[tuple[str, bytes]], line: int) -> None:
        """Remember the row that holds these."""
        for kind, digest in claims:
            if kind in self.kinds:
                self._seen.add(int.from_bytes(digest[:8]), line)
