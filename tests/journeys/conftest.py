"""What the stories share: the shop, its SMS provider on loopback, and a shop that opens again with another policy."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from service.addresses import build
from service.app import Parts, issue_token, open_worker, parts
from service.config import Config
from tests.conftest import StillClock
from tests.gateway import Gateway, gateway
from tests.journeys.shop import Shop


@pytest.fixture
async def sms() -> AsyncIterator[Gateway]:
    """The SMS provider, who is told when a consent ends."""
    async with gateway() as made:
        yield made


@pytest.fixture
def opens(database_url: str, tmp_path: Path, clock: StillClock) -> Callable[..., AbstractAsyncContextManager[Shop]]:
    """`async with opens(policies=folder) as shop:` the shop on this test's database, under this policy."""

    @asynccontextmanager
    async def run(**more: Any) -> AsyncIterator[Shop]:
        config = Config(home=tmp_path / "home", database_url=database_url, **more)
        async with parts(config, clock=clock) as running, _door(running) as client:
            yield Shop(_asking(running, client), clock)

    return run


@pytest.fixture
async def works(running: Parts) -> Callable[..., Any]:
    """`await works()`: what is due now is done, as the worker beside the servers does it."""

    async def once() -> int:
        async with open_worker(running) as worker:
            return await worker.once()

    return once


@pytest.fixture
def shop(ask: Callable[..., Any], clock: StillClock) -> Shop:
    """The shop under the policy that ships."""
    return Shop(ask, clock)


def _door(running: Parts) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=build(running)), base_url="http://menshen.test")


def _asking(running: Parts, client: httpx2.AsyncClient) -> Callable[..., Any]:
    async def ask(query: str, *, role: str, member_id: str | None = None, variables: dict[str, Any]) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {issue_token(running, role=role, member_id=member_id)}"}
        answer = await client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
        found: dict[str, Any] = answer.json()
        return found

    return ask
