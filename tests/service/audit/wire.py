"""A piece of wire between a driver and PostgreSQL that can be cut at the worst moment: before a message arrives, or before its answer does."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg.conninfo import conninfo_to_dict

from service.db.postgres import conninfo


class Heard:
    """What one client said, message by message: each after the first has its kind's letter and its length before it."""

    def __init__(self, kinds: Counter[str]) -> None:
        self._kinds, self._rest, self._greeted = kinds, b"", False

    def hear(self, data: bytes) -> None:
        """Count the kinds of what is complete: `S` ends a round trip, `E` is a statement that is carried out, `Q` both."""
        self._rest += data
        while len(self._rest) >= 5:
            size = int.from_bytes(self._rest[1:5]) + 1 if self._greeted else int.from_bytes(self._rest[:4])
            if len(self._rest) < size:
                return
            self._kinds[chr(self._rest[0]) if self._greeted else "greeting"] += 1
            self._rest, self._greeted = self._rest[size:], True


class Wire:
    """`lose_request` and `lose_answer` take effect at the next message that contains a text, once; `down` refuses everybody.

    `kinds` counts the messages that clients sent.
    """

    def __init__(self, url: str) -> None:
        self._server = conninfo_to_dict(conninfo(url))
        self._request: bytes | None = None
        self._answer: bytes | None = None
        self._down = False
        self._open: set[asyncio.StreamWriter] = set()
        self.cut = asyncio.Event()
        self.kinds: Counter[str] = Counter()

    def lose_request(self, holding: bytes = b"") -> None:
        """The next such message never gets to the server."""
        self._request = holding

    def lose_answer(self, holding: bytes = b"") -> None:
        """The next such message gets to the server, is carried out, and nobody hears of it."""
        self._answer = holding

    def down(self) -> None:
        """Cut every connection, and let nobody in."""
        self._down = True
        for writer in self._open:
            writer.close()

    def up(self) -> None:
        """Let everybody in again."""
        self._down = False

    async def carry(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """One connection, until one side ends it or it is cut."""
        if self._down:
            to_client.close()
            return
        server, to_server = await self._connect()
        self._open |= {to_client, to_server}
        answers = asyncio.create_task(_copy(server, to_client))
        heard = Heard(self.kinds)
        try:
            while data := await client.read(1 << 20):
                heard.hear(data)
                if self._takes(data, "_request"):
                    self.cut.set()
                    break
                losing = self._takes(data, "_answer")
                if losing:
                    answers.cancel()
                    await asyncio.wait({answers})
                to_server.write(data)
                await to_server.drain()
                if losing:
                    await server.read(1 << 20)
                    self.cut.set()
                    break
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            answers.cancel()
            to_server.close()
            to_client.close()
            self._open -= {to_client, to_server}

    def _takes(self, data: bytes, which: str) -> bool:
        wanted = getattr(self, which)
        if wanted is None or wanted not in data or self.cut.is_set():
            return False
        setattr(self, which, None)
        return True

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = str(self._server.get("host") or "127.0.0.1"), int(self._server.get("port") or 5432)
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(1 << 20):
            target.write(data)
            await target.drain()
    except OSError:
        target.close()
    else:
        target.close()


@asynccontextmanager
async def wire_to(url: str) -> AsyncIterator[tuple[Wire, str]]:
    """A wire to the server of `url`, and the URL that leads through it."""
    wire = Wire(url)
    # Not in `tmp_path`: a socket's name may have 107 bytes, and the folder of a test has most of them already.
    with tempfile.TemporaryDirectory(prefix="wire-") as folder:
        server = await asyncio.start_unix_server(wire.carry, f"{folder}/.s.PGSQL.5432")
        through = conninfo_to_dict(conninfo(url))
        database, user = through.pop("dbname"), through.pop("user", "postgres")
        async with server:
            yield wire, f"postgresql+psycopg://{user}@/{database}?host={folder}&port=5432"
            wire.down()
