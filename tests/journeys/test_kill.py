"""The accident: the server is killed at any moment. Afterwards the log verifies, and there is no change without its entry."""

import asyncio
import json

import httpx2
import pytest
from sqlalchemy import func, select

from policies.catalogue import load
from service.db.statement import Prepared
from service.db.tables import audit_entry, consent_event, member, member_lookup
from tests.journeys.servers import ROOT, environment, menshen, serving
from tests.journeys.test_withdraw import JOIN
from tests.plugins import canary

CLIENTS = 6
NOTICE = {"language": "zh-CN", "expression": "BUTTON", "screen": "mini/join", "channel": "MINI_PROGRAM"}


@pytest.mark.obligation("AL-02")
async def test_after_a_kill_the_log_verifies_and_every_change_has_its_entry(database, database_url, tmp_path):
    settings = environment(tmp_path / "home", database_url)
    tokens = {role: token(settings, role) for role in ("mini_program", "order_service")}
    with serving(settings) as (server, url):
        answered = await hammer(url, tokens, server)
    assert answered, "nothing was answered before the kill"

    assert menshen(settings, "doctor").returncode == 0, "the next instance puts in what the dead one left waiting"
    verdict = menshen(settings, "audit", "verify", "--json")
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    rows = await counts(database)
    assert rows["member"] >= len(answered) and rows["member"] == rows["phones"] == rows["joins"]
    assert rows["events"] == rows["member"], "each joined with one answer"


async def hammer(url, tokens, server):
    """Join and read from several sides at once, and kill the server in the middle of it; the members that it told us about."""
    answered: list[str] = []

    async def one(client):
        while True:
            body = {"query": JOIN, "variables": joining()}
            answer = await client.post("/graphql", json=body, headers=bearer(tokens["mini_program"]))
            member_id = answer.json()["data"]["joinMember"]["memberId"]
            answered.append(member_id)
            read = f'{{ member(id: "{member_id}", purpose: "order_fulfilment") {{ phone }} }}'
            await client.post("/graphql", json={"query": read}, headers=bearer(tokens["order_service"]))

    async with httpx2.AsyncClient(base_url=url, timeout=10) as client:
        tasks = [asyncio.create_task(one(client)) for _ in range(CLIENTS)]
        while len(answered) < 25 and not any(task.done() for task in tasks):
            await asyncio.sleep(0.01)
        server.kill()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(end, httpx2.HTTPError) for end in ended), ended
    return answered


def joining() -> dict[str, object]:
    evidence = {"noticeVersion": "2026-10", "presentedAt": "2026-11-01T00:00:00Z", **NOTICE}
    decisions = [{"purpose": "marketing_sms", "granted": True}]
    return {"fields": {"phone": canary.value("phone")}, "decisions": decisions, "evidence": evidence}


def bearer(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


def token(settings: dict[str, str], role: str) -> str:
    made = menshen(settings, "token", "--role", role, "--json")
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout)["token"]


async def counts(database) -> dict[str, int]:
    async def count(table, *where):
        return (await database.read.rows(Prepared(select(func.count()).select_from(table).where(*where))))[0][0]

    entries = await database.read.rows(Prepared(select(audit_entry.c.entry).where(audit_entry.c.typ == "change")))
    joins = [entry for (raw,) in entries if (entry := json.loads(raw)).get("op") == "joinMember" and entry["dec"] == "allow"]
    return {
        "member": await count(member),
        "phones": await count(member_lookup, member_lookup.c.field == "phone"),
        "events": await count(consent_event),
        "joins": len(joins),
    }


def test_the_notice_of_this_test_is_the_one_that_ships():
    assert "2026-10" in load(ROOT / "policies").notices
