"""Asking: what a screen may put to a member, in which words, and when it must leave them in peace (NC-11)."""

import hashlib

import pytest

from tests.api.front_end import entries
from tests.service.consent.screens import ASK, GIFT, MAIL, PARTNER, SKIN, SMS, WITHDRAW, alone, join, questions, say, standing


@pytest.mark.obligation("NC-11")
@pytest.mark.parametrize("how", ["refused", "withdrawn", "put off", "not answered"])
async def test_after_a_no_or_no_answer_nobody_is_asked_again_for_thirty_days_and_then_once(ask, running, clock, how):
    member_id = await join(ask, running)
    assert await questions(ask, member_id, GIFT) == ([GIFT], {})
    if how == "withdrawn":
        await say(ask, running, member_id, birthday_gift=True)
        await ask(WITHDRAW, role="member", member_id=member_id, variables={"purpose": GIFT})
    elif how != "not answered":
        await say(ask, running, member_id, birthday_gift=None if how == "put off" else False)
    clock.advance(days=29)
    assert await questions(ask, member_id, GIFT) == ([], {GIFT: "REASK_COOLDOWN"})
    clock.advance(days=2)
    assert await questions(ask, member_id, GIFT) == ([GIFT], {})
    assert await questions(ask, member_id, GIFT) == ([], {GIFT: "REASK_COOLDOWN"})


@pytest.mark.obligation("NC-11")
async def test_the_pause_ends_at_its_moment_and_not_before(ask, running, clock):
    member_id = await join(ask, running)
    await say(ask, running, member_id, birthday_gift=False)
    variables = {"purposes": [GIFT], "channel": "WEB", "initiator": "SYSTEM", "member": member_id}
    (told,) = (await ask(ASK, role="mini_program", variables=variables))["data"]["consentsToAsk"]["notNow"]
    assert told["until"].startswith("2026-12-22T02:00:00")
    clock.advance(days=30, microseconds=-1)
    assert (await questions(ask, member_id, GIFT))[0] == []
    clock.advance(microseconds=1)
    assert (await questions(ask, member_id, GIFT))[0] == [GIFT]


@pytest.mark.obligation("NC-11")
async def test_a_member_who_begins_by_themselves_is_not_held_up(ask, running, clock):
    member_id = await join(ask, running)
    await say(ask, running, member_id, birthday_gift=False)
    assert (await questions(ask, member_id, GIFT, by="MEMBER"))[0] == [GIFT]
    variables = {"purposes": [GIFT], "channel": "WEB", "initiator": "MEMBER"}
    own = await ask(ASK, role="member", member_id=member_id, variables=variables)
    assert own["data"]["consentsToAsk"]["questions"][0]["purpose"] == GIFT
    assert await questions(ask, member_id, GIFT) == ([], {GIFT: "REASK_COOLDOWN"}), "and what was asked counts for everybody else"


@pytest.mark.obligation("NC-11")
async def test_a_members_own_token_cannot_pass_for_the_system(ask, running):
    member_id = await join(ask, running)
    variables = {"purposes": [GIFT], "channel": "WEB", "initiator": "SYSTEM"}
    answer = await ask(ASK, role="member", member_id=member_id, variables=variables)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    (entry,) = await entries(running, "consentsToAsk")
    assert (entry["dec"], entry["rsn"]) == ("deny", "FORBIDDEN")


@pytest.mark.obligation("NC-11")
async def test_by_text_message_a_question_is_put_once_and_never_again(ask, running, clock):
    member_id = await join(ask, running)
    assert (await questions(ask, member_id, SMS, channel="SMS"))[0] == [SMS]
    clock.advance(days=400)
    for by in ("SYSTEM", "MEMBER"):
        assert await questions(ask, member_id, SMS, channel="SMS", by=by) == ([], {SMS: "ASKED_ONCE"})
    assert (await questions(ask, member_id, SMS, channel="WEB"))[0] == [SMS], "elsewhere it may be asked"


