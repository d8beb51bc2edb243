"""Strangers' bytes: whatever they are, a parser has one error and no other; and what is well formed is read as its vendor means it."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BadInput, Malformed, Refused
from service.inbound import aliyun, envelope, mail, tencent, wechat, xml
from service.inbound.envelope import Signed
from service.inbound.model import InboundKind
from service.inbound.settings import WechatApp
from service.web import forms
from tests.service.inbound import wechat_push as push

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
PLAIN = WechatApp(push.APPID, push.TOKEN.encode())
SEALED = WechatApp(push.APPID, push.TOKEN.encode(), bytes(range(32)))
_KEYS = st.sampled_from(
    [
        "phone_number",
        "content",
        "sequence_id",
        "mobile",
        "text",
        "time",
        "List",
        "Event",
        "MsgType",
        "FromUserName",
        "TemplateId",
        "SubscribeMsgPopupEvent",
        "Encrypt",
        "RevokeInfo",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS | st.text(max_size=8), inner, max_size=6),
    max_leaves=20,
)
XML_BITS = st.lists(
    st.sampled_from(
        ["<a>", "</a>", "<b/>", "x", "&amp;", "&e;", "<!DOCTYPE a [", "<!ENTITY e 'x'>", "]>", "<![CDATA[", "]]>", "<?p ?>"]
    )
    | st.text(max_size=3),
    max_size=30,
)
MAIL_BITS = st.lists(
    st.sampled_from(
        [
            "Content-Type: multipart/report; boundary=b\r\n",
            "\r\n",
            "--b\r\n",
            "--b--\r\n",
            "Content-Type: message/delivery-status\r\n",
            "Content-Type: message/feedback-report\r\n",
            "Content-Type: text/rfc822-headers\r\n",
            "Content-Type: message/rfc822\r\n",
            "Action: failed\r\n",
            "Status: 5.1.1\r\n",
            "Feedback-Type: abuse\r\n",
            "Content-Transfer-Encoding: base64\r\n",
            "Final-Recipient: rfc822; a@b.cn\r\n",
            "List-Unsubscribe: <https://x/u/AAAAAAAAAAAAAAAAAAAA>\r\n",
            "=?utf-8?q?=?=\r\n",
        ]
    ).map(str.encode)
    | st.binary(max_size=12),
    max_size=40,
)


def one_error(parse, raw) -> None:
    """Parsed or refused: nothing else, and what was read does not travel along."""
    problem = None
    try:
        assert parse(raw) is not None
    except Malformed as refused:
        problem = refused
    assert problem is None or (problem.__context__, problem.__cause__) == (None, None)


@given(raw=st.binary(max_size=200) | JSON.map(lambda said: json.dumps(said).encode()))
def test_any_bytes_are_replies_or_malformed(raw):
    one_error(aliyun.replies, raw)
    one_error(tencent.reply, raw)


@given(raw=st.binary(max_size=200) | XML_BITS.map(lambda bits: ("<xml>" + "".join(bits) + "</xml>").encode("utf-8", "replace")))
def test_any_bytes_are_a_document_or_malformed(raw):
    one_error(xml.document, raw)
    one_error(envelope.read, raw)


@given(message=st.dictionaries(_KEYS, JSON, max_size=6))
def test_any_message_is_an_event_or_malformed(message):
    one_error(wechat.event, message)


@given(raw=MAIL_BITS.map(b"".join) | st.binary(max_size=300))
def test_any_bytes_are_a_mail_report_or_malformed(raw):
    one_error(mail.report, raw)


@given(
    encrypted=st.binary(max_size=80).map(bytes.hex) | st.text(max_size=60), nonce=st.text(max_size=10), stamp=st.text(max_size=12)
)
def test_any_push_is_refused_or_malformed_unless_wechat_made_it(encrypted, nonce, stamp):
    raw = json.dumps({"Encrypt": encrypted}).encode()
    right = envelope.signature(SEALED.token, stamp, nonce, encrypted)
    for signature in ("", "0" * 40, right):
        with pytest.raises((Refused, Malformed)):
            envelope.opened(SEALED, Signed("", stamp, nonce, signature), raw)


@given(
    content_type=st.sampled_from(["multipart/form-data; boundary=b", "application/x-www-form-urlencoded", "", "text/plain"])
    | st.text(max_size=30),
    raw=st.binary(max_size=120) | MAIL_BITS.map(b"".join),
)
def test_any_body_is_a_form_or_bad_input(content_type, raw):
    try:
        found = forms.fields(content_type, raw)
    except BadInput:
        return
    assert all(isinstance(each, str) for pair in found.items() for each in pair)


def test_a_form_is_read_from_both_kinds_of_body():
    assert forms.fields("application/x-www-form-urlencoded; charset=utf-8", b"List-Unsubscribe=One-Click&a=%E9%80%80") == {
        "List-Unsubscribe": "One-Click",
        "a": "退",
    }
    body = b'--x1\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x1--\r\n'
    assert forms.fields("multipart/form-data; boundary=x1", body) == {"List-Unsubscribe": "One-Click"}
    assert forms.fields('multipart/form-data; boundary="x1"', body) == {"List-Unsubscribe": "One-Click"}


def test_aliyuns_array_is_read_and_a_list_without_end_is_not():
    item = {
        "phone_number": "13800000000",
        "send_time": "2026-11-22 10:00:00",
        "content": "TD",
        "dest_code": "1069",
        "sequence_id": 7,
    }
    (found,) = aliyun.replies(json.dumps([item]).encode())
    assert (found.number, found.text, found.code, found.sign, found.delivery) == ("13800000000", "TD", "1069", "", "7")
    with pytest.raises(Malformed):
        aliyun.replies(json.dumps([item] * 501).encode())


def test_tencents_object_is_read_with_its_country():
    said = {"extend": "0", "mobile": "13800000000", "nationcode": "86", "sign": "示例美妆", "text": "T", "time": 1795312800}
    found = tencent.reply(json.dumps(said).encode())
    assert (found.number, found.text, found.sign) == ("+8613800000000", "T", "示例美妆")
    later = tencent.reply(json.dumps(said | {"time": 1795312801}).encode())
    assert later.delivery != found.delivery


BOMB = b"<!DOCTYPE a [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><xml><Event>&b;</Event></xml>"
OUTSIDE = b"<!DOCTYPE a [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><xml><Event>&a;</Event></xml>"


@pytest.mark.parametrize(
    "raw", [BOMB, OUTSIDE, b"<xml>" + b"<a>" * 50 + b"</a>" * 50 + b"</xml>", b"<xml>" + b"<a/>" * 3000 + b"</xml>"]
)
def test_xml_that_would_grow_or_reach_out_is_refused(raw):
    with pytest.raises(Malformed):
        xml.document(raw)


ITEM = {"TemplateId": "tpl1", "SubscribeStatusString": "accept", "PopupScene": "0"}


@pytest.mark.parametrize(
    "raw",
    [
        push.as_json("subscribe_msg_popup_event", "o1", List=[ITEM]),
        push.as_json("subscribe_msg_popup_event", "o1", List=ITEM),
        push.as_json("subscribe_msg_popup_event", "o1", SubscribeMsgPopupEvent={"List": [ITEM]}),
        push.as_xml(
            "subscribe_msg_popup_event",
            "o1",
            inside="<SubscribeMsgPopupEvent><List><TemplateId>tpl1</TemplateId><SubscribeStatusString>accept</SubscribeStatusString>"
            "<PopupScene>0</PopupScene></List></SubscribeMsgPopupEvent>",
        ),
    ],
)
@pytest.mark.obligation("WX-04")
def test_one_acceptance_is_read_alike_from_xml_and_json_as_a_list_or_alone(raw):
    found = wechat.event(envelope.read(raw))
    assert (found.kind, found.openid) == (InboundKind.WECHAT_SUBSCRIPTION, "o1")
    assert [(said.template, said.answer) for said in found.answers] == [("tpl1", wechat.Answer.ACCEPT)]


def test_several_templates_of_one_tap_are_several_acceptances_in_xml_too():
    one = "<List><TemplateId>tpl{0}</TemplateId><SubscribeStatusString>{1}</SubscribeStatusString></List>"
    inside = f"<SubscribeMsgPopupEvent>{one.format(1, 'accept')}{one.format(2, 'reject')}</SubscribeMsgPopupEvent>"
    found = wechat.event(envelope.read(push.as_xml("subscribe_msg_popup_event", "o1", inside=inside)))
    assert [(said.template, said.answer.name) for said in found.answers] == [("tpl1", "ACCEPT"), ("tpl2", "REJECT")]
    assert len({said.reference for said in found.answers}) == 2


def test_a_setting_or_a_failed_message_says_that_nothing_is_left():
    off = wechat.event(
        envelope.read(push.as_json("subscribe_msg_change_event", "o1", List=[ITEM | {"SubscribeStatusString": "reject"}]))
    )
    on = wechat.event(envelope.read(push.as_json("subscribe_msg_change_event", "o1", List=[ITEM])))
    failed = push.as_json(
        "subscribe_msg_sent_event", "o1", List={"TemplateId": "tpl1", "MsgID": "1", "ErrorCode": "43101", "ErrorStatus": "x"}
    )
    sent = push.as_json(
        "subscribe_msg_sent_event", "o1", List={"TemplateId": "tpl1", "MsgID": "1", "ErrorCode": "0", "ErrorStatus": "success"}
    )
    assert [said.answer.name for said in off.answers] == ["OFF"] and on.answers == ()
    assert [said.answer.name for said in wechat.event(envelope.read(failed)).answers] == ["REFUSED"]
    assert wechat.event(envelope.read(sent)).answers == ()


def test_what_was_revoked_is_told_by_the_fields_that_we_hold():
    raw = push.as_json("user_authorization_revoke", "wechat", **push.about("o1", RevokeInfo="8,6,7"))
    found = wechat.event(envelope.read(raw))
    assert (found.openid, found.appid, found.revoked) == ("o1", push.APPID, ("phone", "name"))


def test_a_sealed_message_is_opened_and_one_of_another_app_is_not():
    message = push.as_json("user_info_modified", "wechat", **push.about("o1"))
    for appid, fits in ((push.APPID, True), (push.OTHER, False), ("", False)):
        text = push.sealed(message, appid=appid)
        signed = Signed("", STAMP, "n", push.sha1(push.TOKEN, STAMP, "n", text))
        raw = json.dumps({"ToUserName": "gh_1", "Encrypt": text}).encode()
        if fits:
            assert envelope.opened(SEALED, signed, raw).content == message
        else:
            with pytest.raises(Refused):
                envelope.opened(SEALED, signed, raw)


def test_a_body_in_the_clear_is_refused_where_there_is_a_key():
    raw = push.as_json("user_info_modified", "wechat", **push.about("o1"))
    signed = Signed(push.sha1(push.TOKEN, STAMP, "n"), STAMP, "n")
    envelope.check(SEALED, signed, now=NOW)
    with pytest.raises(Refused):
        envelope.opened(SEALED, signed, raw)
    assert envelope.opened(PLAIN, signed, raw).content == raw


@pytest.mark.parametrize(
    ("stamp", "token"),
    [(STAMP, "another-token"), (str(int(STAMP) - 601), push.TOKEN), (str(int(STAMP) + 601), push.TOKEN), ("soon", push.TOKEN)],
)
def test_a_moment_that_wechat_did_not_sign_or_not_now_is_refused(stamp, token):
    with pytest.raises(Refused):
        envelope.check(PLAIN, Signed(push.sha1(token, stamp, "n"), stamp, "n"), now=NOW)


DSN = """From: MAILER-DAEMON@mx.example.com
To: bounce@mail.retail.example.com
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It failed.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; someone@example.com
Action: {action}
Status: {status}

