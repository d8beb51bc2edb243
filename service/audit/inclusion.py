"""Proofs that an entry is in the log, for whoever believes neither the database nor us (RFC 6962, 2.1.1; docs/formats/audit-log.md).

The path is read from the same tiles and leaves that a verification reads, and is walked before it is shown: what somebody changed on the
way does not come to the head's root, and the head is believed only with its MAC.
"""

from dataclasses import dataclass

from menshen_verifier import merkle
from service.audit import store
from service.audit.head import Authority
from service.db.engine import Session
from service.errors import LogBroken


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Leaf `index` of the tree of `size` leaves with this `root`: hashed with `path`, the nearest first, it comes to the root."""

    index: int
    size: int
    root: bytes
    path: tuple[bytes, ...]


async def prove(session: Session, authority: Authority, index: int, leaf: bytes) -> Inclusion | None:
    """The proof against the newest head. None where there is none to give: the head is not ours, or what is stored does not come to it."""
    head = await store.head(session, authority.origin)
    if head is None or not 0 <= index < head.size:
        return None
    try:
        authority.check(head)
        path = await path_of(session, index, head.size)
        holds = merkle.climbed(index, head.size, leaf, path) == head.root
    except (LogBroken, ValueError):
        return None
    return Inclusion(index, head.size, head.root, path) if holds else None


async def path_of(session: Session, index: int, size: int) -> tuple[bytes, ...]:
    """The audit path of a leaf in the tree of `size`, the nearest hash first. Raises ValueError where hashes are missing."""
    return tuple([await span_root(session, first, last) for first, last in merkle.path_spans(index, size)])


async def span_root(session: Session, first: int, last: int) -> bytes:
    """The root over some leaves, folded from the whole subtrees that they are made of. Raises ValueError where some are missing."""
    parts = [(first + start, first + end) for start, end in merkle.spans(last - first)]
    return merkle.root([await _subtree(session, start, end) for start, end in parts])


async def _subtree(session: Session, first: int, last: int) -> bytes:
    """The root over a whole subtree, from the highest stored hashes below it: 128 at most. Raises ValueError where some are missing."""
    level = ((last - first).bit_length() - 1) // merkle.TILE_HEIGHT
    shift = level * merkle.TILE_HEIGHT
    hashes = await store.hashes(session, level, first >> shift, last >> shift)
    if len(hashes) != (last - first) >> shift or any(len(one) != merkle.HASH_BYTES for one in hashes):
        raise ValueError("hashes are missing")
    return merkle.extend(0, (), hashes).frontier[0]
