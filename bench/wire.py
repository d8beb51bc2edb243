"""A client that costs next to nothing: one keep-alive connection, GraphQL in, JSON out. The load comes from the measuring process itself,
so what it spends on a request is missing from what it measures.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


class Wire:
    """One connection to one server, for one bearer. One request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
        self._reader = reader
        self._writer = writer
        self._head = (
            f"POST /graphql HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\nauthorization: Bearer {token}\r\n"
        )

    @classmethod
    async def to(cls, port: int, token: str) -> "Wire":
        """A new connection."""
        return cls(*await asyncio.open_connection("127.0.0.1", port), token)

    async def ask(self, query: str, variables: Mapping[str, object]) -> Json:
        """The data of an answer. Raises RuntimeError for anything else."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        self._writer.write(f"{self._head}content-length: {len(body)}\r\n\r\n".encode() + body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        found = json.loads(await self._reader.readexactly(length))
        if found.get("errors") or not found.get("data"):
            raise RuntimeError(f"an answer without data: {str(found)[:500]}")
        answered: Json = found["data"]
        return answered

    def close(self) -> None:
        """Hang up."""
        self._writer.close()
