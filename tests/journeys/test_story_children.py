"""Story: a mother tells the baby's birthday; and a child of thirteen turns fourteen, then eighteen."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from tests.journeys.shop import OPTIONAL

BORN = "2013-06-01"
"""Thirteen on the day the story begins."""

LINK = "mutation L($child: ID!) { requestGuardianLink(memberId: $child) { ... on GuardianLink { state } } }"
VERIFY = """mutation V($child: ID!, $guardian: ID!) { verifyGuardian(memberId: $child, guardianId: $guardian, method: MOBILE_CODE) {
  ... on GuardianLink { state } } }"""
APPROVE = """mutation A($staff: String!, $id: ID!, $until: DateTime!) {
  approveMinorAccess(staff: $staff, memberId: $id, reason: "家长来电核对订单", expiresAt: $until) { ... on MinorApproval { approvalId } } }"""


@pytest.fixture
async def li(shop):
    """She is thirteen and has joined by herself."""
    return await shop.join(birthday=BORN, tier="gold")


async def guardian_of(shop, child):
    """Her mother, a member too, who proves who she is."""
    mother = await shop.join(birthday="1985-03-03")
    await shop.does(LINK, who=mother, child=child)
    verified = await shop.does(VERIFY, role="mini_program", child=child, guardian=mother)
    assert verified["verifyGuardian"]["state"] == "VERIFIED"
    return mother


def midnight(year, month, day):
    """The beginning of a day in Shanghai."""
    return datetime(year, month, day, tzinfo=UTC) - timedelta(hours=8)


@pytest.mark.obligation("NC-07", "SM-03", "SM-05", "SM-06", "WD-04")
async def test_the_babys_birthday_is_taken_after_a_consent_of_its_own_and_goes_with_it(shop, works, clock):
    mother = await shop.join(birthday="1992-02-02")
    birthday = {"attributes": [{"key": "baby_birthday", "text": "2026-05-05"}]}
    assert await shop.tells(mother, "baby_care", **birthday) == "CONSENT_NEEDED", "nothing is collected before it"

    question = await shop.may_ask(mother, "baby_care")
    shown = {each["language"]: each["text"] for each in question["words"]}["zh-CN"]
    assert question["separate"] and question["necessity"]["zh"] in shown and question["impact"]["zh"] in shown
    bundled = await shop.says(mother, "baby_care", yes=True, screen_shows=2)
    assert bundled["code"] == "SEPARATE_CONSENT_REQUIRED", "on a screen that asked for something else, too"
    unread = await shop.records(mother, "baby_care", yes=True, evidence=await shop.shown("CHILD", screenPurposeCount=1))
    assert unread["code"] == "SEPARATE_CONSENT_REQUIRED", "on a screen without these words"
    read = await shop.shown(screenPurposeCount=1, wordsDigest=hashlib.sha256(shown.encode()).hexdigest())
    general = await shop.records(mother, "baby_care", yes=True, evidence=read)
    assert general["code"] == "NOTICE_NOT_PRESENTED", "the rules for children have to be shown"

    assert (await shop.says(mother, "baby_care", yes=True))["state"] == "GIVEN"
    assert await shop.tells(mother, "baby_care", **birthday) == "MemberUpdated"
    assert await shop.sees("recommender", mother, "baby_care", "baby_birthday") == "2026-05-05"

    await shop.withdraws(mother, "baby_care")
    await works()
    assert await shop.sees("recommender", mother, "baby_care", "baby_birthday") == "CONSENT_WITHDRAWN"
    clock.advance(minutes=1)
    assert (await shop.says(mother, "baby_care", yes=True))["state"] == "GIVEN"
    assert await shop.sees("recommender", mother, "baby_care", "baby_birthday") is None, "deleted, not hidden"


@pytest.mark.obligation("SM-05", "SM-06")
async def test_before_her_guardian_has_answered_nothing_is_done_with_a_child_and_then_what_was_allowed(shop, li):
    assert await shop.sees("order_service", li, "order_fulfilment", "phone") == "GUARDIAN_CONSENT_REQUIRED"
    own = await shop.records(li, "birthday_gift", yes=True, evidence=await shop.shown())
    assert own["code"] == "GUARDIAN_CONSENT_REQUIRED"

    mother = await guardian_of(shop, li)
    general = await shop.records(mother, "birthday_gift", yes=True, evidence=await shop.shown(), of=li)
    assert general["code"] == "NOTICE_NOT_PRESENTED", "the rules for children have to be shown"
    given = await shop.records(mother, "birthday_gift", yes=True, evidence=await shop.shown("CHILD"), of=li)
    assert given["state"] == "GIVEN"
    assert await shop.sees("mini_program", li, "birthday_gift", "birthday") == BORN
    assert await shop.sees("order_service", li, "order_fulfilment", "phone")
    assert (await shop.consent(li, "birthday_gift"))["byGuardian"] is True


@pytest.mark.obligation("SM-08", "SM-05", "NC-12")
async def test_a_guardian_who_refuses_everything_leaves_the_child_a_shop_that_works(shop, li):
    mother = await guardian_of(shop, li)
    for purpose in OPTIONAL:
        said = await shop.records(mother, purpose, yes=False, evidence=await shop.shown("CHILD"), of=li)
        assert said["state"] == "REFUSED"
    assert await shop.sees("order_service", li, "order_fulfilment", "phone")
    assert await shop.sees("mini_program", li, "membership_benefits", "tier") == "gold"
    assert (await shop.own_page(li))["tier"] == "gold"
    for role, purpose, field in (("marketer", "marketing_sms", "phone"), ("mini_program", "birthday_gift", "birthday")):
        assert await shop.sees(role, li, purpose, field) == "CONSENT_REQUIRED"


@pytest.mark.obligation("SM-05", "SM-07")
async def test_at_fourteen_she_answers_for_herself_and_at_eighteen_a_machine_may_recommend(shop, li, clock):
    mother = await guardian_of(shop, li)
    await shop.records(mother, "birthday_gift", yes=True, evidence=await shop.shown("CHILD"), of=li)
    clock.now = midnight(2027, 6, 1) - timedelta(seconds=1)
    assert (await shop.records(li, "marketing_email", yes=True, evidence=await shop.shown()))[
        "code"
    ] == "GUARDIAN_CONSENT_REQUIRED"

    clock.now = midnight(2027, 6, 1)
    assert await shop.writes_herself(li, region="上海市") == "MemberUpdated"
    assert (await shop.says(li, "marketing_email", yes=True))["state"] == "GIVEN"
    recommend = await shop.may_ask(li, "personalised_recommendation")
    assert recommend["reason"] == "MINOR_ADM_MARKETING_FORBIDDEN", "not even asked"
    given = await shop.records(li, "personalised_recommendation", yes=True, evidence=await shop.shown())
    assert given["state"] == "GIVEN", "she may say it"
    assert await shop.sees("recommender", li, "personalised_recommendation", "region") == "MINOR_ADM_MARKETING_FORBIDDEN"

    clock.now = midnight(2031, 6, 1) - timedelta(seconds=1)
    given = await shop.records(li, "personalised_recommendation", yes=True, evidence=await shop.shown())
    assert await shop.sees("recommender", li, "personalised_recommendation", "region") == "MINOR_ADM_MARKETING_FORBIDDEN"
    clock.now = midnight(2031, 6, 1)
    assert await shop.sees("recommender", li, "personalised_recommendation", "region") == "上海市"


@pytest.mark.obligation("SM-09")
async def test_staff_see_a_minor_masked_until_somebody_else_has_approved_the_look(shop, clock):
    youth = await shop.join(birthday="2010-06-01", tier="gold")
    masked = await shop.looks("customer_service_agent", youth, "customer_service")
    assert masked["tier"] == "***" and {"name", "phone", "tier"} <= {*masked["masked"], "name"}

    until = (clock() + timedelta(days=7)).isoformat()
    agent = "customer_service_agent@development"
    await shop.does(APPROVE, role="compliance_officer", staff=agent, id=youth, until=until)
    assert await shop.sees("customer_service_agent", youth, "customer_service", "tier") == "gold"
    clock.advance(days=8)
    assert await shop.sees("customer_service_agent", youth, "customer_service", "tier") == "***"
