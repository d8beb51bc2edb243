"""What a KMS owes."""

from collections.abc import Mapping
from typing import Final, Protocol

from service.hazmat import Unspoken
from service.values import Chance
from service.vault.framing import framed, utf8
from service.vault.keys import KEY_SIZE

Context = Mapping[str, str]
"""What a wrapped key is for. It is not secret, and the key does not unwrap under any other."""

BLOB_VERSION: Final = b"\x01"


class DataKey(Unspoken):
    """A new key, once to be used and once to be stored."""

    __slots__ = ("plaintext", "wrapped")

    def __init__(self, plaintext: bytes, *, wrapped: bytes) -> None:
        self.plaintext: Final = plaintext
        self.wrapped: Final = wrapped


class Kms(Protocol):
    """Wraps keys of 32 bytes under a master key that never leaves it. Safe to call from many tasks at once.

    Every method raises KeyUnavailable when the KMS is silent or the master key is missing, disabled or destroyed; it
    never returns a key that it is unsure of, and never asks another master key instead.
    """

    @property
    def uri(self) -> str:
        """Which master key this is, without any secret: it is stored beside what the key wraps."""

    async def generate_data_key(self, context: Context) -> DataKey:
        """A new key of 32 bytes that nobody can predict."""

    async def unwrap(self, wrapped: bytes, context: Context) -> bytes:
        """The key. Raises SealBroken unless exactly these bytes were wrapped here in exactly this context."""

    async def rewrap(self, wrapped: bytes, context: Context) -> bytes:
        """The same key, wrapped anew under the newest master key. Raises as `unwrap` does."""

    async def health(self) -> None:
        """Returns when the master key can be used now."""

    async def close(self) -> None:
        """Give back what is held."""


class Maker(Protocol):
    """Makes a Kms from its URI."""

    def __call__(self, uri: str, *, chance: Chance, production: bool) -> Kms:
        """Raises ConfigError for a URI that this scheme does not understand or that may not be used in production."""


def bound(label: bytes, context: Context) -> bytes:
    """The associated data of a context: names in their order, each with its text."""
    return framed(label, *(utf8(text) for item in sorted(context.items()) for text in item))


__all__ = ["BLOB_VERSION", "KEY_SIZE", "Context", "DataKey", "Kms", "Maker", "bound"]
