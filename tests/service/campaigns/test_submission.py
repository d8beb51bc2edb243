"""What may be kept, and what may not be submitted: through the door, as marketers meet it."""

import pytest

from service.app import Parts
from service.db.statement import Prepared
from service.db.tables import template
from tests.api.front_end import entries
from tests.service.campaigns import desk
from tests.service.campaigns.desk import answer

SERVICE = {"messageClass": "SERVICE", "sender": "living_sms_service", "text": "【示例生活】您的订单已发货，请留意查收。"}
WECHAT = {"channel": "wechat", "sender": "living_wechat", "text": "秋季新品已到店。点开卡片可退订"}


async def refusal(running: Parts, ask, words, **more):
    """What a submission of these words is told, as (code, codes of the objections); the template itself is kept, with a warning."""
    kept = await answer(ask, desk.CREATE_TEMPLATE, words=words)
    assert kept["__typename"] == "CheckedTemplate", kept
    warned = {objection["code"] for objection in kept["objections"]}
    given = desk.content(running, kept["template"]["templateId"], **more)
    draft = await answer(ask, desk.CREATE, content=given)
    assert draft["__typename"] == "Campaign", draft
    said = await answer(ask, desk.SUBMIT, id=draft["campaignId"])
    for objection in said["objections"]:
        assert objection["article"]
        assert objection["explanation"]["zh"]
        assert objection["explanation"]["en"]
    told = {objection["code"] for objection in said["objections"]}
    assert told == warned
    assert (await entries(running, "submitCampaign"))[-1]["rsn"] == said["code"]
    return said["code"], told


FOR_SERVICE = {"purpose": "account_service", "topic": "orders"}
FOR_MAIL = {"channel": "email", "purpose": "marketing_email"}
FOR_WECHAT = {"channel": "wechat", "purpose": "marketing_wechat"}


@pytest.mark.obligation("MK-03")
@pytest.mark.parametrize("slot", ["sender", "contact", "opt_out"])
async def test_a_mail_that_does_not_say_who_sends_it_and_how_to_refuse_is_not_submitted(running: Parts, ask, slot: str) -> None:
    right = desk.mail()
    left = [name for name in right["variables"] if name != slot]
    words = {**right, "variables": left, "text": right["text"].replace(f"${{{slot}}}", "")}
    code, told = await refusal(running, ask, words, **FOR_MAIL)
    assert (code, told) == ("TEMPLATE_NONCOMPLIANT", {"SLOT_MISSING"})


@pytest.mark.obligation("SMS-05")
async def test_a_text_message_without_its_signature_is_not_submitted(running: Parts, ask) -> None:
    code, told = await refusal(running, ask, desk.words(text="秋季新品已到店。拒收请回复R"))
    assert (code, "SIGNATURE_MISSING" in told) == ("TEMPLATE_NONCOMPLIANT", True)


@pytest.mark.obligation("MK-06")
async def test_a_service_message_with_a_coupon_is_not_submitted(running: Parts, ask) -> None:
    words = desk.words(**SERVICE | {"text": "【示例生活】您的订单已发货，附优惠券一张。"})
    code, told = await refusal(running, ask, words, **FOR_SERVICE)
    assert (code, "PROMOTION_IN_SERVICE" in told) == ("TEMPLATE_NONCOMPLIANT", True)


@pytest.mark.obligation("MK-07")
@pytest.mark.parametrize("word", ["最佳", "国家级", "最 佳", "最\u200b佳"])
async def test_superlatives_are_not_submitted(running: Parts, ask, word: str) -> None:
    code, told = await refusal(running, ask, desk.words(text=f"【示例生活】{word}新品已到店。拒收请回复R"))
    assert (code, "FORBIDDEN_WORD" in told) == ("TEMPLATE_NONCOMPLIANT", True)


@pytest.mark.obligation("SMS-02")
@pytest.mark.parametrize("end", ["", "退订回T", "拒收请回复R。", "拒收请回复R "])
async def test_a_text_message_that_does_not_end_with_the_vendors_exact_sentence_is_not_submitted(
    running: Parts, ask, end: str
) -> None:
    code, told = await refusal(running, ask, desk.words(text=f"【示例生活】秋季新品已到店。{end}"))
    assert (code, "OPT_OUT_MISSING" in told) == ("TEMPLATE_NONCOMPLIANT", True)


