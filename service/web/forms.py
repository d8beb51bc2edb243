"""The two bodies that a form or a mail system posts: multipart/form-data and application/x-www-form-urlencoded (RFC 8058, 3.2)."""

import re
from collections.abc import Mapping
from email import message_from_bytes
from email.message import Message
from urllib.parse import parse_qsl

from starlette.requests import Request

from service.errors import BadInput

MOST_BYTES = 8 * 1024
_MOST_FIELDS = 16
_TYPE = re.compile(r"[\x20-\x7e]{0,256}")
URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"


class TooLarge(Exception):
    """A body of more bytes than are taken. Nothing was kept of it."""


async def body(request: Request, *, most: int) -> bytes:
    """The body, read no further than `most` bytes. Raises TooLarge. What breaks off in the middle ends as starlette's ClientDisconnect."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > most:
        raise TooLarge
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)


def fields(content_type: str, raw: bytes) -> Mapping[str, str]:
    """The fields of a form; of several with one name the last. Raises BadInput for whatever is not one of the two bodies."""
    if not _TYPE.fullmatch(content_type):
        raise BadInput("content-type")
    kind = content_type.partition(";")[0].strip().lower()
    found = None
    try:
        if kind == MULTIPART:
            found = _multipart(content_type, raw)
        elif kind in {URLENCODED, ""}:
            found = dict(parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError):
        pass
    # Outside the handler: the parser's error may quote what was typed.
    if found is None:
        raise BadInput("body")
    return found


def _multipart(content_type: str, raw: bytes) -> dict[str, str]:
    mail = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + raw)
    parts = mail.get_payload()
    if not mail.is_multipart() or not isinstance(parts, list) or len(parts) > _MOST_FIELDS:
        raise ValueError("no parts")
    return dict(_field(part) for part in parts if isinstance(part, Message))


def _field(part: Message) -> tuple[str, str]:
    name = part.get_param("name", header="content-disposition")
    value = part.get_payload(decode=True)
    if not isinstance(name, str) or not isinstance(value, bytes):
        raise TypeError("a part without name or value")
    return name, value.decode().removesuffix("\r\n")
