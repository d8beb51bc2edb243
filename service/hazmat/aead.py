"""A nonce that is used twice under one key hands out both plaintexts and the power to forge: never count, never derive,
never reuse one.

AES-256-GCM and SM4-GCM with 96-bit nonces and 128-bit tags (NIST SP 800-38D; GB/T 32907, RFC 8998). Neither commits to
its key: one ciphertext may open under two keys that an attacker chose. Tags are never cut short.
"""

from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM

from service.errors import KeyUnavailable
from service.hazmat import Unspoken
from service.values import Chance

NONCE_SIZE = 12
TAG_SIZE = 16

Unopened = InvalidTag
"""Swallowing it shows forged bytes as real ones. It is what `decrypt` raises, and it says nothing of why."""


class Aead(Protocol):
    """Under one key no nonce may come twice, and no more than 2^32 random ones may come at all."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """A repeated nonce is fatal: draw 12 fresh bytes of chance for every call.

        The tag stands behind the ciphertext.
        """

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """Whoever acts on bytes before this has returned acts on an attacker's.

        Raises Unopened, or ValueError for a bad nonce.
        """


def drawn(chance: Chance, size: int) -> bytes:
    """A nonce that came out too short is a repeated one: less chance than was asked for raises KeyUnavailable."""
    noise = chance(size)
    if len(noise) != size:
        raise KeyUnavailable("the source of chance gave too little")
    return noise


def aes_256_gcm(key: bytes) -> Aead:
    """A shorter key would quietly be AES-128: anything but 32 bytes raises ValueError."""
    if len(key) != 32:
        raise ValueError("AES-256 takes 32 bytes")
    return AESGCM(key)


def sm4_gcm(key: bytes) -> Aead:
    """Half the strength of AES-256 by key length: SM4 has 16-byte keys and no others. Raises ValueError."""
    if len(key) != 16:
        raise ValueError("SM4 takes 16 bytes")
    return _Sm4Gcm(SM4(key))


class _Sm4Gcm(Unspoken):
    """See `Aead`: a nonce used twice is fatal here too.

    The library has no one-shot form, so the tag is handled by hand.
    """

    __slots__ = ("_key",)

    def __init__(self, key: SM4) -> None:
        self._key = key

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        encryptor = Cipher(self._key, GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(associated_data or b"")
        return encryptor.update(data) + encryptor.finalize() + encryptor.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        if len(data) < TAG_SIZE:
            raise Unopened
        decryptor = Cipher(self._key, GCM(nonce, data[-TAG_SIZE:])).decryptor()
        decryptor.authenticate_additional_data(associated_data or b"")
        return decryptor.update(data[:-TAG_SIZE]) + decryptor.finalize()