@pytest.mark.obligation("NC-11", "SM-03")
async def test_a_question_comes_with_its_published_words_and_with_all_that_the_law_wants_said(ask, running):
    member_id = await join(ask, running)
    variables = {"purposes": [SKIN, SMS], "channel": "MINI_PROGRAM", "initiator": "SYSTEM", "member": member_id}
    found = (await ask(ASK, role="mini_program", variables=variables))["data"]["consentsToAsk"]
    skin, sms = found["questions"]
    words = {each["language"]: each for each in skin["words"]}
    assert set(words) == {"zh-CN", "en"} and skin["separate"] and not sms["separate"]
    assert skin["necessity"]["zh"] in words["zh-CN"]["text"] and skin["impact"]["zh"] in words["zh-CN"]["text"]
    assert all(hashlib.sha256(each["text"].encode()).hexdigest() == each["digest"] for each in skin["words"])
    assert {each["key"]: each["sensitivity"] for each in skin["fields"]}["skin_type"] == "SENSITIVE"
    assert sms["recipients"][0]["name"]["zh"] and (sms["months"], sms["endsAt"]) == (12, "2027-11-22T16:00:00Z")
    assert skin["noticeVersion"] == running.catalogue.notice_in_force(running.clock()).version


async def test_what_is_asked_is_on_record_and_what_is_answered_with_its_words_counts(ask, running):
    member_id = await join(ask, running)
    await questions(ask, member_id, SKIN, MAIL)
    assert (await standing(ask, member_id, SKIN))["state"] == "REQUESTED"
    (entry,) = await entries(running, "consentsToAsk")
    assert (entry["dec"], entry["x"]["purposes"]) == ("allow", [SKIN, MAIL]) and len(entry["sub"]) == 1
    assert (await say(ask, running, member_id, evidence=alone(running, SKIN), skin_profile=True))[
        "__typename"
    ] == "ConsentsRecorded"
    assert (await standing(ask, member_id, SKIN))["state"] == "GIVEN"


async def test_what_cannot_be_asked_says_why_and_leaves_no_mark(ask, running):
    member_id = await join(ask, running)
    await say(ask, running, member_id, birthday_gift=True)
    asked, reasons = await questions(ask, member_id, GIFT, "order_fulfilment", "nothing_of_ours")
    assert asked == []
    assert reasons == {GIFT: "ALREADY_GIVEN", "order_fulfilment": "NOT_CONSENT_BASED", "nothing_of_ours": "PURPOSE_UNKNOWN"}
    (entry,) = await entries(running, "consentsToAsk")
    assert (entry["dec"], entry["rsn"]) == ("deny", "ALREADY_GIVEN")


@pytest.mark.obligation("SM-05", "SM-07")
async def test_a_child_is_not_asked_and_a_youth_not_for_what_may_never_be_done_to_them(ask, running):
    child, youth = [await join(ask, running, birthday=day) for day in ("2015-01-01", "2010-01-01")]
    assert (await questions(ask, child, GIFT))[1] == {GIFT: "GUARDIAN_CONSENT_REQUIRED"}
    found = await questions(ask, youth, GIFT, "personalised_recommendation")
    assert found == ([GIFT], {"personalised_recommendation": "MINOR_ADM_MARKETING_FORBIDDEN"})


async def test_a_consent_that_ends_within_one_pause_may_be_asked_for_again(ask, running, clock):
    member_id = await join(ask, running)
    await say(ask, running, member_id, marketing_sms=True)
    clock.advance(days=334)
    assert (await questions(ask, member_id, SMS))[1] == {SMS: "ALREADY_GIVEN"}
    clock.advance(days=2)
    assert (await questions(ask, member_id, SMS))[0] == [SMS]
    assert (await questions(ask, member_id, SMS))[1] == {SMS: "REASK_COOLDOWN"}


async def test_a_token_narrowed_to_one_purpose_asks_for_no_other(ask, running):
    member_id = await join(ask, running)
    variables = {"purposes": [GIFT], "channel": "WEB", "initiator": "SYSTEM", "member": member_id}
    answer = await ask(ASK, role="mini_program", purposes=[SMS], variables=variables)
    assert answer["errors"][0]["extensions"]["code"] == "ROLE_NOT_ALLOWED"


async def test_nobody_else_is_told_whether_a_member_is_there(ask, running):
    variables = {"purposes": [PARTNER], "channel": "WEB", "initiator": "SYSTEM", "member": "019a0000-0000-7000-8000-00000000dead"}
    answer = await ask(ASK, role="mini_program", variables=variables)
    assert answer["data"]["consentsToAsk"]["code"] == "MEMBER_NOT_FOUND"
