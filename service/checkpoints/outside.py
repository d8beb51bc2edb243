"""One question to somebody outside, and what they said: bounded in time and in size, without redirects or proxies."""

import asyncio
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

import httpx2

MOST_BYTES: Final = 64 << 10
UNREACHABLE: Final = "UNREACHABLE"
TIMEOUT: Final = "TIMEOUT"
TOO_LONG: Final = "TOO_LONG"

# They write addresses at their info level, and at debug what was answered.
for _library in ("httpx2", "httpcore2"):
    logging.getLogger(_library).setLevel(logging.WARNING)


class Silent(Exception):
    """There is no answer that can be read. `code` says why; nothing of what came is in it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Said:
    """An answer. `kind` is its content type without parameters."""

    status: int
    kind: str
    body: bytes = field(repr=False)


class Outside:
    """An HTTP client for one place. `trust`: whose certificates are believed."""

    def __init__(self, *, seconds: float, trust: ssl.SSLContext | None = None) -> None:
        self._seconds = seconds
        self._client = httpx2.AsyncClient(timeout=seconds, follow_redirects=False, trust_env=False, verify=trust or True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def ask(self, method: str, url: str, content: bytes = b"", headers: Mapping[str, str] | None = None) -> Said:
        """One exchange, whole within the time. Raises Silent, and nothing that the network does."""
        sent = {"user-agent": "menshen", "accept-encoding": "identity", **(headers or {})}
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._client.stream(method, url, content=content, headers=sent) as answer,
            ):
                body = await _body(answer)
                kind = answer.headers.get("content-type", "").partition(";")[0].strip()
                return Said(answer.status_code, kind, body)
        except (TimeoutError, httpx2.TimeoutException):
            raise Silent(TIMEOUT) from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError):
            raise Silent(UNREACHABLE) from None


async def _body(answer: httpx2.Response) -> bytes:
    parts, size = [], 0
    async for part in answer.aiter_raw():
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise Silent(TOO_LONG)
    return b"".join(parts)


def fit(url: object, *, production: bool) -> str:
    """An address of https; in development also plain http to this machine. Raises ValueError for others, and with a user in it."""
    parts = urlsplit(url if isinstance(url, str) else "")
    plain = not production and parts.scheme == "http" and ip_address(parts.hostname or "").is_loopback
    good = (parts.scheme == "https" or plain) and bool(parts.hostname) and parts.username is None
    if not isinstance(url, str) or not good or parts.query or parts.fragment or parts.port == 0:
        raise ValueError("no address for this")
    return url.rstrip("/")
