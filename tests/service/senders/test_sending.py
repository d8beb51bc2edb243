"""A live decision becomes a message, once: through the operations, the queue, the worker and a vendor on loopback."""

import asyncio
import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest

from policies.terms import Catalogue
from service.app import Parts
from service.campaigns.model import Audience, CampaignRejected
from service.consent.model import CaptureChannel
from service.errors import Forbidden
from service.senders.model import Ordered
from service.vault.normalise import normalise
from service.work.worker import LEASE
from tests.conftest import StillClock
from tests.factories import a_call, a_profile
from tests.plugins import canary
from tests.service.gate.made import approved, campaign, edited, one, subscriber
from tests.service.senders import made
from tests.service.senders.house import ENGINE, OFFICER, became, jobs, queue, record, working
from tests.service.senders.vendors import Answer, Request, aliyun, refusing, vendor

TODAY = (2026, 11, 22)


async def ordered(running: Parts, member_id: str, **more: object) -> tuple[str, object]:
    """A campaign by text message, decided for this member and queued."""
    campaign_id = await campaign(running, made.a_body(), **more)
    decision = await one(running, campaign_id, member_id)
    assert decision.allowed, decision
    await queue(running, campaign_id, decision)
    return campaign_id, decision


def digest_of_text(text: str) -> bytes:
    """What docs/formats/message-content.md says of a text message, in other words than the service's."""
    told = json.dumps({"html": "", "subject": "", "text": text}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(b"menshen/message-content/v1\0" + told.encode()).digest()


async def leave(running: Parts, member_id: str) -> None:
    call = a_call("member", member_id=member_id)
    await running.operations.withdraw(call, member_id=None, purpose="marketing_sms", channel=CaptureChannel.WEB)


@pytest.mark.obligation("SMS-05", "MK-01")
async def test_a_decision_goes_out_once_by_its_registered_code(running: Parts, tmp_path: Path) -> None:
    phone = canary.value("phone")
    member_id = await subscriber(running, a_profile(phone=phone))
    async with vendor(aliyun) as sms, working(running, tmp_path, living_sms=sms.url) as worker:
        _, decision = await ordered(running, member_id)
        assert await worker.once() == 1
        assert await worker.once() == 0
        (request,) = sms.requests
    assert request.query == {
        "PhoneNumbers": phone.removeprefix("+86"),
        "SignName": "示例生活",
        "TemplateCode": "SMS_1001",
        "OutId": decision.send_id,
    }
    assert await became(running, decision) == ["DISPATCHED", "SENT"]
    assert await jobs(running) == [("DONE", "ACCEPTED")]


@pytest.mark.obligation("SMS-06")
async def test_what_was_handed_over_is_there_after_150_days(
    running: Parts, tmp_path: Path, clock: StillClock, catalogue: Catalogue
) -> None:
    phone = canary.value("phone")
    member_id = await subscriber(running, a_profile(phone=phone))
    async with vendor(aliyun) as sms, working(running, tmp_path, living_sms=sms.url) as worker:
        _, decision = await ordered(running, member_id)
        handed = clock.now
        await worker.once()
    clock.advance(days=150)
    found = await record(running, decision)
    (kept,) = found.records
    assert (kept.handed_at, kept.code, kept.sender) == (handed, catalogue.senders["living_sms"].address, "living_sms")
    assert kept.address_mark == running.vault.mark("phone", normalise("phone", phone))
    assert kept.template_version == 1
    assert kept.content_digest == digest_of_text(made.a_body().text)
    assert [(step.outcome.value, step.reference) for step in found.outcomes] == [
        ("DISPATCHED", ""),
        ("SENT", "900619746936498440^0"),
    ]
    nobody = await running.operations.send_record(OFFICER, member_id=made.OTHER, send_id=decision.send_id, purpose="audit")
    assert nobody is None


async def test_a_withdrawal_between_decision_and_dispatch_leaves_nothing_to_send(running: Parts, tmp_path: Path) -> None:
    member_id = await subscriber(running)
    async with vendor(aliyun) as sms, working(running, tmp_path, living_sms=sms.url) as worker:
        await ordered(running, member_id)
        await leave(running, member_id)
        await worker.once()
        assert sms.requests == []
    assert await jobs(running) == [("CANCELLED_WITHDRAWN", "WITHDRAWN")]


async def test_nothing_more_of_a_campaign_is_sent_once_it_was_edited(running: Parts, tmp_path: Path) -> None:
    first, second = await subscriber(running), await subscriber(running)
    async with vendor(aliyun) as sms, working(running, tmp_path, living_sms=sms.url) as worker:
        campaign_id, _ = await ordered(running, first)
        assert await worker.once() == 1
        await queue(running, campaign_id, decision := await one(running, campaign_id, second))
        await edited(running, campaign_id, audience=Audience(tiers=("gold",)))
        await approved(running, campaign_id)
        await worker.once()
        assert len(sms.requests) == 1
    assert await became(running, decision) == ["CANCELLED"]
    assert (await jobs(running))[1][0] == "DONE"


@pytest.mark.obligation("SMS-07")
async def test_at_night_it_waits_and_is_decided_again_in_the_morning(running: Parts, tmp_path: Path, clock: StillClock) -> None:
    stays, leaves = await subscriber(running), await subscriber(running)
    clock.now = clock.now.replace(hour=12, minute=59)
    async with vendor(aliyun) as sms, working(running, tmp_path, living_sms=sms.url) as worker:
        await ordered(running, stays)
        await ordered(running, leaves)
        clock.advance(minutes=1)
        assert await worker.once() == 2
        assert await jobs(running) == [("WAITING", "QUIET_HOURS")] * 2
        clock.advance(hours=10, minutes=59)
        assert await worker.once() == 0
        await leave(running, leaves)
        clock.advance(minutes=1)
        await worker.once()
        assert len(sms.requests) == 1
    assert sorted(await jobs(running)) == [("CANCELLED_WITHDRAWN", "WITHDRAWN"), ("DONE", "ACCEPTED")]


async def test_whoever_dies_between_the_dispatch_and_the_answer_is_not_followed_by_a_second_message(
    running: Parts, tmp_path: Path, clock: StillClock
) -> None:
    member_id = await subscriber(running)
    arrived = asyncio.Event()

    def silent(_: Request) -> Answer:
        arrived.set()
        return b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n"

    async with vendor(silent) as sms:
        sms.hangs = True
        async with working(running, tmp_path, living_sms=sms.url) as worker:
            _, decision = await ordered(running, member_id)
            dying = asyncio.create_task(worker.once())
            await arrived.wait()
            dying.cancel()
            await asyncio.gather(dying, return_exceptions=True)
            assert await became(running, decision) == ["DISPATCHED"]
            clock.advance(seconds=LEASE.total_seconds() + 1)
            await worker.once()
            await worker.once()
        assert len(sms.requests) == 1
    assert await became(running, decision) == ["DISPATCHED", "UNKNOWN"]
    (found,) = await running.operations.failed_sends(OFFICER, purpose="audit", first=10, after=None)
    assert (found.job.job_id, found.job.outcome) == (decision.send_id, "OUTCOME_UNKNOWN")


async def test_an_answer_that_was_lost_is_told_as_unknown_and_never_tried_again(
    running: Parts, tmp_path: Path, clock: StillClock
) -> None:
    member_id = await subscriber(running)
    async with vendor(lambda _: None) as sms, working(running, tmp_path, living_sms=sms.url) as worker:
        _, decision = await ordered(running, member_id)
        await worker.once()
        clock.advance(hours=2)
        await worker.once()
        assert len(sms.requests) == 1
    assert await became(running, decision) == ["DISPATCHED", "UNKNOWN"]
    assert await jobs(running) == [("FAILED", "BROKEN_OFF")]


async def test_what_surely_did_not_go_out_is_tried_again_and_decided_anew(
    running: Parts, tmp_path: Path, clock: StillClock
) -> None:
    member_id = await subscriber(running)
    busy = [True]

    def answer(request: Request) -> Answer:
        throttled = (400, {"Code": "Throttling.User", "Message": "Request was denied due to user flow control."})
        return throttled if busy.pop() else aliyun(request)

    async with vendor(answer) as sms, working(running, tmp_path, living_sms=sms.url) as worker:
        _, decision = await ordered(running, member_id)
        await worker.once()
        assert await jobs(running) == [("WAITING", "THROTTLED")]
        assert await worker.once() == 0
        busy.append(False)
        clock.advance(minutes=1)
        await worker.once()
        assert len(sms.requests) == 2
    assert await became(running, decision) == ["DISPATCHED", "FAILED", "DISPATCHED", "SENT"]


async def test_a_message_that_failed_for_now_is_not_sent_after_a_withdrawal(
    running: Parts, tmp_path: Path, clock: StillClock
) -> None:
    member_id = await subscriber(running)
    async with working(running, tmp_path, living_sms="http://127.0.0.1:1") as worker:
        await ordered(running, member_id)
        await worker.once()
        assert await jobs(running) == [("WAITING", "UNREACHABLE")]
        await leave(running, member_id)
    async with vendor(aliyun) as sms, working(running, tmp_path, living_sms=sms.url) as worker:
        clock.advance(hours=1)
        await worker.once()
        assert sms.requests == []


async def test_a_sender_without_an_account_waits_for_one(running: Parts, tmp_path: Path, clock: StillClock) -> None:
    member_id = await subscriber(running)
    async with working(running, tmp_path) as worker:
        _, decision = await ordered(running, member_id)
        await worker.once()
        assert await jobs(running) == [("WAITING", "NO_ACCOUNT")]
        assert await became(running, decision) == []
    async with vendor(aliyun) as sms, working(running, tmp_path, living_sms=sms.url) as worker:
        clock.advance(hours=1)
        await worker.once()
        assert len(sms.requests) == 1


async def test_what_the_vendor_refuses_for_good_needs_a_person(running: Parts, tmp_path: Path) -> None:
    member_id = await subscriber(running)
    async with vendor(refusing) as sms, working(running, tmp_path, living_sms=sms.url) as worker:
        _, decision = await ordered(running, member_id)
        await worker.once()
    assert await became(running, decision) == ["DISPATCHED", "FAILED"]
    (found,) = await running.operations.failed_sends(OFFICER, purpose="audit", first=10, after=None)
    assert (found.job.outcome, found.job.member_id) == ("TEMPLATE_UNKNOWN", member_id)
    assert await running.operations.failed_sends(OFFICER, purpose="audit", first=10, after=found.job.job_id) == ()


@pytest.mark.obligation("MK-01")
async def test_a_token_of_another_or_of_before_queues_nothing(running: Parts, clock: StillClock) -> None:
    first, second = await subscriber(running), await subscriber(running)
    campaign_id = await campaign(running, made.a_body())
    one_of, other = await one(running, campaign_id, first), await one(running, campaign_id, second)
    wrong = [
        Ordered(member_id=second, send_id=one_of.send_id, token=one_of.token),
        Ordered(member_id=first, send_id=one_of.send_id, token=other.token),
        Ordered(member_id=first, send_id=one_of.send_id, token=""),
    ]
    for order in wrong:
        (answer,) = (await running.operations.queue_sends(ENGINE, campaign_id=campaign_id, sends=[order])).results
        assert (answer.queued, answer.code) == (False, "DECISION_TOKEN_INVALID")
    clock.advance(minutes=5)
    (late,) = (await queue(running, campaign_id, one_of)).results
    assert (late.queued, late.code) == (False, "DECISION_TOKEN_EXPIRED")
    assert await jobs(running) == []


async def test_the_same_order_twice_is_one_message(running: Parts, tmp_path: Path) -> None:
    member_id = await subscriber(running)
    async with vendor(aliyun) as sms, working(running, tmp_path, living_sms=sms.url) as worker:
        campaign_id, decision = await ordered(running, member_id)
        assert (await queue(running, campaign_id, decision, decision)).results[0].queued
        await worker.once()
        assert (await queue(running, campaign_id, decision)).results[0].queued
        await worker.once()
        assert len(sms.requests) == 1


async def test_only_who_may_decide_may_queue_and_only_who_may_read_sees_what_failed(running: Parts) -> None:
    with pytest.raises(Forbidden):
        await running.operations.queue_sends(a_call("marketer"), campaign_id=made.OTHER, sends=[])
    for call in (ENGINE, a_call("marketer")):
        with pytest.raises(Forbidden):
            await running.operations.failed_sends(call, purpose="audit", first=10, after=None)
        with pytest.raises(Forbidden):
            await running.operations.send_record(call, member_id=made.OTHER, send_id=made.SEND, purpose="audit")
    order = Ordered(member_id=made.OTHER, send_id=made.SEND, token="")
    nothing = await running.operations.queue_sends(ENGINE, campaign_id=made.OTHER, sends=[order])
    assert isinstance(nothing, CampaignRejected)


def test_a_try_takes_no_longer_than_a_lease() -> None:
    from service.senders import smtp, wire

    assert timedelta(seconds=3 * smtp.SECONDS) < LEASE
    # WeChat: a token, a refusal of it, another token, another try.
    assert timedelta(seconds=4 * wire.SECONDS) <= LEASE
