"""Wrapped secrets, version 1 (docs/formats/wrapped-secret.md): 64 bytes of chance a member, under the keyring's key
`members`.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from service.errors import BadInput, SealBroken
from service.hazmat import Unspoken
from service.hazmat.aead import NONCE_SIZE, TAG_SIZE, Aead, Unopened, drawn
from service.values import Chance, MemberId
from service.vault.framing import framed, framed_generation, framed_text, utf8
from service.vault.keyring import Keyring
from service.vault.keys import CIPHERS, KEY_SIZE, MemberKeys, RingKey

USE: Final = "members"
LABEL: Final = b"menshen/secret/v1"
SECRET_SIZE: Final = 2 * KEY_SIZE

_HEAD: Final = 2 + 4
_BODY: Final = _HEAD + NONCE_SIZE
WRAPPED_SIZE: Final = _BODY + SECRET_SIZE + TAG_SIZE

# The generation comes from a row, so its number is bounded: whoever writes rows must not fill the memory.
_generation = lru_cache(maxsize=64)(framed_generation)


class Secrets(Unspoken):
    """Makes and opens members' secrets."""

    __slots__ = ("_chance", "_head", "_openers", "_prefix", "_seal")

    def __init__(self, keyring: Keyring, *, controller: str, chance: Chance) -> None:
        newest = keyring.newest(USE)
        self._chance = chance
        self._prefix = framed(LABEL, utf8(controller))
        self._head = _head(newest)
        self._seal = CIPHERS[newest.suite](newest.hazmat_key).encrypt
        # By the six bytes that a wrapped secret begins with: an unknown version, suite or generation is simply not
        # there.
        self._openers = {_head(key): _opener(key) for key in keyring.all(USE)}

    def make(self, member_id: MemberId) -> tuple[MemberKeys, bytes]:
        """A new secret, of generation 1, and its wrapped form."""
        noise = drawn(self._chance, NONCE_SIZE + SECRET_SIZE)
        nonce, secret = noise[:NONCE_SIZE], noise[NONCE_SIZE:]
        associated = self._prefix + framed_text(member_id) + _generation(1)
        wrapped = self._head + nonce + self._seal(nonce, secret, associated)
        return self.open(member_id, 1, wrapped), wrapped

    def open(self, member_id: MemberId, generation: int, wrapped: bytes) -> MemberKeys:
        """One AEAD operation. Raises SealBroken, whatever the bytes."""
        secret = None
        try:
            framed_id = framed_text(member_id)
            decrypt, cipher, header = self._openers[wrapped[:_HEAD]]
            if len(wrapped) == WRAPPED_SIZE:
                associated = self._prefix + framed_id + _generation(generation)
                secret = decrypt(wrapped[_HEAD:_BODY], wrapped[_BODY:], associated)
        except (Unopened, KeyError, OverflowError, BadInput):
            secret = None
        if secret is None:
            raise SealBroken
        return MemberKeys(member_id, generation, framed_id, header, cipher(secret[:KEY_SIZE]), secret[KEY_SIZE:])


def _head(key: RingKey) -> bytes:
    return key.suite.header + key.generation.to_bytes(4, "big")


def _opener(key: RingKey) -> tuple[Callable[[bytes, bytes, bytes | None], bytes], Callable[[bytes], Aead], bytes]:
    """What it takes to open a secret under this key: the unwrapping, the cipher of what was wrapped, its header."""
    cipher = CIPHERS[key.suite]
    return cipher(key.hazmat_key).decrypt, cipher, key.suite.header
