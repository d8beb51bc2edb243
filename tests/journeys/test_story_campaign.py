"""Story: a campaign goes the whole way. It is drafted, returned, approved, decided and sent; one click in the mail ends it for good."""

import re
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from service.app import Parts
from tests.journeys.shop import Json, Shop
from tests.plugins import canary
from tests.service.senders.house import PUBLIC, working
from tests.service.senders.made import MAIL_HTML, MAIL_TEXT
from tests.service.senders.post import post

_TEMPLATE = "mutation T($words: TemplateInput!) { createTemplate(words: $words) { ... on CheckedTemplate { template { templateId version } } } }"
_CREATE = "mutation C($content: CampaignInput!) { createCampaign(content: $content) { ... on Campaign { campaignId version } } }"
_REVISE = """mutation R($id: ID!, $version: Int!, $content: CampaignInput!) {
  reviseCampaign(campaignId: $id, version: $version, content: $content) { __typename ... on Campaign { version } } }"""
_SUBMIT = (
    "mutation S($id: ID!) { submitCampaign(campaignId: $id) { __typename ... on Campaign { state } ... on Refusal { code } } }"
)
_LOOK = "query L($id: ID!) { campaign(id: $id) { campaign { state digest version content { title } } history { step comment } } }"
_RETURN = (
    'mutation B($id: ID!) { returnCampaign(campaignId: $id, comment: "请写明活动门店") { ... on Campaign { state version } } }'
)
_APPROVE = """mutation A($id: ID!, $digest: String!) { approveCampaign(campaignId: $id, digest: $digest) {
  ... on Campaign { state approved } ... on Refusal { code } } }"""
_SUBSCRIBE = """mutation W($member: ID!, $input: SubscribeInput!, $evidence: EvidenceInput!) {
  subscribe(memberId: $member, input: $input, evidence: $evidence) {
    __typename ... on Subscribed { confirmation subscription { state } } ... on Refusal { code } } }"""
_STATE = "{ subscriptions { channel topic state suppressed } }"
_DECIDE = """mutation D($id: ID!) { decideSends(campaignId: $id) {
  ... on SendDecisions { decisions { memberId sendId allowed reasons token } } ... on Refusal { code } } }"""
_ASK_FOR = """mutation D($id: ID!, $members: [ID!]!) { decideSends(campaignId: $id, members: $members) {
  ... on SendDecisions { decisions { allowed reasons } } ... on Refusal { code } } }"""
_QUEUE = """mutation Q($id: ID!, $sends: [SendOrder!]!) { queueSends(campaignId: $id, sends: $sends) { __typename } }"""
_PROVE = 'query E($send: ID!) { sendEvidence(sendId: $send, purpose: "audit") { whole } }'
WANTED = {"channel": "email", "topic": "offers", "brand": "living", "monthly": 4, "months": 24}


@pytest.mark.obligation("EM-05", "MK-04", "MK-05", "MK-09", "RD-06")
async def test_from_the_draft_to_the_last_mail_that_this_member_ever_gets(
    shop: Shop, running: Parts, client: httpx2.AsyncClient, tmp_path
) -> None:
    address = canary.value("email")
    member = await shop.join(email=address, name=canary.value("name"))
    await _subscribes(shop, client, member)
    campaign = await _reviewed(shop)
    async with post() as mailbox, working(running, tmp_path, living_email=str(mailbox.port)) as worker:
        (decision,) = await _decided(shop, campaign)
        assert (decision["memberId"], decision["allowed"], decision["reasons"]) == (member, True, [])
        order = {key: decision[key] for key in ("memberId", "sendId", "token")}
        assert (await shop.does(_QUEUE, role="marketing_engine", id=campaign, sends=[order]))["queueSends"]
        await worker.once()
        assert mailbox.recipients == [address]
        mail = mailbox.mail()
    assert str(mail["Subject"]).startswith("广告")
    body = mail.get_body(("plain",))
    assert body is not None
    assert "示例零售" in body.get_content(), "who writes it is told in the mail itself"
    proof = await shop.does(_PROVE, role="compliance_officer", send=decision["sendId"])
    assert proof["sendEvidence"]["whole"] is True

    await _one_click(client, str(mail["List-Unsubscribe"]), str(mail["List-Unsubscribe-Post"]))

    (state,) = [each for each in await _subscriptions(shop, member) if each["topic"] == "offers"]
    assert (state["state"], state["suppressed"]) == ("UNSUBSCRIBED", True)
    assert (await shop.consent(member, "marketing_email"))["state"] == "WITHDRAWN"
    again = await _reviewed(shop, title="再来一次")
    (refused,) = (await shop.does(_ASK_FOR, role="marketing_engine", id=again, members=[member]))["decideSends"]["decisions"]
    assert refused["allowed"] is False
    assert refused["reasons"][0] == "SUPPRESSED"
    assert await _decided(shop, again) == [], "whoever said no is in no audience either"


