"""At the till: a clerk writes down a member's no, and a yes only with the member's own act (NC-14)."""

import json

import pytest

from tests.api.front_end import entries, evidence_of
from tests.service.consent.screens import CONFIRM, GIFT, RECORD, SMS, WITHDRAW, WITHDRAW_ALL, join, questions, say, standing

CLERK = "store_clerk@development"


async def confirmed(ask, running, member_id, *, to=CLERK, evidence=None, **answers):
    decisions = [{"purpose": key, "granted": granted} for key, granted in answers.items()]
    variables = {"decisions": decisions, "evidence": evidence or evidence_of(running), "assistant": to}
    return (await ask(CONFIRM, role="member", member_id=member_id, variables=variables))["data"]["confirmConsents"]


async def at_the_till(ask, running, member_id, act, *, role="store_clerk", more=None, **answers):
    decisions = [{"purpose": key, "granted": granted} for key, granted in answers.items()]
    evidence = evidence_of(running, **({"channel": "STORE", "screen": "pos/consent"} | (more or {})))
    variables = {"decisions": decisions, "evidence": evidence, "member": member_id, "act": act}
    return (await ask(RECORD, role=role, variables=variables))["data"]["recordConsents"]


@pytest.mark.obligation("NC-14")
async def test_a_clerk_alone_can_write_a_no_and_never_a_yes(ask, running):
    member_id = await join(ask, running)
    assert (await at_the_till(ask, running, member_id, None, birthday_gift=True))["code"] == "MEMBER_ACT_REQUIRED"
    assert (await standing(ask, member_id, GIFT))["state"] == "NEVER_ASKED"
    assert (await at_the_till(ask, running, member_id, None, birthday_gift=False))["standings"][0]["state"] == "REFUSED"
    mixed = await at_the_till(ask, running, member_id, None, birthday_gift=False, marketing_sms=True)
    assert mixed["code"] == "MEMBER_ACT_REQUIRED"


@pytest.mark.obligation("NC-14")
async def test_with_the_members_own_act_the_yes_is_written_with_both_names(ask, running):
    member_id = await join(ask, running)
    act = (await confirmed(ask, running, member_id, birthday_gift=True))["token"]
    assert (await standing(ask, member_id, GIFT))["state"] == "NEVER_ASKED", "confirming decides nothing yet"
    assert (await at_the_till(ask, running, member_id, act, birthday_gift=True))["standings"][0]["state"] == "GIVEN"
    (event,) = (await ask("{ consentHistory { record } }", role="member", member_id=member_id))["data"]["consentHistory"]
    record = json.loads(event["record"])
    assert (record["entityRole"], record["entityId"], record["entityKind"]) == ("assisted", CLERK, "staff")
    assert record["piiPrincipalId"] == member_id
    (confirming,) = await entries(running, "confirmConsents")
    assert record["source"]["memberAct"] == confirming["x"]["act"] and confirming["act"]["k"] == "member"


@pytest.mark.obligation("NC-14")
async def test_an_act_is_good_for_nothing_but_what_the_member_confirmed(ask, running, clock):
    member_id, other = await join(ask, running), await join(ask, running)
    act = (await confirmed(ask, running, member_id, birthday_gift=True))["token"]
    expires, nonce, tag = act.split(".")[1:]
    swapped = "A" if tag[0] != "A" else "B"
    forged = [f"ma1.{int(expires) + 600}.{nonce}.{tag}", f"ma1.{expires}.{nonce}.{swapped}{tag[1:]}", "ma1.1.x.y", "", "名" * 20]
    for token in forged:
        assert (await at_the_till(ask, running, member_id, token, birthday_gift=True))["code"] == "MEMBER_ACT_REQUIRED"
    tries = [
        at_the_till(ask, running, member_id, act, marketing_sms=True),
        at_the_till(ask, running, member_id, act, birthday_gift=True, marketing_sms=True),
        at_the_till(ask, running, other, act, birthday_gift=True),
        at_the_till(ask, running, member_id, act, birthday_gift=True, more={"language": "en"}),
    ]
    assert [(await attempt)["code"] for attempt in tries] == ["MEMBER_ACT_REQUIRED"] * 4
    to_another = (await confirmed(ask, running, member_id, to="clerk-8", birthday_gift=True))["token"]
    assert (await at_the_till(ask, running, member_id, to_another, birthday_gift=True))["code"] == "MEMBER_ACT_REQUIRED"
    clock.advance(minutes=10)
    assert (await at_the_till(ask, running, member_id, act, birthday_gift=True))["code"] == "MEMBER_ACT_REQUIRED"
    assert (await standing(ask, member_id, GIFT))["state"] == "NEVER_ASKED"


