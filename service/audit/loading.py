"""The tree at a size, from its right edge as it is stored."""

from menshen_verifier import merkle
from service.audit.stretches.store import Stretch, hashes
from service.audit.tree import Tree, edge_length, levels, on_edge
from service.db.engine import Session


async def loaded(session: Session, size: int) -> Tree | None:
    """The tree of `size` entries; None where something is missing. One statement. Nothing is believed: its root tells whose it is."""
    edge = []
    for level in range(levels(size)):
        last = size >> merkle.TILE_HEIGHT * level
        edge.append(Stretch(level, last - edge_length(size, level), last))
    try:
        return on_edge(size, tuple(map(tuple, await hashes(session, edge))))
    except ValueError:
        return None
