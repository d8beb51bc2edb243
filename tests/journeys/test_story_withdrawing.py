"""Story: somebody says yes, it is used, they take it back. It stops at once, the provider is told, what nobody may keep is gone."""

from datetime import timedelta

import pytest

from service.config import Config
from tests.gateway import BROKEN, OK, recipients_file
from tests.service.receipts.asking import Stranger


@pytest.fixture
def config(config: Config, tmp_path, sms) -> Config:
    """The SMS provider can be reached."""
    return config.model_copy(update={"recipients": recipients_file(tmp_path, example_sms_gateway=sms.url)})


@pytest.mark.obligation("NC-05", "NC-15", "LB-09", "WD-01")
async def test_a_yes_opens_what_was_asked_for_and_a_stranger_can_prove_it(shop, client):
    mei = await shop.join(birthday="1990-07-14")
    question = await shop.may_ask(mei, "marketing_sms")
    words = {each["language"]: each["text"] for each in question["words"]}
    assert "手机号码" in words["zh-CN"] and "12 个月" in words["zh-CN"] and "any seven days" in words["en"]

    given = await shop.says(mei, "marketing_sms", yes=True)
    assert given["state"] == "GIVEN"
    assert await shop.lists("marketer", "marketing_sms") == [mei]
    assert await shop.sees("marketer", mei, "birthday_gift", "birthday") == "CONSENT_REQUIRED", "a yes to one is none to another"

    receipt = await shop.receipt(mei, given["eventId"])
    proven = (await Stranger.reading(client)).read(receipt["jws"])
    assert proven["dpv:hasConsentStatus"]["@id"] == "dpv:ConsentGiven"
    assert proven["dpv:hasProcess"]["dpv:hasPurpose"]["dct:identifier"] == "marketing_sms"
    notice = await client.get(proven["dpv:hasNotice"]["@id"])
    assert notice.status_code == 200 and "短信" in notice.text
    assert "短信营销" in receipt["textZh"] and "Marketing by SMS" in receipt["textEn"]


@pytest.mark.obligation("WD-01", "WD-02", "WD-03", "WD-05", "WD-06")
async def test_a_withdrawal_is_one_call_stops_everything_and_reaches_the_provider(shop, clock, works, sms):
    mei = await shop.join(tier="金卡", points=800)
    given = await shop.says(mei, "marketing_sms", yes=True)
    clock.advance(seconds=1)
    before, benefits = clock(), await shop.own_page(mei)
    clock.advance(days=3)

    sms.answer = BROKEN
    taken = await shop.withdraws(mei, "marketing_sms")
    assert (taken["state"], taken["propagation"]) == ("WITHDRAWN", "PROPAGATING")
    assert await shop.sees("marketer", mei, "marketing_sms", "phone") == "CONSENT_WITHDRAWN"
    assert await shop.lists("marketer", "marketing_sms") == []
    assert await shop.own_page(mei) == benefits, "what she has earned is hers"

    await works()
    assert (await shop.consent(mei, "marketing_sms"))["propagation"] == "PROPAGATING", "the provider has not confirmed"
    sms.answer = OK
    clock.advance(seconds=timedelta(hours=1).total_seconds())
    await works()
    assert (await shop.consent(mei, "marketing_sms"))["propagation"] == "DONE"
    assert sms.bodies[-1] == sms.bodies[0], "the same message, until it is confirmed"

    assert (await shop.consent(mei, "marketing_sms", at=before))["state"] == "GIVEN", "what was done then was allowed then"
    assert (await shop.receipt(mei, given["eventId"]))["jws"], "and stays provable"


@pytest.mark.obligation("WD-04", "WD-02")
async def test_what_was_kept_for_that_consent_alone_is_deleted_and_the_rest_stays(shop, works, clock):
    mei = await shop.join()
    assert (await shop.says(mei, "skin_profile", yes=True))["state"] == "GIVEN"
    assert await shop.tells(mei, "skin_profile", attributes=[{"key": "skin_type", "text": "敏感肌"}]) == "MemberUpdated"
    assert await shop.sees("recommender", mei, "skin_profile", "skin_type") == "敏感肌"

    await shop.withdraws(mei, "skin_profile")
    await works()
    clock.advance(days=1)
    clock.advance(minutes=1)
    assert (await shop.says(mei, "skin_profile", yes=True))["state"] == "GIVEN"
    assert await shop.sees("recommender", mei, "skin_profile", "skin_type") is None, "a new yes does not bring the old value back"
    assert await shop.sees("order_service", mei, "order_fulfilment", "phone"), "the contract still needs the number"
