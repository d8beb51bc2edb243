"""The way to a vendor's HTTP interface: one POST, and either its answer as JSON or how far the request can have come.

A redirect is not followed and no proxy of the environment is used: both would carry a member's number to wherever somebody says. Each
request has a connection of its own: one that was kept may have been closed by the other side, and then nobody knows whether it read it.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import httpx2
import orjson

from service.senders.model import Delivery, Fate

SECONDS = 15.0
"""For one try, from looking up the name to the last byte of the answer. A job's lease is four times as long."""

MOST_BYTES = 64 * 1024
"""Of an answer. Vendors send a few hundred."""

_BEFORE_IT_LEFT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
    httpx2.InvalidURL,
)

# They write addresses, with tokens in them, at their info level, and at debug what was answered.
for _library in ("httpx2", "httpcore2"):
    logging.getLogger(_library).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a vendor said. `document` is {} where that was no JSON object."""

    status: int
    document: Mapping[str, Any] = field(repr=False)


class Wire:
    """An HTTP client that only posts."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        limits = httpx2.Limits(max_keepalive_connections=0)
        self._client = httpx2.AsyncClient(timeout=seconds, follow_redirects=False, trust_env=False, limits=limits)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Answer | Delivery:
        """The answer, or NOT_OUT where nothing has left, or UNKNOWN. It raises nothing that the network does."""
        sent = {"user-agent": "menshen", "accept-encoding": "identity", **headers}
        try:
            async with asyncio.timeout(self._seconds), self._client.stream("POST", url, content=content, headers=sent) as answer:
                return Answer(answer.status_code, _parsed(await _bounded(answer)))
        except _BEFORE_IT_LEFT:
            return Delivery(Fate.NOT_OUT, "UNREACHABLE")
        except (TimeoutError, httpx2.TimeoutException):
            return Delivery(Fate.UNKNOWN, "TIMEOUT")
        except (httpx2.HTTPError, httpx2.StreamError, OSError):
            return Delivery(Fate.UNKNOWN, "BROKEN_OFF")


async def _bounded(answer: httpx2.Response) -> bytes:
    """What fits, as it came over the wire; a vendor that sends more has not sent an answer, nor has one that packs it unasked: some
    kilobytes of it unpack to all the memory there is.
    """
    read = bytearray()
    async for part in answer.aiter_raw():
        read += part
        if len(read) > MOST_BYTES:
            return b""
    return bytes(read)


def _parsed(content: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
