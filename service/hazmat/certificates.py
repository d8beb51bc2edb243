"""A certificate is what somebody says of a key; who believes one because it came with the message believes the sender.

Certificates that a deployment names as trusted, read from a file.
"""

from collections.abc import Sequence

from cryptography.x509 import Certificate, load_pem_x509_certificates

__all__ = ["Certificate", "from_pem"]


def from_pem(pem: bytes) -> Sequence[Certificate]:
    """All of a file are trusted alike: put in no more than is needed. Raises ValueError where there is none."""
    return load_pem_x509_certificates(pem)
