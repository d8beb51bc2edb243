"""The witness's own key, in a file of its own, and what it signs with it (C2SP tlog-cosignature).

How this can hurt: a cosignature says "this is the largest tree that I have seen of this log". So nothing is signed here by itself: only
`service.witness.judging` calls, after it has checked, and what it gets leaves the house after it was remembered.
"""

import re
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Self

from menshen_verifier.base64 import decoded, encoded
from menshen_verifier.checkpoint import Checkpoint
from menshen_verifier.errors import Malformed
from menshen_verifier.note import Key, Kind, cosigned, cosigned_tree
from service import files
from service.config import private_bytes
from service.errors import ConfigError
from service.hazmat import Unspoken, mldsa, signing
from service.values import Chance

_NAME = re.compile(r"[^\s+]{1,255}")
_SEED_BYTES = 32


class Cosigner(Unspoken):
    """A name and its private keys: Ed25519, and where it was switched on ML-DSA-44 beside it, each from a seed of its own."""

    __slots__ = ("_second", "_seed", "keys", "name")

    def __init__(self, name: str, seed: bytes, second: bytes | None = None) -> None:
        """Raises ValueError for a name that no note can hold, a seed that is not of 32 bytes, and one that has two uses."""
        if not _NAME.fullmatch(name) or len(name.encode()) > 255 or second == seed:
            raise ValueError("no name of a cosigner, or one seed for two keys")
        if any(len(one) != _SEED_BYTES for one in (seed, second) if one is not None):
            raise ValueError("no seed")
        self.name = name
        self._seed, self._second = seed, second
        self.keys = self._public()

    @classmethod
    def drawn(cls, name: str, chance: Chance, *, ml_dsa: bool = False) -> Self:
        """A new one. Raises ValueError for a name that no note can hold."""
        return cls(name, chance(_SEED_BYTES), chance(_SEED_BYTES) if ml_dsa else None)

    def _public(self) -> tuple[Key, ...]:
        """The public keys, for the log's owner and for auditors' policies."""
        keys = (Key(self.name, Kind.COSIGNATURE_V1, signing.public_key(self._seed)),)
        return keys if self._second is None else (*keys, Key(self.name, Kind.ML_DSA_44, mldsa.public_key(self._second)))

    def lines(self, checkpoint: Checkpoint, now: datetime) -> tuple[str, ...]:
        """Cosignature lines over a checkpoint, of this moment."""
        time = int(now.timestamp())
        return tuple(key.line(time.to_bytes(8, "big") + self._signature(key, checkpoint, time)) for key in self.keys)

    def _signature(self, key: Key, checkpoint: Checkpoint, time: int) -> bytes:
        if key.kind is Kind.ML_DSA_44 and self._second is not None:
            return mldsa.sign(self._second, cosigned_tree(self.name, time, checkpoint))
        return signing.sign(self._seed, cosigned(checkpoint.text.encode(), time))

    @property
    def file(self) -> str:
        """What stands in the key file. It is the key: show it to nobody."""
        second = "" if self._second is None else f'ml_dsa_44 = "{encoded(self._second)}"\n'
        return f'name = "{self.name}"\ned25519 = "{encoded(self._seed)}"\n{second}'


def write(path: Path, cosigner: Cosigner) -> None:
    """Write a new key file, for its owner only. Raises ConfigError where there is one: with another key it is another witness."""
    try:
        made = files.make(path, cosigner.file.encode())
    except OSError:
        raise ConfigError("the key file cannot be written") from None
    if not made:
        raise ConfigError("the key file exists already, and is left as it is")


def read(path: Path) -> Cosigner:
    """The cosigner of a key file. Raises ConfigError, also where others than its owner can read it."""
    raw = private_bytes(path, "the witness's key")
    try:
        return _parsed(tomllib.loads(raw.decode()))
    except ValueError:
        pass
    # Outside the handler: a parser's error quotes the line, and the line is the key.
    raise ConfigError("the witness's key: not a key file of `menshen audit witness init`")


def _parsed(given: dict[str, object]) -> Cosigner:
    if not {"name", "ed25519"} <= given.keys() <= {"name", "ed25519", "ml_dsa_44"}:
        raise Malformed("not a key file")
    name, *seeds = (given[key] for key in ("name", "ed25519", "ml_dsa_44") if key in given)
    if not isinstance(name, str):
        raise Malformed("not a key file")
    return Cosigner(name, *(decoded(seed) if isinstance(seed, str) else b"" for seed in seeds))
