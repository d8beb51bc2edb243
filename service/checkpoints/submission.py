"""What a log sends a witness (C2SP tlog-witness, add-checkpoint): the size it goes on from, a proof of consistency, and the checkpoint.

Written by the service's client and read by the witness, so that the two cannot differ.
"""

import re
from dataclasses import dataclass

from menshen_verifier import merkle
from menshen_verifier.base64 import decoded, encoded
from menshen_verifier.errors import Malformed

MOST_BYTES = 64 << 10
"""More than 63 hashes and a note with a score of signatures take."""
MOST_HASHES = 63
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Submission:
    """One request: the proof goes from the checkpoint of `old` entries to the one in `note`, which is a signed note as it stands."""

    old: int
    proof: tuple[bytes, ...]
    note: bytes

    @property
    def body(self) -> bytes:
        """The request's body."""
        lines = [f"old {self.old}", *map(encoded, self.proof), "", ""]
        return "\n".join(lines).encode() + self.note


def parse_submission(raw: bytes) -> Submission:
    """The submission in a request's body; of the note only where it begins. Raises Malformed, whatever the bytes."""
    if len(raw) > MOST_BYTES:
        raise Malformed("submission: too long")
    head, gap, note = raw.partition(b"\n\n")
    try:
        old, *proof = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise Malformed("submission: not ASCII before the checkpoint") from None
    size = _OLD.fullmatch(old)
    if not gap or not size or int(size[1]) > _LARGEST or len(proof) > MOST_HASHES:
        raise Malformed("submission: no old size, or too long a proof")
    hashes = tuple(map(decoded, proof))
    if any(len(one) != merkle.HASH_BYTES for one in hashes):
        raise Malformed("submission: a hash that is not of 32 bytes")
    return Submission(int(size[1]), hashes, note)
