"""Each vendor's protocol, spoken to a server that checks it by itself; and what each of its answers means."""

import base64
import gzip
import hashlib
import hmac
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from policies.marketing import Vendor
from policies.terms import Catalogue
from service.senders.adapter import Adapter
from service.senders.dialler import DialList, Entry
from service.senders.model import Delivery, Fate, NoLiveDecision
from service.senders.signing import acs3_headers, query_string, tc3_headers
from service.senders.wire import MOST_BYTES
from tests.conftest import START, StillClock
from tests.plugins import canary
from tests.service.senders import made
from tests.service.senders.conftest import SENDERS
from tests.service.senders.vendors import APP_ID, SECRET, Answer, Request, Wechat, aliyun, tencent, vendor

Make = Callable[..., Adapter]


async def delivered(adapter: Make, catalogue: Catalogue, of: Vendor, answer: Callable[[Request], Answer], **more: object):
    """One message to a vendor that answers like this: what came of it, and what it was sent."""
    async with vendor(answer) as listening:
        message = made.a_message(catalogue, SENDERS[of], **more)
        delivery = await adapter(of, listening.url).deliver(message, key=message.send_id)
        return delivery, listening.requests, message


def test_the_signatures_are_those_of_the_vendors_own_examples() -> None:
    query = query_string({"ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", "RegionId": "cn-shanghai"})
    signed = acs3_headers(
        host="ecs.cn-shanghai.aliyuncs.com",
        action="RunInstances",
        version="2014-05-26",
        query=query,
        body=b"",
        key_id="YourAccessKeyId",
        secret="YourAccessKeySecret",
        nonce="3156853299f313e23d1673dc12e1703d",
        now=datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
    )
    assert signed["authorization"].endswith("06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0")
    signed = tc3_headers(
        host="cvm.tencentcloudapi.com",
        service="cvm",
        action="DescribeInstances",
        version="2017-03-12",
        region="ap-guangzhou",
        body=b'{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}',
        key_id="AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
        secret="Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
        now=datetime.fromtimestamp(1551113065, UTC),
    )
    assert signed["authorization"].endswith("72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168")


async def test_tencent_takes_a_message(adapter: Make, catalogue: Catalogue) -> None:
    delivery, (request,), message = await delivered(adapter, catalogue, Vendor.TENCENT, tencent)
    assert delivery == Delivery(Fate.SENT, "ACCEPTED", "5000:1045710669157053657849499619")
    assert request.document == {
        "PhoneNumberSet": [message.to],
        "SmsSdkAppId": APP_ID,
        "SignName": "示例美妆",
        "TemplateId": "2002",
        "TemplateParamSet": [],
        "SessionContext": message.send_id,
    }


async def test_a_variable_of_a_service_message_goes_to_aliyun_as_its_parameter(adapter: Make, catalogue: Catalogue) -> None:
    words = replace(made.a_message(catalogue).words, parameters={"name": "犇*", "code": 'a"b'})
    delivery, (request,), _ = await delivered(adapter, catalogue, Vendor.ALIYUN, aliyun, words=words)
    assert delivery.fate is Fate.SENT
    assert request.query["TemplateParam"] == '{"name":"犇*","code":"a\\"b"}'


async def test_a_vendor_cannot_fill_the_memory_with_a_small_answer(adapter: Make, catalogue: Catalogue) -> None:
    packed = gzip.compress(b" " * (64 * MOST_BYTES) + b'{"Code": "OK"}')
    assert len(packed) < MOST_BYTES // 8
    raw = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed) + packed
    tracemalloc.start()
    try:
        delivery, (request,), _ = await delivered(adapter, catalogue, Vendor.ALIYUN, lambda _: raw)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (delivery, request.headers["accept-encoding"]) == (Delivery(Fate.UNKNOWN, "ANSWER_UNREADABLE"), "identity")
    assert most < 32 * MOST_BYTES


@pytest.mark.parametrize("of", [Vendor.ALIYUN, Vendor.TENCENT, Vendor.WECHAT])
@pytest.mark.parametrize(
    "answer", [None, (502, {}), (200, {}), (200, []), b"not http at all", b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (MOST_BYTES + 1)]
)
async def test_an_answer_that_says_nothing_leaves_it_unknown(
    of: Vendor, answer: Answer, adapter: Make, catalogue: Catalogue
) -> None:
    known = {"access_token": "t", "expires_in": 7200}

    def say(request: Request) -> Answer:
        return (200, known) if request.path == "/cgi-bin/stable_token" else answer

    delivery, requests, _ = await delivered(adapter, catalogue, of, say)
    assert delivery.fate is Fate.UNKNOWN
    assert len([request for request in requests if request.path != "/cgi-bin/stable_token"]) == 1


