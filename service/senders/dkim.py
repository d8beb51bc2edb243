"""DKIM signatures (RFC 6376, 8463), relaxed/relaxed: whoever changes a signed header or a word of the body breaks them.

Every signed header is named once more than it is there, so that nobody adds a second one behind the signature's back (RFC 6376, 8.15).
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from service.hazmat.mail_signing import MailKey

Header = tuple[str, str]
"""Name and value; a value may be folded (CRLF and a space)."""

_SPACES = re.compile(rb"[ \t]+")
_TRAILING = re.compile(rb"[ \t]+(?=\r\n)")
_LINE = 68


@dataclass(frozen=True, slots=True)
class Domain:
    """A sending domain, the selector under which its public key stands in the DNS, and its key."""

    name: str
    selector: str
    key: MailKey


def signature(domain: Domain, headers: Sequence[Header], body: bytes, now: datetime) -> Header:
    """The DKIM-Signature over all these headers and the whole body, whose lines end in CRLF."""
    names = [name for name, _ in headers]
    said = (
        f"v=1; a={domain.key.algorithm}; c=relaxed/relaxed; d={domain.name};\r\n s={domain.selector}; t={int(now.timestamp())};\r\n"
        f" h={_listed(names)};\r\n bh={b64encode(sha256(relaxed_body(body)).digest()).decode()};\r\n b="
    )
    signed = b"".join(relaxed(name, value) + b"\r\n" for name, value in reversed(headers)) + relaxed("DKIM-Signature", said)
    return "DKIM-Signature", said + _folded(b64encode(domain.key.sign(signed)).decode())


def relaxed(name: str, value: str) -> bytes:
    """One header in relaxed form, without its line's end (RFC 6376, 3.4.2)."""
    unfolded = value.encode().replace(b"\r\n", b"")
    return name.lower().encode() + b":" + _SPACES.sub(b" ", unfolded).strip(b" ")


def relaxed_body(body: bytes) -> bytes:
    """The body in relaxed form: runs of spaces are one, none at a line's end, no empty lines at the end (RFC 6376, 3.4.4)."""
    lines = _TRAILING.sub(b"", _SPACES.sub(b" ", body)).rstrip(b"\r\n")
    return lines + b"\r\n" if lines else b""


def _listed(names: Sequence[str]) -> str:
    """`h=`: from the last header to the first, as they are hashed, then each once more."""
    return ":\r\n  ".join((*reversed(names), *dict.fromkeys(names)))


def _folded(text: str) -> str:
    return "\r\n  ".join(text[start : start + _LINE] for start in range(0, len(text), _LINE))
