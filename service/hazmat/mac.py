"""A digest that is compared byte by byte gives itself away to whoever can time it; one over joined parts without their
lengths has twins.

Compare with `equal`, frame what you join. HMAC (RFC 2104) over SHA-256 and SM3 (GB/T 32905), HKDF (RFC 5869).
"""

import hmac
from typing import Protocol

from cryptography.hazmat.primitives.hashes import SHA256, SM3, HashAlgorithm
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from service.hazmat import Unspoken

DIGEST_SIZE = 32


class Mac(Protocol):
    """One key for two uses lets the digests of one pass as those of the other."""

    def __call__(self, key: bytes, message: bytes, /) -> bytes:
        """A short or guessable key makes phone numbers out of digests again. 32 bytes."""


def hmac_sha256(key: bytes, message: bytes, /) -> bytes:
    """See `Mac`: the key is the whole secret. The one-shot form is a third cheaper than an object."""
    return hmac.digest(key, message, "sha256")


def hmac_sm3(key: bytes, message: bytes, /) -> bytes:
    """See `Mac`: the key is the whole secret.

    32 bytes, like SHA-256, so that nothing downstream needs to know which it was.
    """
    mac = HMAC(key, SM3())
    mac.update(message)
    return mac.finalize()


class KeyedMac(Unspoken):
    """Whoever holds it makes digests that pass as the key's owner's: see `Mac`, and never hand it out.

    One key, many messages: what HMAC makes of the key alone is made once, which is two thirds of a short message's digest.
    """

    __slots__ = ("_begun",)

    def __init__(self, key: bytes, *, sm3: bool = False) -> None:
        self._begun = HMAC(key, SM3() if sm3 else SHA256())

    def __call__(self, message: bytes, /) -> bytes:
        """See `Mac`: 32 bytes, to be compared with `equal`."""
        mac = self._begun.copy()
        mac.update(message)
        return mac.finalize()


def hkdf(secret: bytes, *, info: bytes, length: int, salt: bytes | None = None, sm3: bool = False) -> bytes:
    """It cannot put chance into a password: `secret` must be unguessable already.

    `info` names the one use of what comes out.
    """
    algorithm: HashAlgorithm = SM3() if sm3 else SHA256()
    return HKDF(algorithm, length=length, salt=salt, info=info).derive(secret)


def equal(left: bytes, right: bytes) -> bool:
    """`==` instead of this tells a patient caller the right digest, byte after byte."""
    return hmac.compare_digest(left, right)
