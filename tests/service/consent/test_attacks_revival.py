"""What somebody tried who wanted a consent back that had been taken back, or a contact that was somebody else's by then."""

import json

import pytest

from tests.api.front_end import evidence_of
from tests.factories import a_call, a_member
from tests.plugins import canary
from tests.service.consent.screens import GIFT, RECORD, SMS, WITHDRAW, join, say, standing
from tests.service.consent.test_assisting import at_the_till, confirmed
from tests.service.consent.test_contacts import CHANGE, change, proof


async def withdraw(ask, member_id, purpose=GIFT):
    await ask(WITHDRAW, role="member", member_id=member_id, variables={"purpose": purpose})


async def own_phone(ask, member_id):
    return (await ask("{ me { phone } }", role="member", member_id=member_id))["data"]["me"]["phone"]


@pytest.mark.obligation("NC-14", "WD-01")
async def test_an_act_confirmed_before_a_withdrawal_brings_nothing_back_after_it(ask, running, clock):
    member_id = await join(ask, running)
    acts = [(await confirmed(ask, running, member_id, birthday_gift=True))["token"] for _ in range(2)]
    clock.advance(seconds=30)
    assert (await at_the_till(ask, running, member_id, acts[0], birthday_gift=True))["standings"][0]["state"] == "GIVEN"
    clock.advance(seconds=30)
    await withdraw(ask, member_id)
    clock.advance(seconds=30)
    told = await at_the_till(ask, running, member_id, acts[1], birthday_gift=True)
    assert told.get("code") == "MEMBER_ACT_REQUIRED"
    assert (await standing(ask, member_id, GIFT))["state"] == "WITHDRAWN"


@pytest.mark.obligation("WD-01", "NC-08")
async def test_an_answer_to_a_question_of_before_a_withdrawal_brings_nothing_back_after_it(ask, running, clock):
    """A queue that delivers twice, and a front end that sends no idempotency key."""
    member_id = await join(ask, running)
    shown = evidence_of(running)
    assert (await say(ask, running, member_id, evidence=shown, birthday_gift=True))["standings"][0]["state"] == "GIVEN"
    clock.advance(minutes=5)
    await withdraw(ask, member_id)
    clock.advance(minutes=5)
    again = await say(ask, running, member_id, role="mini_program", evidence=shown, birthday_gift=True)
    assert again.get("code") == "NOTICE_NOT_PRESENTED"
    assert (await standing(ask, member_id, GIFT))["state"] == "WITHDRAWN"


@pytest.mark.obligation("LB-05")
async def test_a_proof_that_is_older_than_the_holders_own_takes_nothing(ask, running, clock):
    """The former holder's phone sends its request again, half an hour long."""
    number = canary.value("phone")
    former = await join(ask, running)
    old = proof(running)
    assert (await change(ask, former, proven=old, phone=number))["__typename"] == "MemberUpdated"
    clock.advance(minutes=10)
    new = await join(ask, running, phone=number, proof=proof(running))
    await say(ask, running, new, marketing_sms=True)
    clock.advance(minutes=10)
    assert (await change(ask, former, proven=old, phone=number))["code"] == "CONTACT_TAKEN"
    assert await own_phone(ask, new) == number
    assert (await standing(ask, new, SMS))["state"] == "GIVEN"


@pytest.mark.obligation("LB-05")
async def test_a_join_that_is_sent_again_takes_nothing_from_the_member_it_made(ask, running, clock):
    query = """mutation J($fields: MemberFieldsInput!, $evidence: EvidenceInput, $proof: ContactProofInput, $key: String) {
      joinMember(purpose: "account_service", fields: $fields, evidence: $evidence, contactProof: $proof, idempotencyKey: $key) {
        ... on MemberJoined { memberId again } ... on Refusal { code } } }"""
    number = canary.value("phone")
    given = {"fields": {"phone": number}, "evidence": evidence_of(running), "proof": proof(running), "key": "join-1"}
    made = (await ask(query, role="mini_program", variables=given))["data"]["joinMember"]
    await say(ask, running, made["memberId"], marketing_sms=True)
    clock.advance(seconds=10)
    again = (await ask(query, role="mini_program", variables=given))["data"]["joinMember"]
    assert again == {"memberId": made["memberId"], "again": True}
    assert await own_phone(ask, made["memberId"]) == number
    assert (await standing(ask, made["memberId"], SMS))["state"] == "GIVEN"


