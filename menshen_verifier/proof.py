"""Proof of one entry in one file (c2sp.org/tlog-proof@v1): its bytes, its place, the way up to the root, and the signed checkpoint.

How this can hurt: `extra` is believed by nobody for standing there. It holds the entry's bytes, and they count because their leaf hash is
what the path begins with: one changed byte comes to another root.
"""

import re
from dataclasses import dataclass

from menshen_verifier import merkle
from menshen_verifier.base64 import decoded, encoded
from menshen_verifier.checkpoint import Opened
from menshen_verifier.errors import Forged, Malformed
from menshen_verifier.inclusion import check_inclusion
from menshen_verifier.policy import Policy

HEADER = "c2sp.org/tlog-proof@v1"
MOST_BYTES = 1 << 21
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")
_LARGEST = 2**63 - 1
_LONGEST_PATH = 63


@dataclass(frozen=True, slots=True)
class Proof:
    """`path` goes from the leaf's sibling to the root's child. `extra` is the entry's bytes, or None. `checkpoint_note` is verbatim."""

    index: int
    path: tuple[bytes, ...]
    extra: bytes | None
    checkpoint_note: str

    @property
    def text(self) -> str:
        """The file."""
        extra = () if self.extra is None else (f"extra {encoded(self.extra)}",)
        lines = (HEADER, *extra, f"index {self.index}", *map(encoded, self.path), "", self.checkpoint_note)
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Proven:
    """An entry that stands in the log. `witnessed` says whether the policy's quorum cosigned the checkpoint."""

    index: int
    entry: bytes
    opened: Opened
    witnessed: bool


def parse_proof(raw: bytes) -> Proof:
    """Raises Malformed. The checkpoint in it is not looked at yet."""
    if len(raw) > MOST_BYTES:
        raise Malformed("proof: too long")
    try:
        head, gap, note = raw.decode("utf-8").partition("\n\n")
    except UnicodeDecodeError:
        raise Malformed("proof: not UTF-8") from None
    lines = head.split("\n")
    if lines.pop(0) != HEADER or not gap:
        raise Malformed("proof: not a tlog-proof of version 1")
    extra = decoded(lines.pop(0)[6:]) if lines and lines[0].startswith("extra ") else None
    index = _INDEX.fullmatch(lines.pop(0)) if lines else None
    path = tuple(map(decoded, lines))
    if index is None or int(index[1]) > _LARGEST or len(path) > _LONGEST_PATH:
        raise Malformed("proof: no index, or a path that is too long")
    if any(len(one) != merkle.HASH_BYTES for one in path):
        raise Malformed("proof: a hash that is not 32 bytes")
    return Proof(int(index[1]), path, extra, note)


def check_proof(proof: Proof, policy: Policy, entry: bytes | None = None) -> Proven:
    """The entry in it, or `entry`, stands in a log of the policy's.

    Raises Malformed; Forged where the log did not sign, the path does not come to what it signed, or the quorum did not cosign.
    """
    data = proof.extra if entry is None else entry
    if data is None:
        raise Malformed("proof: the entry's bytes are neither in it nor beside it")
    opened = policy.open(proof.checkpoint_note.encode())
    checkpoint = opened.checkpoint
    check_inclusion(proof.index, checkpoint.size, leaf=merkle.leaf_hash(data), path=proof.path, root=checkpoint.root)
    if not policy.witnessed(opened):
        raise Forged("proof: not cosigned by the quorum of the policy")
    return Proven(proof.index, data, opened, witnessed=policy.quorum != "none")
