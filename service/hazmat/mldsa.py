"""The same harm as in `signing`: whoever has the 32 bytes of the seed signs whatever they like in our name, and nobody can tell afterwards.

ML-DSA-44 (FIPS 204), beside Ed25519 and never in its place: it is young, and a break of either must leave the other standing.
"""

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey


def sign(seed: bytes, message: bytes) -> bytes:
    """A seed that serves Ed25519, too, ties the fate of both together. 2420 bytes, another each time. Raises ValueError."""
    return MLDSA44PrivateKey.from_seed_bytes(seed).sign(message)


def public_key(seed: bytes) -> bytes:
    """Publishing the seed instead of this is the one mistake that cannot be taken back. 1312 bytes. Raises ValueError."""
    return MLDSA44PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()
