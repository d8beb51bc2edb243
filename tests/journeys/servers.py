"""A server in a process of its own, as an operator starts it, and the commands beside it."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2

from tests.plugins import nursery
from tests.plugins.databases import memory
from tests.plugins.nursery import ROOT, Child


def environment(home: Path, database_url: str, **more: str) -> dict[str, str]:
    """The settings of one instance, and nothing of the caller's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MENSHEN_")}
    return {**kept, "MENSHEN_HOME": str(home), "MENSHEN_DATABASE_URL": database_url, "PYTHONPATH": str(ROOT), **more}


def menshen(settings: dict[str, str], *arguments: str, timeout: float = 60, **more: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    with TemporaryDirectory(dir=memory()) as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        child = nursery.of_this_run().begin(settings, *arguments, out=out, err=err, **more)
        try:
            code = child.wait(timeout)
        finally:
            child.kill()
        return subprocess.CompletedProcess(arguments, code, out.read_text("utf-8"), err.read_text("utf-8"))


@contextmanager
def begun(settings: dict[str, str], *arguments: str, **more: str) -> Iterator[Child]:
    """A command that goes on; killed in the end whatever happened."""
    with TemporaryDirectory(dir=memory()) as folder:
        child = nursery.of_this_run().begin(settings, *arguments, out=Path(folder) / "said", **more)
        try:
            yield child
        finally:
            child.kill()


@contextmanager
def serving(settings: dict[str, str]) -> Iterator[tuple[Child, str]]:
    """`menshen serve` on a free port of loopback, ready; killed in the end whatever happened."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with begun({**settings, "MENSHEN_PORT": str(port)}, "serve") as server:
        _await_ready(server, url)
        yield server, url


def _await_ready(server: Child, url: str) -> None:
    limit = time.monotonic() + 60
    with httpx2.Client(timeout=5, trust_env=False) as client:
        while time.monotonic() < limit:
            assert server.poll() is None, server.said
            try:
                if client.get(f"{url}/readyz").status_code == 200:
                    return
            except httpx2.HTTPError:
                time.sleep(0.02)
    raise AssertionError("the server did not get ready")