--b
Content-Type: {returned}

Subject: AD news
List-Unsubscribe: <https://m.example.com/u/{token}>,
 <mailto:u@mail.retail.example.com>

--b--
"""
TOKEN = "A" * 80


@pytest.mark.parametrize("returned", ["message/rfc822", "text/rfc822-headers"])
@pytest.mark.parametrize(
    ("action", "status", "kind"),
    [("failed", "5.1.1 (no such user)", "FAILED"), ("delayed", "4.4.1", "DELAYED"), ("failed", "4.4.7", "DELAYED")],
)
def test_a_bounce_is_read_with_the_link_of_the_mail_that_came_back(returned, action, status, kind):
    found = mail.report(DSN.format(action=action, status=status, returned=returned, token=TOKEN).encode())
    assert (found.kind.name, found.status, found.link) == (kind, status.split()[0], TOKEN)
    assert found.address == "someone@example.com"


ARF = """From: <abuse@mx.example.com>
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: x/1
Version: 1
Original-Rcpt-To: <someone@example.com>

--b
Content-Type: message/rfc822

List-Unsubscribe: <https://m.example.com/u/{token}>
Subject: AD news

Body.
--b--
"""


@pytest.mark.parametrize(("said", "kind"), [("abuse", "COMPLAINT"), ("fraud", "COMPLAINT"), ("not-spam", "PRAISE")])
def test_an_abuse_report_is_a_complaint_and_its_opposite_is_none(said, kind):
    found = mail.report(ARF.format(kind=said, token=TOKEN).encode())
    assert (found.kind.name, found.link, found.address) == (kind, TOKEN, "someone@example.com")


def test_a_link_in_the_body_of_a_report_counts_for_nobody():
    raw = ARF.format(kind="abuse", token="B" * 8).replace("Body.", f"List-Unsubscribe: <https://m.example.com/u/{TOKEN}>")
    assert mail.report(raw.encode()).link == ""
