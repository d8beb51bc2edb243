"""WeChat's message push: who signed it, and what is inside (plain or AES-256-CBC, XML or JSON).

In plain mode the signature covers a moment and a nonce, and not a byte of the body: whoever has seen one address can send another body
with it. So a nonce is good for one body (commands.py), and an app with an AES key takes sealed bodies only.
"""

import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from service.errors import Malformed, Refused
from service.hazmat.aead import Unopened
from service.hazmat.cbc import aes_256_cbc_opened
from service.hazmat.mac import equal
from service.inbound import plain, xml
from service.inbound.settings import WechatApp

FRESH = timedelta(minutes=10)
"""How far the signed moment may be from ours: WeChat tries three times within seconds, and clocks differ."""

FORGED = "SIGNATURE_INVALID"
_NOISE = 16
_LENGTH = 4
_STAMP = re.compile(r"[0-9]{1,12}")
_MOST_NONCE = 128


@dataclass(frozen=True, slots=True)
class Signed:
    """What WeChat writes into the address of a push."""

    signature: str
    timestamp: str
    nonce: str
    msg_signature: str = ""


@dataclass(frozen=True, slots=True)
class Pushed:
    """One message whose sender is known. `content` is the same bytes whenever the same message is sent again; `once` what may only ever
    come with this content ("" where the signature covers it).
    """

    message: Mapping[str, Any]
    content: bytes
    once: str


def check(app: WechatApp, signed: Signed, *, now: datetime) -> None:
    """Raises Refused unless WeChat signed this moment, which is about now."""
    _signed_by(app, signed.signature, signed.timestamp, signed.nonce)
    if not _STAMP.fullmatch(signed.timestamp) or len(signed.nonce) > _MOST_NONCE:
        raise Refused(FORGED)
    if abs(int(signed.timestamp) - now.timestamp()) > FRESH.total_seconds():
        raise Refused("TIMESTAMP_STALE")


def opened(app: WechatApp, signed: Signed, raw: bytes) -> Pushed:
    """The message of a push whose moment was checked. Raises Refused for a forged one, Malformed for one that cannot be read."""
    outer = read(raw)
    sealed = outer.get("Encrypt")
    if app.aes_key is None:
        return Pushed(outer, raw, f"{signed.timestamp}\0{signed.nonce}")
    if not isinstance(sealed, str):
        # Taking a body in the clear would undo what the key is for.
        raise Refused(FORGED)
    _signed_by(app, signed.msg_signature, signed.timestamp, signed.nonce, sealed)
    content = _unsealed(app, sealed)
    return Pushed(read(content), content, "")


def speaks(secret: bytes | None, given: str) -> bool:
    """Whether whoever calls knows the secret of a hook; nobody does of one that is not set up."""
    return secret is not None and equal(secret, given.encode("utf-8", "replace"))


def read(raw: bytes) -> Mapping[str, Any]:
    """XML or JSON as one mapping. Raises Malformed."""
    if raw.lstrip()[:1] == b"<":
        return xml.document(raw)
    found = plain.table(plain.document(raw, name="wechat"), name="wechat")
    # WeChat's own examples have blanks before some keys.
    return {key.strip(): value for key, value in found.items()}


def signature(token: bytes, *parts: str) -> str:
    """SHA-1 over the sorted parts, as WeChat signs. It proves who sent it only as long as the token is long and secret."""
    words = sorted([token, *(part.encode("utf-8", "surrogatepass") for part in parts)])
    return hashlib.sha1(b"".join(words), usedforsecurity=False).hexdigest()


def _signed_by(app: WechatApp, given: str, *parts: str) -> None:
    if not equal(signature(app.token, *parts).encode(), given.encode("utf-8", "surrogatepass")):
        raise Refused(FORGED)


def _unsealed(app: WechatApp, sealed: str) -> bytes:
    """16 bytes of chance, the length, the message, the appid. Raises Refused for another app's message."""
    assert app.aes_key is not None
    text = None
    with suppress(Unopened, ValueError):
        text = aes_256_cbc_opened(app.aes_key, plain.base64(sealed))
    if text is None or len(text) < _NOISE + _LENGTH:
        raise Malformed("wechat: sealed")
    start = _NOISE + _LENGTH
    end = start + int.from_bytes(text[_NOISE:start], "big")
    if not equal(text[end:], app.appid.encode()):
        raise Refused(FORGED)
    return text[start:end]
