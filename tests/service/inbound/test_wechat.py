"""WeChat's events through the door: counted once, taken back at once, and nothing believed that WeChat did not sign."""

import json

import pytest

from tests.api.front_end import entries
from tests.factories import a_member, a_profile
from tests.service.inbound import wechat_push as push
from tests.service.inbound.outside import an_openid, balances, came_in, off, state, suppressed

WECHAT, SMS, MAIL = "marketing_wechat", "marketing_sms", "marketing_email"
ACCEPT = {"TemplateId": "tpl1", "SubscribeStatusString": "accept", "PopupScene": "0"}
REJECT = ACCEPT | {"SubscribeStatusString": "reject"}


async def a_user(running, appid=push.APPID):
    """A member of the mini-program."""
    openid = an_openid()
    profile = a_profile(wechat_openid=f"{appid}:{openid}")
    member_id = await a_member(running, profile, yes=[WECHAT, SMS, MAIL])
    return member_id, openid, profile


async def pushed(client, running, raw, *, appid=push.APPID, nonce="n1", **more):
    return await client.post(f"/hooks/wechat/{appid}?{push.query(running.clock(), nonce=nonce, **more)}", content=raw)


async def test_wechat_is_echoed_and_a_stranger_is_not(client, running):
    known = await client.get(f"/hooks/wechat/{push.APPID}?{push.query(running.clock(), echostr='zwischen')}")
    assert (known.status_code, known.text) == (200, "zwischen")
    assert known.headers["content-type"].startswith("text/plain")
    stranger = await client.get(f"/hooks/wechat/{push.APPID}?{push.query(running.clock(), token='x', echostr='zwischen')}")
    assert stranger.status_code == 403 and "zwischen" not in stranger.text


@pytest.mark.obligation("WX-04")
@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("as_xml", [False, True])
async def test_each_acceptance_is_one_more_message_however_often_it_is_delivered(client, running, encrypted, as_xml):
    appid = push.OTHER if encrypted else push.APPID
    _member_id, openid, _ = await a_user(running, appid)
    for number in range(2):
        raw = _popup(openid, at=1795312800 + number, as_xml=as_xml)
        for nonce in ("a", "b"):
            text = push.sealed(raw, appid=appid) if encrypted else ""
            body = _envelope(text, as_xml=as_xml) if encrypted else raw
            answer = await pushed(client, running, body, appid=appid, nonce=f"{nonce}{number}", encrypted=text)
            assert (answer.status_code, answer.text) == (200, "success")
    assert await balances(running) == {"tpl1": 2}
    assert {(entry["act"]["id"], entry["dec"], entry["cnt"]) for entry in (await entries(running, "wechatEvent"))[:1]} == {
        ("wechat-hook", "allow", 1)
    }


def _popup(openid, *, at, as_xml):
    if not as_xml:
        return push.as_json("subscribe_msg_popup_event", openid, at=at, List=[ACCEPT])
    item = "<List><TemplateId>tpl1</TemplateId><SubscribeStatusString>accept</SubscribeStatusString></List>"
    inside = f"<SubscribeMsgPopupEvent>{item}</SubscribeMsgPopupEvent>"
    return push.as_xml("subscribe_msg_popup_event", openid, at=at, inside=inside)


def _envelope(text, *, as_xml):
    if as_xml:
        return f"<xml><ToUserName>gh_1</ToUserName><Encrypt><![CDATA[{text}]]></Encrypt></xml>".encode()
    return json.dumps({"ToUserName": "gh_1", "Encrypt": text}).encode()


@pytest.mark.obligation("WX-04")
@pytest.mark.parametrize(
    "refusing",
    [
        ("subscribe_msg_change_event", {"List": [REJECT]}),
        (
            "subscribe_msg_sent_event",
            {"List": {"TemplateId": "tpl1", "MsgID": "9", "ErrorCode": "43101", "ErrorStatus": "refuse"}},
        ),
    ],
)
async def test_a_refusal_in_the_settings_or_of_a_message_leaves_nothing_to_send_by(client, running, refusing):
    _, openid, _ = await a_user(running)
    for number in range(3):
        raw = push.as_json("subscribe_msg_popup_event", openid, at=1795312800 + number, List=[ACCEPT])
        await pushed(client, running, raw, nonce=f"n{number}")
    assert await balances(running) == {"tpl1": 3}
    name, more = refusing
    await pushed(client, running, push.as_json(name, openid, at=1795312900, **more), nonce="last")
    assert await balances(running) == {"tpl1": 0}


async def test_a_no_to_the_question_adds_nothing(client, running):
    _, openid, _ = await a_user(running)
    await pushed(client, running, push.as_json("subscribe_msg_popup_event", openid, List=[REJECT]))
    assert set((await balances(running)).values()) <= {0}


