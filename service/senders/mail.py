"""A mail as bytes (RFC 5322, 2045, 2047, 2369, 8058), made of parts that cannot add a header or a line of their own.

Headers are written here and not by a library: which ones there are, in which order and how they are folded is what DKIM signs.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote

from policies.clock import SHANGHAI
from service.senders import dkim
from service.senders.dkim import Domain, Header
from service.senders.model import Unfit, WayOut

ONE_CLICK = "List-Unsubscribe=One-Click"
"""Exactly this, and nothing else (RFC 8058, 3.1)."""

_ENCODED = 45
"""Bytes of UTF-8 in one encoded word: 60 characters of base64, 75 with what stands around them (RFC 2047, 2)."""

_LINE = 76
_LONGEST = 990
_VISIBLE = range(0x20, 0x7F)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What a mail is made of. `send_id` names it; nothing else in a header is about the member but the address. No way out: it is
    a letter, which nobody has to be taken off a list for.
    """

    send_id: str
    display: str
    mailbox: str
    to: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    way_out: WayOut | None = field(repr=False)


def built(mail: Mail, domain: Domain, now: datetime) -> bytes:
    """The signed mail. Raises Unfit for whatever no header can hold."""
    body, boundary = _body(mail)
    headers: list[Header] = [
        ("From", f"{_words(mail.display)} <{address(mail.mailbox)}>"),
        ("To", f"<{address(mail.to)}>"),
        ("Subject", _words(mail.subject)),
        ("Date", format_datetime(now.astimezone(SHANGHAI))),
        ("Message-ID", f"<{message_id(mail.send_id, domain.name)}>"),
        *(list_headers(mail.way_out).items() if mail.way_out is not None else ()),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
    ]
    signed = [dkim.signature(domain, headers, body, now), *headers]
    return b"".join(f"{name}: {value}\r\n".encode("ascii") for name, value in signed) + b"\r\n" + body


def list_headers(way_out: WayOut) -> Mapping[str, str]:
    """The headers of RFC 2369 and 8058: the https link first, because clients take the first that they understand. Raises Unfit."""
    mailto = f"mailto:{quote(address(way_out.mailbox), safe='@')}?subject={quote(way_out.token, safe='')}"
    if not way_out.link.startswith("https://"):
        raise Unfit("LINK_NOT_HTTPS")
    for uri in (way_out.link, mailto):
        if len(uri) > _LONGEST or any(ord(char) not in _VISIBLE or char in "<> ," for char in uri):
            raise Unfit("LINK_UNFIT")
    return {"List-Unsubscribe": f"<{way_out.link}>,\r\n <{mailto}>", "List-Unsubscribe-Post": ONE_CLICK}


def message_id(send_id: str, domain: str) -> str:
    """The mail's name, without its brackets: a bounce that comes back with it is that send's."""
    return f"{send_id}@{domain}"


def address(text: str) -> str:
    """A mailbox as a header may hold it. Raises Unfit: one that carries a line's end would write headers of its own."""
    local, at, domain = text.rpartition("@")
    plain = all(ord(char) in _VISIBLE and char not in ' <>,;:"()[]\\' for char in text)
    if not plain or not (local and at and domain) or "@" in local or len(text) > 254:
        raise Unfit("ADDRESS_UNFIT")
    return text


def _words(text: str) -> str:
    """A header's text as encoded words, folded. The first characters stay the first ones (EM-02). Raises Unfit for control characters."""
    if not text or any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 or char in "\u2028\u2029" for char in text):
        raise Unfit("HEADER_UNFIT")
    return "\r\n ".join(f"=?utf-8?b?{b64encode(part).decode()}?=" for part in _parts(text))


def _parts(text: str) -> Iterator[bytes]:
    """As many whole characters as fit into one encoded word."""
    part = b""
    for char in text:
        raw = char.encode()
        if len(part) + len(raw) > _ENCODED:
            yield part
            part = b""
        part += raw
    yield part


def _body(mail: Mail) -> tuple[bytes, str]:
    """Both parts in base64: no line of them can be a boundary, or too long, or begin with a dot."""
    boundary = f"=_{mail.send_id}"
    parts = [("plain", mail.text), ("html", mail.html)]
    lines: list[str] = []
    for kind, text in parts:
        lines += [f"--{boundary}", f"Content-Type: text/{kind}; charset=utf-8", "Content-Transfer-Encoding: base64", ""]
        lines += _base64(text)
    return "\r\n".join((*lines, f"--{boundary}--", "")).encode("ascii"), boundary


def _base64(text: str) -> Iterator[str]:
    encoded = b64encode("\r\n".join(text.splitlines()).encode()).decode()
    return (encoded[start : start + _LINE] for start in range(0, len(encoded), _LINE))
