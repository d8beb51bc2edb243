"""Promises 1 to 3, as a front end sees them: join with everything refused; give, use, withdraw."""

import pytest

from tests.plugins import canary

JOIN = """
mutation Join($fields: MemberFieldsInput!, $decisions: [DecisionInput!]!, $evidence: EvidenceInput) {
  joinMember(purpose: "account_service", fields: $fields, decisions: $decisions, evidence: $evidence) {
    __typename
    ... on MemberJoined { memberId status }
    ... on Refusal { code message zh }
  }
}"""
ANSWER = """
mutation Answer($decisions: [DecisionInput!]!, $evidence: EvidenceInput) {
  recordConsents(decisions: $decisions, evidence: $evidence) {
    __typename
    ... on ConsentsRecorded { standings { purpose state } }
    ... on Refusal { code }
  }
}"""
WITHDRAW = """
mutation { withdrawConsent(purpose: "birthday_gift", channel: MINI_PROGRAM) {
  __typename ... on ConsentsRecorded { standings { purpose state } } } }"""
GIFT = """
query Gift($id: ID!) {
  member(id: $id, purpose: "birthday_gift") {
    id name phone birthday
    withheld { field reason purpose remedy { operation notice } }
  }
}"""


def shown(running) -> dict[str, object]:
    """What a mini-program sends along: the notice in force, shown half a minute ago."""
    notice = running.catalogue.notice_in_force(running.clock())
    return {
        "noticeVersion": notice.version,
        "language": "zh-CN",
        "presentedAt": "2026-11-22T01:59:30Z",
        "expression": "BUTTON",
        "screen": "mini/join",
        "channel": "MINI_PROGRAM",
    }


async def joined(ask, running, decisions=(), **fields) -> str:
    """The id of somebody new."""
    variables = {"fields": fields, "decisions": list(decisions), "evidence": shown(running)}
    answer = await ask(JOIN, role="mini_program", variables=variables)
    return answer["data"]["joinMember"]["memberId"]


@pytest.mark.obligation("LB-03")
async def test_a_phone_number_and_a_no_to_everything_make_a_member_whose_own_page_works(ask, running):
    refused = [{"purpose": key, "granted": False} for key, p in running.catalogue.purposes.items() if p.basis == "CONSENT"]
    member_id = await joined(ask, running, refused, phone=canary.value("phone"))
    answer = await ask("{ me { phone tier points joinedOn withheld { field } } }", role="member", member_id=member_id)
    assert answer["data"]["me"]["phone"] and answer["data"]["me"]["withheld"] == []


async def test_consent_read_withdraw_withheld(ask, running):
    member_id = await joined(ask, running, phone=canary.value("phone"), birthday="1990-07-14")
    yes = {"decisions": [{"purpose": "birthday_gift", "granted": True}], "evidence": shown(running)}

    before = (await ask(GIFT, role="marketer", variables={"id": member_id}))["data"]["member"]
    assert before["birthday"] is None
    assert {w["field"]: w["reason"] for w in before["withheld"]} == {
        "name": "FIELD_NOT_IN_PURPOSE",
        "phone": "FIELD_NOT_IN_PURPOSE",
        "birthday": "CONSENT_REQUIRED",
    }

    given = await ask(ANSWER, role="member", member_id=member_id, variables=yes)
    assert given["data"]["recordConsents"]["standings"] == [{"purpose": "birthday_gift", "state": "GIVEN"}]
    assert (await ask(GIFT, role="marketer", variables={"id": member_id}))["data"]["member"]["birthday"] == "1990-07-14"

    taken = await ask(WITHDRAW, role="member", member_id=member_id)
    assert taken["data"]["withdrawConsent"]["standings"] == [{"purpose": "birthday_gift", "state": "WITHDRAWN"}]
    after = (await ask(GIFT, role="marketer", variables={"id": member_id}))["data"]["member"]
    assert after["birthday"] is None
    assert {"field": "birthday", "reason": "CONSENT_WITHDRAWN", "purpose": "birthday_gift",
            "remedy": {"operation": "recordConsents", "notice": "2026-10"}} in after["withheld"]  # fmt: skip


@pytest.mark.obligation("NC-04")
async def test_joining_before_the_notice_was_shown_is_refused_in_both_languages(ask, running):
    variables = {"fields": {"phone": canary.value("phone")}, "decisions": [], "evidence": None}
    answer = (await ask(JOIN, role="mini_program", variables=variables))["data"]["joinMember"]
    assert (answer["__typename"], answer["code"]) == ("NoticeNotPresented", "NOTICE_NOT_PRESENTED")
    assert answer["message"] and answer["zh"]


@pytest.mark.obligation("LB-02")
async def test_a_field_outside_the_purpose_is_named_and_nothing_is_stored(ask, running):
    member_id = await joined(ask, running, phone=canary.value("phone"))
    answer = await ask(
        'mutation($id: ID!) { updateMember(memberId: $id, purpose: "order_fulfilment", changes: {birthday: "1990-07-14"}) '
        "{ __typename ... on FieldNotInPurpose { fields } } }",
        role="mini_program",
        variables={"id": member_id},
    )
    assert answer["data"]["updateMember"] == {"__typename": "FieldNotInPurpose", "fields": ["birthday"]}
    mine = await ask("{ me { birthday } }", role="member", member_id=member_id)
    assert mine["data"]["me"]["birthday"] is None


async def test_what_is_withdrawn_on_one_instance_is_withheld_by_the_next_request_on_another(ask, running, config, clock):
    import httpx2

    from service.addresses import build
    from service.app import issue_token, parts

    if running.database.dialect == "sqlite":
        config = (
            config.model_copy()
        )  # a second process would be refused by the lock; here it is the same process's second instance
    member_id = await joined(ask, running, phone=canary.value("phone"), birthday="1990-07-14")
    yes = {"decisions": [{"purpose": "birthday_gift", "granted": True}], "evidence": shown(running)}
    await ask(ANSWER, role="member", member_id=member_id, variables=yes)
    async with parts(config, clock=clock) as other:
        transport = httpx2.ASGITransport(app=build(other))
        async with httpx2.AsyncClient(transport=transport, base_url="http://other.test") as client:
            headers = {"authorization": f"Bearer {issue_token(other, role='marketer')}"}

            async def read():
                body = {"query": GIFT, "variables": {"id": member_id}}
                return (await client.post("/graphql", json=body, headers=headers)).json()["data"]["member"]["birthday"]

            assert await read() == "1990-07-14"
            await ask(WITHDRAW, role="member", member_id=member_id)
            assert await read() is None
