"""Replies, as two vendors deliver them: whatever means no is a no, once, and everything else is read by somebody."""

import json

import pytest

from service.db.tables import subscription_event
from tests.api.front_end import entries
from tests.factories import a_member, a_profile
from tests.plugins import canary
from tests.service.inbound.outside import ALIYUN, TENCENT, a_push, came_in, everything, off, state, suppressed

SMS = "marketing_sms"
WAITING = "{ inboundReplies { id kind memberId text receivedAt } }"
HANDLE = """mutation Handle($id: ID!, $action: HandleAction!) { handleInbound(id: $id, action: $action) {
  __typename ... on InboundHandled { id unsubscribed } ... on Refusal { code zh } } }"""


async def a_texter(running):
    """Somebody who gets our texts; the number as vendors write it."""
    profile = a_profile()
    return await a_member(running, profile, yes=[SMS, "marketing_email"]), profile["phone"].removeprefix("+86")


async def to_aliyun(client, *replies, secret=ALIYUN):
    return await client.post(f"/hooks/sms/aliyun/{secret}", content=a_push(*replies))


async def to_tencent(client, number, text, *, at=1795312800, secret=TENCENT):
    said = {"extend": "01", "mobile": number, "nationcode": "86", "sign": "示例美妆", "text": text, "time": at}
    return await client.post(f"/hooks/sms/tencent/{secret}", content=json.dumps(said).encode())


@pytest.mark.obligation("SMS-03", "MK-04")
@pytest.mark.parametrize("text", ["R", "t", "ＴＤ", " 退订 ", "【示例生活】拒收", "stop!", "取消", "T。"])
async def test_a_reply_that_means_no_is_one_at_once(client, running, text):
    member_id, number = await a_texter(running)
    answer = await to_aliyun(client, (number, text, 1))
    assert (answer.status_code, answer.json()) == (200, {"code": 0, "msg": "接收成功"})
    assert await suppressed(running, "sms", "phone", number)
    assert await off(running, member_id, "sms")
    assert await state(running, member_id, SMS) == "WITHDRAWN"
    assert await state(running, member_id, "marketing_email") == "GIVEN", "the other channels were not meant"
    (entry,) = await entries(running, "smsReply")
    assert (entry["act"]["k"], entry["act"]["id"], entry["cnt"]) == ("system", "sms-hook", 1)
    assert entry["x"]["outcome"] == "UNSUBSCRIBED" and entry["x"]["sender"] == "living_sms"


@pytest.mark.obligation("SMS-03", "MK-04")
async def test_tencents_reply_means_the_same_and_is_answered_in_its_own_words(client, running):
    _member_id, number = await a_texter(running)
    answer = await to_tencent(client, number, "退订")
    assert (answer.status_code, answer.json()) == (200, {"result": 0, "errmsg": "OK"})
    assert await suppressed(running, "sms", "phone", number)
    (entry,) = await entries(running, "smsReply")
    assert entry["x"]["sender"] == "beauty_sms", "told by its signature"


async def test_everything_off_is_everything(client, running):
    member_id, number = await a_texter(running)
    await to_aliyun(client, (number, "退订全部", 1))
    assert [await off(running, member_id, channel) for channel in ("sms", "email")] == [True, True]
    assert await state(running, member_id, "marketing_email") == "WITHDRAWN"
    (entry,) = await entries(running, "smsReply")
    assert entry["cnt"] == len(entry["sub"]) == 1


@pytest.mark.obligation("SMS-03")
@pytest.mark.parametrize("text", ["好", "取消订单", "请问几点营业", "👍", "Y"])
async def test_a_reply_that_means_something_else_changes_nothing_and_is_read_by_staff(client, running, ask, text):
    member_id, number = await a_texter(running)
    written = f"{text} {canary.value('note')}"
    await to_aliyun(client, (number, text, 1), (number, written, 2))
    assert not await suppressed(running, "sms", "phone", number)
    assert await state(running, member_id, SMS) == "GIVEN"
    found = (await ask(WAITING, role="customer_service_agent"))["data"]["inboundReplies"]
    assert {(each["kind"], each["memberId"], each["text"]) for each in found} == {
        ("SMS_REPLY", member_id, text),
        ("SMS_REPLY", member_id, written),
    }
    (entry,) = await entries(running, "inboundReplies")
    assert (entry["typ"], entry["cnt"], entry["bas"]) == ("access", 1, "LEGAL_DUTY")


async def test_staff_find_that_it_was_a_no_after_all(client, running, ask):
    member_id, number = await a_texter(running)
    await to_aliyun(client, (number, "别再给我发了", 1), (number, "谢谢", 2))
    first, second = (await ask(WAITING, role="customer_service_agent"))["data"]["inboundReplies"]
    for _ in range(2):
        done = await ask(HANDLE, role="customer_service_agent", variables={"id": first["id"], "action": "UNSUBSCRIBE"})
        assert done["data"]["handleInbound"] == {"__typename": "InboundHandled", "id": first["id"], "unsubscribed": True}
    assert await suppressed(running, "sms", "phone", number)
    closed = await ask(HANDLE, role="compliance_officer", variables={"id": second["id"], "action": "CLOSE"})
    assert closed["data"]["handleInbound"]["unsubscribed"] is False
    assert (await ask(WAITING, role="customer_service_agent"))["data"]["inboundReplies"] == []
    missing = await ask(HANDLE, role="compliance_officer", variables={"id": member_id, "action": "CLOSE"})
    assert missing["data"]["handleInbound"]["code"] == "INBOUND_NOT_FOUND"
    kept = await came_in(running)
    assert {row["state"] for row in kept} == {"DONE"} and all(row["handled_by"] for row in kept)


