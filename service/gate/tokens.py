"""Decision tokens, version 1 (docs/formats/decision-token.md): proof that the gate allowed this message to this member on this channel.

The attacker is an engine that would rather not ask: it keeps a token, moves it to another member, sends other words with it, or makes
one up. It is bound to all of these, ends after minutes, and says nothing of anybody.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from service.errors import BadInput, SealBroken
from service.gate.model import TOKEN_INVALID
from service.values import MemberId
from service.vault.vault import Vault

FORMAT = b"menshen/decision-token/v1"
USE = "decision"
_VERSION = b"\x01"
_TAG = 16
_LENGTH = 1 + _TAG + 8 + 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Bound:
    """What a token is good for. `template` is the digest of the words."""

    member_id: MemberId
    send_id: str
    channel: str
    template: bytes


def make(vault: Vault, bound: Bound, expires_at: datetime) -> str:
    """The token, 55 characters."""
    end = ((expires_at - _EPOCH) // _MICROSECOND).to_bytes(8, "big")
    send = bytes.fromhex(bound.send_id.replace("-", ""))
    tag = vault.mac(USE, _message(bound, end, send))[:_TAG]
    return urlsafe_b64encode(_VERSION + tag + end + send).rstrip(b"=").decode()


def check(vault: Vault, token: str, bound: Bound) -> datetime:
    """When it ends, or ended. Raises BadInput (DECISION_TOKEN_INVALID) for anything but a token of this very decision."""
    invalid = BadInput("token: it is none of this decision's", code=TOKEN_INVALID)
    try:
        raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (UnicodeEncodeError, binascii.Error, ValueError):
        raise invalid from None
    send = bytes.fromhex(bound.send_id.replace("-", ""))
    end = raw[1 + _TAG : -16]
    canonical = urlsafe_b64encode(raw).rstrip(b"=").decode() == token
    if len(raw) != _LENGTH or raw[:1] != _VERSION or raw[-16:] != send or not canonical:
        raise invalid
    try:
        vault.check_mac(USE, _message(bound, end, send), raw[1 : 1 + _TAG])
    except SealBroken:
        raise invalid from None
    return _EPOCH + timedelta(microseconds=int.from_bytes(end, "big"))


def _message(bound: Bound, end: bytes, send: bytes) -> bytes:
    member = bytes.fromhex(bound.member_id.replace("-", ""))
    return b"".join((FORMAT, b"\0", end, send, member, bound.template, bound.channel.encode()))
