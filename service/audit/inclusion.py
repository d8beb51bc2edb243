"""Proofs that an entry is in the log, for whoever believes neither the database nor us (RFC 6962, 2.1.1; docs/formats/audit-log.md).

The path is read from the same tiles and leaves that a verification reads, and is walked before it is shown: what somebody changed on the
way does not come to the head's root, and the head is believed only with its MAC.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from menshen_verifier import merkle
from service.audit import store
from service.audit.head import Authority
from service.audit.stretches.store import Stretch, hashes
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
    """The audit path of a leaf in the tree of `size`, the nearest hash first. Raises ValueError where hashes are missing. One statement."""
    return await span_roots(session, merkle.path_spans(index, size))


async def span_root(session: Session, first: int, last: int) -> bytes:
    """The root over some leaves. Raises ValueError where some are missing."""
    return (await span_roots(session, [(first, last)]))[0]


async def span_roots(session: Session, spans: Sequence[tuple[int, int]]) -> tuple[bytes, ...]:
    """The root over each of these spans of leaves, folded from the whole subtrees that they are made of. One statement for all of them.

    Raises ValueError where some are missing.
    """
    parts = [[_below(first + start, first + end) for start, end in merkle.spans(last - first)] for first, last in spans]
    found = iter(await hashes(session, [part for some in parts for part in some]))
    return tuple([merkle.root([_folded(part, next(found)) for part in some]) for some in parts])


def _below(first: int, last: int) -> Stretch:
    """The highest stored hashes below a whole subtree: 128 at most."""
    level = ((last - first).bit_length() - 1) // merkle.TILE_HEIGHT
    return Stretch(level, first >> level * merkle.TILE_HEIGHT, last >> level * merkle.TILE_HEIGHT)


def _folded(part: Stretch, found: Sequence[bytes]) -> bytes:
    if len(found) != part.last - part.first or any(len(one) != merkle.HASH_BYTES for one in found):
        raise ValueError("hashes are missing")
    return merkle.extend(0, (), found).frontier[0]
