"""The proof that an entry stands in the log, without the entry: index, leaf hash and path, up to a checkpoint that was signed.

An entry may name up to 500 members and the account of a member of staff, so its bytes are not for one of them to see. Their proof holds
us to this one entry all the same: what we show to an authority at this index must have this leaf hash, or the checkpoint is not ours.
"""

from collections.abc import Iterable
from functools import lru_cache

from menshen_verifier import merkle
from menshen_verifier.proof import Proof
from service.audit.inclusion import path_of
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
    if newest is None or not 0 <= index < newest.size:
        return None
    try:
        path = await path_of(session, index, newest.size)
        if merkle.climbed(index, newest.size, leaf, path) != newest.root:
            return None
    except ValueError:
        return None
    return Proof(index, path, extra, newest.note).text


async def leaves_under(session: Session, newest: Noted | None, indices: Iterable[int]) -> dict[int, bytes]:
    """The leaf hashes at these indices that come to the checkpoint's root; nothing for the others. A statement for each level of tiles."""
    asked = [] if newest is None else [index for index in indices if 0 <= index < newest.size]
    tree = await loaded(session, newest.size) if newest is not None and asked else None
    if newest is None or tree is None or tree.root != newest.root:
        return {}
    read = {}
    for level in range(len(tree.edge)):
        below = {index >> merkle.TILE_HEIGHT * (level + 1) for index in asked}
        for n, hashes in (await store.tiles(session, level, sorted(below))).items():
            read[level, n] = hashes
    climbed = _Climb(tree, read)
    found = {index: climbed.node(0, index) for index in asked}
    return {index: leaf for index, leaf in found.items() if leaf is not None}


class _Climb:
    """Hashes that come to the root of `tree`, whose edge does: every tile left of it by the hash of it one level up."""

    def __init__(self, tree: Tree, read: dict[tuple[int, int], bytes]) -> None:
        self._tree = tree
        self._read = read
        self._known: dict[tuple[int, int], bool] = {}

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
