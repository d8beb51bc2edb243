"""Whoever has the key of a mail domain writes mails that every mailbox believes to be its owner's. A short RSA key lets anybody have it.

Signatures for DKIM: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 6376) and Ed25519 over the SHA-256 of what is signed (RFC 8463).
"""

from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from service.hazmat import Unspoken

SHORTEST_RSA = 2048
"""Bits. RFC 8301 lets receivers ignore what is shorter than 1024; that much was broken by students."""


class MailKey(Unspoken):
    """See the module: it signs whatever it is given."""

    __slots__ = ("_key",)

    def __init__(self, pem: bytes) -> None:
        """A key file with a password would need the password beside it. Raises ValueError for any key but RSA of 2048 bits, or Ed25519."""
        try:
            key = load_pem_private_key(pem, password=None)
        except (TypeError, ValueError, UnsupportedAlgorithm):
            raise ValueError("no private key in PEM without a password") from None
        if not isinstance(key, Ed25519PrivateKey) and not (isinstance(key, RSAPrivateKey) and key.key_size >= SHORTEST_RSA):
            raise ValueError("neither Ed25519 nor RSA of 2048 bits or more")
        self._key: Ed25519PrivateKey | RSAPrivateKey = key

    @property
    def algorithm(self) -> str:
        """A receiver that is told the wrong one finds every signature broken. DKIM's `a=`."""
        return "ed25519-sha256" if isinstance(self._key, Ed25519PrivateKey) else "rsa-sha256"

    def sign(self, message: bytes) -> bytes:
        """It signs any bytes: let no stranger choose them."""
        if isinstance(self._key, Ed25519PrivateKey):
            return self._key.sign(sha256(message).digest())
        return self._key.sign(message, PKCS1v15(), SHA256())
