"""From many entries up to one signed root at once: which hashes come to it, and the audit path of each leaf (RFC 6962, 2.1.1).

A tile is believed when its root is the hash that the level above has for it, and the highest level is the edge of a tree whose root was
signed. So an altered tile proves nothing, whoever altered it; and what once came to a hash comes to it for ever, so that tiles and edges
are remembered by the hash that they come to, and by nothing else.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

from menshen_verifier import merkle
from service.audit.loading import loaded
from service.audit.stretches import store
from service.audit.tree import Tree
from service.db.engine import Session

K = TypeVar("K")
V = TypeVar("V")

_TILES, _EDGES = 1024, 8
"""Eight megabytes of tiles: those above the leaves of 67 million entries, whose own come and go."""

_HEIGHT, _WIDTH, _BYTES = merkle.TILE_HEIGHT, merkle.TILE_WIDTH, merkle.HASH_BYTES


class _Lately(Generic[K, V]):
    """What was used last, so many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: K, value: V) -> None:
        self._kept[key] = value
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)


class Remembered:
    """What was once hashed and came to a hash, by that hash: tiles by their roots, edges by the tree's. No row of the database can say
    anything else of it afterwards.
    """

    def __init__(self) -> None:
        self.tiles: _Lately[bytes, bytes] = _Lately(_TILES)
        self.edges: _Lately[tuple[int, bytes], Tree] = _Lately(_EDGES)


class Climb:
    """The entries that are asked for, under `tree`, whose root is believed. With `paths`, what their paths need is kept: 30 kB a tile."""

    def __init__(self, tree: Tree, remembered: Remembered, *, paths: bool) -> None:
        self._tree = tree
        self._remembered = remembered
        self._paths = paths
        self._tiles: dict[tuple[int, int], bytes] = {}
        self._rows: dict[tuple[int, int], list[list[bytes]]] = {}
        self._spans: dict[tuple[int, int], bytes] = {}

    def leaf(self, index: int) -> bytes | None:
        """The leaf hash that comes to the root; None where what is stored does not."""
        return self._node(0, index)

    def path(self, index: int) -> tuple[bytes, ...] | None:
        """The audit path of a leaf, the nearest hash first. None where what is stored does not come to the root."""
        if self._node(0, index) is None:
            return None
        path, level = [], 0
        while (tile := (level, index >> _HEIGHT * (level + 1))) in self._tiles:
            place = index >> _HEIGHT * level & _WIDTH - 1
            path += [row[place >> height ^ 1] for height, row in enumerate(self._heights(tile)[:-1])]
            level += 1
        spans = merkle.path_spans(index, self._tree.size)[len(path) :]
        return (*path, *(self._span(first, last) for first, last in spans))

    def missing(self, indices: Iterable[int]) -> list[tuple[int, int]]:
        """The tiles above these leaves that must be read, as level and number; the others are remembered."""
        asked, missing = {index for index in indices if 0 <= index < self._tree.size}, []
        for level in reversed(range(len(self._tree.edge))):
            for n in sorted({index >> _HEIGHT * (level + 1) for index in asked}):
                if n >= self._tree.size >> _HEIGHT * (level + 1):
                    continue
                root = self._node(level + 1, n)
                known = None if root is None else self._remembered.tiles.get(root)
                if known is None:
                    missing.append((level, n))
                else:
                    self._tiles[level, n] = known
        return missing

    def take(self, read: Mapping[tuple[int, int], bytes]) -> None:
        """Believe of these tiles those that come to the root."""
        for (level, n), tile in sorted(read.items(), reverse=True):
            root = self._node(level + 1, n)
            if root is None or len(tile) != _WIDTH * _BYTES:
                continue
            rows = _rows(tile)
            if rows[-1] == [root]:
                self._tiles[level, n] = tile
                self._remembered.tiles.put(root, tile)
                if self._paths:
                    self._rows[level, n] = rows

    def _node(self, level: int, n: int) -> bytes | None:
        """Hash number `n` of a level, as far as it is known to come to the root."""
        if not 0 <= n < self._tree.size >> _HEIGHT * level:
            return None
        edge = self._tree.edge[level]
        first = (self._tree.size >> _HEIGHT * level) - len(edge)
        if n >= first:
            return edge[n - first]
        tile = self._tiles.get((level, n >> _HEIGHT))
        at = (n & _WIDTH - 1) * _BYTES
        return None if tile is None else tile[at : at + _BYTES]

    def _heights(self, tile: tuple[int, int]) -> list[list[bytes]]:
        if tile not in self._rows:
            self._rows[tile] = _rows(self._tiles[tile])
        return self._rows[tile]

    def _span(self, first: int, last: int) -> bytes:
        """The root over some leaves under nothing but edges."""
        if (first, last) not in self._spans:
            parts = [self._part(first + start, first + end) for start, end in merkle.spans(last - first)]
            self._spans[first, last] = merkle.root(parts)
        return self._spans[first, last]

    def _part(self, first: int, last: int) -> bytes:
        level = ((last - first).bit_length() - 1) // _HEIGHT
        shift = _HEIGHT * level
        edge = self._tree.edge[level]
        start = (self._tree.size >> shift) - len(edge)
        return merkle.extend(0, (), edge[(first >> shift) - start : (last >> shift) - start]).frontier[0]


async def climb(
    session: Session, remembered: Remembered, size: int, root: bytes, *, indices: Iterable[int], paths: bool
) -> Climb | None:
    """What lies above these entries in the tree of this size and root, which the caller believes; None where no such tree is stored.

    Two statements at most: one where the tree was climbed lately, none where the tiles were, too.
    """
    tree = remembered.edges.get((size, root)) or await loaded(session, size)
    if tree is None or tree.root != root:
        return None
    remembered.edges.put((size, root), tree)
    found = Climb(tree, remembered, paths=paths)
    if missing := found.missing(indices):
        found.take(await store.tiles(session, missing))
    return found


def _rows(tile: bytes) -> list[list[bytes]]:
    return merkle.tile_rows([tile[at : at + _BYTES] for at in range(0, len(tile), _BYTES)])
