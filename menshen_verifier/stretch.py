"""One stretch of the log, at most 65,536 entries: hash them, read them, and tell what its neighbours need. Stretches run side by side.

A stretch begins at a multiple of 65,536, so its tree is one subtree of the log's: what a process finds out about it alone, its parent only
has to put together. Of the entries nothing is kept but hashes, numbers and times; memory is that of one bundle.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from menshen_verifier import merkle
from menshen_verifier.bulk import Reader
from menshen_verifier.entry import MOST_BYTES
from menshen_verifier.errors import Forged, Malformed
from menshen_verifier.export import LINES, Export, cut
from menshen_verifier.findings import Finding, Part, Verdict
from menshen_verifier.lanes import Lanes
from menshen_verifier.policy import Policy
from menshen_verifier.tiles import parse_bundle

WIDTH = merkle.TILE_WIDTH * merkle.TILE_WIDTH
_MOST_FINDINGS = 1000
_BLOCK = 1 << 24


@dataclass(frozen=True, slots=True)
class Task:
    """Tiles `first` to `last` of a log of `size`. Entries are expected from `begin` to `end`; `marks` are sizes at which a root is wanted.

    `lines` is where entries.jsonl has the first of them, None where it is not to be compared.
    """

    folder: Path
    policy: Policy
    size: int
    first: int
    last: int
    begin: int
    end: int
    marks: tuple[int, ...]
    lines: int | None


class Mark(NamedTuple):
    """The frontier inside the stretch at a wanted size, None where its hashes are gone; and the export's own checkpoint of that size."""

    size: int
    frontier: tuple[bytes, ...] | None
    root: bytes | None
    times: tuple[int, ...]
    seen: int | None
    witnessed: bool
    forged: bool


class Clock(NamedTuple):
    """The earliest and the latest time that the entries `first` to `last` name."""

    first: int
    last: int
    earliest: bytes
    latest: bytes


@dataclass(slots=True)
class Stretch:
    """What was found. `roots` are those of the full tiles; `frontier` that of the whole stretch, None where it cannot be told."""

    task: Task
    frontier: tuple[bytes, ...] | None = ()
    roots: list[bytes] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    clocks: list[Clock] = field(default_factory=list)
    lanes: Lanes = field(default_factory=lambda: Lanes(partial=True))
    differing: list[Finding] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    entries: int = 0

    @property
    def empty(self) -> bool:
        """Whether neither entries nor hashes nor roots of it are there."""
        return self.frontier is None and not self.entries and not self.roots


def examined(task: Task) -> Stretch:
    """Examine one stretch. Raises OSError, Malformed where the folder cannot be read at all."""
    # A large block, taken and given back untouched: from then on glibc keeps what bundles free instead of fetching it anew, page by
    # page, for each of them. That was a fifteenth of all time.
    bytes(_BLOCK)
    work = _Work(task)
    for n in range(task.first, task.last):
        work.tile(n)
    return work.ended()


