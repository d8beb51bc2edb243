"""The newest head that this instance has seen, in a small file outside the database (docs/decisions/0006).

An older backup of the database is true in itself: its head has a valid MAC. Only somebody who remembers more can see that entries
are missing. Witnesses do, where there are any; this file always does: size and root under the head's MAC key, written after every batch.
Who can change the database and this file, and restarts every instance, is not found out by it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.audit.head import Authority, Seen
from service.errors import InstanceRunning, LogBroken
from service.hazmat import mac

_LABEL = b"menshen/remembered-head/v1"
_SLOT_OFFSETS = (0, 512)
"""Written in turn, each within one sector: a write that the power cuts off spoils the older of two records, not both."""
_ROOT = slice(len(_LABEL) + 8, len(_LABEL) + 40)
_RECORD_BYTES = len(_LABEL) + 8 + 32 + mac.DIGEST_SIZE


class RememberedHead:
    """The file at `path`. It is made by the first `write`; several instances on one machine may share it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None
        self._lock: int | None = None
        self._turn = 0

    def read(self, authority: Authority) -> Seen | None:
        """The newest head in it, None while there is no file. Raises LogBroken when there is one and nothing in it holds."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        found = [_parsed(content[start : start + _RECORD_BYTES], authority) for start in _SLOT_OFFSETS]
        seen = max((record for record in found if record is not None), key=lambda record: record.size, default=None)
        if seen is None:
            raise LogBroken(f"{self.path} does not hold a head of this log; if its database was replaced on purpose, remove it")
        self._turn = int(found[0] == seen)
        return seen

    def write(self, authority: Authority, seen: Seen) -> None:
        """Remember `seen`; about 7 µs. Not forced to the disk: the database was, so after a power cut it is at most ahead of this."""
        self._hold(fcntl.LOCK_SH)
        if self._file is None:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.pwrite(self._file, _record(seen, authority), _SLOT_OFFSETS[self._turn])
        self._turn ^= 1

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While this lasts, no instance on this machine writes to the log whose head is remembered here. Raises InstanceRunning."""
        try:
            self._hold(fcntl.LOCK_EX)
        except BlockingIOError:
            self.close()
            raise InstanceRunning from None
        try:
            yield
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the file."""
        for held in (self._file, self._lock):
            if held is not None:
                os.close(held)
        self._file = self._lock = None

    def _hold(self, how: int) -> None:
        """Whoever writes shares a lock, and holds it for as long as the process lives. Raises BlockingIOError, at once."""
        if self._lock is None:
            self._lock = os.open(self.path.with_name(f"{self.path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(self._lock, how | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(self._lock)
                self._lock = None
                raise


def _record(seen: Seen, authority: Authority) -> bytes:
    body = seen.size.to_bytes(8, "big") + seen.root
    return _LABEL + body + authority.digest(_LABEL, body)


def _parsed(record: bytes, authority: Authority) -> Seen | None:
    if len(record) != _RECORD_BYTES or not record.startswith(_LABEL):
        return None
    seen = Seen(int.from_bytes(record[len(_LABEL) : _ROOT.start], "big"), record[_ROOT])
    return seen if mac.equal(record, _record(seen, authority)) else None
