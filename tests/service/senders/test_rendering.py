"""What a member sees: who writes, how to refuse, and of themselves only what the policy permits, as text and nothing else."""

import base64
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.marketing import MessageClass
from policies.terms import Catalogue
from service.campaigns.model import TemplateBody
from service.senders.model import Unfit, Words
from service.senders.rendering import render
from tests.service.senders import made
from tests.service.senders.made import LINK, a_body, a_way_out, cleared


def rendered(catalogue: Catalogue, body: TemplateBody, *, automated: bool = False, **values: Any) -> Words:
    sender = catalogue.senders[body.sender]
    permit = cleared(catalogue, body).permit
    way_out = a_way_out(catalogue, body.sender)
    return render(body, sender=sender, permit=permit, values=values, way_out=way_out, catalogue=catalogue, automated=automated)


def refused(catalogue: Catalogue, body: TemplateBody, **more: Any) -> str:
    with pytest.raises(Unfit) as found:
        rendered(catalogue, body, **more)
    return found.value.code


@pytest.mark.obligation("EM-08", "MK-03")
def test_both_parts_of_a_mail_say_who_writes_and_how_to_refuse(catalogue: Catalogue) -> None:
    words = rendered(catalogue, a_body("living_email"), name="犇骉猋")
    for part in (words.text, words.html):
        assert catalogue.controller.legal_name.zh in part
        assert catalogue.controller.contact_email in part
        assert LINK in part
    assert f'<a href="{LINK}">退订</a>' in words.html


MISSING: dict[str, tuple[dict[str, Any], str]] = {
    "no sender in the text": ({"text": made.MAIL_TEXT.replace("${sender}", "")}, "SENDER_MISSING"),
    "no contact in the html": ({"html": made.MAIL_HTML.replace("${contact}", "")}, "SENDER_MISSING"),
    "a hidden sender": ({"html": made.MAIL_HTML.replace("<p>${sender}", '<p style="display: none">${sender}')}, "SENDER_MISSING"),
    "a sender in the title alone": (
        {"html": made.MAIL_HTML.replace("${sender} · ", "").replace("<title>", "<title>${sender}")},
        "SENDER_MISSING",
    ),
    "no link in the text": ({"text": made.MAIL_TEXT.replace("${opt_out}", "")}, "WAY_OUT_MISSING"),
    "no link in the html": ({"html": made.MAIL_HTML.replace('href="${opt_out}"', "")}, "WAY_OUT_MISSING"),
    "a hidden link": ({"html": made.MAIL_HTML.replace("<a ", '<a style="visibility:hidden" ')}, "WAY_OUT_MISSING"),
    "a link without a word": ({"html": made.MAIL_HTML.replace(">退订<", "> <")}, "WAY_OUT_MISSING"),
    "a link in a comment": (
        {"html": made.MAIL_HTML.replace("<a ", "<!-- <a ").replace("</a>", "</a> -->")},
        "WAY_OUT_MISSING",
    ),
    "a subject that says it last": ({"subject": "会员日 广告"}, "SUBJECT_NOT_MARKED"),
    "a subject that only begins like AD": ({"subject": "ADVENTURE"}, "SUBJECT_NOT_MARKED"),
}


@pytest.mark.obligation("EM-08", "EM-02", "MK-03")
@pytest.mark.parametrize("case", MISSING)
def test_a_mail_that_lacks_one_of_them_is_not_sent(case: str, catalogue: Catalogue) -> None:
    change, code = MISSING[case]
    assert refused(catalogue, a_body("living_email", **change), name="犇骉猋") == code


@pytest.mark.obligation("AD-01")
def test_whoever_was_picked_by_a_machine_finds_the_way_out_whatever_the_class(catalogue: Catalogue) -> None:
    service = a_body("living_sms_service", text="【示例生活】您可能喜欢的商品已到店。", message_class=MessageClass.SERVICE)
    assert rendered(catalogue, service).text == service.text
    assert refused(catalogue, service, automated=True) == "WAY_OUT_MISSING"
    mail = a_body("living_email", html=made.MAIL_HTML.replace('href="${opt_out}"', ""), message_class=MessageClass.SERVICE)
    assert LINK in rendered(catalogue, mail, name="犇骉猋").text
    assert refused(catalogue, mail, name="犇骉猋", automated=True) == "WAY_OUT_MISSING"


