"""Story: the operator gives Mei's old number to Wang. What Mei agreed to receive must not reach Wang."""

import pytest

from tests.plugins import canary

BY_NUMBER = (
    """query B($number: String!) { memberByContact(field: "phone", value: $number, purpose: "customer_service") { id } }"""
)


@pytest.mark.obligation("LB-05", "NC-16")
async def test_whoever_proves_a_number_holds_it_and_inherits_nothing(shop):
    number = canary.value("phone")
    mei = await shop.join(phone=number, birthday="1990-07-14", points=800)
    for purpose in ("marketing_sms", "marketing_phone", "birthday_gift"):
        assert (await shop.says(mei, purpose, yes=True))["state"] == "GIVEN"

    wang = await shop.join(phone=number, proof="SMS_CODE")
    assert wang != mei
    assert await shop.sees("marketer", wang, "marketing_sms", "phone") == "CONSENT_REQUIRED"
    assert await shop.lists("marketer", "marketing_sms") == []
    assert (await shop.consent(wang, "marketing_sms"))["state"] == "NEVER_ASKED"
    found = await shop.does(BY_NUMBER, role="customer_service_agent", number=number)
    assert found["memberByContact"]["id"] == wang, "whoever calls from it is Wang"


@pytest.mark.obligation("LB-05", "WD-06")
async def test_the_former_holder_keeps_everything_but_the_number_and_what_came_over_it(shop):
    number = canary.value("phone")
    mei = await shop.join(phone=number, birthday="1990-07-14", points=800)
    for purpose in ("marketing_sms", "marketing_phone", "birthday_gift"):
        await shop.says(mei, purpose, yes=True)
    await shop.join(phone=number, proof="SMS_CODE")

    page = await shop.own_page(mei)
    assert (page["phone"], page["points"]) == (None, 800)
    for purpose in ("marketing_sms", "marketing_phone"):
        assert (await shop.consent(mei, purpose))["state"] == "INVALIDATED"
    assert await shop.sees("marketer", mei, "birthday_gift", "birthday") == "1990-07-14", "the gift does not go over the number"


@pytest.mark.obligation("LB-05")
async def test_a_number_that_nobody_proved_stays_where_it_is(shop):
    number = canary.value("phone")
    mei = await shop.join(phone=number)
    await shop.says(mei, "marketing_sms", yes=True)
    with pytest.raises(AssertionError, match="ContactTaken"):
        await shop.join(phone=number)
    assert (await shop.consent(mei, "marketing_sms"))["state"] == "GIVEN"
    assert (await shop.own_page(mei))["phone"] == number