@pytest.mark.obligation("SMS-08")
async def test_a_commercial_text_with_variables_is_not_submitted_where_the_vendor_forbids_them(running: Parts, ask) -> None:
    words = desk.words(text="【示例生活】${phone}您好，新品已到店。拒收请回复R", variables=["phone"])
    code, told = await refusal(running, ask, words)
    assert (code, "VARIABLES_FORBIDDEN" in told) == ("TEMPLATE_NONCOMPLIANT", True)


@pytest.mark.obligation("EM-02")
@pytest.mark.parametrize(("subject", "right"), [("AD 双11", True), ("广告：双11", True), ("双11 AD", False), ("", False)])
async def test_a_mail_whose_subject_does_not_begin_with_the_mark_is_not_submitted(
    running: Parts, ask, subject: str, *, right: bool
) -> None:
    kept = await answer(ask, desk.CREATE_TEMPLATE, words=desk.mail(subject=subject))
    given = desk.content(running, kept["template"]["templateId"], **FOR_MAIL)
    draft = await answer(ask, desk.CREATE, content=given)
    said = await answer(ask, desk.SUBMIT, id=draft["campaignId"])
    if right:
        assert said["state"] == "SUBMITTED"
    else:
        assert [objection["code"] for objection in said["objections"]] == ["SUBJECT_UNMARKED"]


@pytest.mark.obligation("WX-05")
async def test_a_long_term_template_is_not_for_retail(running: Parts, ask) -> None:
    code, told = await refusal(running, ask, desk.words(**WECHAT, kind="LONG_TERM"), **FOR_WECHAT)
    assert (code, told) == ("TEMPLATE_NONCOMPLIANT", {"LONG_TERM_FORBIDDEN"})


@pytest.mark.obligation("WX-06")
@pytest.mark.parametrize("channel", ["wechat", "sms"])
async def test_nobody_is_rewarded_for_subscribing(running: Parts, ask, channel: str) -> None:
    wechat = channel == "wechat"
    used = await desk.a_template(ask, **(WECHAT if wechat else {}))
    given = desk.content(running, used, **(FOR_WECHAT if wechat else {}))
    assert (await answer(ask, desk.CREATE, content=given | {"reward": "SUBSCRIBE"}))["code"] == "REWARD_FOR_SUBSCRIBING"
    draft = await answer(ask, desk.CREATE, content=given | {"reward": "PURCHASE"})
    changed = given | {"reward": "SUBSCRIBE"}
    said = await answer(ask, desk.REVISE, id=draft["campaignId"], version=1, content=changed)
    assert said["code"] == "REWARD_FOR_SUBSCRIBING"


@pytest.mark.obligation("ADV-02")
@pytest.mark.parametrize("slot", ["campaign", "banner", "promotion"])
async def test_a_service_template_has_no_slot_for_a_campaign(running: Parts, ask, slot: str) -> None:
    words = desk.words(**SERVICE | {"text": f"【示例生活】您的订单已发货。${{{slot}}}", "variables": [slot]})
    assert (await answer(ask, desk.CREATE_TEMPLATE, words=words))["code"] == "VARIABLE_UNKNOWN"
    assert await running.database.read.rows(Prepared(template.select())) == []


@pytest.mark.obligation("SMS-04", "SMS-05")
@pytest.mark.parametrize(
    "changed",
    [
        {"sender": "living_sms_service"},
        {"sender": "nobody"},
        {"sender": "living_email"},
        {"messageClass": "SERVICE"},
        {"messageClass": "BREACH"},
        {"sender": ""},
        {"sender": "living_sms\x00"},
    ],
    ids=str,
)
async def test_only_a_registered_sender_of_that_class_and_channel_sends(running: Parts, ask, changed) -> None:
    role = "compliance_officer" if changed.get("messageClass") == "BREACH" else "marketer"
    said = await answer(ask, desk.CREATE_TEMPLATE, role, words=desk.words(**changed))
    assert said["code"] in {"SENDER_UNREGISTERED", "BAD_INPUT"}
    assert await running.database.read.rows(Prepared(template.select())) == []


