"""The text of a checkpoint (C2SP tlog-checkpoint): the name of a log, its size and its root. What is signed, before anybody signed it."""

import re
from dataclasses import dataclass

from menshen_verifier import merkle
from menshen_verifier.base64 import decoded, encoded
from menshen_verifier.errors import Malformed

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The log `origin` had `size` entries and this root. `extensions` are lines that we pass over; ours has none."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text that is signed."""
        return "\n".join((self.origin, str(self.size), encoded(self.root), *self.extensions, ""))


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint in a note's text. Raises Malformed."""
    *lines, end = text.split("\n")
    if end or len(lines) < 3:
        raise Malformed("checkpoint: not three lines")
    origin, size, root, *extensions = lines
    if not origin or not _SIZE.fullmatch(size) or int(size) > _LARGEST:
        raise Malformed("checkpoint: no origin, or no size")
    raw = decoded(root)
    if len(raw) != merkle.HASH_BYTES or not all(extensions):
        raise Malformed("checkpoint: no root of 32 bytes, or an empty line")
    return Checkpoint(origin, int(size), raw, tuple(extensions))
