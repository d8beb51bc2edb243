"""The whole service on a test's own database: its parts, and a client that speaks HTTP to it as a front end would."""

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest

from service.addresses import build
from service.app import Parts, issue_token, parts
from service.config import Config
from tests.plugins import canary

Token = Callable[..., str]


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> Config:
    """A development instance with a home of its own."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return Config(home=home, database_url=database_url)


@pytest.fixture
async def running(config: Config, clock: Callable[[], Any]) -> AsyncIterator[Parts]:
    """Everything that a running Menshen is made of."""
    async with parts(config, clock=clock) as made:
        yield made


@pytest.fixture
def token(running: Parts) -> Token:
    """`token("marketer", purposes=[…])`, or `token("member", member_id=…)`."""

    def make(role: str, *, member_id: str | None = None, purposes: Sequence[str] | None = None) -> str:
        return issue_token(running, role=role, member_id=member_id, purposes=purposes)

    return make


@pytest.fixture
async def client(running: Parts) -> AsyncIterator[httpx2.AsyncClient]:
    """An HTTP client on the real application."""
    transport = httpx2.ASGITransport(app=build(running), raise_app_exceptions=True)
    hooks = {"response": [canary.search_errors]}
    async with httpx2.AsyncClient(transport=transport, base_url="http://menshen.test", event_hooks=hooks) as made:
        yield made
        canary.look("metrics", (await made.get("/metrics")).content)


@pytest.fixture
def ask(client: httpx2.AsyncClient, token: Token) -> Callable[..., Any]:
    """`await ask(query, role="marketer", variables={…})` → the answer's JSON, whatever its status."""

    async def run(
        query: str,
        *,
        role: str | None = None,
        member_id: str | None = None,
        variables: dict[str, Any] | None = None,
        purposes: Sequence[str] | None = None,
    ) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {token(role, member_id=member_id, purposes=purposes)}"} if role else {}
        answer = await client.post("/graphql", json={"query": query, "variables": variables or {}}, headers=headers)
        found: dict[str, Any] = answer.json()
        return found

    return run
