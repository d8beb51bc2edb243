"""Story: somebody joins and says no to everything. Nothing becomes harder for them, and nobody nags."""

from datetime import timedelta

import pytest

from tests.journeys.shop import OPTIONAL

ADDRESS = "上海市示例路1号"


@pytest.mark.obligation("NC-12", "NC-06", "LB-03", "LB-04", "WD-06")
async def test_who_refuses_everything_is_a_member_like_any_other_and_in_no_marketing_list(shop):
    mei = await shop.join(refusing=OPTIONAL, tier="金卡", points=800)
    assert await shop.tells(mei, "order_fulfilment", address=ADDRESS) == "MemberUpdated"

    assert await shop.sees("order_service", mei, "order_fulfilment", "phone")
    assert await shop.sees("store_clerk", mei, "membership_benefits", "points") == 800
    page = await shop.own_page(mei)
    assert (page["tier"], page["points"]) == ("金卡", 800)

    assert await shop.sees("marketer", mei, "marketing_sms", "phone") == "CONSENT_REQUIRED"
    assert await shop.sees("recommender", mei, "skin_profile", "skin_type") == "SEPARATE_CONSENT_REQUIRED"
    for role, purpose in (("marketer", "marketing_sms"), ("marketer", "birthday_gift"), ("analyst", "analytics")):
        assert await shop.lists(role, purpose) == []
    assert mei in await shop.lists("store_clerk", "membership_benefits")
    for purpose in OPTIONAL:
        assert (await shop.consent(mei, purpose))["state"] == "REFUSED"


@pytest.mark.obligation("NC-11")
async def test_she_is_left_alone_for_thirty_days_unless_she_asks_herself(shop, clock):
    mei = await shop.join(refusing=OPTIONAL)
    clock.advance(days=29)
    nagging = await shop.may_ask(mei, "marketing_email", by="SYSTEM")
    assert nagging["reason"] == "REASK_COOLDOWN"
    assert (await shop.may_ask(mei, "marketing_email", by="MEMBER"))["words"]

    li = await shop.join(refusing=OPTIONAL)
    clock.advance(days=31)
    assert (await shop.may_ask(li, "marketing_email", by="SYSTEM"))["words"], "once more, after the pause"
    assert (await shop.may_ask(li, "marketing_email", by="SYSTEM"))["reason"] == "REASK_COOLDOWN", "and not twice"


@pytest.mark.obligation("NC-16", "NC-06")
async def test_whoever_lets_wechat_hand_over_the_number_has_agreed_to_no_advertising(shop):
    mei = await shop.join(proof="WECHAT_PHONE_CODE")
    assert await shop.sees("order_service", mei, "order_fulfilment", "phone")
    assert await shop.sees("marketer", mei, "marketing_sms", "phone") == "CONSENT_REQUIRED"
    for purpose in OPTIONAL:
        assert (await shop.consent(mei, purpose))["state"] == "NEVER_ASKED"


@pytest.mark.obligation("NC-05", "NC-11")
async def test_a_refusal_can_be_changed_into_a_yes_by_the_member_at_any_time(shop, clock):
    mei = await shop.join(refusing=OPTIONAL)
    clock.advance(seconds=timedelta(hours=1).total_seconds())
    assert (await shop.says(mei, "marketing_sms", yes=True))["state"] == "GIVEN"
    assert str(await shop.sees("marketer", mei, "marketing_sms", "phone")).count("*") >= 4, "masked, for whoever only sends"
