"""The witness's own key, in a file of its own, and what it signs with it (C2SP tlog-cosignature).

How this can hurt: a cosignature says "this is the largest tree that I have seen of this log". So nothing is signed here by itself: only
`service.witness.judging` calls, after it has checked, and what it gets leaves the house after it was remembered.
"""

import os
import re
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Self

from menshen_verifier.base64 import decoded, encoded
from menshen_verifier.errors import Malformed
from menshen_verifier.note import Key, Kind, cosigned
from service.config import private_bytes
from service.errors import ConfigError
from service.hazmat import Unspoken, signing
from service.values import Chance

_NAME = re.compile(r"[^\s+]{1,255}")
_SEED_BYTES = 32


class Cosigner(Unspoken):
    """A name and its private keys."""

    __slots__ = ("_seed", "name")

    def __init__(self, name: str, seed: bytes) -> None:
        """Raises ValueError for a name that no note can hold, and a seed that is not of 32 bytes."""
        if not _NAME.fullmatch(name) or len(name.encode()) > 255 or len(seed) != _SEED_BYTES:
            raise ValueError("no name of a cosigner, or no seed")
        self.name = name
        self._seed = seed

    @classmethod
    def drawn(cls, name: str, chance: Chance) -> Self:
        """A new one. Raises ValueError for a name that no note can hold."""
        return cls(name, chance(_SEED_BYTES))

    @property
    def keys(self) -> tuple[Key, ...]:
        """The public keys, for the log's owner and for auditors' policies."""
        return (Key(self.name, Kind.COSIGNATURE_V1, signing.public_key(self._seed)),)

    def lines(self, text: str, now: datetime) -> tuple[str, ...]:
        """Cosignature lines over a checkpoint's text, of this moment."""
        time = int(now.timestamp())
        stamp = time.to_bytes(8, "big")
        return tuple(key.line(stamp + signing.sign(self._seed, cosigned(text.encode(), time))) for key in self.keys)

    @property
    def file(self) -> str:
        """What stands in the key file. It is the key: show it to nobody."""
        return f'name = "{self.name}"\ned25519 = "{encoded(self._seed)}"\n'


def write(path: Path, cosigner: Cosigner) -> None:
    """Write a new key file, for its owner only. Raises ConfigError where there is one: with another key it is another witness."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(cosigner.file)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise ConfigError("the key file exists already, and is left as it is") from None
    except OSError:
        raise ConfigError("the key file cannot be written") from None


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
    name, seed = given.get("name"), given.get("ed25519")
    if given.keys() != {"name", "ed25519"} or not isinstance(name, str) or not isinstance(seed, str):
        raise Malformed("not a key file")
    return Cosigner(name, decoded(seed))