async def _subscribes(shop: Shop, client: httpx2.AsyncClient, member: str) -> None:
    """Asked on a screen of its own; the link that her mailbox gets is confirmed by its button, and opened by a scanner before."""
    question = await shop.may_ask(member, "marketing_email")
    words = {each["language"]: each["digest"] for each in question["words"]}
    evidence = await shop.shown(screenPurposeCount=1, wordsDigest=words["zh-CN"], noticeVersion=question["noticeVersion"])
    found = await shop.does(_SUBSCRIBE, role="mini_program", member=member, input=WANTED, evidence=evidence)
    assert found["subscribe"]["subscription"]["state"] == "PENDING", found
    link = f"/s/{found['subscribe']['confirmation']}"
    assert (await client.get(link)).status_code == 200
    assert [each["state"] for each in await _subscriptions(shop, member)] == ["PENDING"]
    assert (await client.post(link, data={})).status_code == 200
    assert [each["state"] for each in await _subscriptions(shop, member)] == ["SUBSCRIBED"]


async def _reviewed(shop: Shop, *, title: str = "会员日") -> str:
    """A marketer writes it, a reviewer sends it back, then approves exactly what she saw."""
    template = (await shop.does(_TEMPLATE, role="marketer", words=_words()))["createTemplate"]["template"]
    made = (await shop.does(_CREATE, role="marketer", content=_content(shop, template, title)))["createCampaign"]
    campaign = made["campaignId"]
    assert (await shop.does(_SUBMIT, role="marketer", id=campaign))["submitCampaign"]["state"] == "SUBMITTED"
    back = (await shop.does(_RETURN, role="campaign_reviewer", id=campaign))["returnCampaign"]
    assert back["state"] == "RETURNED"
    content = _content(shop, template, f"{title}（全部门店）")
    await shop.does(_REVISE, role="marketer", id=campaign, version=back["version"], content=content)
    assert (await shop.does(_SUBMIT, role="marketer", id=campaign))["submitCampaign"]["state"] == "SUBMITTED"
    seen = (await shop.does(_LOOK, role="campaign_reviewer", id=campaign))["campaign"]
    assert [each["step"] for each in seen["history"]] == ["CREATED", "SUBMITTED", "RETURNED", "REVISED", "SUBMITTED"]
    approved = await shop.does(_APPROVE, role="campaign_reviewer", id=campaign, digest=seen["campaign"]["digest"])
    assert approved["approveCampaign"] == {"state": "APPROVED", "approved": True}
    return str(campaign)


def _words() -> Json:
    said = {"title": "会员日邮件", "messageClass": "COMMERCIAL", "channel": "email", "sender": "living_email"}
    text = {"subject": "广告：会员日，${name}专享", "text": MAIL_TEXT, "html": MAIL_HTML}
    return {**said, **text, "variables": ["name", "sender", "contact", "opt_out"]}


def _content(shop: Shop, template: Json, title: str) -> Json:
    now = shop.now()
    about: dict[str, Any] = {
        "title": title,
        "brand": "living",
        "channel": "email",
        "topic": "offers",
        "purpose": "marketing_email",
    }
    window = {"startsAt": now.isoformat(), "endsAt": (now + timedelta(days=7)).isoformat()}
    return {**about, **window, "templateId": template["templateId"], "templateVersion": template["version"]}


async def _decided(shop: Shop, campaign: str) -> list[Json]:
    """May it go to its audience now?"""
    return list((await shop.does(_DECIDE, role="marketing_engine", id=campaign))["decideSends"]["decisions"])


async def _subscriptions(shop: Shop, member: str) -> list[Json]:
    return list((await shop.does(_STATE, who=member))["subscriptions"])


async def _one_click(client: httpx2.AsyncClient, header: str, how: str) -> None:
    """As a mail program does it (RFC 8058): the mail's own headers, one POST, no cookie, and again for good measure."""
    link = re.search(r"<(https://[^>]+)>", header)
    assert link is not None
    assert how == "List-Unsubscribe=One-Click"
    path = link[1].removeprefix(PUBLIC)
    for _ in range(2):
        answer = await client.post(path, files={"List-Unsubscribe": (None, "One-Click")})
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
