"""MENSHEN_TRANSACTION_POOLER: two instances behind a PgBouncer in transaction mode that has fewer connections than either of them."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import httpx2
import psycopg
import pytest
from sqlalchemy import make_url

from service.addresses import build
from service.app import Parts, issue_token, parts
from service.config import Config
from service.db import migrate
from service.db.postgres import conninfo
from service.errors import ConfigError
from tests.journeys.servers import environment, menshen
from tests.journeys.test_withdraw import ANSWER, GIFT, JOIN, WITHDRAW, shown
from tests.plugins import canary
from tests.service.db.pooler import SERVERS, Pooler, installed, pooling

MEMBERS = 24
PAGE = """query ($after: String) { members(purpose: "order_fulfilment", first: 5, after: $after) {
  nodes { id name } pageInfo { hasNextPage endCursor } } }"""

pytestmark = pytest.mark.skipif(not installed(), reason="PgBouncer is not installed (apt-get install pgbouncer)")


@pytest.fixture
def pooler(postgresql_url: str) -> Iterator[Pooler]:
    with pooling(postgresql_url) as made:
        yield made


@pytest.fixture(params=[True])
def config(request: pytest.FixtureRequest, pooler: Pooler, tmp_path) -> Config:
    return Config(home=tmp_path / "home", database_url=pooler.url, transaction_pooler=request.param)


class FrontEnd:
    """Asks two instances in turn, as a balancer would have it."""

    def __init__(self, instances: list[Parts]) -> None:
        self.instances = instances
        transports = [httpx2.ASGITransport(app=build(running)) for running in instances]
        self._clients = [httpx2.AsyncClient(transport=transport, base_url="http://menshen.test") for transport in transports]
        self._asked = 0

    async def ask(self, query: str, role: str, *, member_id: str | None = None, **variables):
        self._asked += 1
        chosen = self._asked % len(self._clients)
        headers = {"authorization": f"Bearer {issue_token(self.instances[chosen], role=role, member_id=member_id)}"}
        answer = await self._clients[chosen].post("/graphql", json={"query": query, "variables": variables}, headers=headers)
        return answer.json()

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


@pytest.fixture
async def front_end(config: Config, clock) -> AsyncIterator[FrontEnd]:
    async with AsyncExitStack() as stack:
        instances = [await stack.enter_async_context(parts(config, clock=clock)) for _ in range(2)]
        made = FrontEnd(instances)
        stack.push_async_callback(made.close)
        yield made


async def live(front_end: FrontEnd, number: int) -> str:
    """One member's day: join, say yes, be read, take it back, be withheld."""
    evidence = shown(front_end.instances[0])
    fields = {"phone": canary.value("phone"), "name": canary.value("name"), "birthday": f"1990-07-{number % 28 + 1:02}"}
    joined = await front_end.ask(JOIN, "mini_program", fields=fields, decisions=[], evidence=evidence)
    member_id = joined["data"]["joinMember"]["memberId"]
    yes = [{"purpose": "birthday_gift", "granted": True}]
    given = await front_end.ask(ANSWER, "member", member_id=member_id, decisions=yes, evidence=evidence)
    assert given["data"]["recordConsents"]["standings"] == [{"purpose": "birthday_gift", "state": "GIVEN"}]
    read = await front_end.ask(GIFT, "marketer", id=member_id)
    assert read["data"]["member"]["birthday"] == fields["birthday"], "another statement's answer"
    taken = await front_end.ask(WITHDRAW, "member", member_id=member_id)
    assert taken["data"]["withdrawConsent"]["standings"] == [{"purpose": "birthday_gift", "state": "WITHDRAWN"}]
    assert (await front_end.ask(GIFT, "marketer", id=member_id))["data"]["member"]["birthday"] is None
    return member_id


async def walk(front_end: FrontEnd) -> list[str]:
    """Every member, page by page."""
    seen, after = [], None
    while True:
        answer = await front_end.ask(PAGE, "order_service", after=after)
        found = answer["data"]["members"]
        seen += [node["id"] for node in found["nodes"]]
        after = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            return seen


async def test_many_requests_at_once_over_few_backends_are_all_answered_and_recorded(front_end, pooler, config):
    async def watch():
        while True:
            counted.append((await asyncio.to_thread(pooler.count, "CLIENTS"), await asyncio.to_thread(pooler.count, "SERVERS")))

    counted: list[tuple[int, int]] = []
    watching = asyncio.create_task(watch())
    members = await asyncio.gather(*(live(front_end, number) for number in range(MEMBERS)))
    walks = await asyncio.gather(*(walk(front_end) for _ in range(12)))
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert all(seen == sorted(members) for seen in walks)
    # Seen from time to time, so the most that was ever there may be missed on a busy machine.
    assert max(clients for clients, _ in counted) > 2 * SERVERS
    assert max(servers for _, servers in counted) == SERVERS
    await asyncio.to_thread(verified, config)


def verified(config: Config) -> None:
    settings = environment(config.home, config.database_url, MENSHEN_TRANSACTION_POOLER="true")
    done = menshen(settings, "audit", "verify", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["verdict"] == "OK"
    assert report["entries"] > MEMBERS * 5


@pytest.mark.parametrize("config", [False], indirect=True)
async def test_a_pooler_that_nobody_told_of_is_noticed_before_anything_is_answered(config, clock):
    # Two processes' prepared statements have the same names there: one would be answered with the other's rows.
    with pytest.raises(ConfigError, match="MENSHEN_TRANSACTION_POOLER=true"):
        async with parts(config, clock=clock):
            pass


def test_migrating_through_the_pooler_leaves_no_lock_and_no_setting_in_a_backend_that_others_use(
    postgres, postgresql_url, pooler
):
    migrate.upgrade(pooler.url)
    with postgres.connect(make_url(postgresql_url)) as direct, psycopg.connect(conninfo(pooler.url)) as pooled:
        assert direct.execute("SELECT pid FROM pg_locks WHERE locktype = 'advisory'").fetchall() == []
        assert pooled.execute("SHOW lock_timeout").fetchone() == ("0",)
