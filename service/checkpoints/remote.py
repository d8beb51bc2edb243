"""The service's end of the signer process's socket."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from menshen_verifier.checkpoint import Checkpoint
from menshen_verifier.errors import Malformed
from menshen_verifier.note import Key
from service.checkpoints.model import SignerAhead, whose
from service.checkpoints.place import unfit
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
    Sign,
    parse_answer,
    request_bytes,
)
from service.errors import Conflict, KeyUnavailable, LogBroken

_PATIENCE_SECONDS = 5.0


class RemoteSigner:
    """See `Signer`. One connection for each request: a signer that was restarted is simply there again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.keys: tuple[Key, ...] = ()

    async def open(self) -> int:
        """See `Signer`."""
        return (await self.known()).size

    async def known(self) -> Known:
        """Everything that it says of itself. Raises KeyUnavailable, LogBroken."""
        return self._took(await self._asked(Ask()))

    async def prepare(self) -> Key:
        """See `Rotating`. The signer's own operator makes keys."""
        waits = (await self.known()).waits
        if waits is None:
            raise Conflict("no key waits: run `menshen audit signer rotate` where the signer runs")
        return waits

    async def activate(self) -> None:
        """See `Rotating`."""
        self._took(await self._asked(Activate()))

    async def retire(self) -> None:
        """See `Rotating`."""
        raise Conflict("the key lies with the signer: run `menshen audit signer retire` there")

    async def sign(self, checkpoint: Checkpoint, *, old: int, proof: Sequence[bytes], time: int) -> tuple[str, ...]:  # noqa: ARG002
        """See `Signer`. The signer has a clock of its own, and `time` is not sent."""
        answer = await self._asked(Sign(old, tuple(proof), checkpoint))
        if isinstance(answer, Ahead):
            raise SignerAhead(answer.size)
        if not isinstance(answer, Lines):
            raise KeyUnavailable("MENSHEN_SIGNER: the signer answered something else")
        known = {(key.name, key.id) for key in self.keys}
        if {whose(line) for line in answer.lines} != known:
            # A key was activated or retired meanwhile.
            await self.known()
        return answer.lines

    async def close(self) -> None:
        """Nothing is held."""

    def _took(self, answer: Answer) -> Known:
        if not isinstance(answer, Known):
            raise KeyUnavailable("MENSHEN_SIGNER: the signer answered something else")
        self.keys = answer.keys
        return answer

    async def _asked(self, request: Request) -> Answer:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                answer = parse_answer(await self._told(request_bytes(request)))
        except (OSError, TimeoutError, Malformed):
            raise KeyUnavailable("MENSHEN_SIGNER: the signer does not answer") from None
        if isinstance(answer, Refused):
            raise LogBroken(answer.detail) if answer.broken else KeyUnavailable("MENSHEN_SIGNER: the signer refuses")
        return answer

    async def _told(self, request: bytes) -> bytes:
        if problem := unfit(self._path.parent, own=False):
            raise KeyUnavailable(f"MENSHEN_SIGNER: {problem}")
        reader, writer = await asyncio.open_unix_connection(self._path)
        try:
            writer.write(request)
            writer.write_eof()
            raw = b""
            while len(raw) <= MOST_BYTES and (more := await reader.read(MOST_BYTES)):
                raw += more
            return raw
        finally:
            writer.close()
