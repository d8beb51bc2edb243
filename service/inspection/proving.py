"""The proof that an entry stands in the log, without the entry: index, leaf hash and path, up to a checkpoint that was signed.

An entry may name up to 500 members and the account of a member of staff, so its bytes are not for one of them to see. Their proof holds
us to this one entry all the same: what we show to an authority at this index must have this leaf hash, or the checkpoint is not ours.
"""

from collections.abc import Iterable, Iterator, Sequence

from menshen_verifier import merkle
from menshen_verifier.proof import Proof
from service.audit.climbing import Climb, climb
from service.checkpoints.model import Noted
from service.checkpoints.trust import Trust
from service.db.engine import Session
from service.inspection.model import Line

_AT_ONCE = 256


class Proofs:
    """What can be shown of some entries against `newest`: nothing without one, or of what is stored otherwise than it came to its root."""

    def __init__(self, newest: Noted | None, climbed: Climb | None) -> None:
        self._newest = newest
        self._climb = climbed

    def leaf(self, index: int) -> bytes | None:
        """The leaf hash at this index that comes to the checkpoint's root."""
        return None if self._climb is None else self._climb.leaf(index)

    def of(self, index: int, leaf: bytes, *, extra: bytes | None = None) -> str | None:
        """The tlog-proof of this leaf; with the entry's bytes in `extra` only where they are given."""
        if self._climb is None or self._newest is None or self._climb.leaf(index) != leaf:
            return None
        path = self._climb.path(index)
        if path is None or merkle.climbed(index, self._newest.size, leaf, path) != self._newest.root:
            return None
        return Proof(index, path, extra, self._newest.note).text


async def proofs(session: Session, trust: Trust, newest: Noted | None, indices: Iterable[int], *, paths: bool = True) -> Proofs:
    """For the entries at these indices. Two statements at most, however many there are. Without `paths` only leaves are asked for."""
    asked = list(indices)
    if newest is None or not asked:
        return Proofs(newest, None)
    return Proofs(newest, await climb(session, trust.remembered, newest.size, newest.root, indices=asked, paths=paths))


def in_parts(lines: Sequence[Line]) -> Iterator[Sequence[Line]]:
    """So many at a time that what their proofs are made of stays some megabytes."""
    for start in range(0, len(lines), _AT_ONCE):
        yield lines[start : start + _AT_ONCE]