@pytest.mark.obligation("SMS-05")
async def test_a_campaign_of_one_brand_is_not_sent_in_anothers_name(running: Parts, ask) -> None:
    given = desk.content(running, await desk.a_template(ask), brand="beauty")
    assert (await answer(ask, desk.CREATE, content=given))["code"] == "SENDER_UNREGISTERED"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"purpose": "account_service"}, "PURPOSE_UNFIT"),
        ({"purpose": "marketing_email"}, "PURPOSE_UNFIT"),
        ({"purpose": "birthday_gift"}, "PURPOSE_UNFIT"),
        ({"purpose": "no_such_purpose"}, "PURPOSE_UNFIT"),
        ({"topic": "nothing"}, "TOPIC_UNKNOWN"),
        ({"topic": None}, "TOPIC_UNKNOWN"),
        ({"channel": "email"}, "SENDER_UNREGISTERED"),
        ({"brand": "nobody"}, "SENDER_UNREGISTERED"),
        ({"audience": {"tags": ["rich"]}}, "AUDIENCE_INVALID"),
        ({"audience": {"withoutTags": ["rich"]}}, "AUDIENCE_INVALID"),
        ({"audience": {"tags": ["outdoor", "outdoor"]}}, "AUDIENCE_INVALID"),
        ({"audience": {"tiers": ["a" * 41]}}, "AUDIENCE_INVALID"),
        ({"audience": {"tiers": ["13800138000"]}}, "AUDIENCE_INVALID"),
        ({"audience": {"tiers": ["a\x00b"]}}, "AUDIENCE_INVALID"),
        ({"audience": {"tiers": [str(n) for n in range(21)]}}, "AUDIENCE_INVALID"),
        ({"audience": {"pointsFrom": -1}}, "AUDIENCE_INVALID"),
        ({"audience": {"pointsFrom": 5, "pointsBelow": 5}}, "AUDIENCE_INVALID"),
        ({"audience": {"joinedFrom": "2026-01-02", "joinedBefore": "2026-01-01"}}, "AUDIENCE_INVALID"),
        ({"endsAt": "2026-11-22T02:00:00Z"}, "WINDOW_INVALID"),
        ({"endsAt": "2027-11-24T02:00:00Z"}, "WINDOW_INVALID"),
        ({"startsAt": "2026-11-01T00:00:00Z", "endsAt": "2026-11-21T00:00:00Z"}, "WINDOW_INVALID"),
        ({"startsAt": "2030-01-01T00:00:00Z", "endsAt": "2030-02-01T00:00:00Z"}, "WINDOW_INVALID"),
        ({"startsAt": "0001-01-01T00:00:00Z", "endsAt": "9999-12-31T00:00:00Z"}, "WINDOW_INVALID"),
        ({"templateVersion": 2}, "TEMPLATE_NOT_FOUND"),
        ({"templateId": "x\x00y"}, "TEMPLATE_NOT_FOUND"),
        ({"title": " "}, "BAD_INPUT"),
        ({"title": "长" * 81}, "BAD_INPUT"),
        ({"title": "给13800138000的活动"}, "BAD_INPUT"),
        ({"title": "一\x00二"}, "BAD_INPUT"),
    ],
    ids=str,
)
async def test_a_campaign_that_fits_no_rule_is_not_kept(running: Parts, ask, changed, code: str) -> None:
    given = desk.content(running, await desk.a_template(ask)) | changed
    assert (await answer(ask, desk.CREATE, content=given))["code"] == code
    assert await answer(ask, "{ campaigns(state: DRAFT) { campaignId } }") == []
    assert (await entries(running, "createCampaign"))[-1]["rsn"] == code


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"text": "${phone}"}, "VARIABLE_UNKNOWN"),
        ({"variables": ["phone"]}, "VARIABLE_UNKNOWN"),
        ({"text": "${password}", "variables": ["password"]}, "VARIABLE_UNKNOWN"),
        ({"text": "${}", "variables": [""]}, "VARIABLE_UNKNOWN"),
        ({"channel": "fax"}, "CHANNEL_UNKNOWN"),
        ({"text": ""}, "BAD_INPUT"),
        ({"text": "长" * 20_001}, "BAD_INPUT"),
        ({"text": "一\x00二"}, "BAD_INPUT"),
        ({"text": "\u202e反的"}, "BAD_INPUT"),
        ({"subject": "广告\nBcc: all@example.com"}, "BAD_INPUT"),
        ({"vendorTemplate": "长" * 81}, "BAD_INPUT"),
        ({"text": "${phone}", "variables": ["phone", "phone"]}, "BAD_INPUT"),
    ],
    ids=str,
)
async def test_words_without_a_form_are_not_kept(running: Parts, ask, changed, code: str) -> None:
    assert (await answer(ask, desk.CREATE_TEMPLATE, words=desk.words(**changed)))["code"] == code
    assert await running.database.read.rows(Prepared(template.select())) == []


