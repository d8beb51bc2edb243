"""A contender's process: on one core (the servers', if nobody says another), gone when the bench is, its words in a file."""

import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.machine import SERVER_CORE, bound, descendants

_STOP_SECONDS = 10.0


class Process:
    """A server that was started and is yet to answer."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str],
        log: Path,
        folder: Path,
        core: int = SERVER_CORE,
    ) -> None:
        self.log = log
        with log.open("wb") as file:
            self._child = subprocess.Popen(
                [*bound({core}), *command],
                env={**_plain_environment(), **environment},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )

    @property
    def pids(self) -> list[int]:
        """The process and all that it started."""
        return descendants(self._child.pid)

    def check(self) -> None:
        """Raises RuntimeError with the last words when it has ended."""
        if self._child.poll() is not None:
            raise RuntimeError(f"it ended with {self._child.returncode}: {self.log.read_text()[-2000:]}")

    def close(self) -> None:
        """Stop it, politely first."""
        self._child.terminate()
        try:
            self._child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _plain_environment() -> dict[str, str]:
    """Nothing of the caller's settings reaches a contender."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
