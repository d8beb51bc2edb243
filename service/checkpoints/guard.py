"""What stands before every key of the log, wherever the key lies: it remembers what was signed last, and signs nothing that does not go on
from there. That makes it the first witness of this log.

The memory is one small file outside the database, written and forced to the disk before a signature leaves: after a crash it is at most
ahead of what was published, never behind.
"""

import asyncio
import fcntl
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from menshen_verifier.checkpoint import Checkpoint, parse_checkpoint
from menshen_verifier.consistency import check_consistency
from menshen_verifier.errors import Malformed
from menshen_verifier.note import Key
from service.checkpoints.keys import SigningKey
from service.checkpoints.model import SignerAhead
from service.errors import ConfigError, LogBroken
from service.files import put_whole, read

TITLE = "menshen/signer-state/v1\n"
_LONGEST = 4096

Keyring = Callable[[], Awaitable[Sequence[SigningKey]]]
"""The keys in use, the newest first; asked anew each time, so that one that was taken away signs no more."""


class Guard:
    """See `Signer`. `origin` is the one log that it signs for; several processes may share `state`."""

    def __init__(self, *, origin: str, keyring: Keyring, state: Path) -> None:
        self._origin = origin
        self._keyring = keyring
        self._state = state
        self._mine: Checkpoint | None = None
        self.keys: tuple[Key, ...] = ()

    async def open(self) -> int:
        """See `Signer`."""
        self.keys = tuple(one.key for one in await self._keyring())
        with self._alone():
            last = self._kept()
        return last.size if last else 0

    async def sign(self, checkpoint: Checkpoint, *, old: int, proof: Sequence[bytes], time: int) -> tuple[str, ...]:
        """See `Signer`."""
        if checkpoint.origin != self._origin or checkpoint.extensions:
            raise LogBroken("the signer refuses: that is not its log")
        keyring = await self._keyring()
        self.keys = tuple(one.key for one in keyring)
        # In a thread: it waits for the disk, and requests shall not.
        await asyncio.to_thread(self._remember, checkpoint, old, proof)
        return tuple([await one.line(checkpoint, time) for one in keyring])

    async def close(self) -> None:
        """Nothing is held."""

    def _remember(self, checkpoint: Checkpoint, old: int, proof: Sequence[bytes]) -> None:
        with self._alone():
            self._go_on(self._kept(), checkpoint, old=old, proof=proof)

    def _go_on(self, last: Checkpoint | None, checkpoint: Checkpoint, *, old: int, proof: Sequence[bytes]) -> None:
        if last is not None and checkpoint.size == last.size:
            if checkpoint.root != last.root:
                raise LogBroken(f"the signer refuses: it has signed another root at size {last.size}")
            return
        if last is not None:
            if old != last.size or checkpoint.size < last.size:
                raise SignerAhead(last.size)
            try:
                check_consistency(last.size, last.root, checkpoint.size, checkpoint.root, proof)
            except ValueError:
                raise LogBroken(f"the signer refuses: what it signed at size {last.size} is not the beginning of this") from None
        self._write(checkpoint)

    def _kept(self) -> Checkpoint | None:
        """What was signed last, and not before what this process has seen there: while it runs, nobody takes its memory back."""
        last, mine = self._last(), self._mine
        if mine is not None and (last is None or last.size < mine.size or (last.size == mine.size and last.root != mine.root)):
            raise LogBroken(f"the signer's state was put back: it had signed {mine.size} entries")
        self._mine = last
        return last

    def _last(self) -> Checkpoint | None:
        """What was signed last. A state that cannot be read is no reason to begin anew: Raises LogBroken."""
        try:
            content = read(self._state, _LONGEST).decode()
            if not content.startswith(TITLE):
                raise Malformed("signer state: another title")
            found = parse_checkpoint(content.removeprefix(TITLE))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            raise LogBroken("the signer's state cannot be read") from None
        if found.origin != self._origin:
            raise LogBroken("the signer's state is of another log")
        return found

    def _write(self, checkpoint: Checkpoint) -> None:
        try:
            put_whole(self._state, (TITLE + checkpoint.text).encode())
        except OSError as problem:
            raise ConfigError(f"the signer's state cannot be written ({problem.strerror})") from None
        self._mine = checkpoint

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time looks at the state and moves it."""
        try:
            lock = os.open(self._state.with_name(self._state.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            raise ConfigError(f"the signer's state cannot be locked ({problem.strerror})") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