class _Work:
    """The tree of the stretch as it grows, and what was found on the way."""

    def __init__(self, task: Task) -> None:
        self.found = Stretch(task)
        self._task = task
        self._export = Export(task.folder)
        self._size = 0
        self._frontier: tuple[bytes, ...] | None = ()
        self._reader = Reader()
        self._marks = sorted(task.marks, reverse=True)
        self._lines = _Lines(task.folder / LINES, task.lines) if task.lines is not None else None

    def tile(self, n: int) -> None:
        """The next tile: its entries where they are expected, else its hashes, else its root."""
        first = n * merkle.TILE_WIDTH
        width = min(merkle.TILE_WIDTH, self._task.size - first)
        stored = self._export.hashes(0, n, width)
        leaves = None
        if first < self._task.end and self._task.begin < first + width:
            leaves = self._entries(n, width, stored)
        elif stored is not None:
            leaves = cut(stored)
        if leaves is None:
            self._without_hashes(n, width)
            return
        for mark in self._marks_until(first + width):
            self._grow(leaves, first, mark)
            self._mark(mark, self._frontier)
        self._grow(leaves, first, first + width)

    def ended(self) -> Stretch:
        """What was found, when there is no further tile."""
        for mark in self._marks_until(self._task.size):
            self._mark(mark, self._frontier)
        self.found.frontier = self._frontier
        if self._task.last * merkle.TILE_WIDTH >= self._task.size and self._lines is not None and not self._lines.ended():
            self._say(Verdict.ALTERED, Part.LINES, self._task.begin, max(self._task.begin, self._task.end - 1))
        return self.found

    def _entries(self, n: int, width: int, stored: bytes | None) -> list[bytes] | None:
        """The leaves that a bundle's entries make; where it has not `width` of them, those that the tile has instead."""
        first = n * merkle.TILE_WIDTH
        raw = self._export.bundle(n, width)
        try:
            entries = [] if raw is None else parse_bundle(raw)
        except Malformed:
            entries = []
        leaves = merkle.leaf_hashes(entries)
        if stored is None:
            self._say(Verdict.REMOVED, Part.TILE, first, first + width - 1)
        if len(entries) != width:
            known = cut(stored or b"")
            if raw is None and self._lines is not None:
                leaves = self._lines.among(known)
            self._lines = None
            self._say(*_parted(first, width, leaves, known))
            return known or None
        if stored is not None and b"".join(leaves) != stored and len(self.found.differing) < _MOST_FINDINGS:
            self.found.differing.append(Finding(*_parted(first, width, leaves, cut(stored))))
        lines = b"\n".join([*entries, b""])
        self._read(entries, lines, first)
        if self._lines is not None and not self._lines.are(self._wanted(entries, lines, first)):
            self._say(Verdict.ALTERED, Part.LINES, first, first + width - 1)
            self._lines = None
        self.found.entries += width
        return leaves

    def _wanted(self, entries: list[bytes], lines: bytes, first: int) -> bytes:
        begin, end = max(0, self._task.begin - first), self._task.end - first
        return b"\n".join([*entries[begin:end], b""]) if begin or end < len(entries) else lines

    def _read(self, entries: list[bytes], lines: bytes, first: int) -> None:
        """What the entries say."""
        page = self._reader.read(entries, lines)
        for at, lane in enumerate(page.lanes, first) if None in page.lanes else ():
            if lane is None:
                self._say(Verdict.ALTERED, Part.FORM, at, at)
        self.found.lanes.went_on(page.lanes, page.numbers, first)
        self._clocked(page.times, first)

    def _clocked(self, times: list[bytes], first: int) -> None:
        """Cut where a checkpoint was signed, for there a cosignature may say what time it was."""
        begin = 0
        cuts = [mark - first for mark in reversed(self._marks) if first < mark < first + len(times)]
        for end in (*cuts, len(times)):
            some = sorted(filter(None, times[begin:end]))  # they stand in their order already, or nearly
            if some:
                self.found.clocks.append(Clock(first + begin, first + end - 1, some[0], some[-1]))
            begin = end

    def _marks_until(self, end: int) -> Iterator[int]:
        while self._marks and self._marks[-1] <= end:
            yield self._marks.pop()

    def _mark(self, size: int, frontier: tuple[bytes, ...] | None) -> None:
        root: bytes | None = None
        times: tuple[int, ...] = ()
        seen: int | None = None
        witnessed = forged = False
        raw = self._export.note(size)
        if raw is not None:
            try:
                opened = self._task.policy.open(raw)
            except (Malformed, Forged):
                forged = True
            else:
                forged = opened.checkpoint.size != size
                root, times = opened.checkpoint.root, tuple(self._task.policy.times(opened))
                seen = self._task.policy.seen(opened)
                witnessed = self._task.policy.witnessed(opened)
        self.found.marks.append(Mark(size, frontier, None if forged else root, times, seen, witnessed, forged))

    def _grow(self, leaves: list[bytes], first: int, until: int) -> None:
        """Take the leaves of the tile that begins at `first` into the tree, up to the log's size `until`."""
        if self._frontier is not None:
            begin = self._task.first * merkle.TILE_WIDTH
            more = leaves[begin + self._size - first : until - first]
            self._frontier, rows = merkle.extend(self._size, self._frontier, more)
            self._size += len(more)
            # What became complete at the height of a tile is the tile's root.
            self.found.roots += rows[1] if len(rows) > 1 else ()

    def _without_hashes(self, n: int, width: int) -> None:
        """A tile of which only the root is left, in the level above. Sizes that end inside it can no longer be compared."""
        above = self._export.tile(1, n // merkle.TILE_WIDTH, min(merkle.TILE_WIDTH, (self._task.size >> 8) - (n & ~0xFF)))
        known = above is not None and width == merkle.TILE_WIDTH and self._frontier is not None
        end = n * merkle.TILE_WIDTH + width
        for mark in self._marks_until(end - 1):
            self._mark(mark, None)
        if not known or above is None or self._frontier is None:
            self._frontier = None
            self._say(Verdict.REMOVED, Part.TILE, n * merkle.TILE_WIDTH, end - 1)
        else:
            root = above[n % merkle.TILE_WIDTH]
            self._frontier = merkle.extend(self._size >> 8, self._frontier, [root]).frontier
            self._size += width
            self.found.roots.append(root)
        for mark in self._marks_until(end):
            self._mark(mark, self._frontier)

    def _say(self, verdict: Verdict, part: Part, first: int, last: int) -> None:
        if len(self.found.findings) < _MOST_FINDINGS:
            self.found.findings.append(Finding(verdict, part, first, last))


def _parted(first: int, width: int, leaves: list[bytes], stored: list[bytes]) -> tuple[Verdict, Part, int, int]:
    """Where entries and their tile part. A leaf that comes too early shows an entry taken out before it, one too late one put in, and two
    that stand in each other's place were exchanged.
    """
    pairs = zip(leaves, stored, strict=False)
    places = [at for at, (one, other) in enumerate(pairs) if one != other] or [min(len(leaves), len(stored), width - 1)]
    at = places[0]
    here, there = leaves[at : at + 2], stored[at : at + 2]
    if len(here) == 2 and here == there[::-1]:
        return Verdict.ALTERED, Part.ENTRY, first + at, first + at + 1
    if len(there) == 2 and here[:1] == there[1:]:
        return Verdict.REMOVED, Part.ENTRY, first + at, first + at
    if len(here) == 2 and there[:1] == here[1:]:
        return Verdict.INSERTED, Part.ENTRY, first + at, first + at
    if len(leaves) == width:
        return Verdict.ALTERED, Part.ENTRY, first + at, first + places[-1]
    return Verdict.REMOVED if len(leaves) < width else Verdict.INSERTED, Part.ENTRY, first + at, first + width - 1


class _Lines:
    """entries.jsonl, read along: each line is an entry's bytes."""

    def __init__(self, path: Path, offset: int) -> None:
        self._file = path.open("rb")
        self._file.seek(offset)

    def are(self, wanted: bytes) -> bool:
        """Whether the next lines are these."""
        return self._file.read(len(wanted)) == wanted

    def among(self, known: list[bytes]) -> list[bytes]:
        """The leaf hashes of the next lines, as long as they are among these and not all of them.

        An exporter that misses an entry writes no bundle, but the lines of what is there.
        """
        wanted, found = set(known), list[bytes]()
        while len(found) < len(known):
            leaf = merkle.leaf_hash(self._file.readline(MOST_BYTES + 1)[:-1])
            if leaf not in wanted:
                break
            found.append(leaf)
        return found if len(found) < len(known) else []

    def ended(self) -> bool:
        """Whether there is no further line."""
        return not self._file.read(1)

    def __del__(self) -> None:
        self._file.close()
