"""Numbers are given out again: whoever proves one holds it, and what its former holder agreed to reaches nobody (LB-05)."""

import json
from datetime import timedelta

import pytest

from service.audit.entry import Draft
from service.consent import contacts
from service.values import Actor, ActorKind, Call
from service.vault.normalise import normalise
from tests.api.front_end import entries
from tests.plugins import canary
from tests.service.consent.screens import GIFT, MAIL, READ, SMS, join, say, standing, why_withheld

CODE = "e31968a7f94cc5ee25fafc2aef2773f0bb8c3937b22520eb8ee345274d00c144"
CONTACTS = "query C($id: ID, $purpose: PurposeKey) { contacts(memberId: $id, purpose: $purpose) { field verifiedAt } }"
CHANGE = """mutation Change($id: ID, $fields: MemberFieldsInput!, $proof: ContactProofInput, $purpose: PurposeKey!) {
  updateMember(memberId: $id, purpose: $purpose, changes: $fields, contactProof: $proof) { __typename
    ... on FieldRejected { code field rule } ... on Refusal { code } } }"""


def proof(running, **more):
    at = running.clock() - timedelta(seconds=20)
    return {"field": "phone", "method": "SMS_CODE", "provenAt": at.isoformat()} | more


def by_wechat(running, *, age=10, **more):
    """WeChat vouches for the number."""
    stamp = (running.clock() - timedelta(seconds=age)).isoformat()
    said = {"appid": running.catalogue.controller.brands[0].wechat_appid, "timestamp": stamp, "code": CODE} | more
    return proof(running, method="WECHAT_PHONE_CODE", wechat=said)


async def change(ask, member_id, role="mini_program", purpose="account_service", *, proven=None, **fields):
    mine = role == "member"
    variables = {"id": None if mine else member_id, "fields": fields, "proof": proven, "purpose": purpose}
    answer = await ask(CHANGE, role=role, member_id=member_id if mine else None, variables=variables)
    return answer["data"]["updateMember"]


@pytest.mark.obligation("LB-05")
async def test_a_proven_number_goes_over_and_the_former_holders_consents_to_it_lose_their_ground(ask, running):
    number = canary.value("phone")
    former = await join(ask, running, phone=number)
    await say(ask, running, former, marketing_sms=True, marketing_email=True, birthday_gift=True)
    assert await why_withheld(ask, former, SMS) == {}
    new = await join(ask, running, phone=number, proof=proof(running))
    assert new not in {former, "CONTACT_TAKEN"}
    assert (await standing(ask, former, SMS))["state"] == "INVALIDATED"
    assert await why_withheld(ask, former, SMS) == {"phone": "CONSENT_REQUIRED"}
    assert [(await standing(ask, former, key))["state"] for key in (MAIL, GIFT)] == ["GIVEN", "GIVEN"], "other channels stay"
    found = (await ask("{ me { phone } }", role="member", member_id=former))["data"]["me"]
    assert found == {"phone": None}, "a stranger's number is not shown as theirs"
    history = await ask("{ consentHistory { purpose state record } }", role="member", member_id=former)
    newest = history["data"]["consentHistory"][-1]
    record = json.loads(newest["record"])
    assert (newest["purpose"], record["entityRole"]) == (SMS, "system")
    assert record["source"] == {"cause": "CONTACT_PROVEN_BY_ANOTHER", "field": "phone", "method": "SMS_CODE"}
    (entry,) = await entries(running, "releaseContact")
    assert (entry["x"]["purposes"], entry["fld"], entry["cnt"]) == ([SMS], ["phone"], 1) and len(entry["sub"]) == 1
    by_number = """query By($value: String!) {
      memberByContact(field: "phone", value: $value, purpose: "customer_service") { id } }"""
    assert (await ask(by_number, role="customer_service_agent", variables={"value": number}))["data"]["memberByContact"][
        "id"
    ] == new


@pytest.mark.obligation("LB-05")
async def test_without_a_proof_nobody_takes_a_number_from_anybody(ask, running):
    number = canary.value("phone")
    holder = await join(ask, running, phone=number)
    await say(ask, running, holder, marketing_sms=True)
    assert await join(ask, running, phone=number) == "CONTACT_TAKEN"
    assert (await standing(ask, holder, SMS))["state"] == "GIVEN"
    assert await entries(running, "releaseContact") == []


@pytest.mark.obligation("LB-05")
@pytest.mark.parametrize("wrong", ["too old", "of the future", "of another field", "of no contact"])
async def test_a_proof_that_proves_nothing_takes_nothing(ask, running, wrong):
    number = canary.value("phone")
    holder = await join(ask, running, phone=number)
    moments = {"too old": timedelta(minutes=-31), "of the future": timedelta(minutes=1)}
    fields = {"of another field": "wechat_openid", "of no contact": "name"}
    at = running.clock() + moments.get(wrong, timedelta(0))
    given = proof(running, provenAt=at.isoformat(), field=fields.get(wrong, "phone"))
    assert await join(ask, running, phone=number, proof=given) == "FIELD_REJECTED"
    assert (await ask("{ me { phone } }", role="member", member_id=holder))["data"]["me"]["phone"]


@pytest.mark.obligation("LB-05", "SE-05")
async def test_a_members_own_word_is_no_proof_and_staff_have_none_to_give(ask, running):
    number = canary.value("phone")
    holder, other = await join(ask, running, phone=number), await join(ask, running)
    mine = await change(ask, other, "member", running.catalogue.self_purpose, proven=proof(running), phone=number)
    assert (mine["code"], mine["rule"]) == ("FIELD_REJECTED", "PROOF_INVALID")
    by_staff = await change(ask, other, "customer_service_agent", "customer_service", proven=proof(running), phone=number)
    assert by_staff["code"] == "FIELD_REJECTED"
    assert (await ask("{ me { phone } }", role="member", member_id=holder))["data"]["me"]["phone"]


