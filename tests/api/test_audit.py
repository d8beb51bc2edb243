"""GraphQL over HTTP, as its specification says: its own audit suite against the real application on a real socket, every audit."""

import asyncio
import json
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn

from service.addresses import build
from service.app import Parts

HERE = Path(__file__).parent
AUDITS = 61
"""How many there are in the version that is locked: one that vanishes is not one that passes."""


@pytest.fixture(scope="module")
def node() -> str:
    """Node with the audit suite beside it, or the reason why there is none."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        pytest.skip("node and npm are needed for the audit suite of GraphQL over HTTP (npm package graphql-http)")
    if not (HERE / "node_modules" / "graphql-http").is_dir():
        command = [npm, "ci", "--omit-lockfile-registry-resolved=true", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=HERE, capture_output=True, timeout=120, check=False)
        if done.returncode:
            pytest.skip("npm could not install graphql-http, which is needed for the audit suite of GraphQL over HTTP")
    return found


@pytest.fixture
async def address(running: Parts) -> AsyncIterator[str]:
    """Where the application listens, on loopback, on a port that the system chose."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(build(running), log_level="warning", lifespan="off", ws="none", access_log=False))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/graphql"
    server.should_exit = True
    await serving


async def test_every_audit_of_the_specification_passes(node: str, address: str) -> None:
    process = await asyncio.create_subprocess_exec(
        node, "audit.js", address, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    results = json.loads(out)
    assert len(results) == AUDITS
    assert [f"{result['id']} {result['name']}: {result['reason']}" for result in results if result["status"] != "ok"] == []