@pytest.mark.obligation("NC-14")
async def test_an_act_is_used_once_and_a_repeated_request_finds_what_is_now(ask, running, clock):
    member_id = await join(ask, running)
    evidence = evidence_of(running, channel="STORE")
    act = (await confirmed(ask, running, member_id, birthday_gift=True))["token"]
    variables = {"decisions": [{"purpose": GIFT, "granted": True}], "evidence": evidence, "member": member_id, "act": act}
    first = await ask(RECORD, role="store_clerk", variables=variables)
    assert first["data"]["recordConsents"]["standings"][0]["state"] == "GIVEN"
    await ask(WITHDRAW, role="member", member_id=member_id, variables={"purpose": GIFT})
    again = await ask(RECORD, role="store_clerk", variables=variables)
    assert again["data"]["recordConsents"]["standings"][0]["state"] == "WITHDRAWN", "what the member took back stays taken back"
    changed = {**variables, "evidence": {**evidence, "screen": "pos/other"}}
    assert (await ask(RECORD, role="store_clerk", variables=changed))["errors"][0]["extensions"]["code"] == "CONFLICT"
    assert (await standing(ask, member_id, GIFT))["state"] == "WITHDRAWN"


@pytest.mark.obligation("NC-14", "WD-01")
async def test_a_clerk_takes_back_for_whoever_stands_before_them_without_more(ask, running):
    member_id = await join(ask, running)
    await say(ask, running, member_id, birthday_gift=True, marketing_sms=True)
    variables = {"purpose": GIFT, "member": member_id}
    taken = (await ask(WITHDRAW, role="store_clerk", variables=variables))["data"]["withdrawConsent"]
    assert taken["standings"][0]["state"] == "WITHDRAWN"
    rest = (await ask(WITHDRAW_ALL, role="store_clerk", variables={"member": member_id}))["data"]["withdrawAll"]
    assert [each["purpose"] for each in rest["standings"]] == [SMS]


@pytest.mark.obligation("NC-14")
@pytest.mark.parametrize("role", ["mini_program", "store_clerk", "compliance_officer"])
async def test_nobody_but_the_member_makes_the_members_act(ask, running, role):
    variables = {"decisions": [{"purpose": GIFT, "granted": True}], "evidence": evidence_of(running), "assistant": CLERK}
    answer = await ask(CONFIRM, role=role, variables=variables)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.obligation("NC-14")
@pytest.mark.parametrize("role", ["customer_service_agent", "marketer", "compliance_officer", "auditor"])
async def test_who_does_not_assist_writes_no_answer_at_all(ask, running, role):
    member_id = await join(ask, running)
    variables = {"decisions": [{"purpose": GIFT, "granted": False}], "evidence": evidence_of(running), "member": member_id}
    answer = await ask(RECORD, role=role, variables=variables)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.obligation("NC-14", "SM-05")
async def test_a_child_makes_no_act_and_a_till_asks_under_the_same_pauses(ask, running):
    child = await join(ask, running, birthday="2015-01-01")
    assert (await confirmed(ask, running, child, birthday_gift=True))["code"] == "GUARDIAN_CONSENT_REQUIRED"
    member_id = await join(ask, running)
    await at_the_till(ask, running, member_id, None, birthday_gift=False)
    assert await questions(ask, member_id, GIFT, channel="STORE") == ([], {GIFT: "REASK_COOLDOWN"})
