"""The tree as a writer and a verifier keep it in memory: size, frontier, and the unfinished right edge of the tiles.

Only full tiles are ever stored (docs/formats/audit-log.md), so nothing but the head's one row is updated, ever. The edge is what
stands right of the last full tile: at level 0 the newest leaves, above it the roots of full tiles; at most 255 hashes a level.
Pure: no database, no key.
"""

from collections.abc import Sequence
from typing import NamedTuple

from menshen_verifier import merkle

Edge = tuple[tuple[bytes, ...], ...]


class Tile(NamedTuple):
    """256 hashes of one level, complete for ever. `root` is the hash that the level above holds for it."""

    level: int
    n: int
    hashes: bytes
    root: bytes


class Tree(NamedTuple):
    """An append-only tree at one size."""

    size: int = 0
    frontier: tuple[bytes, ...] = ()
    edge: Edge = ()

    @property
    def root(self) -> bytes:
        """The root at this size."""
        return merkle.root(self.frontier)

    def grown(self, leaves: Sequence[bytes]) -> tuple["Tree", list[Tile]]:
        """The tree with these leaf hashes appended, and the tiles that became full."""
        growth = merkle.extend(self.size, self.frontier, leaves)
        edge, tiles = list(self.edge), []
        for level, row in enumerate(growth.rows):
            kept = edge[level] if level < len(edge) else ()
            full, rest = _cut((*kept, *row))
            first = self.size >> merkle.TILE_HEIGHT * (level + 1)
            roots = growth.rows[level + 1] if full else ()
            tiles += [Tile(level, first + i, b"".join(part), roots[i]) for i, part in enumerate(full)]
            edge[level : level + 1] = [rest]
        return Tree(self.size + len(leaves), growth.frontier, tuple(edge)), tiles


def on_edge(size: int, edge: Edge) -> Tree:
    """The tree of `size` leaves that ends in this edge. Raises ValueError when no tree of that size can."""
    frontier: list[bytes] = []
    for level in reversed(range(len(edge))):
        if len(edge[level]) != edge_length(size, level):
            raise ValueError("the edge does not have the length that the size demands")
        frontier += merkle.extend(0, (), edge[level]).frontier
    if len(frontier) != size.bit_count():
        raise ValueError("the edge has too few levels for its size")
    return Tree(size, tuple(frontier), edge)


def edge_length(size: int, level: int) -> int:
    """How many hashes of `level` stand right of its last full tile."""
    return (size >> merkle.TILE_HEIGHT * level) % merkle.TILE_WIDTH


def levels(size: int) -> int:
    """How many levels of tiles a tree of `size` leaves has begun."""
    return -(-size.bit_length() // merkle.TILE_HEIGHT)


def _cut(row: tuple[bytes, ...]) -> tuple[list[tuple[bytes, ...]], tuple[bytes, ...]]:
    """Full tiles' worth, and the rest."""
    end = len(row) - len(row) % merkle.TILE_WIDTH
    return [row[start : start + merkle.TILE_WIDTH] for start in range(0, end, merkle.TILE_WIDTH)], row[end:]
