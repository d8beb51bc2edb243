"""BR-02 from outside: whatever a bearer of a leaked token asked over HTTP, its members and fields come out of the affected set."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from service.app import Parts
from service.inspection.incidents import Leak
from tests.factories import a_member
from tests.service.inspection.records import OFFICER
from tests.service.inspection.test_incidents import BEGIN, END

AGENT = (
    'query ($id: ID!) { member(id: $id, purpose: "customer_service") { name phone } }',
    'mutation ($id: ID!) { reveal(memberId: $id, purpose: "customer_service", field: "phone", reason: "lost") { __typename } }',
    'mutation ($id: ID!) { unsubscribeForMember(memberId: $id, channel: "sms", reason: "来电要求退订") { __typename } }',
)
OVERSEER = (
    'query ($id: ID!) { memberEvidence(memberId: $id, purpose: "audit") { end } }',
    'query ($id: ID!) { consentHistory(memberId: $id, purpose: "legal_duty") { __typename } }',
)
OWN = (
    "{ me { name email } }",
    'mutation { consentsToAsk(purposes: ["marketing_email"], channel: WEB, initiator: MEMBER) { __typename } }',
    "{ myAccessLog { nodes { proof } } }",
)
Post = Callable[..., Any]


@pytest.fixture
def post(client: httpx2.AsyncClient) -> Post:
    """Ask with this token; the answer has no error."""

    async def run(bearer: str, query: str, member: str) -> None:
        body = {"query": query, "variables": {"id": member} if "$id" in query else {}}
        answer = (await client.post("/graphql", json=body, headers={"authorization": f"Bearer {bearer}"})).json()
        assert "errors" not in answer, answer

    return run


def id_of(bearer: str) -> str:
    """What the issuer's list says of it: its `jti`, or the SHA-256 of the token where it has none."""
    claims = json.loads(base64.urlsafe_b64decode(bearer.split(".")[1] + "=="))
    return str(claims.get("jti") or hashlib.sha256(bearer.encode()).hexdigest())


async def affected(running: Parts, token: str) -> dict[str | None, dict[str, int]]:
    """Who, with which fields; another person has allowed the names."""
    leak = Leak(since=BEGIN, until=END, token=token)
    asking: dict[str, Any] = {"first": 100, "after": None}
    what = (await running.operations.incident_scope(OFFICER, leak, names=False, **asking)).what
    asked = await running.operations.ask_approval(OFFICER, kind="incident.names", what=what, reason="令牌泄露", hours=24)
    second = replace(OFFICER, actor=replace(OFFICER.actor, name="second"))
    await running.operations.decide_approval(second, approval_id=asked.approval_id, allow=True)
    found = await running.operations.incident_scope(OFFICER, leak, names=True, **asking)
    return {one.member_id: dict(one.fields) for one in found.affected}


@pytest.mark.obligation("BR-02")
@pytest.mark.parametrize(("role", "queries"), [("customer_service_agent", AGENT), ("compliance_officer", OVERSEER)])
async def test_each_thing_that_was_asked_with_a_leaked_token_names_its_member(
    running: Parts, post: Post, token: Callable[..., str], clock: Any, role: str, queries: tuple[str, ...]
) -> None:
    members = {query: await a_member(running) for query in queries}
    another = await a_member(running)
    leaked = token(role)
    for query, member in members.items():
        await post(leaked, query, member)
    clock.advance(seconds=1)
    await post(token(role), queries[0], another)
    found = await affected(running, id_of(leaked))
    assert set(found) == set(members.values())
    if role == "customer_service_agent":
        assert [found[members[query]] for query in AGENT[:2]] == [{"name": 1, "phone": 1}, {"phone": 1}]


@pytest.mark.obligation("BR-02")
@pytest.mark.parametrize("query", OWN)
async def test_whoever_got_a_members_own_token_concerns_that_member_whatever_they_asked(
    running: Parts, post: Post, token: Callable[..., str], query: str
) -> None:
    member = await a_member(running)
    leaked = token("member", member_id=member)
    await post(leaked, query, member)
    assert set(await affected(running, id_of(leaked))) == {member}


@pytest.mark.obligation("BR-02")
async def test_every_member_of_every_page_is_listed(running: Parts, post: Post, token: Callable[..., str]) -> None:
    members = {await a_member(running) for _ in range(5)}
    leaked = token("order_service")
    await post(leaked, '{ members(purpose: "order_fulfilment", first: 5) { nodes { phone } } }', "")
    assert await affected(running, id_of(leaked)) == {member: {"phone": 1} for member in members}
