"""Subscriptions as front ends see them: what is public, who may do what, and what the entry does not say."""

import json

import pytest

from tests.api.front_end import entries, evidence_of
from tests.factories import a_member, a_profile

SUBSCRIBE = """mutation ($id: ID, $input: SubscribeInput!, $evidence: EvidenceInput) {
  subscribe(memberId: $id, input: $input, evidence: $evidence) { __typename
    ... on Subscribed { subscription { channel topic brand state monthly suppressed } confirmation }
    ... on Refusal { code message zh } } }"""
NEWS = {"channel": "sms", "topic": "news", "brand": "living", "monthly": 4, "months": 24}
SHOWN = "{ subscriptions { channel topic brand state monthly expiresAt suppressed } }"
LOOK = """query ($phone: String!) { suppressions(contactField: "phone", value: $phone, purpose: "legal_duty") {
  channel state reason } }"""


async def test_what_can_be_subscribed_to_is_public_with_the_words_and_numbers_to_show(ask):
    found = (await ask("{ subscriptionTopics { key monthly months title { zh en } } }"))["data"]["subscriptionTopics"]
    assert {each["key"]: (each["monthly"], each["months"]) for each in found}["news"] == (4, 24)
    assert all(each["title"]["zh"] and each["title"]["en"] for each in found)


async def test_a_member_subscribes_sees_it_and_ends_all_of_it(ask, running, clock):
    member_id = await a_member(running)
    variables = {"input": NEWS, "evidence": evidence_of(running)}
    found = (await ask(SUBSCRIBE, role="member", member_id=member_id, variables=variables))["data"]["subscribe"]
    assert found["subscription"] == {
        "channel": "sms",
        "topic": "news",
        "brand": "living",
        "state": "SUBSCRIBED",
        "monthly": 4,
        "suppressed": False,
    }
    clock.advance(60)
    off = "mutation { unsubscribeAll { ... on Unsubscribed { channels again } } }"
    told = [(await ask(off, role="member", member_id=member_id))["data"]["unsubscribeAll"]["again"] for _ in range(2)]
    assert told == [False, True]
    shown = (await ask(SHOWN, role="member", member_id=member_id))["data"]["subscriptions"]
    assert {each["state"] for each in shown} == {"UNSUBSCRIBED"}
    assert {each["channel"] for each in shown if each["suppressed"]} == {"sms", "phone", "email"}, "where there is an address"


async def test_a_stale_promise_is_refused_in_both_languages(ask, running):
    member_id = await a_member(running)
    variables = {"input": NEWS | {"monthly": 30}, "evidence": evidence_of(running)}
    found = (await ask(SUBSCRIBE, role="member", member_id=member_id, variables=variables))["data"]["subscribe"]
    assert (found["__typename"], found["code"]) == ("SubscriptionRejected", "PROMISE_STALE")
    assert "subscriptionTopics" in found["message"] and "频次" in found["zh"]


@pytest.mark.parametrize("role", ["marketer", "customer_service_agent", "compliance_officer", "marketing_engine"])
async def test_nobody_else_subscribes_a_member(ask, running, role):
    member_id = await a_member(running)
    variables = {"id": member_id, "input": NEWS, "evidence": evidence_of(running)}
    answer = await ask(SUBSCRIBE, role=role, variables=variables)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (await ask(SHOWN, role="member", member_id=member_id))["data"]["subscriptions"] == []


@pytest.mark.obligation("RD-06")
async def test_compliance_finds_a_no_by_its_address_and_the_record_does_not_repeat_it(ask, running):
    profile = a_profile()
    member_id = await a_member(running, profile)
    await ask('mutation { unsubscribe(channel: "sms") { __typename } }', role="member", member_id=member_id)
    found = await ask(LOOK, role="compliance_officer", variables={"phone": profile["phone"]})
    assert found["data"]["suppressions"] == [{"channel": "sms", "state": "SUPPRESSED", "reason": "UNSUBSCRIBED"}]
    (entry,) = await entries(running, "suppressions")
    assert str(profile["phone"])[-11:] not in json.dumps(entry) and "sub" not in entry
    for role in ("marketer", "member", "mini_program"):
        answer = await ask(LOOK, role=role, member_id=member_id, variables={"phone": profile["phone"]})
        assert answer["data"] in (None, {"suppressions": None}), role


async def test_a_members_no_is_theirs_alone(ask, running):
    mine, other = await a_member(running), await a_member(running)
    answer = await ask(
        'mutation ($id: ID) { unsubscribe(channel: "sms", memberId: $id) { __typename } }',
        role="member",
        member_id=mine,
        variables={"id": other},
    )
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (await ask(SHOWN, role="member", member_id=other))["data"]["subscriptions"] == []


@pytest.mark.parametrize("about", ['channel: "fax"', 'channel: "sms", topic: "13800138000"', 'channel: "sms", brand: "x"'])
async def test_the_ledger_takes_no_word_that_is_not_the_policys(ask, running, about):
    member_id = await a_member(running)
    answer = await ask(f"mutation {{ unsubscribe({about}) {{ __typename }} }}", role="member", member_id=member_id)
    assert answer["errors"][0]["extensions"]["code"] == "BAD_INPUT"