@pytest.mark.obligation("LB-05")
@pytest.mark.parametrize("why", ["nobody", "erased", "no consent", "another value", "a child"])
async def test_an_update_that_is_refused_takes_nobodys_number(ask, running, why):
    number = canary.value("phone")
    holder, other = await join(ask, running, phone=number), await join(ask, running)
    await say(ask, running, holder, marketing_sms=True)
    fields, purpose = {"phone": number}, "account_service"
    if why == "nobody":
        other = "018f0000-0000-7000-8000-00000000000a"
    elif why == "erased":
        await running.operations.erase(a_call("compliance_officer"), member_id=other)
    elif why == "no consent":
        purpose = SMS
    elif why == "another value":
        fields["birthday"] = "9999-12-31"
    else:
        other = await join(ask, running, birthday="2020-01-01")
    told = await change(ask, other, purpose=purpose, proven=proof(running), **fields)
    assert told is None or told["__typename"] != "MemberUpdated"
    assert await own_phone(ask, holder) == number
    assert (await standing(ask, holder, SMS))["state"] == "GIVEN"


@pytest.mark.obligation("LB-05")
@pytest.mark.parametrize("why", ["a wrong value", "a child that says yes", "outside of the purpose"])
async def test_a_join_that_is_refused_for_what_it_gives_takes_nobodys_number(ask, running, why):
    number = canary.value("phone")
    holder = await join(ask, running, phone=number)
    more = {"a wrong value": {"birthday": "9999-12-31"}, "outside of the purpose": {"gender": "F"}}.get(
        why, {"birthday": "2020-01-01"}
    )
    query = """mutation J($fields: MemberFieldsInput!, $evidence: EvidenceInput, $proof: ContactProofInput, $yes: [DecisionInput!]) {
      joinMember(purpose: "account_service", fields: $fields, evidence: $evidence, contactProof: $proof, decisions: $yes) {
        __typename } }"""
    yes = [{"purpose": SMS, "granted": True}] if why.startswith("a child") else []
    given = {"fields": {"phone": number, **more}, "evidence": evidence_of(running), "proof": proof(running), "yes": yes}
    answer = await ask(query, role="mini_program", variables=given)
    assert answer["data"] is None or answer["data"]["joinMember"]["__typename"] != "MemberJoined", answer
    assert await own_phone(ask, holder) == number


@pytest.mark.parametrize("strange", ["\ud800", "a\x00b", "x" * 20_000])
@pytest.mark.parametrize("where", ["key", "screen", "language", "noticeVersion", "purpose", "act", "wordsDigest"])
async def test_strange_texts_are_refused_as_the_callers_fault_and_never_ours(client, token, running, strange, where):
    member_id = await a_member(running)
    shown = evidence_of(running)
    decisions = [{"purpose": strange if where == "purpose" else GIFT, "granted": True}]
    if where in {"screen", "language", "noticeVersion", "wordsDigest"}:
        shown[where] = strange
    given = {"decisions": decisions, "evidence": shown, "key": strange if where == "key" else None}
    if where == "act":
        given |= {"act": strange, "member": member_id}
    role = "store_clerk" if where == "act" else "member"
    headers = {"authorization": f"Bearer {token(role, member_id=member_id if role == 'member' else None)}"}
    body = json.dumps({"query": RECORD, "variables": given})
    told = (await client.post("/graphql", content=body, headers=headers | {"content-type": "application/json"})).json()
    codes = {error.get("extensions", {}).get("code") for error in told.get("errors", [])}
    assert "INTERNAL" not in codes, (where, told)


async def test_moments_at_the_ends_of_time_are_refused_as_the_callers_fault(ask, running):
    member_id = await join(ask, running)
    for moment in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"):
        told = await ask(
            RECORD,
            role="member",
            member_id=member_id,
            variables={"decisions": [{"purpose": GIFT, "granted": True}], "evidence": evidence_of(running, presentedAt=moment)},
        )
        codes = {error.get("extensions", {}).get("code") for error in told.get("errors", [])}
        assert "INTERNAL" not in codes and "standings" not in str(told), (moment, told)
        told = await ask(
            "query C($at: DateTime) { consents(at: $at) { state } }", role="member", member_id=member_id, variables={"at": moment}
        )
        assert "INTERNAL" not in str(told), (moment, told)
        variables = {"id": member_id, "fields": {"phone": canary.value("phone")}, "purpose": "account_service"}
        told = await ask(CHANGE, role="mini_program", variables=variables | {"proof": proof(running, provenAt=moment)})
        assert "INTERNAL" not in str(told) and "MemberUpdated" not in str(told), (moment, told)