async def test_a_service_message_stands_on_a_contract(running: Parts, ask) -> None:
    used = await desk.a_template(ask, **SERVICE)
    for purpose in ("marketing_sms", "legal_duty", "self_access"):
        given = desk.content(running, used, topic="orders", purpose=purpose)
        assert (await answer(ask, desk.CREATE, content=given))["code"] == "PURPOSE_UNFIT"
    draft = await answer(ask, desk.CREATE, content=desk.content(running, used, **FOR_SERVICE))
    assert (await answer(ask, desk.SUBMIT, id=draft["campaignId"]))["state"] == "SUBMITTED"


async def test_what_is_filled_in_is_within_the_purpose(running: Parts, ask) -> None:
    words = desk.mail(text="${birthday} ${sender} ${contact} ${opt_out}")
    words["variables"] = ["birthday", *words["variables"]]
    kept = await answer(ask, desk.CREATE_TEMPLATE, words=words)
    given = desk.content(running, kept["template"]["templateId"], **FOR_MAIL)
    assert (await answer(ask, desk.CREATE, content=given))["code"] == "PURPOSE_UNFIT"


async def test_a_template_is_revised_by_another_version(running: Parts, ask) -> None:
    used = await desk.a_template(ask)
    again = await answer(ask, desk.REVISE_TEMPLATE, template=used, words=desk.words())
    assert again["template"]["version"] == 1
    second = await answer(ask, desk.REVISE_TEMPLATE, template=used, words=desk.words(title="冬季新品"))
    assert second["template"]["version"] == 2
    other = await answer(ask, desk.REVISE_TEMPLATE, template=used, words=desk.words(**SERVICE))
    assert other["code"] == "MESSAGE_CLASS_FIXED"
    look = "query ($id: ID!, $v: Int) { messageTemplate(id: $id, version: $v) { template { version title } } }"
    first = await answer(ask, look, id=used, v=1)
    newest = await answer(ask, look, id=used)
    assert [found["template"]["title"] for found in (first, newest)] == ["秋季新品", "冬季新品"]
    assert await answer(ask, look, id="nobody") is None
    missing = await answer(ask, desk.REVISE_TEMPLATE, template="nobody", words=desk.words())
    assert missing["code"] == "TEMPLATE_NOT_FOUND"


async def test_of_an_incident_compliance_alone_writes_and_another_approves(running: Parts, ask) -> None:
    breach = desk.words(
        messageClass="BREACH", sender="living_sms_service", text="【示例生活】您的手机号可能已泄露，请注意防范诈骗。"
    )
    assert (await answer(ask, desk.CREATE_TEMPLATE, "marketer", words=breach))["code"] == "FORBIDDEN"
    kept = await answer(ask, desk.CREATE_TEMPLATE, "compliance_officer", words=breach)
    given = desk.content(running, kept["template"]["templateId"], topic=None, purpose="legal_duty")
    assert (await answer(ask, desk.CREATE, "marketer", content=given))["code"] == "FORBIDDEN"
    draft = await answer(ask, desk.CREATE, "compliance_officer", content=given)
    assert (await answer(ask, desk.SUBMIT, "marketer", id=draft["campaignId"]))["code"] == "FORBIDDEN"
    assert (await answer(ask, desk.END, "marketer", id=draft["campaignId"]))["code"] == "FORBIDDEN"
    await answer(ask, desk.SUBMIT, "compliance_officer", id=draft["campaignId"])
    named = {"id": draft["campaignId"], "digest": draft["digest"]}
    assert (await answer(ask, desk.APPROVE, "compliance_officer", **named))["code"] == "OWN_CAMPAIGN"
    assert (await answer(ask, desk.APPROVE, "campaign_reviewer", **named))["approved"]


async def test_compliance_writes_no_marketing(running: Parts, ask) -> None:
    used = await desk.a_template(ask)
    assert (await answer(ask, desk.CREATE_TEMPLATE, "compliance_officer", words=desk.words()))["code"] == "FORBIDDEN"
    given = desk.content(running, used)
    assert (await answer(ask, desk.CREATE, "compliance_officer", content=given))["code"] == "FORBIDDEN"
