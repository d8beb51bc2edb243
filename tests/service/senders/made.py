"""Invented leaves and messages, as values: what the gate would have given, without a database."""

from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from policies.decide import leave_to_send
from policies.terms import Catalogue
from service.campaigns.model import Campaign, CampaignState, Content, Template, TemplateBody, campaign_digest, template_digest
from service.gate.model import Cleared
from service.senders.model import Message, WayOut, Words
from tests.conftest import START
from tests.plugins import canary
from tests.service.campaigns.made import content, words

MEMBER = "019a0000-0000-7000-8000-0000000000aa"
OTHER = "019a0000-0000-7000-8000-0000000000bb"
SEND = "019a0000-0000-7000-8000-000000000001"
OTHER_SEND = "019a0000-0000-7000-8000-000000000002"
TOKEN = "wayout" * 16
LINK = f"https://members.example.com/u/{TOKEN}"

MAIL_TEXT = "${name}，您好：\n会员日全场八折。\n\n${sender}\n联系：${contact}\n退订：${opt_out}\n"
MAIL_HTML = (
    "<html><head><title>会员日</title></head><body><p>${name}，您好：会员日全场八折。</p>"
    '<p>${sender} · ${contact} · <a href="${opt_out}">退订</a></p></body></html>'
)
BODIES: dict[str, dict[str, Any]] = {
    "living_sms": {"vendor_template": "SMS_1001"},
    "living_sms_service": {},
    "beauty_sms": {"text": "【示例美妆】会员日全场八折。客服4000000000，退订回T", "vendor_template": "2002"},
    "living_email": {
        "channel": "email",
        "subject": "广告：会员日，${name}专享",
        "text": MAIL_TEXT,
        "html": MAIL_HTML,
        "variables": ("name", "sender", "contact", "opt_out"),
    },
    "living_wechat": {
        "channel": "wechat",
        "text": "thing1: 会员日全场八折\ntime2: 2026年11月22日\nthing3: 点开卡片可退订",
        "vendor_template": "tmpl-3003",
    },
    "living_phone": {
        "channel": "phone",
        "text": "您好，这里是示例生活，会员日全场八折。客服400-000-0000，不想再接到来电，请直接告诉我们",
    },
}
PARAMETERS: dict[str, Mapping[str, str]] = {
    "living_wechat": {"thing1": "会员日全场八折", "time2": "2026年11月22日", "thing3": "点开卡片可退订"}
}


def a_body(sender: str = "living_sms", **more: Any) -> TemplateBody:
    """A template of this sender that breaks no rule."""
    return words(**({"sender": sender} | BODIES[sender] | more))


def cleared(catalogue: Catalogue, body: TemplateBody, *, send_id: str = SEND, member_id: str = MEMBER, **more: Any) -> Cleared:
    """What `redeem` gives for this template."""
    sender = catalogue.senders[body.sender]
    about: Content = content(body, channel=body.channel, brand=sender.brand, **({"purpose": f"marketing_{body.channel}"} | more))
    digest = campaign_digest(about)
    return Cleared(
        send_id,
        member_id,
        Campaign("019a0000-0000-7000-8000-0000000000cc", 1, CampaignState.APPROVED, about, digest, digest, "m-1", START, START),
        Template(about.template_id, 1, body, template_digest(body), "m-1", START),
        leave_to_send(
            member_id,
            catalogue.purposes.get(about.purpose),
            catalogue.channels[body.channel],
            variables=body.variables,
            catalogue=catalogue,
        ),
        SimpleNamespace(sealed=b""),  # type: ignore[arg-type]
        SimpleNamespace(),  # type: ignore[arg-type]
    )


def an_address(catalogue: Catalogue, sender: str) -> str:
    """Where a message of this sender goes to."""
    registered = catalogue.senders[sender]
    if registered.channel == "wechat":
        return f"{registered.address}:{canary.value('openid')}"
    return canary.value("email" if registered.channel == "email" else "phone")


def a_message(catalogue: Catalogue, sender: str = "living_sms", *, at: datetime = START, **more: Any) -> Message:
    """A message that may go out at `at`."""
    body = a_body(sender)
    leave = cleared(catalogue, body)
    given: dict[str, Any] = {
        "cleared": leave,
        "cleared_at": at,
        "send_id": leave.send_id,
        "member_id": leave.member_id,
        "channel": body.channel,
        "template_digest": leave.template.digest,
        "sender": catalogue.senders[sender],
        "vendor_template": body.vendor_template,
        "to": an_address(catalogue, sender),
        "words": Words(subject="广告：会员日", text="会员日", html="<p>会员日</p>", parameters=PARAMETERS.get(sender, {})),
        "way_out": a_way_out(catalogue, sender),
    }
    return Message(**(given | more))


def a_way_out(catalogue: Catalogue, sender: str) -> WayOut:
    return WayOut(
        link=LINK,
        mailbox="unsubscribe@mail.retail.example.com" if sender.endswith("email") else "",
        token=TOKEN,
        sentence=catalogue.senders[sender].opt_out,
    )
