"""The signer process: the log's key where the service cannot read it, behind a Unix socket that answers one caller's account.

Whoever breaks into the service can have signed whatever goes on from what was signed before; they cannot take the key along, go back, or
fork. So this listens, reads little, believes nothing, and answers in bounded time.
"""

import asyncio
import logging
import os
import socket
import struct
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from menshen_verifier.errors import Malformed
from service.checkpoints.guard import Guard
from service.checkpoints.model import SignerAhead
from service.checkpoints.place import unfit
from service.checkpoints.rotation import KeyFiles
from service.checkpoints.wire import (
    MOST_BYTES,
    Activate,
    Ahead,
    Answer,
    Ask,
    Known,
    Lines,
    Refused,
    Request,
    answer_bytes,
    parse_request,
)
from service.errors import ConfigError, LogBroken, ServiceError
from service.values import Clock

_log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 5.0
_AT_ONCE = 16


class SignerProcess:
    """Callers of other accounts than `accounts` are not read. `files` are where the next key waits to take over; a token has none."""

    def __init__(self, guard: Guard, *, clock: Clock, accounts: Collection[int], files: KeyFiles | None) -> None:
        self._guard = guard
        self._clock = clock
        self._accounts = frozenset(accounts)
        self._files = files
        self._room = asyncio.Semaphore(_AT_ONCE)

    @asynccontextmanager
    async def listening(self, path: Path) -> AsyncIterator[None]:
        """On a socket at `path`, for its owner only; for everybody where other accounts are allowed, who then are asked who they are.

        Raises ConfigError when somebody listens there already, and for a folder in which others may put a socket of their own.
        """
        _fit(path.parent)
        await _free(path)
        # So made, not so changed afterwards: in between, somebody might come in.
        mask = os.umask(0o177 if self._accounts <= {os.geteuid()} else 0o111)
        try:
            server = await asyncio.start_unix_server(self._serve, path)
        except OSError as problem:
            raise ConfigError(f"--socket: cannot be listened on ({problem.strerror})") from None
        finally:
            os.umask(mask)
        try:
            yield
        finally:
            server.close()
            await server.wait_closed()
            _remove(path)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with self._room, asyncio.timeout(_PATIENCE_SECONDS):
                if _account(writer.get_extra_info("socket")) not in self._accounts:
                    _log.warning("a caller of another account was not answered")
                    return
                writer.write(answer_bytes(await self._answer(await reader.read(MOST_BYTES + 1), reader)))
                await writer.drain()
        except (OSError, TimeoutError):
            pass
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, begun: bytes, reader: asyncio.StreamReader) -> Answer:
        raw = begun
        while len(raw) <= MOST_BYTES and (more := await reader.read(MOST_BYTES + 1)):
            raw += more
        try:
            return await self._done(parse_request(raw))
        except Malformed as problem:
            return Refused(str(problem), broken=False)
        except SignerAhead as ahead:
            return Ahead(ahead.size)
        except LogBroken as problem:
            _log.critical("%s", problem.detail)
            return Refused(problem.detail, broken=True)
        except ServiceError as problem:
            _log.error("nothing can be signed: %s", problem.code)
            return Refused(problem.code, broken=False)

    async def _done(self, request: Request) -> Answer:
        if isinstance(request, Activate) and self._files:
            await self._files.activate()
        if isinstance(request, Activate | Ask):
            size = await self._guard.open()
            return Known(size, self._guard.keys, self._files.waits() if self._files else None)
        time = int(self._clock().timestamp())
        return Lines(await self._guard.sign(request.checkpoint, old=request.old, proof=request.proof, time=time))


def _fit(folder: Path) -> None:
    try:
        problem = unfit(folder, own=True)
    except OSError as found:
        raise ConfigError(f"--socket: the folder cannot be looked at ({found.strerror})") from None
    if problem:
        raise ConfigError(f"--socket: {problem}")


async def _free(path: Path) -> None:
    """A socket that a killed process left behind is taken away; one that answers is not."""
    with suppress(OSError):
        _, writer = await asyncio.open_unix_connection(path)
        writer.close()
        await writer.wait_closed()
        raise ConfigError("--socket: another signer listens there")
    _remove(path)


def _remove(path: Path) -> None:
    """A socket, and nothing else that somebody may have put there."""
    if path.is_socket():
        path.unlink()


def _account(peer: socket.socket) -> int:
    """Whose process is at the other end, as the kernel says it. Where it says nothing, the socket's own mode has let in only its owner."""
    if not hasattr(socket, "SO_PEERCRED"):
        return os.geteuid()
    _, user, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    found: int = user
    return found
