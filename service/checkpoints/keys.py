"""The log's keys in files: `PATH` signs, `PATH.next` waits to, `PATH.retiring` signs beside its successor for a while.

A file holds the 32 bytes of one seed and what it is for. Whoever can copy it can sign as this log for good: so a service in production does
not take one; its signer process, which somebody else owns, does.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from menshen_verifier.checkpoint import Checkpoint
from menshen_verifier.note import Key, Kind, cosigned_tree
from service import files
from service.config import private_bytes
from service.errors import ConfigError, KeyUnavailable
from service.hazmat import Unspoken, mldsa, signing
from service.values import Chance

TITLE = "menshen/log-key/v1"
NEXT, RETIRING = ".next", ".retiring"
_SEED_BYTES = 32
_NAMES: Mapping[Kind, str] = {Kind.ED25519: "ed25519", Kind.ML_DSA_44: "ml-dsa-44"}
_FORM = re.compile(rf"{TITLE}\n(ed25519|ml-dsa-44)\n([0-9a-f]{{64}})\n")


class SigningKey(Protocol):
    """A key that can sign checkpoints."""

    @property
    def key(self) -> Key:
        """Its public half, under the log's name."""

    async def line(self, checkpoint: Checkpoint, time: int) -> str:
        """The signature line, without its line break. Raises KeyUnavailable."""


class SeedKey(Unspoken):
    """A key whose seed this process holds."""

    __slots__ = ("_seed", "key")

    def __init__(self, kind: Kind, seed: bytes, origin: str) -> None:
        public = signing.public_key(seed) if kind is Kind.ED25519 else mldsa.public_key(seed)
        self.key = Key(origin, kind, public)
        self._seed = seed

    async def line(self, checkpoint: Checkpoint, time: int) -> str:
        """See `SigningKey`. ML-DSA-44 signs the tree, with a time, as a cosigner would: C2SP knows no other form for it."""
        if self.key.kind is Kind.ED25519:
            return self.key.line(signing.sign(self._seed, checkpoint.text.encode()))
        message = cosigned_tree(self.key.name, time, checkpoint)
        return self.key.line(time.to_bytes(8, "big") + mldsa.sign(self._seed, message))


def in_use(path: Path, origin: str, kind: Kind, *, setting: str) -> list[SigningKey]:
    """The key at `path` and the one that retires beside it. Raises ConfigError, KeyUnavailable for a file that is none."""
    found: list[SigningKey] = [load(path, origin, kind, setting=setting)]
    retiring = beside(path, RETIRING)
    if retiring.exists() and not retiring.samefile(path):
        found.append(load(retiring, origin, kind, setting=setting))
    return found


def load(path: Path, origin: str, kind: Kind, *, setting: str) -> SeedKey:
    """The key in one file. Raises ConfigError when others can read it, KeyUnavailable when it is no such key."""
    try:
        found = _FORM.fullmatch(private_bytes(path, setting).decode("ascii"))
    except UnicodeDecodeError:
        found = None
    if found is None or found[1] != _NAMES[kind]:
        raise KeyUnavailable(f"{setting}: the file is not a log key of that kind")
    return SeedKey(kind, bytes.fromhex(found[2]), origin)


def make(path: Path, kind: Kind, *, chance: Chance, setting: str) -> bool:
    """Make a key where there is none; whether we did. Raises ConfigError where the disk fails us."""
    try:
        return files.make(path, f"{TITLE}\n{_NAMES[kind]}\n{chance(_SEED_BYTES).hex()}\n".encode())
    except OSError as problem:
        raise ConfigError(f"{setting}: the file cannot be made ({problem.strerror})") from None


def beside(path: Path, suffix: str) -> Path:
    """`PATH.next`, `PATH.retiring`."""
    return path.with_name(path.name + suffix)
