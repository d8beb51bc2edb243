"""A withdrawal reaches everybody who works on the data, however long it takes them; here it holds at once (WD-05)."""

import asyncio
import json
import socket

import pytest

from service.app import open_worker, parts
from service.propagation.courier import Courier
from service.work.worker import LEASE
from tests.api.front_end import entries
from tests.factories import a_call, a_member, a_profile
from tests.gateway import BROKEN, GARBAGE, OK, gateway, recipients_file, signed

PAGE = """
query($state: PropagationState!, $overdue: Boolean!) {
  propagations(purpose: "legal_duty", state: $state, overdue: $overdue) {
    id memberId purpose recipient state attempts outcome overdue endedAt } }"""
ACKNOWLEDGE = """
mutation($member: ID!, $id: ID!) { acknowledgePropagation(memberId: $member, id: $id) {
  __typename ... on PropagationAcknowledged { propagation { state outcome overdue } } ... on Refusal { code zh } } }"""


async def listed(ask, state="WAITING", overdue=False):
    answer = await ask(PAGE, role="compliance_officer", variables={"state": state, "overdue": overdue})
    return answer["data"]["propagations"]


@pytest.mark.obligation("WD-05")
async def test_a_withdrawal_holds_at_once_and_the_recipient_is_told_until_it_confirms(
    running, ask, sms, work, withdraw, mine, queued, clock
):
    profile = a_profile()
    member_id = await a_member(running, profile, yes=["marketing_sms"])
    sms.answer = BROKEN
    standing = await withdraw(member_id)
    assert standing == {"purpose": "marketing_sms", "state": "WITHDRAWN", "propagation": "PROPAGATING"}

    read = await running.operations.member(a_call("marketer"), member_id=member_id, purpose="marketing_sms", fields=["phone"])
    assert read.values == {} and read.withheld[0].reason == "CONSENT_WITHDRAWN", "here it holds before anybody was told"

    await work()
    assert len(sms.requests) == 1 and await mine(member_id) == ("WITHDRAWN", "PROPAGATING")
    await work()
    assert len(sms.requests) == 1, "not before the pause is over"

    sms.answer = OK
    clock.advance(minutes=1)
    await work()
    clock.advance(days=2)
    await work()
    assert len(sms.requests) == 2 and await mine(member_id) == ("WITHDRAWN", "DONE")

    (job,) = await queued()
    assert set(sms.ids) == {job.job_id}, "the id stays, so the recipient can tell a second try from a second withdrawal"
    assert all(signed(headers, body) for headers, body in sms.requests)
    assert sms.bodies[-1] == {
        "event": "consent.withdrawn",
        "id": job.job_id,
        "purpose": "marketing_sms",
        "recipient": "example_sms_gateway",
        "at": "2026-11-22T02:00:00.000000Z",
        "subject": {"phone": profile["phone"]},
    }


async def test_each_try_is_recorded_before_anything_leaves_and_the_confirmation_too(running, sms, work, withdraw, clock):
    member_id = await a_member(running, yes=["marketing_sms"])
    await withdraw(member_id)
    sms.answer = BROKEN
    await work()
    sms.answer = OK
    clock.advance(hours=2)
    await work()
    told = await entries(running, "tellRecipient")
    assert [(entry["typ"], entry.get("fld"), entry["pur"], entry["bas"]) for entry in told] == [
        ("access", ["phone"], "marketing_sms", "LEGAL_DUTY"),
        ("access", ["phone"], "marketing_sms", "LEGAL_DUTY"),
        ("result", None, "marketing_sms", "LEGAL_DUTY"),
    ]
    assert all(entry["act"] == {"k": "system", "id": "worker", "role": []} and len(entry["sub"]) == 1 for entry in told)
    assert {entry["x"]["recipient"] for entry in told} == {"example_sms_gateway"}


async def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (BROKEN, "STATUS_500"),
        (GARBAGE, "UNREACHABLE"),
        (b"", "UNREACHABLE"),
        (b"HTTP/1.1 204 No Content\r\n" + b"x: " + b"a" * 200_000, "UNREACHABLE"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "UNREACHABLE"),
    ],
)
async def test_whatever_a_recipient_answers_that_is_no_yes_is_tried_again(running, sms, work, withdraw, queued, answer, code):
    """Databunker: its webhook is sent once, whatever comes of it."""
    member_id = await a_member(running, yes=["marketing_sms"])
    await withdraw(member_id)
    sms.answer = answer
    await work()
    (job,) = await queued()
    assert (job.state, job.outcome, job.attempts) == ("WAITING", code, 1)
    assert running.clock() < job.due_at


