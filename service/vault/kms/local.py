"""A master key in a file: for development, and nothing else.

Whoever can copy the file has the key for good, and nobody will know.
"""

import logging
import os
import re
import stat
from pathlib import Path
from typing import Final

from service import files
from service.errors import ConfigError, KeyUnavailable, SealBroken
from service.hazmat import Unspoken
from service.hazmat.aead import NONCE_SIZE, Aead, Unopened, aes_256_gcm, drawn
from service.values import Chance
from service.vault.kms.port import BLOB_VERSION, KEY_SIZE, Context, DataKey, bound

LABEL: Final = b"menshen/kms/local/v1"
TITLE: Final = "menshen/local-kms/v1"

_FORM = re.compile(rf"{TITLE}\n([0-9a-f]{{64}})\n")
_LONGEST = 200

_log = logging.getLogger(__name__)


class LocalKms(Unspoken):
    """See `Kms`. The file is read at every use: one that was removed, or opened up to others, stops working at once."""

    __slots__ = ("_chance", "_path", "_seen")

    def __init__(self, path: Path, *, chance: Chance) -> None:
        self._path = path
        self._chance = chance
        self._seen = False

    @classmethod
    def from_uri(cls, uri: str, *, chance: Chance, production: bool) -> "LocalKms":
        """`local:PATH`. Raises ConfigError in production and without a path. Says aloud what it is, every time."""
        path = uri.removeprefix("local:")
        if production:
            raise ConfigError("MENSHEN_KMS_URI: local: is a development key and is refused in production")
        if not path:
            raise ConfigError("MENSHEN_KMS_URI: local: needs the path of a file")
        _log.warning("DEVELOPMENT KEY: the master key lies in the file %s. Never use it for real members.", path)
        return cls(Path(path), chance=chance)

    @property
    def uri(self) -> str:
        """The scheme and the path."""
        return f"local:{self._path}"

    async def generate_data_key(self, context: Context) -> DataKey:
        """See `Kms`. Makes the file where none has been seen; one that is gone again is not replaced but missed."""
        if not self._seen:
            self._make_file_once()
        plaintext = drawn(self._chance, KEY_SIZE)
        return DataKey(plaintext, wrapped=self._wrap(plaintext, context))

    async def unwrap(self, wrapped: bytes, context: Context) -> bytes:
        """See `Kms`."""
        cipher = self._cipher()
        plaintext = None
        nonce, sealed = wrapped[1 : 1 + NONCE_SIZE], wrapped[1 + NONCE_SIZE :]
        if wrapped[:1] == BLOB_VERSION and len(nonce) == NONCE_SIZE:
            try:
                plaintext = cipher.decrypt(nonce, sealed, bound(LABEL, context))
            except Unopened:
                plaintext = None
        if plaintext is None:
            raise SealBroken
        return plaintext

    async def rewrap(self, wrapped: bytes, context: Context) -> bytes:
        """See `Kms`."""
        return self._wrap(await self.unwrap(wrapped, context), context)

    async def health(self) -> None:
        """See `Kms`."""
        self._cipher()

    async def close(self) -> None:
        """Nothing is held."""

    def _wrap(self, plaintext: bytes, context: Context) -> bytes:
        nonce = drawn(self._chance, NONCE_SIZE)
        return BLOB_VERSION + nonce + self._cipher().encrypt(nonce, plaintext, bound(LABEL, context))

    def _cipher(self) -> Aead:
        found = _FORM.fullmatch(self._read_file())
        if found is None:
            raise KeyUnavailable("MENSHEN_KMS_URI: the file is not a local master key")
        self._seen = True
        return aes_256_gcm(bytes.fromhex(found[1]))

    def _read_file(self) -> str:
        try:
            # NOFOLLOW: a link could lead to a key that somebody else knows.
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            with os.fdopen(descriptor, encoding="ascii") as file:
                _hold_private(os.fstat(descriptor))
                return file.read(_LONGEST)
        except (OSError, ValueError):
            raise KeyUnavailable("MENSHEN_KMS_URI: the file of the master key cannot be read") from None

    def _make_file_once(self) -> None:
        """Of two processes one is the first. A key that the next power failure takes away would take all it has sealed along."""
        try:
            files.make(self._path, f"{TITLE}\n{drawn(self._chance, KEY_SIZE).hex()}\n".encode())
        except OSError as problem:
            raise KeyUnavailable(f"MENSHEN_KMS_URI: the file cannot be made ({problem.strerror})") from None


def _hold_private(found: os.stat_result) -> None:
    """Raises KeyUnavailable for a file that others may read or that somebody else put there."""
    if not stat.S_ISREG(found.st_mode) or stat.S_IMODE(found.st_mode) & ~0o600:
        raise KeyUnavailable("MENSHEN_KMS_URI: the file's mode is wider than 0600")
    if found.st_uid != os.geteuid():
        raise KeyUnavailable("MENSHEN_KMS_URI: the file belongs to somebody else")