@pytest.mark.parametrize("of", [Vendor.ALIYUN, Vendor.TENCENT, Vendor.WECHAT, Vendor.DIALLER])
async def test_a_vendor_that_is_not_there_has_taken_nothing(of: Vendor, adapter: Make, catalogue: Catalogue) -> None:
    message = made.a_message(catalogue, SENDERS[of])
    assert await adapter(of, "http://127.0.0.1:1").deliver(message, key=message.send_id) == Delivery(Fate.NOT_OUT, "UNREACHABLE")


@pytest.mark.parametrize("of", [Vendor.ALIYUN, Vendor.TENCENT, Vendor.WECHAT, Vendor.DIALLER])
async def test_no_redirect_is_followed(of: Vendor, adapter: Make, catalogue: Catalogue) -> None:
    async with vendor(lambda _: (200, {})) as elsewhere:
        away = f"HTTP/1.1 307 Go\r\nlocation: {elsewhere.url}/\r\ncontent-length: 0\r\n\r\n".encode()
        delivery, _, _ = await delivered(adapter, catalogue, of, lambda _: away)
        assert delivery.fate is not Fate.SENT
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("code", "fate"),
    [
        ("isv.MOBILE_NUMBER_ILLEGAL", Fate.BOUNCED),
        ("isv.BUSINESS_LIMIT_CONTROL", Fate.REFUSED),
        ("Throttling.User", Fate.NOT_OUT),
        ("isv.AMOUNT_NOT_ENOUGH", Fate.NOT_OUT),
        ("isv.SOMETHING_NEW", Fate.REFUSED),
    ],
)
async def test_what_aliyun_says_becomes_a_code_of_ours(code: str, fate: Fate, adapter: Make, catalogue: Catalogue) -> None:
    said = {"Code": code, "Message": canary.value("phone"), "RequestId": "r"}
    delivery, _, _ = await delivered(adapter, catalogue, Vendor.ALIYUN, lambda _: (200, said))
    assert delivery.fate is fate
    assert delivery.code.isupper()
    assert delivery.reference == ""


@pytest.mark.parametrize(
    ("code", "fate"),
    [
        ("InvalidParameterValue.IncorrectPhoneNumber", Fate.BOUNCED),
        ("FailedOperation.PhoneNumberInBlacklist", Fate.REFUSED),
        ("LimitExceeded.PhoneNumberDailyLimit", Fate.REFUSED),
        ("RequestLimitExceeded", Fate.NOT_OUT),
        ("AuthFailure.SecretIdNotFound", Fate.NOT_OUT),
        ("InternalError.OtherError", Fate.UNKNOWN),
        ("Something.New", Fate.REFUSED),
    ],
)
async def test_what_tencent_says_becomes_a_code_of_ours(code: str, fate: Fate, adapter: Make, catalogue: Catalogue) -> None:
    said = {"Response": {"SendStatusSet": [{"Code": code, "Message": "", "SerialNo": ""}], "RequestId": "r"}}
    delivery, _, _ = await delivered(adapter, catalogue, Vendor.TENCENT, lambda _: (200, said))
    assert (delivery.fate, delivery.reference) == (fate, "")


@pytest.mark.obligation("WX-04", "AD-01")
async def test_one_acceptance_is_one_message_and_43101_is_told(adapter: Make, catalogue: Catalogue) -> None:
    message = made.a_message(catalogue, "living_wechat")
    openid = message.to.partition(":")[2]
    wechat = Wechat(acceptances={openid: 1})
    async with vendor(wechat) as listening:
        found = adapter(Vendor.WECHAT, listening.url)
        assert await found.deliver(message, key=message.send_id) == Delivery(Fate.SENT, "ACCEPTED", "1234567890123")
        assert await found.deliver(message, key=message.send_id) == Delivery(Fate.REFUSED, "43101")
        sent = listening.requests[1].document
    assert wechat.tokens == 1
    assert (sent["touser"], sent["template_id"]) == (openid, "tmpl-3003")
    assert sent["data"] == {
        "thing1": {"value": "会员日全场八折"},
        "time2": {"value": "2026年11月22日"},
        "thing3": {"value": "点开卡片可退订"},
    }
    # The card itself leads to where it is switched off (AD-01).
    assert sent["page"] == f"pages/preferences/index?u={made.TOKEN}"


