"""Keys in memory: what they are for, and that they do not talk.

A key shows nothing in `repr` and refuses to be pickled or copied. What Python cannot do is wipe it: a copy may stay in
freed memory until something else is written there (docs/threat-model.md, "The memory of an instance").

What begins with `hazmat_` opens things without asking for a permit; only the vault may touch it, and a test reads the
whole source for it.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import Final

from service.hazmat import Unspoken
from service.hazmat.aead import Aead, aes_256_gcm, sm4_gcm
from service.hazmat.mac import KeyedMac, Mac, hmac_sha256, hmac_sm3

KEY_SIZE: Final = 32
VERSION: Final = b"\x01"


class Suite(IntEnum):
    """Which algorithms a key is for; fixed when the key is made, written into all that it seals, never negotiated."""

    AES256_GCM = 1
    SM4_GCM = 2

    @property
    def header(self) -> bytes:
        """What everything sealed under this suite begins with: the version and the suite."""
        return VERSION + bytes([self])


def _sm4(key: bytes) -> Aead:
    """SM4 takes 16 bytes: the first of the 32, and the rest is used for nothing (docs/formats/sealed-field.md)."""
    return sm4_gcm(key[:16])


CIPHERS: Final[dict[Suite, Callable[[bytes], Aead]]] = {Suite.AES256_GCM: aes_256_gcm, Suite.SM4_GCM: _sm4}
"""Each suite's cipher under 32 bytes of key."""

MACS: Final[dict[bytes, Mac]] = {Suite.AES256_GCM.header: hmac_sha256, Suite.SM4_GCM.header: hmac_sm3}
"""Each suite's keyed digest, by the suite's header."""


class MemberKeys(Unspoken):
    """One member's two keys, opened. Made by the vault only.

    Frozen by `Final`, which mypy holds everybody to, and made without keywords: a frozen dataclass would cost as much as
    the unwrapping itself, and a page makes a hundred of these.
    """

    __slots__ = ("framed_id", "generation", "hazmat_cipher", "hazmat_pseudonym_key", "header", "member_id")

    def __init__(  # noqa: PLR0917  (see above)
        self, member_id: str, generation: int, framed_id: bytes, header: bytes, cipher: Aead, pseudonym_key: bytes
    ) -> None:
        self.member_id: Final = member_id
        self.generation: Final = generation
        self.framed_id: Final = framed_id
        self.header: Final = header
        self.hazmat_cipher: Final = cipher
        self.hazmat_pseudonym_key: Final = pseudonym_key


class RingKey(Unspoken):
    """One key of the keyring: for one use, of one suite. `active` ones seal; the others only open."""

    __slots__ = ("active", "generation", "hazmat_key", "suite", "use")

    def __init__(self, use: str, generation: int, *, suite: Suite, active: bool, key: bytes) -> None:
        self.use: Final = use
        self.generation: Final = generation
        self.suite: Final = suite
        self.active: Final = active
        self.hazmat_key: Final = key

    @property
    def mac(self) -> Mac:
        """The keyed digest of this key's suite."""
        return MACS[self.suite.header]

    def hazmat_mac(self) -> KeyedMac:
        """The same with this key in it, for whoever makes many digests under it."""
        return KeyedMac(self.hazmat_key, sm3=self.suite is Suite.SM4_GCM)
