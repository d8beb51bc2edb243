"""The Merkle tree of RFC 6962: leaf and node hashes, growth by batches, the root.

How this can hurt: without the two prefixes (00 for a leaf, 01 for a node) somebody could pass a node off as an entry; a tree that
copies its last leaf to fill a level has two contents with one root; a frontier that is not checked against its size proves nothing.
Everything here is pure and trusts its caller for one thing only: that `frontier` belongs to `size`.

The frontier is a compact range: one hash for each set bit of the size, the largest subtree first. It is all that must be kept in
order to go on, at most 63 hashes.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves (RFC 6962, 2.1)."""

_leaf, _node = sha256(b"\x00").copy, sha256(b"\x01").copy
"""A hash with its prefix already in it: where there are many of them, copying costs a twentieth less than beginning anew."""

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
"""A tile holds 256 hashes of one height (C2SP tlog-tiles), so every eighth height is the bottom of a level of tiles."""


class Growth(NamedTuple):
    """What a batch makes of a tree: the new frontier, and by level of tiles the nodes that became complete, from left to right."""

    frontier: tuple[bytes, ...]
    rows: tuple[list[bytes], ...]


def leaf_hash(data: bytes) -> bytes:
    """The hash of one entry's bytes."""
    return sha256(b"\x00" + data).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """The hashes of many entries."""
    found = []
    for data in entries:
        hashed = _leaf()
        hashed.update(data)
        found.append(hashed.digest())
    return found


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def extend(size: int, frontier: Sequence[bytes], leaves: Sequence[bytes]) -> Growth:
    """Append `leaves` (leaf hashes) to the tree of `size` leaves, height by height; each node is hashed once.

    Raises ValueError when `frontier` cannot be that of `size`.
    """
    if len(frontier) != size.bit_count():
        raise ValueError("a frontier has one hash for each set bit of its size")
    left, right, rows = list(frontier), [], []
    nodes, height = list(leaves), 0
    while nodes:
        if height % TILE_HEIGHT == 0:
            rows.append(nodes)
        if size >> height & 1:
            nodes = [left.pop(), *nodes]
        if len(nodes) & 1:
            right.append(nodes[-1])
        nodes = _pairs(nodes)
        height += 1
    return Growth((*left, *reversed(right)), tuple(rows))


def root(frontier: Sequence[bytes]) -> bytes:
    """The root over a frontier: folded from the smallest subtree to the largest."""
    if not frontier:
        return EMPTY_ROOT
    folded = frontier[-1]
    for left in reversed(frontier[:-1]):
        folded = node_hash(left, folded)
    return folded


def tile_root(hashes: Sequence[bytes]) -> bytes:
    """The root of one full tile. Raises ValueError for any other number of hashes than 256."""
    return tile_rows(hashes)[-1][0]


def tile_rows(hashes: Sequence[bytes]) -> list[list[bytes]]:
    """The hashes of one full tile, height by height up to its root. Raises ValueError for any other number of hashes than 256."""
    if len(hashes) != TILE_WIDTH:
        raise ValueError("a full tile has 256 hashes")
    rows = [list(hashes)]
    while len(rows[-1]) > 1:
        rows.append(_pairs(rows[-1]))
    return rows


def spans(size: int) -> list[tuple[int, int]]:
    """For each hash of the frontier of `size`, the leaves it covers: first, and one past the last."""
    found, start = [], 0
    for height in reversed(range(size.bit_length())):
        if size >> height & 1:
            found.append((start, start + (1 << height)))
            start += 1 << height
    return found


def path_spans(index: int, size: int) -> list[tuple[int, int]]:
    """For each hash of the audit path of leaf `index` in a tree of `size`, the leaves it covers, the nearest first (RFC 6962, 2.1.1).

    Raises ValueError for a leaf that the tree does not have.
    """
    if not 0 <= index < size:
        raise ValueError("the tree has no such leaf")
    found, first, last = [], 0, size
    while last - first > 1:
        middle = first + (1 << (last - first - 1).bit_length() - 1)
        found.append((middle, last) if index < middle else (first, middle))
        first, last = (first, middle) if index < middle else (middle, last)
    return found[::-1]


def climbed(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes:
    """The root that a leaf and its audit path come to (RFC 9162, 2.1.3.2).

    Raises ValueError for a path of another length than this leaf of this tree has, and for a hash that is not 32 bytes.
    """
    spans_of = path_spans(index, size)
    if len(spans_of) != len(path):
        raise ValueError("the path is not of that leaf in a tree of that size")
    if any(len(one) != HASH_BYTES for one in (leaf, *path)):
        raise ValueError("a hash of the path is not 32 bytes")
    reached = leaf
    for (first, _), other in zip(spans_of, path, strict=True):
        reached = node_hash(reached, other) if first > index else node_hash(other, reached)
    return reached


def _pairs(nodes: list[bytes]) -> list[bytes]:
    """The next height. An odd last node is left to the frontier."""
    found = []
    for left, right in zip(nodes[::2], nodes[1::2], strict=False):
        hashed = _node()
        hashed.update(left + right)
        found.append(hashed.digest())
    return found
