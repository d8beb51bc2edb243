"""Tiles and bundles of C2SP tlog-tiles, as they are stored: whoever takes them holds them against a checkpoint."""

from menshen_verifier import merkle
from menshen_verifier.tiles import bundle as bundled
from service.archive import store
from service.audit.store import hashes
from service.db.engine import Session


async def tile(session: Session, level: int, n: int, width: int = merkle.TILE_WIDTH) -> bytes | None:
    """The first `width` hashes of tile `n`. None where they are not all there: ask only for what a published tree has."""
    if width == merkle.TILE_WIDTH:
        return (await store.tiles(session, level, n, n + 1)).get(n)
    first = n * merkle.TILE_WIDTH
    found = await hashes(session, level, first, first + width)
    return b"".join(found) if len(found) == width else None


async def bundle(session: Session, n: int, width: int = merkle.TILE_WIDTH) -> bytes | None:
    """The first `width` entries under tile `n` of level 0, each behind its length. None where they are not all there, or pruned."""
    first = n * merkle.TILE_WIDTH
    found = await store.entries(session, first, first + width)
    return bundled(found) if len(found) == width else None