async def test_a_redirect_is_not_followed(running, sms, work, withdraw, queued):
    member_id = await a_member(running, yes=["marketing_sms"])
    await withdraw(member_id)
    async with gateway() as elsewhere:
        sms.answer = f"HTTP/1.1 307 Temporary Redirect\r\nlocation: {elsewhere.url}\r\ncontent-length: 0\r\n\r\n".encode()
        await work()
        assert elsewhere.requests == []
    assert [job.outcome for job in await queued()] == ["STATUS_307"]


async def test_who_does_not_answer_who_is_down_and_who_has_no_name_costs_a_try_and_no_more(sms):
    sms.answer = None
    async with Courier(seconds=0.2) as courier:
        said = [await courier.post(url, b"{}", {}) for url in (sms.url, await closed_port(), "http://nobody.invalid/")]
    assert said == ["TIMEOUT", "UNREACHABLE", "UNREACHABLE"]


async def test_one_who_sends_a_byte_at_a_time_runs_out_of_time_all_the_same():
    gone = asyncio.Event()

    async def drip(reader, writer):
        leaving = asyncio.create_task(reader.read())
        for byte in OK * 100:
            writer.write(bytes([byte]))
            if (await asyncio.wait({leaving}, timeout=0.02))[0] and reader.at_eof():
                break
        writer.close()
        gone.set()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with Courier(seconds=0.15) as courier:
        assert await courier.post(url, b"{}", {}) == "TIMEOUT"
    await gone.wait()
    server.close()


@pytest.mark.obligation("WD-05")
async def test_a_recipient_that_does_not_confirm_in_time_is_an_alarm_and_is_told_on(
    running, ask, client, sms, work, withdraw, clock, capsys
):
    member_id = await a_member(running, yes=["marketing_sms"])
    await withdraw(member_id)
    sms.answer = BROKEN
    clock.advance(hours=running.catalogue.consent.propagation_alarm_hours - 1)
    await work()
    assert "propagation_overdue" not in "".join(capsys.readouterr()) and await listed(ask, overdue=True) == []
    assert await gauge(client, "menshen_propagations_overdue") == 0 and await gauge(client, "menshen_jobs_waiting") == 1

    clock.advance(hours=2)
    await work()
    assert "propagation_overdue" in "".join(capsys.readouterr())
    assert await gauge(client, "menshen_propagations_overdue") == 1
    assert await gauge(client, "menshen_jobs_oldest_seconds") == 25 * 3600
    (found,) = await listed(ask, overdue=True)
    assert (found["recipient"], found["outcome"], found["overdue"]) == ("example_sms_gateway", "STATUS_500", True)

    sms.answer = OK
    clock.advance(hours=2)
    await work()
    assert len(sms.requests) == 3 and await listed(ask) == [] and await gauge(client, "menshen_propagations_overdue") == 0
    assert [found["outcome"] for found in await listed(ask, "DONE")] == ["ACKNOWLEDGED"]


async def gauge(client, name: str) -> float:
    lines = (await client.get("/metrics")).text.splitlines()
    (found,) = [line for line in lines if line.startswith(name)]
    return float(found.split(" ")[1])


@pytest.mark.obligation("WD-05")
async def test_a_recipient_without_an_endpoint_waits_for_a_person_who_says_that_it_knows(running, ask, work, clock):
    member_id = await a_member(running, yes=["marketing_email"])
    taken = WITHDRAW_EMAIL
    assert (await ask(taken, role="member", member_id=member_id))["data"]["withdrawConsent"]["standings"] == [
        {"propagation": "PROPAGATING"}
    ]
    for _ in range(30):
        clock.advance(hours=2)
        await work()
    (found,) = await listed(ask, overdue=True)
    assert (found["recipient"], found["outcome"]) == ("example_mail_service", "NO_ENDPOINT")

    variables = {"member": member_id, "id": found["id"]}
    refused = await ask(ACKNOWLEDGE, role="marketer", variables=variables)
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    for _ in range(2):
        answer = (await ask(ACKNOWLEDGE, role="compliance_officer", variables=variables))["data"]["acknowledgePropagation"]
        assert answer["propagation"] == {"state": "DONE", "outcome": "ACKNOWLEDGED_BY_PERSON", "overdue": False}
    strange = {"member": member_id, "id": member_id}
    answer = (await ask(ACKNOWLEDGE, role="compliance_officer", variables=strange))["data"]["acknowledgePropagation"]
    assert (answer["code"], bool(answer["zh"])) == ("PROPAGATION_NOT_FOUND", True)
    assert [(entry["dec"], entry.get("pur")) for entry in await entries(running, "acknowledgePropagation")] == [
        ("deny", None),
        ("allow", "marketing_email"),
        ("allow", "marketing_email"),
        ("deny", None),
    ]


