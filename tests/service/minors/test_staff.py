"""Staff and minors' data: masked, unless somebody else has approved this one look at this one minor (MIN 36)."""

from datetime import timedelta

import pytest

from tests.api.front_end import entries
from tests.factories import a_member, a_profile
from tests.service.minors.family import CARE, CHILD, YOUTH, answer, code_of, family, last, read, someone

AGENT, OFFICER = "customer_service_agent", "compliance_officer"
APPROVE = """mutation ($staff: String!, $id: ID!, $reason: String!, $until: DateTime!) {
  approveMinorAccess(staff: $staff, memberId: $id, reason: $reason, expiresAt: $until) {
  __typename ... on MinorApproval { approvalId approver } ... on Refusal { code } } }"""
REVEAL = """mutation ($id: ID!) {
  reveal(memberId: $id, purpose: "customer_service", field: "phone", reason: "退货需要回电") {
  __typename ... on Revealed { attribute { text } } ... on Withheld { reason } } }"""


async def approve(running, ask, member_id, *, staff=AGENT, reason="家长来电核对订单", role=OFFICER, days=7):
    until = (running.clock() + timedelta(days=days)).isoformat()
    given = {"staff": f"{staff}@development", "id": member_id, "reason": reason, "until": until}
    told = await ask(APPROVE, role=role, variables=given)
    return told["data"]["approveMinorAccess"] or code_of(told)


async def reveal(ask, member_id, role=AGENT):
    return (await ask(REVEAL, role=role, variables={"id": member_id}))["data"]["reveal"]


@pytest.mark.obligation("SM-09")
async def test_without_an_approval_an_agent_sees_nothing_of_a_minor_whole_and_the_look_is_recorded(running, ask):
    profile = a_profile(birthday=YOUTH, tier="gold")
    youth = await a_member(running, profile)
    found, _ = await read(ask, youth, CARE, AGENT)
    assert sorted(found["masked"]) == ["name", "phone", "tier"] and found["tier"] == "***"
    assert profile["phone"] not in str(found) and profile["name"] not in str(found)
    entry = await last(running, "member")
    assert entry["x"] == {"band": "youth"} and entry["dec"] == "allow"
    assert await reveal(ask, youth) == {"__typename": "Withheld", "reason": "APPROVAL_REQUIRED"}
    entry = await last(running, "reveal")
    assert (entry["dec"], entry["rsn"], entry["x"]["band"]) == ("deny", "APPROVAL_REQUIRED", "youth")


@pytest.mark.obligation("SM-09")
async def test_with_an_approval_the_agent_sees_what_the_purpose_shows_until_it_is_over(running, ask, clock):
    profile = a_profile(birthday=YOUTH, tier="gold")
    youth = await a_member(running, profile)
    approved = await approve(running, ask, youth)
    assert approved["__typename"] == "MinorApproval" and approved["approver"] == f"{OFFICER}@development"
    found, _ = await read(ask, youth, CARE, AGENT)
    assert (found["tier"], sorted(found["masked"])) == ("gold", ["name", "phone"])
    assert (await last(running, "member"))["x"] == {"band": "youth", "approval": approved["approvalId"]}
    assert await reveal(ask, youth) == {"__typename": "Revealed", "attribute": {"text": profile["phone"]}}
    assert (await last(running, "reveal"))["x"]["approval"] == approved["approvalId"]
    clock.advance(days=7, microseconds=-1)
    assert (await read(ask, youth, CARE, AGENT))[0]["tier"] == "gold"
    clock.advance(microseconds=1)
    assert (await read(ask, youth, CARE, AGENT))[0]["tier"] == "***"
    assert (await reveal(ask, youth))["reason"] == "APPROVAL_REQUIRED"
    clock.advance(days=1)
    assert (await read(ask, youth, CARE, AGENT))[0]["tier"] == "***"


@pytest.mark.obligation("SM-09")
async def test_an_approval_is_for_one_account_and_one_minor(running, ask):
    youth, other = await someone(running, YOUTH, tier="gold"), await someone(running, YOUTH)
    await approve(running, ask, youth)
    assert (await reveal(ask, other))["reason"] == "APPROVAL_REQUIRED"
    found, _ = await read(ask, youth, "membership_benefits", "store_clerk")
    assert sorted(found["masked"]) == ["name", "phone", "tier"]


