"""Opaque tokens, version 1 (docs/formats/link.md): what leaves the house and comes back, read by nobody in between.

The bytes are sealed under a keyring key of their own, so that whoever finds a link learns neither whom it is about nor what, and can change
nothing of it. What a token is for is its label: one that was made for something else does not open.
"""

from collections.abc import Callable
from typing import Final

from service.errors import SealBroken
from service.hazmat import Unspoken
from service.hazmat.aead import NONCE_SIZE, TAG_SIZE, Unopened, drawn
from service.values import Chance
from service.vault.framing import framed, utf8
from service.vault.keyring import Keyring
from service.vault.keys import CIPHERS, RingKey

_HEAD: Final = 2 + 4
_BODY: Final = _HEAD + NONCE_SIZE
_CLASS: Final = 64
_END: Final = b"\x01"


class Tokens(Unspoken):
    """Seals and opens the tokens of one keyring use."""

    __slots__ = ("_chance", "_controller", "_head", "_openers", "_seal")

    def __init__(self, keyring: Keyring, use: str, *, controller: str, chance: Chance) -> None:
        newest = keyring.newest(use)
        self._chance = chance
        self._controller = utf8(controller)
        self._head = _head(newest)
        self._seal = CIPHERS[newest.suite](newest.hazmat_key).encrypt
        self._openers: dict[bytes, Callable[[bytes, bytes, bytes | None], bytes]] = {
            _head(key): CIPHERS[key.suite](key.hazmat_key).decrypt for key in keyring.all(use)
        }

    def seal(self, label: bytes, content: bytes) -> bytes:
        """The token. Its length tells the length of the content to the next 64 bytes only."""
        nonce = drawn(self._chance, NONCE_SIZE)
        padded = content + _END
        padded = padded.ljust(-(-len(padded) // _CLASS) * _CLASS, b"\x00")
        return self._head + nonce + self._seal(nonce, padded, framed(label, self._controller))

    def open(self, label: bytes, token: bytes) -> bytes:
        """The content. Raises SealBroken, whatever the bytes."""
        content = None
        decrypt = self._openers.get(token[:_HEAD])
        if decrypt is not None and len(token) >= _BODY + TAG_SIZE:
            try:
                padded = decrypt(token[_HEAD:_BODY], token[_BODY:], framed(label, self._controller)).rstrip(b"\x00")
                content = padded[:-1] if padded.endswith(_END) else None
            except Unopened:
                content = None
        if content is None:
            raise SealBroken
        return content


def _head(key: RingKey) -> bytes:
    return key.suite.header + key.generation.to_bytes(4, "big")
