"""Signatures under keys of the keyring (docs/formats/consent-receipt.md, "The key"): what strangers can check without any secret."""

from collections.abc import Iterable
from dataclasses import dataclass

from service.errors import SealBroken
from service.hazmat import Unspoken
from service.hazmat.signing import Unproven, check, public_key, sign
from service.vault.keys import RingKey


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What may be shown of a signing key: 32 bytes of Ed25519. The `active` one of the highest generation signs."""

    generation: int
    active: bool
    raw: bytes


class Signer(Unspoken):
    """All keys of one use: the newest active one signs, all of them are published so that what they signed stays provable."""

    __slots__ = ("_key", "public_keys")

    def __init__(self, newest: RingKey, keys: Iterable[RingKey]) -> None:
        self._key = newest
        shown = [PublicKey(key.generation, key is newest, public_key(key.hazmat_key)) for key in keys]
        self.public_keys = tuple(sorted(shown, key=lambda key: (not key.active, -key.generation)))

    def sign(self, message: bytes) -> bytes:
        """64 bytes, under the first of `public_keys`."""
        return sign(self._key.hazmat_key, message)


def check_signature(public: bytes, message: bytes, signature: bytes) -> None:
    """Raises SealBroken unless the holder of the key signed exactly this message."""
    try:
        check(public, message, signature)
    except Unproven:
        raise SealBroken from None
