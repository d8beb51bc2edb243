"""The witness as a process of its own: it needs nothing of Menshen's, survives being killed, and waits for nobody long."""

import asyncio
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette

from menshen_verifier.checkpoint import open_checkpoint
from service.cli.server import Server
from service.witness import serving
from service.witness.settings import load
from tests.journeys.servers import begun
from tests.plugins.nursery import Child
from tests.service.witness.house import Log, entries, settings_file
from tests.service.witness.test_add_checkpoint import COSIGNER, NEWEST

ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("MENSHEN_")}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def serving_at(path: Path, port: int) -> Iterator[Child]:
    """`menshen audit witness serve`, answering."""
    path.write_text(re.sub(r'listen = ".*"', f'listen = "127.0.0.1:{port}"', path.read_text()))
    with begun(ENVIRONMENT, "audit", "witness", "serve", "--settings", str(path)) as process:
        _until_it_answers(port, process)
        yield process


def _until_it_answers(port: int, process: Child) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx2.get(f"http://127.0.0.1:{port}/livez", timeout=1, trust_env=False).status_code == 200:
                return
        except httpx2.HTTPError:
            time.sleep(0.02)
    pytest.fail("the witness did not come up")


def test_what_was_cosigned_is_known_after_a_kill_in_the_middle_of_it(tmp_path: Path) -> None:
    log = Log(entries(400))
    path, port = settings_file(tmp_path, log), free_port()
    answered = asked = 0
    for _ in range(2):
        with serving_at(path, port) as process, httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            known = open_checkpoint(http.get(NEWEST).content, [log.key], [COSIGNER]).checkpoint.size if answered else 0
            # Everything that was answered is remembered; what was under way may be, too.
            assert known in {answered, asked}
            answered, asked = _killed_on_the_way(log, known, http, process)
    assert answered >= 200


def _killed_on_the_way(log: Log, size: int, http: httpx2.Client, process: Child) -> tuple[int, int]:
    """The size that was answered last, and the one that was asked for when the witness died: after a hundred answers or a few more."""
    for asked in range(size + 1, size + 200):
        if asked == size + 101:
            process.send_signal(signal.SIGKILL)
        try:
            answer = http.post("/add-checkpoint", content=log.asks(asked - 1, asked))
        except httpx2.HTTPError:
            return asked - 1, asked
        assert answer.status_code == 200
    pytest.fail("the witness did not die")


def test_it_ends_when_it_is_told_to(tmp_path: Path) -> None:
    with serving_at(settings_file(tmp_path, Log(entries(3))), free_port()) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


async def test_who_sends_a_letter_at_a_time_is_cut_off(tmp_path: Path, witness: Starlette) -> None:
    class Hasty(serving.Patient):
        head_seconds = 0.2

    config = serving.configured(load(settings_file(tmp_path, Log(entries(3)))), witness)
    config.http = Hasty
    server: uvicorn.Server = Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        for sent in (b"", b"POST /add-check", b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\nGET /li"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            answer = await asyncio.wait_for(reader.read(-1), 5)
            assert answer.count(b"HTTP/1.1") == sent.count(b"\r\n\r\n")
            writer.close()
    finally:
        server.should_exit = True
        await task