@pytest.mark.obligation("LB-05", "NC-04")
async def test_a_join_that_is_refused_takes_nobodys_number(ask, running):
    number = canary.value("phone")
    holder = await join(ask, running, phone=number)
    query = """mutation J($fields: MemberFieldsInput!, $proof: ContactProofInput) {
      joinMember(purpose: "account_service", fields: $fields, contactProof: $proof) { __typename } }"""
    variables = {"fields": {"phone": number}, "proof": proof(running)}
    answer = await ask(query, role="mini_program", variables=variables)
    assert answer["data"]["joinMember"]["__typename"] == "NoticeNotPresented"
    for role in ("marketer", "order_service"):
        await ask(query, role=role, variables=variables)
    assert (await ask("{ me { phone } }", role="member", member_id=holder))["data"]["me"]["phone"]


@pytest.mark.obligation("LB-05")
async def test_a_member_sees_when_each_contact_was_last_proven(ask, running, clock):
    member_id = await join(ask, running)
    assert (await ask(CONTACTS, role="member", member_id=member_id))["data"]["contacts"] == [
        {"field": "phone", "verifiedAt": None}
    ]
    number = canary.value("phone")
    assert (await change(ask, member_id, proven=proof(running), phone=number))["__typename"] == "MemberUpdated"
    proven = (clock() - timedelta(seconds=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = (await ask(CONTACTS, role="member", member_id=member_id))["data"]["contacts"]
    assert found == [{"field": "phone", "verifiedAt": proven}]
    await change(ask, member_id, phone=canary.value("phone"))
    found = (await ask(CONTACTS, role="compliance_officer", variables={"id": member_id, "purpose": "audit"}))["data"]["contacts"]
    assert found == [{"field": "phone", "verifiedAt": None}], "another number, which nobody proved"


@pytest.mark.obligation("LB-05")
async def test_a_change_of_number_takes_it_over_too(ask, running):
    number = canary.value("phone")
    former, new = await join(ask, running, phone=number), await join(ask, running)
    await say(ask, running, former, marketing_sms=True)
    assert (await change(ask, new, phone=number))["code"] == "CONTACT_TAKEN"
    assert (await change(ask, new, proven=by_wechat(running), phone=number))["__typename"] == "MemberUpdated"
    assert (await standing(ask, former, SMS))["state"] == "INVALIDATED"
    own = await ask(READ, role="order_service", variables={"id": new, "purpose": "order_fulfilment"})
    assert own["data"]["member"]["phone"] == number


@pytest.mark.obligation("LB-05")
async def test_killed_between_the_two_units_the_request_is_simply_sent_again(ask, running):
    number = canary.value("phone")
    former = await join(ask, running, phone=number)
    await say(ask, running, former, marketing_sms=True)
    given = contacts.ContactProof("phone", contacts.ContactMethod.SMS_CODE, running.clock())
    digest = running.vault.lookup("phone", normalise("phone", number, appid=""))
    call = Call(Actor(ActorKind.SERVICE, "mini_program-1", frozenset({"mini_program"})), "r-1")

    async def release(unit):
        return await contacts.release(unit, holder=former, proof=given, digest=digest)

    draft = Draft(typ="change", operation="releaseContact")
    lost = await running.units.change(call, draft, release)
    assert [each.purpose for each in lost] == [SMS], "the process dies here, with the number free and nobody's"
    assert await running.units.change(call, draft, release) == ()
    new = await join(ask, running, phone=number, proof=proof(running))
    assert (await ask("{ me { phone } }", role="member", member_id=new))["data"]["me"]["phone"] == number


@pytest.mark.obligation("WX-03")
@pytest.mark.parametrize(
    ("age", "wrong"),
    [(10, {"appid": "wxffffffffffffff99"}), (301, {}), (-60, {}), (10, {"code": ""}), (10, {"code": "x" * 513})],
)
async def test_a_watermark_of_another_app_or_of_long_ago_proves_no_number(ask, running, age, wrong):
    number = canary.value("phone")
    former, new = await join(ask, running, phone=number), await join(ask, running)
    refused = await change(ask, new, proven=by_wechat(running, age=age, **wrong), phone=number)
    assert (refused["__typename"], refused["rule"]) == ("FieldRejected", "PROOF_INVALID")
    bare = await change(ask, new, proven=proof(running, method="WECHAT_PHONE_CODE"), phone=number)
    assert bare["rule"] == "PROOF_INVALID", "a number that nobody but the client vouches for"
    own = await ask(READ, role="order_service", variables={"id": former, "purpose": "order_fulfilment"})
    assert own["data"]["member"]["phone"] == number


@pytest.mark.obligation("WX-03")
async def test_a_code_of_wechat_proves_one_number_once_and_is_kept_nowhere(ask, running):
    canary.watch("a code of WeChat's", CODE)
    first, second = await join(ask, running), await join(ask, running)
    assert (await change(ask, first, proven=by_wechat(running), phone=canary.value("phone")))["__typename"] == "MemberUpdated"
    again = await change(ask, second, proven=by_wechat(running), phone=canary.value("phone"))
    assert (again["__typename"], again["rule"]) == ("FieldRejected", "CODE_REUSED")
    other = by_wechat(running, code=CODE[::-1])
    assert (await change(ask, second, proven=other, phone=canary.value("phone")))["__typename"] == "MemberUpdated"
