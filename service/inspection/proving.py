"""The proof that an entry stands in the log, without the entry: index, leaf hash and path, up to a checkpoint that was signed.

An entry may name up to 500 members and the account of a member of staff, so its bytes are not for one of them to see. Their proof holds
us to this one entry all the same: what we show to an authority at this index must have this leaf hash, or the checkpoint is not ours.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

from menshen_verifier import merkle
from menshen_verifier.proof import Proof
from service.audit.tree import Tree
from service.checkpoints.follower import loaded
from service.checkpoints.model import Noted
from service.db.engine import Session
from service.inspection import store


async def proof_of_leaf(
    session: Session, newest: Noted | None, index: int, leaf: bytes, *, extra: bytes | None = None
) -> str | None:
    """A tlog-proof; with the entry's bytes in `extra` only where they are given.

    None while no checkpoint covers the entry, and where what is stored does not come to its root.
    """
    found = await proofs_of_leaves(session, newest, {index: leaf}, extra={} if extra is None else {index: extra})
    return found.get(index)


async def proofs_of_leaves(
    session: Session, newest: Noted | None, leaves: Mapping[int, bytes], *, extra: Mapping[int, bytes] = MappingProxyType({})
) -> dict[int, str]:
    """The same for many, by index: a statement for each level of tiles, however many there are."""
    climb = await _climb(session, newest, leaves)
    if newest is None or climb is None:
        return {}
    found = {}
    for index, leaf in leaves.items():
        path = climb.path(index)
        if path is not None and merkle.climbed(index, newest.size, leaf, path) == newest.root:
            found[index] = Proof(index, path, extra.get(index), newest.note).text
    return found


async def leaves_under(session: Session, newest: Noted | None, indices: Iterable[int]) -> dict[int, bytes]:
    """The leaf hashes at these indices that come to the checkpoint's root; nothing for the others. A statement for each level of tiles."""
    asked = list(indices)
    climb = await _climb(session, newest, asked)
    found = {index: climb.node(0, index) for index in asked} if climb is not None else {}
    return {index: leaf for index, leaf in found.items() if leaf is not None}


async def _climb(session: Session, newest: Noted | None, indices: Iterable[int]) -> "_Climb | None":
    """What lies above these entries under the checkpoint. None where there is no such checkpoint, or its edge does not come to its root."""
    asked = [] if newest is None else [index for index in indices if 0 <= index < newest.size]
    tree = await loaded(session, newest.size) if newest is not None and asked else None
    if newest is None or tree is None or tree.root != newest.root:
        return None
    read = {}
    for level in range(len(tree.edge)):
        above = {index >> merkle.TILE_HEIGHT * (level + 1) for index in asked}
        for n, hashes in (await store.tiles(session, level, sorted(above))).items():
            read[level, n] = hashes
    return _Climb(tree, read)


class _Climb:
    """Hashes that come to the root of `tree`, whose edge does: every tile left of it by the hash of it one level up."""

    def __init__(self, tree: Tree, read: dict[tuple[int, int], bytes]) -> None:
        self._tree = tree
        self._read = read
        self._known: dict[tuple[int, int], bool] = {}

    def path(self, index: int) -> tuple[bytes, ...] | None:
        """The audit path of a leaf, the nearest hash first. None where what is stored does not come to the root."""
        if not 0 <= index < self._tree.size:
            return None
        path = [self._span(first, last) for first, last in merkle.path_spans(index, self._tree.size)]
        return None if None in path else tuple(filter(None, path))

    def _span(self, first: int, last: int) -> bytes | None:
        """The root over some leaves, folded from the whole subtrees that they are made of."""
        parts = [self._subtree(first + start, first + end) for start, end in merkle.spans(last - first)]
        return None if None in parts else merkle.root([part for part in parts if part is not None])

    def _subtree(self, first: int, last: int) -> bytes | None:
        """The root over a whole subtree, from the highest hashes below it that are stored: all in one tile, 128 at most."""
        level = ((last - first).bit_length() - 1) // merkle.TILE_HEIGHT
        shift = level * merkle.TILE_HEIGHT
        hashes = [self.node(level, n) for n in range(first >> shift, last >> shift)]
        return None if None in hashes else merkle.extend(0, (), [one for one in hashes if one is not None]).frontier[0]

    def node(self, level: int, n: int) -> bytes | None:
        """Hash number `n` of a level; None where what is stored does not come to the root."""
        if level >= len(self._tree.edge):
            return None
        edge = self._tree.edge[level]
        first = (self._tree.size >> merkle.TILE_HEIGHT * level) - len(edge)
        if n >= first:
            return edge[n - first] if n - first < len(edge) else None
        above, place = divmod(n, merkle.TILE_WIDTH)
        tile = self._read.get((level, above), b"")
        if (level, above) not in self._known:
            whole = len(tile) == merkle.TILE_WIDTH * merkle.HASH_BYTES
            self._known[level, above] = whole and _root(tile) == self.node(level + 1, above)
        return tile[place * merkle.HASH_BYTES : (place + 1) * merkle.HASH_BYTES] if self._known[level, above] else None


@lru_cache(maxsize=1024)
def _root(tile: bytes) -> bytes:
    """Of a full tile. It is the same for ever, and 255 hashes; eight megabytes at most are remembered."""
    return merkle.tile_root([tile[at : at + merkle.HASH_BYTES] for at in range(0, len(tile), merkle.HASH_BYTES)])
