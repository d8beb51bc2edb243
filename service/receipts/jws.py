"""Compact JWS (RFC 7515) with Ed25519 (RFC 8037), as narrow as receipts need it: one algorithm, one type, a header of exactly three names.

What is not in that form is refused before anything is believed of it: a header cannot choose an algorithm, bring its own key, or
have text that two readers take apart differently.
"""

import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from service.errors import Malformed
from service.receipts.model import KEY_USE, TYPE
from service.vault.signing import PublicKey
from service.vault.vault import Vault

MOST_BYTES = 256 * 1024
_SIGNATURE_SIZE = 64
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Compact:
    """A JWS taken apart; nothing of it is proven yet. `message` is what the signature covers."""

    key_id: str
    payload: bytes
    message: bytes
    signature: bytes


def signed(vault: Vault, payload: bytes) -> str:
    """The compact JWS over these bytes, under the receipt key in force."""
    key_id = thumbprint(vault.public_keys(KEY_USE)[0].raw)
    header = {"alg": "EdDSA", "kid": key_id, "typ": TYPE}
    message = f"{_text(_json(header))}.{_text(payload)}"
    return f"{message}.{_text(vault.sign(KEY_USE, message.encode()))}"


def parse(compact: str) -> Compact:
    """Take a receipt's JWS apart. Raises Malformed, whatever the text is."""
    parts = compact.split(".")
    if len(compact) > MOST_BYTES or len(parts) != 3:
        raise Malformed("consent receipt: not a compact JWS")
    header, payload, signature = (_bytes(part) for part in parts)
    key_id = _key_id(header)
    if len(signature) != _SIGNATURE_SIZE:
        raise Malformed("consent receipt: a signature has 64 bytes")
    return Compact(key_id, payload, f"{parts[0]}.{parts[1]}".encode(), signature)


def thumbprint(raw: bytes) -> str:
    """The key's id (RFC 7638; RFC 8037, appendix A.3)."""
    return _text(hashlib.sha256(_json({"crv": "Ed25519", "kty": "OKP", "x": _text(raw)})).digest())


def key_set(keys: Sequence[PublicKey]) -> bytes:
    """The JWKS (RFC 7517) that proves receipts, those of older keys included."""
    shown = [
        {"alg": "EdDSA", "crv": "Ed25519", "kid": thumbprint(key.raw), "kty": "OKP", "use": "sig", "x": _text(key.raw)}
        for key in keys
    ]
    return _json({"keys": shown})


def _key_id(header: bytes) -> str:
    try:
        said: Any = orjson.loads(header)
        whole = isinstance(said, dict) and said.keys() == {"alg", "kid", "typ"} and _json(said) == header
    except (ValueError, TypeError):
        whole = False
    if not whole or said["alg"] != "EdDSA" or said["typ"] != TYPE or not _is_thumbprint(said["kid"]):
        raise Malformed("consent receipt: not the header of a receipt")
    return str(said["kid"])


def _is_thumbprint(found: object) -> bool:
    """A key's id is shown to whoever verifies: nothing else may travel in it."""
    return isinstance(found, str) and _THUMBPRINT.fullmatch(found) is not None


def _json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    """Base64url without padding, in its one canonical form: of two texts with the same bytes one would not be the one that was signed."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (NotBase64, ValueError):
        raise Malformed("consent receipt: not base64url") from None
    if _text(raw) != text:
        raise Malformed("consent receipt: not canonical base64url")
    return raw
