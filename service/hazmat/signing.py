"""Whoever has the 32 bytes can sign whatever they like in our name, and nobody can tell afterwards: a seed that leaks makes every
signature worthless, those of before included, because a date inside the signed text proves nothing.

Ed25519 (RFC 8032). A signature covers bytes, not what somebody read in them: sign a text that says what it is, and check before parsing.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

Unproven = InvalidSignature
"""Swallowing it takes a forgery for the real thing. It is what `check` raises, and it says nothing of why."""


def sign(seed: bytes, message: bytes) -> bytes:
    """A seed that has another use beside this one may give itself away through it. 64 bytes, the same for the same message.

    Raises ValueError for a seed that is not of 32 bytes.
    """
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def public_key(seed: bytes) -> bytes:
    """Publishing the seed instead of this is the one mistake that cannot be taken back. 32 bytes. Raises ValueError."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def check(public: bytes, message: bytes, signature: bytes) -> None:
    """A result that is not looked at proves nothing, so there is none: it returns or raises Unproven, also for a key that is none."""
    try:
        key = Ed25519PublicKey.from_public_bytes(public)
    except ValueError:
        raise Unproven from None
    key.verify(signature, message)