@pytest.mark.obligation("SMS-02", "SMS-05")
def test_a_text_message_begins_with_the_signature_and_ends_with_the_registered_sentence(catalogue: Catalogue) -> None:
    for sender in ("living_sms", "beauty_sms"):
        registered = catalogue.senders[sender]
        words = rendered(catalogue, a_body(sender))
        assert words.text.startswith(registered.identity)
        assert words.text.endswith(registered.opt_out)
        assert words.text.count(registered.identity) == 1
    assert refused(catalogue, a_body("living_sms", text="会员日全场八折，拒收请回复R。")) == "WAY_OUT_MISSING"
    assert refused(catalogue, a_body("living_sms", text="会员日全场八折，退订回T")) == "WAY_OUT_MISSING"
    assert (
        refused(catalogue, a_body("living_sms", text="${name}，会员日，拒收请回复R", variables=("name",)), name="犇")
        == "VARIABLES_FORBIDDEN"
    )


@given(value=st.text(min_size=1, max_size=64))
def test_no_value_writes_markup(catalogue: Catalogue, value: str) -> None:
    body = a_body("living_email", variables=("name", "email", "sender", "contact", "opt_out"), text=made.MAIL_TEXT + "${email}")
    body = replace(body, html=made.MAIL_HTML.replace("会员日全场八折", "${email}"))
    try:
        words = rendered(catalogue, body, name="犇骉猋", email=value)
    except Unfit:
        assert not value.isprintable() or not value.strip()
        return
    plain = rendered(catalogue, body, name="犇骉猋", email="x")
    assert words.html.count("<") == plain.html.count("<")
    assert words.html.count('"') == plain.html.count('"')
    assert words.text.splitlines()[:-1] == plain.text.splitlines()[:-1]


@pytest.mark.parametrize("name", ["两\r\n行", "一" * 65, "\u202e反", " ", "\x00"])
def test_a_value_that_is_no_short_line_is_refused(name: str, catalogue: Catalogue) -> None:
    body = a_body("living_email", variables=("email", "sender", "contact", "opt_out"), subject="广告：${email}")
    body = replace(body, text=body.text.replace("${name}", "您好"), html=body.html.replace("${name}", "您好"))
    assert refused(catalogue, body, email=name) == "VALUE_UNFIT"


@pytest.mark.parametrize("text", ["${birthday}", "${nobody}", "${}", "${name", "${na${name}me}"])
def test_a_variable_that_the_policy_does_not_permit_is_none(text: str, catalogue: Catalogue) -> None:
    body = a_body("living_email", text=made.MAIL_TEXT + text, variables=("name", "birthday", "sender", "contact", "opt_out"))
    assert refused(catalogue, body, name="犇骉猋", birthday="1990-01-01") == "VARIABLE_UNKNOWN"


def test_a_value_is_shown_in_the_shape_that_the_purpose_permits(catalogue: Catalogue) -> None:
    words = rendered(catalogue, a_body("living_email"), name="犇骉猋")
    assert words.subject == "广告：会员日，犇*猋专享"


def test_a_card_has_one_line_for_each_slot_of_its_template(catalogue: Catalogue) -> None:
    words = rendered(catalogue, a_body("living_wechat"))
    assert words.parameters == {"thing1": "会员日全场八折", "time2": "2026年11月22日", "thing3": "点开卡片可退订"}
    for text in ("会员日全场八折", "thing1: 一\nthing1: 二", "thing1:"):
        assert refused(catalogue, a_body("living_wechat", text=text)) == "CARD_UNFIT"


def test_the_digest_of_the_words_is_the_same_for_every_link() -> None:
    from service.senders.making import content_digest
    from service.senders.model import WayOut

    def seen(link: str) -> bytes:
        way_out = WayOut(link=link, mailbox="", token="", sentence="")
        return content_digest(Words(text=f"退订 {link}", html=base64.b64encode(b"x").decode()), way_out)

    assert seen("https://a.example/u/1") == seen("https://a.example/u/2")
