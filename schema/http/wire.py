"""HTTP as GraphQL speaks it: media types, bodies with a limit, and answers with the same headers on every one.

Written on bare ASGI: a request object and a response object cost as much as executing a small query.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import orjson
from starlette.types import Receive, Send

from schema.errors import Rejected

JSON = b"application/json"
GRAPHQL_JSON = b"application/graphql-response+json"
Header = tuple[bytes, bytes]

SECURITY: tuple[Header, ...] = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
"""No answer is kept by a cache, guessed at, framed, or told to whoever comes next."""

_NO_CONTENT = 204
_DECISIVE = (b"authorization", b"content-type", b"content-length", b"content-encoding", b"x-request-id")
_REQUEST_ID = re.compile(
    rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}|[0-9A-HJKMNP-TV-Z]{26}", re.ASCII
)
"""A UUID, a trace id (W3C) or a ULID. Nothing that a phone number, an openid or a name could be: it goes into log and record."""


class Gone(Exception):
    """The client hung up before it had said everything."""


def request_id(headers: Mapping[bytes, bytes]) -> str | None:
    """The caller's own id for the request, if it is one."""
    given = headers.get(b"x-request-id")
    return given.decode("ascii") if given is not None and _REQUEST_ID.fullmatch(given) else None


@lru_cache(256)
def answer_type(accept: bytes) -> bytes | None:
    """The media type to answer with, None where the client takes neither. Without a wish it is application/json, as yet."""
    wishes = {GRAPHQL_JSON: 0.0, JSON: 0.0}
    wildcard = 0.0
    for part in accept.lower().split(b","):
        name, _, parameters = part.partition(b";")
        name, weight = name.strip(), _weight(parameters)
        if name in wishes:
            wishes[name] = max(wishes[name], weight)
        elif name in {b"*/*", b"application/*", b""}:
            wildcard = max(wildcard, weight)
    best = max(wishes, key=lambda name: wishes[name])
    if wishes[best] > 0:
        return best
    return JSON if wildcard > 0 else None


def _weight(parameters: bytes) -> float:
    for parameter in parameters.split(b";"):
        name, _, value = parameter.strip().partition(b"=")
        if name == b"q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


@lru_cache(256)
def takes_body(content_type: bytes) -> bool:
    """Whether a body of this type is read: JSON in UTF-8 only. What a web page can post across sites without asking is not."""
    name, _, parameters = content_type.lower().partition(b";")
    charset = parameters.strip()
    return name.strip() == JSON and charset in {b"", b"charset=utf-8", b'charset="utf-8"'}


def refuse_ambiguity(sent: Sequence[Header], read: Mapping[bytes, bytes]) -> None:
    """Raise Rejected where a header that decides something is there twice: a proxy before us may have believed the other one."""
    if len(sent) != len(read):
        names = [name for name, _ in sent]
        if any(names.count(name) > 1 for name in _DECISIVE):
            raise Rejected("BAD_REQUEST", "A header is there twice.")


async def read_body(headers: Mapping[bytes, bytes], receive: Receive, limit: int) -> bytes:
    """The whole body. Raises Rejected as soon as it is known to be too large, Gone when the client hangs up."""
    declared = headers.get(b"content-length", b"0")
    if not declared.isdigit() or int(declared) > limit:
        raise Rejected("BODY_TOO_LARGE")
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise Rejected("BODY_TOO_LARGE")
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


async def answer(send: Send, status: int, headers: Iterable[Header], body: bytes) -> None:
    """Send an answer, with the headers that every one has. One without content (204) has no length either."""
    length = () if status == _NO_CONTENT else ((b"content-length", b"%d" % len(body)),)
    await send({"type": "http.response.start", "status": status, "headers": [*length, *headers, *SECURITY]})
    await send({"type": "http.response.body", "body": body})


def encode(body: object) -> bytes:
    """JSON, fast."""
    return orjson.dumps(body)