@pytest.mark.obligation("SM-09")
async def test_nobody_approves_themselves_or_without_a_reason_or_for_ever(running, ask):
    youth, adult = await someone(running, YOUTH), await someone(running, "1990-01-01")
    refused = {"OWN_APPROVAL": {"staff": OFFICER}, "STAFF_UNKNOWN": {"staff": "李 雷"}, "EXPIRY_OUT_OF_RANGE": {"days": 31}}
    for code, given in refused.items():
        assert (await approve(running, ask, youth, **given))["code"] == code
    assert (await approve(running, ask, youth, days=-1))["code"] == "EXPIRY_OUT_OF_RANGE"
    for reason, code in (("  ", "REASON_REQUIRED"), ("请致电 13912345678", "REASON_PERSONAL"), ("x" * 501, "REASON_PERSONAL")):
        assert (await approve(running, ask, youth, reason=reason))["code"] == code
    assert (await approve(running, ask, adult))["code"] == "NOT_A_MINOR"
    assert (await approve(running, ask, "019a0000-0000-7000-8000-000000000009"))["code"] == "MEMBER_NOT_FOUND"
    assert await approve(running, ask, youth, role=AGENT) == "FORBIDDEN"
    assert (await reveal(ask, youth))["reason"] == "APPROVAL_REQUIRED"
    assert all(entry["dec"] == "deny" for entry in await entries(running, "approveMinorAccess"))


@pytest.mark.obligation("SM-09")
async def test_on_a_page_only_the_minors_are_masked_and_approvals_cost_one_statement(running, ask, statements):
    adult, youths = (
        await someone(running, "1990-01-01", tier="gold"),
        [await someone(running, YOUTH, tier="gold") for _ in range(3)],
    )
    await approve(running, ask, youths[1])
    query = """{ members(purpose: "customer_service", first: 50) { nodes { id tier } } }"""
    with statements() as seen:
        nodes = (await ask(query, role=AGENT))["data"]["members"]["nodes"]
    tiers = {node["id"]: node["tier"] for node in nodes}
    assert tiers == {adult: "gold", youths[0]: "***", youths[1]: "gold", youths[2]: "***"}
    assert sum("minor_approval" in text for text in seen) == 1
    assert (await last(running, "members"))["x"]["bands"] == ["youth:3"]


@pytest.mark.obligation("SM-09")
async def test_staff_do_not_read_a_minors_consents_nor_change_anything_of_theirs_without_an_approval(running, ask):
    youth = await someone(running, YOUTH)
    await answer(running, ask, youth, kind="GENERAL")
    query = 'query ($id: ID) { consentHistory(memberId: $id, purpose: "customer_service") { id } }'
    assert code_of(await ask(query, role=AGENT, variables={"id": youth})) == "APPROVAL_REQUIRED"
    change = """mutation ($id: ID) {
      updateMember(memberId: $id, purpose: "customer_service", changes: {address: "杭州市西湖区"}) { __typename } }"""
    assert code_of(await ask(change, role=AGENT, variables={"id": youth})) == "APPROVAL_REQUIRED"
    assert (await last(running, "consentHistory"))["rsn"] == "APPROVAL_REQUIRED"
    approved = await approve(running, ask, youth)
    told = await ask(query, role=AGENT, variables={"id": youth})
    assert len(told["data"]["consentHistory"]) == 1
    told = await ask(change, role=AGENT, variables={"id": youth})
    assert told["data"]["updateMember"]["__typename"] == "MemberUpdated"
    assert (await last(running, "consentHistory"))["x"]["approval"] == approved["approvalId"]


async def test_a_service_is_no_member_of_staff_and_an_adult_no_minor(running, ask):
    child, guardian = await family(running, ask, CHILD)
    await answer(running, ask, guardian, of=child, granted=False)
    assert not (await read(ask, child, "order_fulfilment", "order_service"))[0]["masked"]
    assert (await last(running, "member"))["x"] == {"band": "child"}
    adult = await someone(running, "1990-01-01")
    assert (await reveal(ask, adult))["__typename"] == "Revealed"
    await read(ask, adult, CARE, AGENT)
    assert "x" not in await last(running, "member")
