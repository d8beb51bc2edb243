"""Real `menshen` processes that begin at once: one process imports everything and forks, so that each costs a tenth of a second.

`python -m tests.attacks.nursery` reads one JSON line for each child from its standard input: {"env": …, "args": […], "out": path} is
answered with its pid, {"poll": pid} with its exit code, null while it runs. It ends, with its children, when its input does.
"""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.journeys.servers import ROOT


@dataclass
class Child:
    """One process."""

    nursery: "Nursery"
    pid: int
    out: Path
    code: int | None = None

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        if self.code is None:
            self.code = self.nursery.ask({"poll": self.pid})
        return self.code

    def kill(self, how: signal.Signals = signal.SIGKILL, *, wait: bool = True) -> None:
        """End it, and wait for its end."""
        if self.poll() is None:
            os.kill(self.pid, how)
            if wait:
                self.wait()

    def wait(self, seconds: float = 90) -> int:
        """Its exit code."""
        limit = time.monotonic() + seconds
        while (code := self.poll()) is None:
            assert time.monotonic() < limit, f"it does not end: {self.said}"
            time.sleep(0.02)
        return code

    @property
    def said(self) -> str:
        """All that it printed."""
        return self.out.read_text("utf-8", "replace") if self.out.exists() else ""


class Nursery:
    """Where children come from."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.attacks.nursery"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MENSHEN_")}
        self._parent = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def begin(self, settings: dict[str, str], *arguments: str, out: Path) -> Child:
        """`menshen ARGUMENTS` under these settings."""
        pid = self.ask({"env": settings, "args": list(arguments), "out": str(out)})
        return Child(self, pid, out)

    def ask(self, question: dict[str, object]) -> int:
        """One line there and back."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(json.dumps(question) + "\n")
        found: int = json.loads(self._parent.stdout.readline())
        return found

    def close(self) -> None:
        """The end of it and of every child."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.close()
        self._parent.wait(20)
        self._parent.stdout.close()


def _main() -> None:
    import service.app
    import service.cli  # noqa: F401  (this is what takes the time)

    children: set[int] = set()
    for line in sys.stdin:
        asked = json.loads(line)
        if "poll" in asked:
            found, status = os.waitpid(asked["poll"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if found else None
            children -= {found}
        else:
            answer = os.fork() or _child(asked)
            children.add(answer)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _child(asked: dict[str, object]) -> int:
    """Become `menshen`: never returns."""
    out = os.open(str(asked["out"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (out, 1), (out, 2)):
        os.dup2(source, target)
    os.environ.clear()
    os.environ.update(asked["env"])  # type: ignore[call-overload]
    sys.argv = ["menshen", *asked["args"]]  # type: ignore[misc]
    code = 70
    try:
        from service.cli import main

        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    _main()
