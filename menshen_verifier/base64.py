"""Base64 as every format here has it: standard alphabet, padded, and in its one canonical form."""

import binascii
from base64 import b64encode

from menshen_verifier.errors import Malformed


def encoded(data: bytes) -> str:
    """The text of `data`."""
    return b64encode(data).decode()


def decoded(text: str) -> bytes:
    """The bytes. Raises Malformed for anything but the form that `encoded` writes: two texts of one value are two names for a thief."""
    try:
        data = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except ValueError:
        raise Malformed("not base64") from None
    if encoded(data) != text:
        raise Malformed("not canonical base64")
    return data
