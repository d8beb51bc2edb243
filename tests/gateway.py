"""A recipient on loopback: it takes what is posted to it, keeps it, and answers as a test wants, badly too."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes....").decode()
OK = b"HTTP/1.1 204 No Content\r\n\r\n"
BROKEN = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 5\r\n\r\nsorry"
GARBAGE = b"\x16\x03\x01 this is no HTTP at all\r\n\r\n"


class Gateway:
    """What came in, in the order in which it came. `answer` None: it never answers."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answer: bytes | None = OK
        self.arrived = asyncio.Event()
        self.url = ""

    @property
    def bodies(self) -> list[dict[str, object]]:
        return [json.loads(body) for _, body in self.requests]

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.requests]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer, and the connection is closed; without an answer it stays until the caller goes."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            self.requests.append((headers, body))
            self.arrived.set()
            if self.answer is None:
                await reader.read()
            else:
                writer.write(self.answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def gateway() -> AsyncIterator[Gateway]:
    """A gateway that listens."""
    made = Gateway()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/consents"
    try:
        yield made
    finally:
        server.close()


def recipients_file(folder: Path, **urls: str) -> Path:
    """The deployment's file: each recipient's address, one secret for all of them."""
    path = folder / "recipients.toml"
    path.touch(mode=0o600)
    path.write_text("".join(f'[{key}]\nurl = "{url}"\nsecret = "{SECRET}"\n' for key, url in urls.items()), "utf-8")
    return path


def signed(headers: dict[str, str], body: bytes) -> bool:
    """Whether a recipient that follows the Standard Webhooks specification would believe it."""
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    content = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body))
    right = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(headers["webhook-signature"], f"v1,{right}")
