"""What a guardian asks for a minor is answered in time, and a refusal is in writing (未成年人网络保护条例 34)."""

from datetime import UTC, datetime

import pytest

from tests.service.minors.family import WARD, code_of, end, family, last, someone

OFFICER = "compliance_officer"
ASK = """mutation ($child: ID!, $kind: GuardianRequestKind!) { requestForChild(memberId: $child, kind: $kind) {
  requestId kind state dueOn } }"""
DECIDE = """mutation ($child: ID!, $id: ID!, $accept: Boolean!, $reason: String) {
  decideGuardianRequest(memberId: $child, requestId: $id, accept: $accept, reason: $reason) {
  __typename ... on GuardianRequest { state reason } ... on Refusal { code } } }"""
MINE = "query ($child: ID) { guardianRequests(memberId: $child) { requestId state reason dueOn } }"


async def asked(ask, guardian, child, kind="DELETE"):
    told = await ask(ASK, role="member", member_id=guardian, variables={"child": child, "kind": kind})
    return told["data"]["requestForChild"] or code_of(told)


async def decide(ask, child, request_id, *, accept, reason=None, role=OFFICER):
    given = {"child": child, "id": request_id, "accept": accept, "reason": reason}
    told = await ask(DECIDE, role=role, variables=given)
    return told["data"]["decideGuardianRequest"] or code_of(told)


@pytest.mark.obligation("SM-11")
async def test_a_refusal_without_a_reason_is_refused_and_one_with_a_reason_reaches_the_guardian(running, ask):
    child, guardian = await family(running, ask)
    request = await asked(ask, guardian, child)
    for reason in (None, "", "  \n"):
        told = await decide(ask, child, request["requestId"], accept=False, reason=reason)
        assert told == {"__typename": "MinorsRejected", "code": "REASON_REQUIRED"}
    assert (await last(running, "decideGuardianRequest"))["rsn"] == "REASON_REQUIRED"
    mine = (await ask(MINE, role="member", member_id=guardian, variables={"child": child}))["data"]["guardianRequests"]
    assert [item["state"] for item in mine] == ["OPEN"]
    told = await decide(ask, child, request["requestId"], accept=False, reason="订单尚在退款中，完成后再删除")
    assert told["state"] == "REFUSED"
    mine = (await ask(MINE, role="member", member_id=guardian, variables={"child": child}))["data"]["guardianRequests"]
    assert [(item["state"], item["reason"]) for item in mine] == [("REFUSED", "订单尚在退款中，完成后再删除")]
    assert (await decide(ask, child, request["requestId"], accept=True))["code"] == "REQUEST_DECIDED"


@pytest.mark.obligation("SM-11")
async def test_a_reason_holds_no_personal_data(running, ask):
    child, guardian = await family(running, ask)
    request = await asked(ask, guardian, child)
    for reason in ("请致电 13912345678", "见 11010519491231002X", "a@example.com"):
        assert (await decide(ask, child, request["requestId"], accept=False, reason=reason))["code"] == "REASON_PERSONAL"


@pytest.mark.obligation("SM-11")
async def test_an_accepted_deletion_erases_the_child_and_leaves_the_answer(running, ask):
    child, guardian = await family(running, ask)
    request = await asked(ask, guardian, child)
    assert (await decide(ask, child, request["requestId"], accept=True))["state"] == "ACCEPTED"
    found = await ask(
        'query ($id: ID!) { member(id: $id, purpose: "order_fulfilment") { phone withheld { reason } } }',
        role="order_service",
        variables={"id": child},
    )
    assert found["data"]["member"] == {"phone": None, "withheld": [{"reason": "ERASED"}]}
    assert code_of(await ask(WARD, role="member", member_id=guardian, variables={"child": child})) == "FORBIDDEN"
    mine = (await ask(MINE, role="member", member_id=guardian, variables={"child": child}))["data"]["guardianRequests"]
    assert [item["state"] for item in mine] == ["ACCEPTED"]
    entry = await last(running, "decideGuardianRequest")
    assert entry["x"]["kind"] == "DELETE" and entry["dec"] == "allow" and len(entry["sub"]) == 1