async def test_a_revoked_phone_number_ends_what_rested_on_it_and_nothing_else(client, running):
    member_id, openid, profile = await a_user(running)
    raw = push.as_json("user_authorization_revoke", "wechat", **push.about(openid, RevokeInfo="8"))
    assert (await pushed(client, running, raw)).text == "success"
    assert await suppressed(running, "sms", "phone", profile["phone"])
    assert [await state(running, member_id, key) for key in (SMS, MAIL)] == ["WITHDRAWN", "GIVEN"]
    (entry,) = await entries(running, "wechatEvent")
    assert (entry["x"]["fields"], entry["x"]["outcome"]) == (["phone"], "CONSENTS_WITHDRAWN")
    assert entry["cnt"] == len(entry["sub"]) == 1


async def test_a_cancelled_account_stops_everything_and_is_a_wish_to_be_erased(client, running, ask):
    member_id, openid, _ = await a_user(running)
    raw = push.as_json("user_authorization_cancellation", "wechat", **push.about(openid))
    await pushed(client, running, raw)
    assert {await state(running, member_id, key) for key in (WECHAT, SMS, MAIL)} == {"WITHDRAWN"}
    assert [await off(running, member_id, channel) for channel in ("sms", "email", "wechat", "phone")] == [True] * 4
    (found,) = (await ask("{ inboundReplies { kind memberId } }", role="compliance_officer"))["data"]["inboundReplies"]
    assert found == {"kind": "WECHAT_CANCELLATION", "memberId": member_id}


async def test_changed_user_information_is_noted_for_staff_and_changes_nothing(client, running, ask):
    member_id, openid, _ = await a_user(running)
    await pushed(client, running, push.as_json("user_info_modified", "wechat", **push.about(openid, RevokeInfo="201")))
    (found,) = (await ask("{ inboundReplies { kind memberId } }", role="compliance_officer"))["data"]["inboundReplies"]
    assert found == {"kind": "WECHAT_CHANGE", "memberId": member_id}
    assert await state(running, member_id, WECHAT) == "GIVEN"


async def test_an_openid_is_somebody_in_their_own_app_alone(client, running):
    _member_id, openid, _ = await a_user(running, push.OTHER)
    raw = push.as_json("subscribe_msg_popup_event", openid, List=[ACCEPT])
    answer = await pushed(client, running, raw, appid=push.APPID)
    assert (answer.status_code, answer.text) == (200, "success")
    assert await balances(running) == {}
    assert [row["outcome"] for row in await came_in(running)] == ["UNMATCHED"]


async def test_an_event_about_another_app_is_refused(client, running):
    member_id, openid, _ = await a_user(running)
    raw = push.as_json("user_authorization_cancellation", "wechat", OpenID=openid, AppID=push.OTHER)
    assert (await pushed(client, running, raw)).status_code == 403
    assert await state(running, member_id, WECHAT) == "GIVEN"


async def test_a_signed_address_that_was_overheard_is_good_for_no_other_body(client, running):
    member_id, openid, _ = await a_user(running)
    first = push.as_json("subscribe_msg_popup_event", openid, List=[ACCEPT])
    assert (await pushed(client, running, first, nonce="seen")).status_code == 200
    forged = push.as_json("user_authorization_cancellation", "wechat", **push.about(openid))
    assert (await pushed(client, running, forged, nonce="seen")).status_code == 403
    assert await state(running, member_id, WECHAT) == "GIVEN"
    (refused,) = [entry for entry in await entries(running, "wechatEvent") if entry["dec"] == "deny"]
    assert refused["rsn"] == "NONCE_REUSED"


@pytest.mark.parametrize("seconds", [-601, 601])
async def test_a_push_of_another_moment_is_refused_and_on_record(client, running, clock, seconds):
    _member_id, openid, _ = await a_user(running)
    query = push.query(running.clock())
    clock.advance(seconds)
    answer = await client.post(
        f"/hooks/wechat/{push.APPID}?{query}", content=push.as_json("subscribe_msg_popup_event", openid, List=[ACCEPT])
    )
    assert answer.status_code == 403 and await balances(running) == {}
    assert [entry["rsn"] for entry in await entries(running, "wechatEvent")] == ["TIMESTAMP_STALE"]


@pytest.mark.parametrize(
    "body", [b"", b"<xml>", b"{}", b"<!DOCTYPE a []><xml/>", b"\xff", b"<xml><Encrypt>x</Encrypt></xml>", b"a" * 70_000]
)
@pytest.mark.parametrize("appid", [push.APPID, push.OTHER])
async def test_a_body_that_is_none_is_refused_and_never_a_failure_of_ours(client, running, body, appid):
    answer = await pushed(client, running, body, appid=appid)
    assert answer.status_code in {400, 403, 413}
    assert await came_in(running) == []
    assert [entry["dec"] for entry in await entries(running)] == ["deny"]
