"""The accident while something is owed to a member: the process is killed, the next one finishes (WD-04, WD-05)."""

import asyncio
import json
import signal
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from sqlalchemy import select

from service.app import open_worker, parts
from service.config import Config
from service.consent.rules import words_digest
from service.db.statement import Prepared
from service.db.tables import job, member
from service.work.worker import LEASE
from tests.gateway import OK, gateway, recipients_file, signed
from tests.journeys.servers import begun, environment, menshen, serving
from tests.journeys.test_kill import bearer
from tests.journeys.test_withdraw import ANSWER, JOIN
from tests.plugins import canary

STATES = Prepared(select(job.c.kind, job.c.state, job.c.outcome).order_by(job.c.kind, job.c.due_at))


def token(settings, role: str, *more: str) -> str:
    made = menshen(settings, "token", "--role", role, *more, "--json")
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout)["token"]


def evidence(**more: object) -> dict[str, object]:
    shown = {"noticeVersion": "2026-10", "language": "zh-CN", "presentedAt": "2026-11-01T00:00:00Z"}
    return {**shown, "expression": "BUTTON", "screen": "mini/join", "channel": "MINI_PROGRAM", **more}


def say(url: str, bearer_token: str, query: str, **variables: object) -> dict[str, object]:
    body = {"query": query, "variables": variables}
    return httpx2.post(f"{url}/graphql", json=body, headers=bearer(bearer_token), timeout=20).json()["data"]


def withdraw(purpose: str) -> str:
    return f"""mutation {{ withdrawConsent(purpose: "{purpose}", channel: MINI_PROGRAM) {{
        ... on ConsentsRecorded {{ standings {{ state }} }} }} }}"""


def join_and_withdraw(settings, url: str, purpose: str, catalogue) -> str:
    """A new member who says yes to the purpose, and takes it back; their id."""
    fields = {"phone": canary.value("phone"), "attributes": [{"key": "skin_type", "text": "敏感肌"}]}
    told = catalogue.notices["2026-10"].scopes[purpose]
    alone = evidence(screenPurposeCount=1, wordsDigest=words_digest(told, "zh-CN"))
    yes = [{"purpose": purpose, "granted": True}]
    program = token(settings, "mini_program")
    joined = say(url, program, JOIN, fields={"phone": fields["phone"]}, decisions=[], evidence=evidence())["joinMember"]
    member_id = joined["memberId"]
    mine = token(settings, "member", "--member", member_id)
    say(url, mine, ANSWER, decisions=yes, evidence=alone)
    given = {"changes": {"attributes": fields["attributes"]}}
    say(url, mine, UPDATE, **given)
    assert say(url, mine, withdraw(purpose))["withdrawConsent"]["standings"] == [{"state": "WITHDRAWN"}]
    return mine


UPDATE = """mutation($changes: MemberFieldsInput!) {
  updateMember(purpose: "self_access", changes: $changes) { __typename } }"""
SKIN = '{ me { phone attribute(key: "skin_type") { text } } }'


@pytest.mark.obligation("WD-04")
async def test_a_server_killed_between_withdrawal_and_deletion_leaves_it_to_the_next_worker(
    database, database_url, tmp_path, catalogue
):
    settings = environment(tmp_path / "home", database_url, MENSHEN_WORKER="off")
    with serving(settings) as (server, url):
        mine = await asyncio.to_thread(join_and_withdraw, settings, url, "skin_profile", catalogue)
        server.send_signal(signal.SIGKILL)
        await asyncio.to_thread(server.wait)
    before = (await database.read.rows(Prepared(select(member.c.sealed))))[0][0]

    done = await asyncio.to_thread(menshen, settings, "work", "--once", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"tries": 1}), done.stderr

    assert (await database.read.rows(STATES))[0] == ("delete_fields", "DONE", "DELETED")
    assert len((await database.read.rows(Prepared(select(member.c.sealed))))[0][0]) < len(before)
    with serving(settings) as (_, url):
        found = (await asyncio.to_thread(say, url, mine, SKIN))["me"]
    assert found["phone"] is not None and found["attribute"] is None


@pytest.mark.obligation("WD-05")
async def test_a_worker_killed_while_the_recipient_hears_it_tells_it_again_under_the_same_id(
    database, database_url, tmp_path, catalogue
):
    async with gateway() as sms:
        told = recipients_file(tmp_path, example_sms_gateway=sms.url)
        settings = environment(tmp_path / "home", database_url, MENSHEN_WORKER="off", MENSHEN_RECIPIENTS=str(told))
        with serving(settings) as (_, url):
            await asyncio.to_thread(join_and_withdraw, settings, url, "marketing_sms", catalogue)
        sms.answer = None
        with begun(settings, "work") as worker:
            await asyncio.wait_for(sms.arrived.wait(), 30)
            worker.kill()
        sms.answer = OK
        assert (await asyncio.to_thread(menshen, settings, "work", "--once")).stdout == "tries 0\n", "the lease still runs"

        later = datetime.now(UTC) + LEASE + timedelta(seconds=1)
        config = Config(home=tmp_path / "home", database_url=database_url, recipients=told)
        async with parts(config, clock=lambda: later) as next_one, open_worker(next_one) as heir:
            assert await heir.once() == 1
        assert len(sms.requests) == 2 and len(set(sms.ids)) == 1
        assert all(signed(headers, body) for headers, body in sms.requests)
    assert await database.read.rows(STATES) == [("tell_recipient", "DONE", "ACKNOWLEDGED")]


@pytest.mark.obligation("WD-03", "WD-05")
async def test_a_server_works_by_itself_and_ends_what_it_has_begun_when_it_is_told_to_stop(
    database, database_url, tmp_path, catalogue
):
    async with gateway() as sms:
        told = recipients_file(tmp_path, example_sms_gateway=sms.url)
        settings = environment(tmp_path / "home", database_url, MENSHEN_RECIPIENTS=str(told))
        with serving(settings) as (server, url):
            await asyncio.to_thread(join_and_withdraw, settings, url, "marketing_sms", catalogue)
            await asyncio.wait_for(sms.arrived.wait(), 60)
            server.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(server.wait, 30) in {0, -signal.SIGTERM}
    assert len(sms.requests) == 1
    assert await database.read.rows(STATES) == [("tell_recipient", "DONE", "ACKNOWLEDGED")]
