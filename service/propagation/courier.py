"""The way out: one POST to a recipient, and a code for what came of it. Nothing that a recipient answers gets any further than its status.

A redirect is not followed: it would carry a member's phone number to wherever the answer says. Proxies from the environment are not used.
"""

import asyncio
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Self

import httpx2

SECONDS = 10.0
"""For one try, from looking up the name to the status line."""

ACKNOWLEDGED = "ACKNOWLEDGED"
UNREACHABLE = "UNREACHABLE"
TIMEOUT = "TIMEOUT"

# They write addresses at their info level, and at debug what was answered.
for _library in ("httpx2", "httpcore2"):
    logging.getLogger(_library).setLevel(logging.WARNING)


class Courier:
    """An HTTP client that only posts."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._client = httpx2.AsyncClient(timeout=seconds, follow_redirects=False, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> str:
        """ACKNOWLEDGED for a 2xx; otherwise UNREACHABLE, TIMEOUT or STATUS_nnn. It raises nothing that the network does."""
        sent = {"content-type": "application/json", "user-agent": "menshen", **headers}
        try:
            # Over all of it: a recipient that sends a byte a second never runs into the timeouts between bytes.
            async with asyncio.timeout(self._seconds), self._client.stream("POST", url, content=content, headers=sent) as answer:
                status = answer.status_code
        except (TimeoutError, httpx2.TimeoutException):
            return TIMEOUT
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError):
            return UNREACHABLE
        return ACKNOWLEDGED if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES else f"STATUS_{status}"