async def test_only_those_who_may_read_it(client, running, ask):
    await a_texter(running)
    for role in ("marketer", "mini_program", "marketing_engine"):
        refused = await ask(WAITING, role=role)
        assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_text_is_sealed_and_gone_with_its_member(client, running, ask):
    from tests.factories import a_call

    member_id, number = await a_texter(running)
    await to_aliyun(client, (number, canary.value("note"), 1))
    await running.operations.erase(a_call("compliance_officer"), member_id=member_id)
    (found,) = (await ask(WAITING, role="compliance_officer"))["data"]["inboundReplies"]
    assert found["text"] is None


async def test_the_same_push_again_is_answered_alike_and_does_nothing(client, running):
    member_id, number = await a_texter(running)
    first = await to_aliyun(client, (number, "TD", 7), (number, "你好", 8))
    before = [await everything(running, subscription_event), await came_in(running)]
    for _ in range(3):
        again = await to_aliyun(client, (number, "TD", 7), (number, "你好", 8))
        assert (again.status_code, again.content) == (first.status_code, first.content)
    assert [await everything(running, subscription_event), await came_in(running)] == before
    assert await state(running, member_id, SMS) == "WITHDRAWN"


async def test_a_replay_after_the_member_said_yes_again_takes_nothing_back(client, running, clock):
    from service.consent.model import Decision
    from tests.factories import a_call, evidence

    member_id, number = await a_texter(running)
    await to_tencent(client, number, "退订")
    clock.advance(days=40)
    answered = await running.operations.record_consents(
        a_call("member", member_id=member_id),
        member_id=None,
        decisions=[Decision(SMS, True)],
        evidence=evidence(running.catalogue, running.clock(), purpose=SMS),
    )
    assert await state(running, member_id, SMS) in {"GIVEN", "RENEWED"}, answered
    await to_tencent(client, number, "退订")
    assert await state(running, member_id, SMS) in {"GIVEN", "RENEWED"}
    await to_tencent(client, number, "退订", at=1795312999)
    assert await state(running, member_id, SMS) == "WITHDRAWN"


@pytest.mark.obligation("SMS-03")
async def test_an_unknown_number_is_answered_alike_and_suppressed_for_whoever_brings_it_in_later(client, running):
    _member_id, number = await a_texter(running)
    stranger = canary.value("phone").removeprefix("+86")
    known = await to_aliyun(client, (number, "T", 1))
    unknown = await to_aliyun(client, (stranger, "T", 2))
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert await suppressed(running, "sms", "phone", stranger)
    words = await to_aliyun(client, (stranger, "在吗", 3))
    assert words.content == known.content
    assert all(row["sealed"] is None for row in await came_in(running)), "there is no key to keep a stranger's words under"


@pytest.mark.parametrize("number", ["abc", "1", "+", "13800000000" * 5])
async def test_what_is_no_number_concerns_nobody_and_stops_no_other(client, running, number):
    _member_id, mine = await a_texter(running)
    answer = await to_aliyun(client, (number, "T", 1), (mine, "T", 2))
    assert answer.status_code == 200
    assert await suppressed(running, "sms", "phone", mine)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (f"/hooks/sms/aliyun/{ALIYUN[:-1]}b", a_push(), 404, "SECRET_INVALID"),
        (f"/hooks/sms/aliyun/{TENCENT}", a_push(), 404, "SECRET_INVALID"),
        (f"/hooks/sms/aliyun/{ALIYUN}/", a_push(), 404, "SECRET_INVALID"),
        ("/hooks/sms/elsewhere/x", b"[]", 404, "SECRET_INVALID"),
        (f"/hooks/sms/aliyun/{ALIYUN}", b"[{", 400, "MALFORMED"),
        (f"/hooks/sms/aliyun/{ALIYUN}", a_push(("1", "T", 1))[:-5], 400, "MALFORMED"),
        (f"/hooks/sms/aliyun/{ALIYUN}", b"{}", 400, "MALFORMED"),
        (f"/hooks/sms/tencent/{TENCENT}", b"[]", 400, "MALFORMED"),
        (f"/hooks/sms/tencent/{TENCENT}", b'{"mobile": {"a": 1}}', 400, "MALFORMED"),
        (f"/hooks/sms/aliyun/{ALIYUN}", b" " * 600_000, 413, "BODY_TOO_LARGE"),
        ("/hooks/mail/nobody", b"x", 404, "SECRET_INVALID"),
        ("/hooks/wechat/wx9999999999999999", b"x", 404, "SECRET_INVALID"),
    ],
)
async def test_what_is_forged_cut_or_too_large_is_refused_and_on_record(client, running, path, body, status, code):
    answer = await client.post(path, content=body)
    assert answer.status_code == status
    refused = [entry for entry in await entries(running) if entry["dec"] == "deny"]
    assert [(entry["op"], entry["rsn"]) for entry in refused] == [("hookRefused", code)]
    assert await came_in(running) == []


async def test_no_hook_is_open_where_none_is_set_up(running):
    from dataclasses import replace

    import httpx2

    from service.addresses import build

    closed = replace(running, config=running.config.model_copy(update={"hooks": None}))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=build(closed)), base_url="http://menshen.test") as client:
        for path in (f"/hooks/sms/aliyun/{ALIYUN}", f"/hooks/sms/tencent/{TENCENT}", "/hooks/mail/" + "m" * 40):
            assert (await client.post(path, content=a_push())).status_code == 404


async def test_other_methods_are_told_so_and_redirected_nowhere(client):
    for method in ("GET", "PUT", "DELETE", "HEAD", "PATCH"):
        answer = await client.request(method, f"/hooks/sms/aliyun/{ALIYUN}")
        assert answer.status_code == 405
