"""Taking back: one call, no reason, nothing asked in return; and all of it at once (WD-01, WD-02, WD-06)."""

from datetime import datetime, timedelta

import pytest
from graphql import GraphQLInputObjectType, is_non_null_type

from schema.root import served
from tests.api.front_end import entries
from tests.service.consent.screens import (
    CONSENTS,
    GIFT,
    MAIL,
    SKIN,
    SMS,
    WITHDRAW,
    WITHDRAW_ALL,
    alone,
    join,
    questions,
    say,
    standing,
    why_withheld,
)

BENEFITS = "{ me { tier points joinedOn } consents { purpose state } }"


@pytest.mark.obligation("WD-01")
async def test_what_was_given_in_one_call_is_taken_back_in_one_call_and_holds_from_the_next_request(ask, running):
    member_id = await join(ask, running, birthday="1990-07-14")
    await say(ask, running, member_id, birthday_gift=True)
    assert await why_withheld(ask, member_id, GIFT) == {}
    taken = await ask(WITHDRAW, role="member", member_id=member_id, variables={"purpose": GIFT})
    assert taken["data"]["withdrawConsent"]["standings"] == [{"purpose": GIFT, "state": "WITHDRAWN"}]
    assert set((await why_withheld(ask, member_id, GIFT)).values()) == {"CONSENT_WITHDRAWN"}
    again = await ask(WITHDRAW, role="member", member_id=member_id, variables={"purpose": GIFT})
    assert again["data"] == taken["data"]


@pytest.mark.obligation("WD-01")
def test_taking_back_needs_no_more_than_giving_and_asks_for_no_reason_and_no_proof():
    mutation = served.mutation_type
    assert mutation is not None
    for name in ("withdrawConsent", "withdrawAll"):
        given = mutation.fields[name].args
        assert set(given) <= {"purpose", "channel", "memberId"}
        assert not [key for key, argument in given.items() if isinstance(argument.type, GraphQLInputObjectType)]
        assert not is_non_null_type(given["memberId"].type)


@pytest.mark.obligation("WD-01")
async def test_all_of_it_is_taken_back_at_once_and_only_what_changed_is_told(ask, running):
    member_id = await join(ask, running)
    await say(ask, running, member_id, marketing_sms=True, marketing_email=True, birthday_gift=False)
    await say(ask, running, member_id, evidence=alone(running, SKIN), skin_profile=True)
    taken = (await ask(WITHDRAW_ALL, role="member", member_id=member_id))["data"]["withdrawAll"]
    assert {(each["purpose"], each["state"]) for each in taken["standings"]} == {(key, "WITHDRAWN") for key in (SMS, MAIL, SKIN)}
    assert (await ask(WITHDRAW_ALL, role="member", member_id=member_id))["data"]["withdrawAll"]["standings"] == []
    found = (await ask(CONSENTS, role="member", member_id=member_id))["data"]["consents"]
    assert not [each for each in found if each["state"] in {"GIVEN", "RENEWED"}]
    assert (await standing(ask, member_id, GIFT))["state"] == "REFUSED", "what was never given is not rewritten"
    first, second = await entries(running, "withdrawAll")
    assert sorted(first["x"]["purposes"]) == sorted((SMS, MAIL, SKIN)) and second["x"]["purposes"] == []
    assert (first["dec"], second["dec"]) == ("allow", "allow")


@pytest.mark.obligation("WD-02")
async def test_what_stood_before_stands_in_the_past_for_ever(ask, running, clock):
    given_at = clock()
    member_id = await join(ask, running)
    await say(ask, running, member_id, birthday_gift=True)
    clock.advance(days=3)
    withdrawn_at = clock()
    await ask(WITHDRAW_ALL, role="member", member_id=member_id)
    instant = timedelta(microseconds=1)

    async def state(at: datetime) -> str:
        return (await standing(ask, member_id, GIFT, at=at.isoformat()))["state"]

    moments = (given_at - instant, given_at, withdrawn_at - instant, withdrawn_at, withdrawn_at + timedelta(days=400))
    assert [await state(at) for at in moments] == ["NEVER_ASKED", "GIVEN", "GIVEN", "WITHDRAWN", "WITHDRAWN"]


@pytest.mark.obligation("WD-06")
async def test_a_withdrawal_costs_nothing_but_what_it_was_for_and_starts_no_conversation(ask, running):
    member_id = await join(ask, running)
    service = {"id": member_id, "fields": {"tier": "金卡", "points": 1200}}
    query = """mutation Shop($id: ID!, $fields: MemberFieldsInput!) {
      updateMember(memberId: $id, purpose: "account_service", changes: $fields) { __typename } }"""
    await ask(query, role="mini_program", variables=service)
    await say(ask, running, member_id, birthday_gift=True, marketing_sms=True)
    before = (await ask(BENEFITS, role="member", member_id=member_id))["data"]
    taken = await ask(WITHDRAW, role="member", member_id=member_id, variables={"purpose": SMS})
    after = (await ask(BENEFITS, role="member", member_id=member_id))["data"]
    assert after["me"] == before["me"] and before["me"]["points"] == 1200
    changed = {each["purpose"] for each in before["consents"]} - {
        e["purpose"] for e in after["consents"] if e in before["consents"]
    }
    assert changed == {SMS}
    assert set(taken["data"]["withdrawConsent"]) == {"__typename", "standings"}
    assert await questions(ask, member_id, SMS) == ([], {SMS: "REASK_COOLDOWN"})


@pytest.mark.obligation("WD-06")
def test_the_answer_to_a_withdrawal_has_no_room_for_a_question_or_an_offer():
    recorded = served.type_map["ConsentsRecorded"]
    assert set(recorded.fields) == {"standings"}  # type: ignore[union-attr]
    assert {t.name for t in served.type_map["WithdrawAllResult"].types} == {"ConsentsRecorded", "MemberNotFound"}  # type: ignore[union-attr]
