"""Mail that comes back, and complaints that were made elsewhere."""

import time

import pytest

from service.db.tables import member_lookup
from tests.api.front_end import entries
from tests.factories import a_call, a_member, a_profile
from tests.service.inbound.outside import MAIL, came_in, everything, link, off, state, suppressed
from tests.service.inbound.test_parsing import ARF, DSN

EMAIL = "marketing_email"
HOOK = f"/hooks/mail/{MAIL}"
BIG = 512 * 1024
BOXES = "".join(f"Content-Type: multipart/mixed; boundary=b{depth}\n\n--b{depth}\n" for depth in range(300)).encode()
HOSTILE = {
    "boundaries within boundaries": BOXES.ljust(BIG, b"\n"),
    "a header of parameters": b'Content-Type: multipart/mixed; a="'.ljust(BIG - 2, b";") + b"\n\n",
    "a folded header": b"Content-Type: multipart/mixed" + b";\n a=b" * (BIG // 7) + b"\n\n",
}
"""Mails that anybody can send to the mailbox of bounces: half a megabyte, which the parser would turn over for minutes."""
COMPLAIN = """mutation Complain($channel: String!, $reference: String!, $member: ID, $address: String) {
  recordComplaint(channel: $channel, reference: $reference, memberId: $member, address: $address) {
    __typename ... on ComplaintRecorded { id memberId sends consents subscriptions } ... on Refusal { code zh message } } }"""


async def a_reader(running, **more):
    profile = a_profile(**more)
    return await a_member(running, profile, yes=[EMAIL, "marketing_sms", "marketing_phone"]), profile


def bounce(token, *, action="failed", status="5.1.1", returned="message/rfc822"):
    return DSN.format(action=action, status=status, returned=returned, token=token).encode()


@pytest.mark.obligation("EM-09")
async def test_a_hard_bounce_ends_the_address_and_takes_back_its_proof(client, running):
    member_id, profile = await a_reader(running)
    answer = await client.post(HOOK, content=bounce(link(running, member_id)))
    assert answer.status_code == 200
    assert await suppressed(running, "email", "email", profile["email"])
    proofs = [row["proven_at"] for row in await everything(running, member_lookup) if row["field"] == "email"]
    assert proofs == [None]
    assert await state(running, member_id, EMAIL) == "GIVEN", "nobody said no"
    (entry,) = await entries(running, "mailReport")
    assert (entry["act"]["id"], entry["x"]["outcome"], entry["cnt"]) == ("mail-hook", "UNREACHABLE", 1)


@pytest.mark.obligation("EM-09")
@pytest.mark.parametrize(("action", "status"), [("delayed", "4.4.1"), ("failed", "4.2.2"), ("delivered", "2.0.0")])
async def test_a_mail_that_may_yet_arrive_changes_nothing(client, running, action, status):
    member_id, profile = await a_reader(running)
    assert (await client.post(HOOK, content=bounce(link(running, member_id), action=action, status=status))).status_code == 200
    assert not await suppressed(running, "email", "email", profile["email"])


@pytest.mark.obligation("EM-09", "EM-07")
async def test_a_complaint_is_a_no_at_once(client, running):
    member_id, profile = await a_reader(running)
    raw = ARF.format(kind="abuse", token=link(running, member_id)).encode()
    assert (await client.post(HOOK, content=raw)).status_code == 200
    assert await suppressed(running, "email", "email", profile["email"])
    assert await off(running, member_id, "email")
    assert await state(running, member_id, EMAIL) == "WITHDRAWN"
    before = await came_in(running)
    assert (await client.post(HOOK, content=raw)).status_code == 200
    assert await came_in(running) == before


async def test_a_complaint_that_names_only_an_address_stops_that_address(client, running):
    _, profile = await a_reader(running)
    raw = ARF.format(kind="abuse", token="B" * 40).replace("someone@example.com", profile["email"]).encode()
    assert (await client.post(HOOK, content=raw)).status_code == 200
    assert await suppressed(running, "email", "email", profile["email"])


async def test_a_bounce_that_names_only_an_address_moves_nobody(client, running):
    _, profile = await a_reader(running)
    raw = bounce("B" * 40).replace(b"someone@example.com", profile["email"].encode())
    assert (await client.post(HOOK, content=raw)).status_code == 200
    assert not await suppressed(running, "email", "email", profile["email"])
    assert [row["outcome"] for row in await came_in(running)] == ["UNMATCHED"]


@pytest.mark.parametrize("raw", [b"", b"Hello", b"Subject: out of office\r\n\r\nI am away", b"\x00" * 100])
async def test_a_mail_that_reports_nothing_is_refused_and_on_record(client, running, raw):
    assert (await client.post(HOOK, content=raw)).status_code == 400
    assert [(entry["op"], entry["rsn"]) for entry in await entries(running)] == [("mailReport", "MALFORMED")]


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
async def test_no_mail_holds_up_everybody_else(client, running, raw):
    started = time.process_time()
    assert (await client.post(HOOK, content=raw)).status_code == 400
    assert time.process_time() - started < 5
    assert [entry["rsn"] for entry in await entries(running)] == ["MALFORMED"]


@pytest.mark.obligation("SMS-09", "CL-01")
@pytest.mark.parametrize(
    ("channel", "field", "purpose"),
    [("sms", "phone", "marketing_sms"), ("phone", "phone", "marketing_phone"), ("email", "email", EMAIL)],
)
async def test_a_complaint_suppresses_before_anybody_looks_into_it_and_opens_the_evidence(running, ask, channel, field, purpose):
    member_id, profile = await a_reader(running)
    given = {"channel": channel, "reference": "12321-2026-1", "address": profile[field]}
    found = (await ask(COMPLAIN, role="customer_service_agent", variables=given))["data"]["recordComplaint"]
    assert found["memberId"] == member_id
    assert await suppressed(running, channel, field, profile[field])
    assert await state(running, member_id, purpose) == "WITHDRAWN"
    events = [
        event.event_id
        for event in await running.operations.consent_history(a_call("member", member_id=member_id), member_id=None)
    ]
    assert set(found["consents"]) == set(events) and found["subscriptions"]
    again = (await ask(COMPLAIN, role="customer_service_agent", variables=given))["data"]["recordComplaint"]
    assert again["id"] == found["id"]


async def test_a_complaint_about_an_address_of_nobody_is_kept_and_suppresses_it(running, ask):
    from tests.plugins import canary

    address = canary.value("phone")
    given = {"channel": "sms", "reference": "12321-2026-2", "address": address}
    found = (await ask(COMPLAIN, role="compliance_officer", variables=given))["data"]["recordComplaint"]
    assert (found["memberId"], found["sends"], found["consents"]) == (None, [], [])
    assert await suppressed(running, "sms", "phone", address)


@pytest.mark.parametrize("more", [{}, {"address": "x"}, {"address": ""}, {"channel": "pigeon", "address": "x"}])
async def test_a_complaint_about_nothing_is_refused(running, ask, more):
    given = {"channel": "sms", "reference": "1", **more}
    found = (await ask(COMPLAIN, role="compliance_officer", variables=given))["data"]["recordComplaint"]
    assert found["code"] == "ADDRESS_INVALID" and found["zh"] != "请求被拒绝；未保存任何信息。"
    assert await came_in(running) == []


async def test_only_those_who_take_complaints_down_do(running, ask):
    for role in ("marketer", "marketing_engine", "store_clerk"):
        refused = await ask(COMPLAIN, role=role, variables={"channel": "sms", "reference": "1", "address": "13800138000"})
        assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
