"""A server in a process of its own, as an operator starts it, and the commands beside it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

ROOT = Path(__file__).parents[2]


def environment(home: Path, database_url: str, **more: str) -> dict[str, str]:
    """The settings of one instance, and nothing of the caller's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MENSHEN_")}
    return {**kept, "MENSHEN_HOME": str(home), "MENSHEN_DATABASE_URL": database_url, "PYTHONPATH": str(ROOT), **more}


def menshen(settings: dict[str, str], *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    command = [sys.executable, "-m", "service", *arguments]
    return subprocess.run(command, env=settings, capture_output=True, text=True, timeout=timeout, check=False)


@contextmanager
def serving(settings: dict[str, str]) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """`menshen serve` on a free port of loopback, ready; killed in the end whatever happened."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "service", "serve"]
    server = subprocess.Popen(
        command, env={**settings, "MENSHEN_PORT": str(port)}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _await_ready(server, url)
        yield server, url
    finally:
        server.kill()
        server.communicate()


def _await_ready(server: "subprocess.Popen[bytes]", url: str) -> None:
    for _ in range(200):
        assert server.poll() is None, server.communicate()[1].decode()
        try:
            if httpx2.get(f"{url}/readyz", timeout=1).status_code == 200:
                return
        except httpx2.HTTPError:
            time.sleep(0.05)
    raise AssertionError("the server did not get ready")
