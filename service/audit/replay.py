"""The log rebuilt from its stored bytes, page by page, in flat memory: what `verify` knows when the last page is through.

Pure: rows come in, evidence comes out. Only the first piece of evidence of each kind is kept, for whoever moved one row has moved
all that follow.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from menshen_verifier import merkle
from service.audit.findings import Part
from service.audit.head import Head, Seen
from service.audit.index.store import Indexed
from service.audit.index.terms import BLOCK, Postings, span
from service.audit.reading.store import Page, Pair, columns
from service.audit.tree import Tile, Tree


class Place(NamedTuple):
    """The entries among which something is wrong, `last` included."""

    first: int
    last: int


class Break(NamedTuple):
    """Where a lane's numbers do not go on: the entry, and the index of the lane's entry before it (-1: there is none)."""

    at: int
    before: int


class Replay:
    """`tree` is what the entries make; `sound` is up to where it was the head's; `places` is the evidence, by part.

    `skipped` is the end of what was pruned, as the tables have it; `pruned_to` is up to where the log's own entries say that it was.
    """

    def __init__(self, head: Head, remembered: Seen | None) -> None:
        self.tree = Tree()
        self.sound = 0
        self.places: dict[Part, Place] = {}
        self.break_: Break | None = None
        self.remembered_root: bytes | None = None
        self.postings = Postings()
        self.moments: list[str] = []
        self.lanes: dict[str, int] = {}
        self.skipped = 0
        self.pruned_to = 0
        self._last_of_lane: dict[str, int] = {}
        self._expected = 0
        self._head = head
        self._remembered_size = remembered.size if remembered else -1
        ends = {end: number for number, (_, end) in enumerate(merkle.spans(head.size), start=1)}
        self._stops: dict[int, int] = {self._remembered_size: 0} | ends

    def note(self, part: Part, first: int, last: int) -> None:
        """Keep the evidence that comes first."""
        if part not in self.places or last < self.places[part].last:
            self.places[part] = Place(first, last)

    def read(self, page: Page) -> tuple[list[Tile], list[Pair]]:
        """Take in a page. Returns the tiles that it fills and the subjects it names, for comparison with what is stored."""
        leaves = merkle.leaf_hashes(page.raws)
        if b"".join(leaves) != page.leaves:
            at = next(i for i, leaf in enumerate(leaves) if leaf != page.leaves[i * len(leaf) : (i + 1) * len(leaf)])
            self.note(Part.LEAF, page.indices[at], page.indices[at])
        self._contiguous(page.indices)
        pairs = self._contents(page)
        return self._grow(leaves), pairs

    def skip(self, first: int, last: int, stored: Mapping[int, tuple[bytes, bytes]]) -> list[Tile]:
        """Entries that were archived and pruned: their leaf hashes are those of the tiles that stayed. What lanes were at is not known."""
        leaves: list[bytes] = []
        for n in range(first // merkle.TILE_WIDTH, last // merkle.TILE_WIDTH):
            hashes = stored[n][0] if n in stored else b""
            if len(hashes) != merkle.TILE_WIDTH * merkle.HASH_BYTES:
                self.note(Part.TILE, n * merkle.TILE_WIDTH, (n + 1) * merkle.TILE_WIDTH - 1)
                hashes = bytes(merkle.TILE_WIDTH * merkle.HASH_BYTES)
            leaves += [hashes[at : at + merkle.HASH_BYTES] for at in range(0, len(hashes), merkle.HASH_BYTES)]
        self.lanes.clear()
        self._last_of_lane.clear()
        self._expected = self.skipped = last
        return self._grow(leaves)

    def compare_tiles(self, made: Iterable[Tile], stored: Mapping[int, tuple[bytes, bytes]]) -> None:
        """A stored tile that is not what the entries make points to the very hash."""
        for tile in made:
            width = merkle.TILE_WIDTH**tile.level
            first = tile.n * merkle.TILE_WIDTH * width
            if stored.get(tile.n) != (tile.hashes, tile.root):
                at = _first_difference(tile.hashes, stored[tile.n][0]) if tile.n in stored else None
                begin, span = (first, merkle.TILE_WIDTH * width) if at is None else (first + at * width, width)
                self.note(Part.TILE, begin, begin + span - 1)

    def compare_words(self, number: int, stored: Indexed) -> None:
        """The words of the page that was read last, which is block `number`, must be those that its entries have."""
        if self.postings.made() != stored.postings or span(self.moments) != stored.span:
            self.note(Part.TERMS, number * BLOCK, (number + 1) * BLOCK - 1)

    def compare_subjects(self, named: Sequence[Pair], stored: Sequence[Pair]) -> None:
        """The search's rows must be those that the entries name."""
        for index, _ in sorted(set(named).symmetric_difference(stored))[:1]:
            self.note(Part.SUBJECTS, index, index)

    def _contiguous(self, indices: Sequence[int]) -> None:
        """They are different and in order, so the first and the last tell whether all between are there."""
        end = self._expected + len(indices)
        if indices and indices[0] == self._expected and indices[-1] == end - 1:
            self._expected = end
            return
        for index in indices:
            if index != self._expected:
                self.note(Part.ENTRY, self._expected, self._expected)
            self._expected = index + 1

    def _contents(self, page: Page) -> list[Pair]:
        """One pass over the entries: columns, lanes, subjects. This loop is where the time goes."""
        load: Callable[[bytes], Any] = orjson.loads
        lanes, last_of_lane, pairs = self.lanes, self._last_of_lane, []
        self.postings, self.moments = Postings(), []
        place, moments = self.postings.add, self.moments
        # Behind what was pruned, a lane goes on from a number that nobody here knows.
        unseen = None if self.skipped else 0
        for index, raw, projected in zip(page.indices, page.raws, page.columns, strict=True):
            try:
                entry = load(raw)
                writer, number = entry["w"], entry["s"]
                place(entry, index % BLOCK)
                moments.append(entry["ts"])
                if projected != columns(entry):
                    self.note(Part.COLUMNS, index, index)
                due = lanes.get(writer, unseen)
                begins = entry["typ"] == "boot" or (index == 0 and entry["typ"] == "genesis")
                if (due != number and due is not None) or (number == 0 and not begins):
                    self._note_break(index, writer)
                if entry["typ"] == "prune":
                    self.pruned_to = max(self.pruned_to, int(entry["x"]["before"]))
                lanes[writer] = number + 1
                last_of_lane[writer] = index
                for subject in entry.get("sub", ()):
                    pairs.append((index, "" + subject))  # noqa: PERF401  (and a TypeError for what is no text)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                # Bytes that are no entry: nobody can say what they were.
                self.note(Part.LEAF, index, index)
        return pairs

    def _note_break(self, index: int, writer: str) -> None:
        if self.break_ is None:
            self.break_ = Break(index, self._last_of_lane.get(writer, -1))

    def _grow(self, leaves: list[bytes]) -> list[Tile]:
        """Stopping where the head's subtrees end, and where the remembered head stood."""
        tiles: list[Tile] = []
        while leaves:
            stop = min((end for end in self._stops if end > self.tree.size), default=self.tree.size + len(leaves))
            step = stop - self.tree.size
            self.tree, made = self.tree.grown(leaves[:step])
            tiles += made
            leaves = leaves[step:]
            if self.tree.size == stop:
                self._stopped(stop)
        return tiles

    def _stopped(self, size: int) -> None:
        subtrees = self._stops.get(size, 0)
        if subtrees and self.tree.frontier[:subtrees] == self._head.hashes[:subtrees] and len(self.tree.frontier) == subtrees:
            self.sound = size
        if size == self._remembered_size:
            self.remembered_root = self.tree.root


def _first_difference(one: bytes, other: bytes) -> int | None:
    """The number of the first hash in which two tiles differ."""
    width = merkle.HASH_BYTES
    starts = range(0, len(one), width)
    return next((start // width for start in starts if one[start : start + width] != other[start : start + width]), None)