async def test_a_token_that_wechat_has_ended_is_fetched_anew_once(adapter: Make, catalogue: Catalogue, clock: StillClock) -> None:
    message = made.a_message(catalogue, "living_wechat")
    wechat = Wechat(acceptances={message.to.partition(":")[2]: 9}, ended={"token-1"})
    async with vendor(wechat) as listening:
        found = adapter(Vendor.WECHAT, listening.url)
        assert (await found.deliver(message, key=message.send_id)).fate is Fate.SENT
        assert wechat.tokens == 2
        clock.advance(minutes=115)
        later = replace(message, cleared_at=clock.now)
        assert (await found.deliver(later, key=message.send_id)).fate is Fate.SENT
        assert wechat.tokens == 3
        wechat.ended |= {"token-3", "token-4"}
        assert await found.deliver(later, key=message.send_id) == Delivery(Fate.NOT_OUT, "VENDOR_CREDENTIALS")


async def test_an_openid_of_another_app_is_nobody(adapter: Make, catalogue: Catalogue) -> None:
    delivery, requests, _ = await delivered(
        adapter, catalogue, Vendor.WECHAT, Wechat(), to=f"wx0000000000000a02:{canary.value('openid')}"
    )
    assert (delivery, requests) == (Delivery(Fate.REFUSED, "OPENID_OF_ANOTHER_APP"), [])


@pytest.mark.obligation("SMS-05")
@pytest.mark.parametrize("of", [Vendor.ALIYUN, Vendor.TENCENT])
async def test_nothing_is_sent_without_a_registered_signature(of: Vendor, adapter: Make, catalogue: Catalogue) -> None:
    bare = replace(catalogue.senders[SENDERS[of]], identity="示例")
    found = adapter(of, "http://127.0.0.1:1")
    found.registered = bare
    message = replace(made.a_message(catalogue, SENDERS[of]), sender=bare)
    assert await found.deliver(message, key=message.send_id) == Delivery(Fate.REFUSED, "SIGNATURE_MISSING")


def believed(request: Request) -> bool:
    """Whether a dialler that follows the Standard Webhooks specification would believe it."""
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    right = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(request.headers["webhook-signature"], f"v1,{right}")


@pytest.mark.obligation("CL-02", "AD-01")
async def test_a_dial_list_ends_with_the_day_and_carries_its_evidence(adapter: Make, catalogue: Catalogue) -> None:
    delivery, (request,), message = await delivered(adapter, catalogue, Vendor.DIALLER, lambda _: (202, {}))
    assert delivery == Delivery(Fate.SENT, "ACCEPTED")
    assert believed(request)
    assert request.headers["webhook-id"] == message.send_id
    said = request.document
    # Decided at 10:00 in Shanghai; the channel falls silent at 21:00 there.
    assert (said["madeAt"], said["expiresAt"]) == ("2026-11-22T02:00:00.000000Z", "2026-11-22T13:00:00.000000Z")
    (entry,) = said["entries"]
    assert (entry["number"], entry["evidence"], entry["refusal"]) == (message.to, message.send_id, made.LINK)


@pytest.mark.obligation("CL-02")
async def test_a_list_older_than_a_day_is_refused_by_the_adapter(adapter: Make, clock: StillClock) -> None:
    entry = Entry(send_id=made.SEND, member_id=made.MEMBER, number=canary.value("phone"), says="会员日", refusal=made.LINK)
    found = DialList(list_id=made.SEND, made_at=START, expires_at=START + timedelta(days=9), entries=(entry,))
    async with vendor(lambda _: (202, {})) as listening:
        dialler = adapter(Vendor.DIALLER, listening.url)
        clock.advance(hours=23, minutes=59)
        assert (await dialler.dial(found)).fate is Fate.SENT
        clock.advance(minutes=1)
        with pytest.raises(NoLiveDecision):
            await dialler.dial(found)
        with pytest.raises(NoLiveDecision):
            await dialler.dial(replace(found, made_at=clock.now, expires_at=clock.now))
        assert len(listening.requests) == 1


@pytest.mark.parametrize(("status", "fate"), [(404, Fate.REFUSED), (500, Fate.NOT_OUT)])
async def test_a_dialler_knows_a_list_by_its_id_so_it_may_be_asked_again(
    status: int, fate: Fate, adapter: Make, catalogue: Catalogue
) -> None:
    delivery, _, _ = await delivered(adapter, catalogue, Vendor.DIALLER, lambda _: (status, {}))
    assert delivery.fate is fate
