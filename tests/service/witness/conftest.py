"""A witness of one log, and a client that speaks HTTP to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette

from service.witness.serving import opened
from service.witness.settings import load
from tests.conftest import StillClock
from tests.service.witness.house import Log, entries, settings_file

Add = Callable[[bytes], Awaitable[httpx2.Response]]


@pytest.fixture
def log() -> Log:
    return Log(entries(40))


@pytest.fixture
def settings(tmp_path: Path, log: Log) -> Path:
    return settings_file(tmp_path, log, Log(entries(9), origin="other.example.cn/audit"))


@pytest.fixture
async def witness(settings: Path, clock: StillClock) -> AsyncIterator[Starlette]:
    with ExitStack() as stack:
        yield opened(stack, load(settings), clock=clock)


@pytest.fixture
async def http(witness: Starlette) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=witness, raise_app_exceptions=True)
    async with httpx2.AsyncClient(transport=transport, base_url="http://witness.test") as made:
        yield made


@pytest.fixture
def add(http: httpx2.AsyncClient) -> Add:
    async def run(body: bytes) -> httpx2.Response:
        return await http.post("/add-checkpoint", content=body)

    return run
