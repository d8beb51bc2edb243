"""Real processes that begin at once: one process of each run imports everything and forks, so that each costs a tenth of a second, not three.

`python -m tests.plugins.nursery` reads one JSON line for each child from its standard input: {"module": …, "args": […], "env": …, "cwd": …,
"out": path, "err": path} is answered with its pid, {"poll": pid} with its exit code, null while it runs. It ends, with its children, when
its input does: however the tests ended.

A child is what `python -m MODULE ARGUMENTS` is, but for the imports: it has an environment, a folder, files and an exit code of its own,
and dies of a signal of its own. That a process that imports for itself begins as well, tests/journeys/test_readme.py and
tests/architecture/test_start.py prove.
"""

import json
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_PAUSE = 0.01


@dataclass
class Child:
    """One process; asked as `subprocess.Popen` is."""

    nursery: "Nursery"
    pid: int
    out: Path
    code: int | None = None

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        if self.code is None:
            self.code = self.nursery.ask({"poll": self.pid})
        return self.code

    def send_signal(self, how: signal.Signals) -> None:
        """Nothing, when it has ended."""
        if self.poll() is None:
            os.kill(self.pid, how)

    def kill(self, how: signal.Signals = signal.SIGKILL, *, wait: bool = True) -> None:
        """End it, and wait for its end."""
        self.send_signal(how)
        if wait:
            self.wait()

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def wait(self, timeout: float = 90) -> int:
        """Its exit code."""
        limit = time.monotonic() + timeout
        while (code := self.poll()) is None:
            assert time.monotonic() < limit, f"it does not end: {self.said}"
            time.sleep(_PAUSE)
        return code

    @property
    def said(self) -> str:
        """All that it printed."""
        return self.out.read_text("utf-8", "replace") if self.out.exists() else ""


class Nursery:
    """Where children come from; may be asked from several threads."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", __name__]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MENSHEN_")}
        self._parent = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self._asking = threading.Lock()

    def begin(self, settings: dict[str, str], *arguments: str, out: Path, err: Path | None = None, **more: str) -> Child:
        """`menshen ARGUMENTS` under these settings; `module` names another module than the service, `cwd` another folder."""
        asked = {"module": "service", "cwd": str(ROOT), **more, "env": settings, "args": list(arguments)}
        pid = self.ask({**asked, "out": str(out), "err": str(err or out)})
        return Child(self, pid, out)

    def ask(self, question: dict[str, object]) -> int:
        """One line there and back."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        with self._asking:
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


@cache
def of_this_run() -> Nursery:
    """The one of this process, begun when it is first asked for."""
    return Nursery()


def pytest_unconfigure() -> None:
    """End it."""
    if of_this_run.cache_info().currsize:
        of_this_run().close()
        of_this_run.cache_clear()


def _main() -> None:
    _import_everything()
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


def _import_everything() -> None:
    """This is what takes the time."""
    import importlib
    import pkgutil

    import service.cli

    for module in pkgutil.iter_modules(service.cli.__path__):
        importlib.import_module(f"service.cli.{module.name}")


def _child(asked: dict[str, object]) -> int:
    """Become what was asked for: never returns."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    out, err = (os.open(str(asked[name]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) for name in ("out", "err"))
    for source, target in ((nothing, 0), (out, 1), (err, 2)):
        os.dup2(source, target)
    for opened in (nothing, out, err):
        os.close(opened)
    os.environ.clear()
    os.environ.update(asked["env"])  # type: ignore[call-overload]
    os.chdir(str(asked["cwd"]))
    sys.argv[1:] = asked["args"]  # type: ignore[assignment]
    os._exit(_run(str(asked["module"])))


def _run(module: str) -> int:
    """As the interpreter does: 0, what was exited with, or 1 and a traceback."""
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    _main()
