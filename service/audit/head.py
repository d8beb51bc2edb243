"""The head: size, root and frontier of the log, in one row under a MAC (docs/formats/audit-log.md, "The head").

The MAC's key is not in the database, so who can write to the database cannot make a head. They can put back an older one that
was true once; what this process has seen, and the remembered head outside the database, find that out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from menshen_verifier import merkle
from service.audit.tree import Tree
from service.errors import LogBroken
from service.hazmat import mac

Mac = Callable[[bytes], bytes]
"""HMAC under the key that is used for heads and nothing else."""

_LABEL = b"menshen/audit-head/v1"
_BIGGEST = 2**63


@dataclass(frozen=True, slots=True)
class Head:
    """The row as it stands in the database. Believe it only after `check`."""

    size: int
    frontier: bytes
    root: bytes
    mac: bytes

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The frontier's hashes, the largest subtree first. Meaningful after `check`."""
        width = merkle.HASH_BYTES
        return tuple(self.frontier[start : start + width] for start in range(0, len(self.frontier), width))


@dataclass(frozen=True, slots=True)
class Seen:
    """A head that somebody has seen and will not forget."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Authority:
    """What it takes to make a head and to believe one: the log's name and the MAC."""

    origin: str
    mac: Mac = field(repr=False)

    def head(self, tree: Tree) -> Head:
        """The head of this tree."""
        frontier, root = b"".join(tree.frontier), tree.root
        return Head(tree.size, frontier, root, self.digest(_LABEL, _body(tree.size, root, frontier)))

    def check(self, head: Head) -> None:
        """Raise LogBroken unless the head is one that we made and is whole in itself."""
        if not 0 <= head.size < _BIGGEST or len(head.root) != merkle.HASH_BYTES:
            raise LogBroken("the head is not of its form")
        if not mac.equal(head.mac, self.digest(_LABEL, _body(head.size, head.root, head.frontier))):
            raise LogBroken("the head's MAC does not fit: this service did not write it")
        if len(head.frontier) != merkle.HASH_BYTES * head.size.bit_count() or merkle.root(head.hashes) != head.root:
            raise LogBroken("the head's frontier does not fold to its root")

    def digest(self, label: bytes, body: bytes) -> bytes:
        """The MAC over `body` as what `label` says, in this log. No label begins another, so no two uses share a message."""
        origin = self.origin.encode()
        return self.mac(label + len(origin).to_bytes(2, "big") + origin + body)


def _body(size: int, root: bytes, frontier: bytes) -> bytes:
    return size.to_bytes(8, "big") + root + frontier


def check_seen(head: Head, seen: Seen | None) -> None:
    """Raise LogBroken when the log is shorter than it was once seen, or has another past at that size."""
    if seen is None:
        return
    if head.size < seen.size:
        raise LogBroken(f"rolled back: the log has {head.size} entries, and had {seen.size}")
    if head.size == seen.size and head.root != seen.root:
        raise LogBroken(f"rolled back: another log of {seen.size} entries stands in its place")