WITHDRAW_EMAIL = """
mutation { withdrawConsent(purpose: "marketing_email", channel: MINI_PROGRAM) {
  ... on ConsentsRecorded { standings { propagation } } } }"""


@pytest.mark.parametrize("role", ["marketer", "customer_service_agent", "auditor", "mini_program"])
async def test_who_has_withdrawn_is_shown_to_compliance_alone(running, ask, withdraw, role):
    await withdraw(await a_member(running, yes=["marketing_sms"]))
    answer = await ask(PAGE, role=role, variables={"state": "WAITING", "overdue": False})
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_page_of_propagations_names_each_member_in_its_entry(running, ask, withdraw):
    for _ in range(3):
        await withdraw(await a_member(running, yes=["marketing_sms"]))
    assert len(await listed(ask)) == 3
    (entry,) = await entries(running, "propagations")
    assert (entry["pur"], entry["cnt"], len(entry["sub"])) == ("legal_duty", 3, 3)


async def test_a_yes_given_again_before_the_recipient_was_told_leaves_nothing_to_tell(
    running, clock, sms, work, withdraw, mine, queued
):
    from service.consent.model import Decision
    from tests.factories import evidence

    member_id = await a_member(running, yes=["marketing_sms"])
    await withdraw(member_id)
    clock.advance(minutes=1)
    await running.operations.record_consents(
        a_call("member", member_id=member_id),
        member_id=None,
        decisions=[Decision("marketing_sms", True)],
        evidence=evidence(running.catalogue, running.clock()),
    )
    await work()
    assert sms.requests == [] and await mine(member_id) == ("GIVEN", None)
    assert [(job.state, job.outcome) for job in await queued()] == [("DONE", "GIVEN_AGAIN")]


async def test_what_can_no_longer_be_told_because_the_member_was_erased_is_left_to_a_person(running, ask, sms, work, withdraw):
    member_id = await a_member(running, yes=["marketing_sms"])
    await withdraw(member_id)
    await running.operations.erase(a_call("compliance_officer"), member_id=member_id)
    await work()
    assert sms.requests == []
    (found,) = await listed(ask, "FAILED")
    assert (found["outcome"], found["overdue"]) == ("ERASED", True)


async def test_who_has_no_value_by_which_the_recipient_could_know_them_is_told_of_to_nobody(running, ask, work, queued):
    member_id = await a_member(running, {"phone": a_profile()["phone"]}, yes=["marketing_email"])
    await ask(WITHDRAW_EMAIL, role="member", member_id=member_id)
    async with gateway() as mail:
        told = recipients_file(running.config.home, example_mail_service=mail.url)
        config = running.config.model_copy(update={"recipients": told})
        async with parts(config, clock=running.clock) as other, open_worker(other) as worker:
            await worker.once()
        assert mail.requests == []
    assert [(job.state, job.outcome) for job in await queued()] == [("DONE", "NOTHING_KNOWN")]


async def test_two_workers_race_and_the_recipient_is_told_once_of_each(running, config, sms, withdraw, clock):
    for _ in range(12):
        await withdraw(await a_member(running, yes=["marketing_sms"]))
    async with parts(config, clock=clock) as other, open_worker(running) as one, open_worker(other) as two:
        await asyncio.gather(one.once(), two.once())
    assert len(sms.requests) == 12 == len(set(sms.ids))


async def test_a_worker_that_was_overtaken_writes_nothing(running, config, sms, work, withdraw, queued, clock):
    """It hung for longer than its lease; another one has told the recipient meanwhile. Its own failure changes nothing."""
    await withdraw(await a_member(running, yes=["marketing_sms"]))
    sms.answer = None
    async with open_worker(running) as slow:
        hanging = asyncio.create_task(slow.once())
        await sms.arrived.wait()
        sms.answer = OK
        clock.advance(LEASE.total_seconds() + 1)
        await work()
        hanging.cancel()
        await asyncio.gather(hanging, return_exceptions=True)
    assert len(sms.ids) == 2 and len(set(sms.ids)) == 1
    assert [(job.state, job.outcome) for job in await queued()] == [("DONE", "ACKNOWLEDGED")]


async def test_no_job_and_no_log_line_holds_what_the_recipient_knows_the_member_by(running, sms, work, withdraw, queued, capsys):
    profile = a_profile()
    await withdraw(await a_member(running, profile, yes=["marketing_sms"]))
    sms.answer = BROKEN
    await work()
    said = "".join(capsys.readouterr()) + json.dumps([repr(job) for job in await queued()])
    assert profile["phone"] not in said and "whsec" not in said and len(sms.requests) == 1
