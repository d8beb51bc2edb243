"""Inclusion proofs (RFC 9162, 2.1.3): that an entry stands at an index of a tree, and that no other does.

How this can hurt: a proof binds an entry to a root. Whoever takes the root from the proof's own sender, and not from a checkpoint whose
signature they checked, has checked nothing.
"""

from collections.abc import Sequence

from menshen_verifier import merkle
from menshen_verifier.errors import Forged, Malformed


def check_inclusion(index: int, size: int, *, leaf: bytes, path: Sequence[bytes], root: bytes) -> None:
    """Return only if the leaf hash stands at `index` in the tree of `size` leaves with this root.

    Raises Malformed for an index that the tree does not have and for a path that no leaf there can have, Forged for another root.
    """
    try:
        reached = merkle.climbed(index, size, leaf, path)
    except ValueError:
        raise Malformed("inclusion: not the path of that leaf in a tree of that size") from None
    if reached != root:
        raise Forged("inclusion: the path does not come to the root")
