"""Consistency proofs (RFC 9162, 2.1.4): that a larger tree begins with the leaves of a smaller one, all of them and in their order.

How this can hurt: a proof binds two roots, so whoever takes one of them from the proof's own sender has checked nothing. Both come from
somewhere else: what was signed or remembered before, and what is to be signed now.
"""

from collections.abc import Sequence

from menshen_verifier import merkle
from menshen_verifier.errors import Forged, Malformed


def consistency_spans(old: int, new: int) -> list[tuple[int, int]]:
    """For each hash of the proof, the leaves it covers, in the proof's order. Nothing to prove where `old` is 0 or `new`.

    Raises Malformed for an `old` that is larger.
    """
    if not 0 <= old <= new:
        raise Malformed("consistency: the older tree is the larger one")
    if old == 0:
        return []
    found, first, last = [], 0, new
    while old != last:
        middle = first + (1 << (last - first - 1).bit_length() - 1)
        found.append((middle, last) if old <= middle else (first, middle))
        first, last = (first, middle) if old <= middle else (middle, last)
    # The old tree's own root stands in the proof only where it is not the whole old tree: that one, the verifier knows.
    return ([(first, last)] if first else []) + found[::-1]


def check_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Return only if the tree of `new` leaves with `new_root` grew from that of `old` leaves with `old_root`.

    Raises Malformed for a proof of another length than these sizes have, Forged where the hashes do not come to the roots.
    """
    spans = consistency_spans(old, new)
    if len(spans) != len(proof) or any(len(one) != merkle.HASH_BYTES for one in proof):
        raise Malformed("consistency: not the proof of these sizes")
    if old == 0:
        came, grew = merkle.EMPTY_ROOT, new_root
    else:
        came, grew = _climbed(old, old_root, spans, proof)
    if came != old_root or grew != new_root:
        raise Forged("consistency: the larger tree does not go on from the smaller one")


def _climbed(old: int, old_root: bytes, spans: list[tuple[int, int]], proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Both roots, hashed upwards from the subtree in which the old tree ends."""
    inner = bool(spans) and spans[0][0] < old == spans[0][1]
    came = grew = proof[0] if inner else old_root
    for (first, _), other in list(zip(spans, proof, strict=True))[inner:]:
        if first >= old:
            grew = merkle.node_hash(grew, other)
        else:
            came, grew = merkle.node_hash(other, came), merkle.node_hash(other, grew)
    return came, grew