@pytest.mark.obligation("SM-11")
@pytest.mark.parametrize("kind", ["VIEW", "COPY", "CORRECT", "SUPPLEMENT", "DELETE"])
async def test_every_kind_can_be_asked_once_and_is_due_in_fifteen_working_days(running, ask, clock, kind):
    """Asked on a Friday, and the day of asking does not count: three weeks on."""
    clock.now = datetime(2026, 11, 20, 2, tzinfo=UTC)
    child, guardian = await family(running, ask)
    first = await asked(ask, guardian, child, kind)
    assert (first["kind"], first["state"], first["dueOn"]) == (kind, "OPEN", "2026-12-11")
    assert (await asked(ask, guardian, child, kind))["requestId"] == first["requestId"]


async def test_the_guardian_of_a_fifteen_year_old_asks_too_and_nobody_else_does(running, ask, clock):
    child, guardian = await family(running, ask, "2012-11-23")
    clock.advance(days=2)
    request = await asked(ask, guardian, child, "COPY")
    assert request["state"] == "OPEN"
    clock.advance(days=4 * 366)
    assert await asked(ask, guardian, child, "VIEW") == "FORBIDDEN"
    stranger = await someone(running)
    assert await asked(ask, stranger, child) == "FORBIDDEN"


async def test_staff_see_what_is_due_first_and_only_they_decide(running, ask, clock):
    (child, guardian), (other, parent) = await family(running, ask), await family(running, ask)
    urgent = await asked(ask, guardian, child)
    clock.advance(days=3)
    later = await asked(ask, parent, other, "VIEW")
    query = "{ guardianRequests { requestId } }"
    waiting = (await ask(query, role=OFFICER))["data"]["guardianRequests"]
    assert [item["requestId"] for item in waiting] == [urgent["requestId"], later["requestId"]]
    assert code_of(await ask(query, role="marketer")) == "FORBIDDEN"
    assert await decide(ask, child, urgent["requestId"], accept=True, role="customer_service_agent") == "FORBIDDEN"
    assert (await decide(ask, other, urgent["requestId"], accept=True))["code"] == "REQUEST_NOT_FOUND"
    mine = await ask(MINE, role="member", member_id=parent, variables={"child": other})
    assert [item["requestId"] for item in mine["data"]["guardianRequests"]] == [later["requestId"]]
    assert code_of(await ask("{ guardianRequests { requestId } }", role="member", member_id=parent)) == "BAD_INPUT"
    assert code_of(await ask("{ guardianRequests(first: 101) { requestId } }", role=OFFICER)) == "PAGE_SIZE_TOO_LARGE"


async def test_links_are_listed_for_the_guardian_and_for_the_service_that_verifies(running, ask):
    child, guardian = await family(running, ask)
    query = "query ($id: ID) { guardianLinks(memberId: $id) { memberId guardianId state method } }"
    held = [{"memberId": child, "guardianId": guardian, "state": "VERIFIED", "method": "MOBILE_CODE"}]
    assert (await ask(query, role="member", member_id=guardian))["data"]["guardianLinks"] == held
    assert (await ask(query, role="mini_program", variables={"id": child}))["data"]["guardianLinks"] == held
    assert (await ask(query, role="member", member_id=child))["data"]["guardianLinks"] == []
    assert code_of(await ask(query, role="member", member_id=guardian, variables={"id": child})) == "FORBIDDEN"
    assert code_of(await ask(query, role="marketer", variables={"id": child})) == "FORBIDDEN"
    await end(ask, child, guardian)
    assert (await ask(query, role="member", member_id=guardian))["data"]["guardianLinks"][0]["state"] == "ENDED"
