"""Keyset cursors: opaque, versioned, and of no use to anybody who changes a byte or moves one to another question.

Format (docs/formats/cursor.md): base64url, no padding, of 01 ‖ tag(16) ‖ member id(16); the tag is an HMAC over the format's
name, the purpose of the list and the id.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode

from service.errors import BadInput, SealBroken
from service.values import MemberId
from service.vault.vault import Vault

FORMAT = b"menshen/cursor/v1"
_VERSION = b"\x01"
_TAG = 16
_LENGTH = 1 + _TAG + 16


def encode(vault: Vault, purpose: str, member_id: MemberId) -> str:
    """The cursor that stands behind a member in a list for a purpose."""
    raw = bytes.fromhex(member_id.replace("-", ""))
    return urlsafe_b64encode(_VERSION + _tag(vault, purpose, raw) + raw).rstrip(b"=").decode()


def decode(vault: Vault, purpose: str, cursor: str) -> MemberId:
    """The member's id behind a cursor. Raises BadInput (CURSOR_INVALID) for anything but a cursor of this very list."""
    invalid = BadInput("the cursor was not made by this list", code="CURSOR_INVALID")
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
    except (UnicodeEncodeError, binascii.Error, ValueError):
        raise invalid from None
    canonical = urlsafe_b64encode(raw).rstrip(b"=").decode() == cursor
    if len(raw) != _LENGTH or raw[:1] != _VERSION or not canonical:
        raise invalid
    try:
        vault.check_mac("cursor", _message(purpose, raw[1 + _TAG :]), raw[1 : 1 + _TAG])
    except SealBroken:
        raise invalid from None
    text = raw[1 + _TAG :].hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _tag(vault: Vault, purpose: str, raw: bytes) -> bytes:
    return vault.mac("cursor", _message(purpose, raw))[:_TAG]


def _message(purpose: str, raw: bytes) -> bytes:
    return b"\0".join((FORMAT, purpose.encode(), raw))
