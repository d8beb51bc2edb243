"""Redeeming a decision and reporting what became of it: once, only while it is right, and never counted wrongly."""

from datetime import UTC, datetime

import pytest

from policies.marketing import MessageClass
from service.audit.entry import Draft
from service.consent.model import CaptureChannel
from service.errors import BadInput
from service.gate import commands
from service.gate.model import Cleared, Denied, Outcome, Report
from tests.factories import a_call
from tests.service.campaigns.made import words
from tests.service.gate import made
from tests.service.gate.made import ENGINE, campaign, one, subscriber, why


async def redeem(running, decision, *, token="own") -> Cleared | Denied:
    """As a sender does: one unit, which leaves one entry."""
    given = decision.token if token == "own" else token

    async def work(unit):
        return await commands.redeem(unit, decision.send_id, decision.member_id, token=given)

    return await running.units.change(ENGINE, Draft(typ="export", operation="send"), work)


async def record(running, decision, outcome: Outcome, code: str = "") -> bool:
    async def work(unit):
        return await commands.record(unit, decision.member_id, decision.send_id, outcome, code=code)

    return await running.units.change(ENGINE, Draft(typ="result", operation="send"), work)


async def report(running, decision, outcome: Outcome, **more):
    said = Report(decision.send_id, decision.member_id, more.pop("token", decision.token), outcome, **more)
    (found,) = (await running.operations.record_outcomes(ENGINE, reports=[said])).results
    return found


@pytest.mark.obligation("MK-01")
async def test_a_decision_is_redeemed_once(running, kept) -> None:
    member_id = await subscriber(running)
    decision = await one(running, await campaign(running), member_id)
    cleared = await redeem(running, decision)
    assert isinstance(cleared, Cleared)
    assert set(running.vault.open(cleared.permit, cleared.keys, cleared.row.sealed)) == {"phone"}
    again = await redeem(running, decision)
    assert isinstance(again, Denied)
    assert again.code == "ALREADY_DISPATCHED"
    now, rebuilt = await kept(member_id)
    assert now == rebuilt
    assert now[0].slot.until is None


@pytest.mark.obligation("MK-01")
async def test_a_token_is_good_for_its_own_decision_and_five_minutes(running, clock) -> None:
    first, second = await subscriber(running), await subscriber(running)
    campaign_id = await campaign(running)
    mine, other = await one(running, campaign_id, first), await one(running, campaign_id, second)
    for token in (other.token, "", "A" * 55, mine.token[:-1] + ("A" if mine.token[-1] != "A" else "B")):
        assert (await redeem(running, mine, token=token)).code == "DECISION_TOKEN_INVALID"
    clock.advance(minutes=5)
    assert (await redeem(running, mine)).code == "DECISION_TOKEN_EXPIRED"


async def test_a_withdrawal_between_decision_and_dispatch_stops_it_and_frees_the_slot(running, kept) -> None:
    member_id = await subscriber(running)
    decision = await one(running, await campaign(running), member_id)
    await running.operations.withdraw(
        a_call("member", member_id=member_id), member_id=None, purpose="marketing_sms", channel=CaptureChannel.WEB
    )
    denied = await redeem(running, decision)
    assert isinstance(denied, Denied)
    assert denied.code == "CONSENT_WITHDRAWN"
    assert await kept(member_id) == ((), ())
    assert (await redeem(running, decision)).code == "ALREADY_DISPATCHED"


async def test_an_edit_between_decision_and_dispatch_stops_it_also_when_it_is_approved_again(running, clock) -> None:
    """Mautic #4761: what was withdrawn from publication still went out of the queue."""
    member_id = await subscriber(running)
    campaign_id = await campaign(running)
    decision = await one(running, campaign_id, member_id)
    clock.advance(seconds=1)
    await made.edited(running, campaign_id, title="别的")
    await made.approved(running, campaign_id)
    assert why(await one(running, campaign_id, await subscriber(running))) == []
    assert [reason.value for reason in (await redeem(running, decision)).reasons] == ["CAMPAIGN_NOT_APPROVED"]


@pytest.mark.obligation("SMS-07")
async def test_what_the_night_held_up_is_decided_again_in_the_morning(running, clock) -> None:
    """Deferred and not dropped: who still agrees gets it at eight, who withdrew over night does not."""
    stays, leaves = await subscriber(running), await subscriber(running)
    campaign_id = await campaign(running)
    clock.now = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
    first, second = await one(running, campaign_id, stays), await one(running, campaign_id, leaves)
    waiting = await redeem(running, first, token=None)
    assert isinstance(waiting, Denied)
    assert (waiting.code, waiting.next_slot) == ("QUIET_HOURS", first.next_slot)
    await running.operations.withdraw(
        a_call("member", member_id=leaves), member_id=None, purpose="marketing_sms", channel=CaptureChannel.WEB
    )
    clock.now = first.next_slot
    assert isinstance(await redeem(running, first, token=None), Cleared)
    assert (await redeem(running, second, token=None)).code == "CONSENT_WITHDRAWN"


async def test_what_was_refused_for_another_reason_than_time_stays_refused(running) -> None:
    member_id = await subscriber(running)
    campaign_id = await campaign(running, approved=False)
    decision = await one(running, campaign_id, member_id)
    await made.approved(running, campaign_id)
    denied = await redeem(running, decision, token=None)
    assert (denied.code, [reason.value for reason in denied.reasons]) == ("NOT_ALLOWED", ["CAMPAIGN_NOT_APPROVED"])


async def test_a_deferred_message_meets_the_cap_at_its_release(running, clock) -> None:
    """Three others went out meanwhile: the fourth waits on, whoever had been first to ask."""
    member_id = await subscriber(running)
    clock.now = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
    late = await one(running, await campaign(running), member_id)
    clock.now = late.next_slot
    for _ in range(3):
        assert isinstance(await redeem(running, await one(running, await campaign(running), member_id)), Cleared)
    assert (await redeem(running, late, token=None)).code == "FREQUENCY_CAP"


async def test_a_failure_gives_the_slot_back_and_what_went_out_never_does(running, kept) -> None:
    member_id = await subscriber(running)
    decision = await one(running, await campaign(running), member_id)
    await redeem(running, decision)
    assert await record(running, decision, Outcome.FAILED, "TIMEOUT")
    assert await kept(member_id) == ((), ())
    assert isinstance(await redeem(running, decision), Cleared)
    assert await record(running, decision, Outcome.SENT)
    assert not await record(running, decision, Outcome.SENT)
    assert not await record(running, decision, Outcome.FAILED)
    now, rebuilt = await kept(member_id)
    assert now == rebuilt
    assert len(now) == 1


async def test_an_engine_reports_with_the_token_and_twice_is_as_good_as_once(running, clock, kept) -> None:
    member_id = await subscriber(running)
    decision = await one(running, await campaign(running), member_id)
    refused = await report(running, decision, Outcome.SENT, token="x")
    assert (refused.accepted, refused.code) == (False, "DECISION_TOKEN_INVALID")
    first, again = [await report(running, decision, Outcome.SENT, reference="v-1") for _ in range(2)]
    assert (first.recorded, again.accepted, again.recorded) == (True, True, False)
    clock.advance(days=1)
    assert (await report(running, decision, Outcome.BOUNCED, code="5.1.1")).recorded
    assert why(await one(running, await campaign(running), member_id)) == ["ADDRESS_UNREACHABLE"]
    now, rebuilt = await kept(member_id)
    assert now == rebuilt


async def test_a_message_sent_after_its_token_counts_and_raises_an_alarm(running, clock, kept) -> None:
    member_id = await subscriber(running)
    decision = await one(running, await campaign(running), member_id)
    clock.advance(minutes=6)
    late = await report(running, decision, Outcome.SENT)
    assert (late.recorded, late.code) == (True, "SENT_AFTER_TOKEN")
    now, rebuilt = await kept(member_id)
    assert now == rebuilt
    assert [held.slot.at for held in now] == [clock()]
    failed = await one(running, await campaign(running), await subscriber(running))
    clock.advance(minutes=6)
    assert (await report(running, failed, Outcome.FAILED)).code == "DECISION_TOKEN_EXPIRED"


@pytest.mark.obligation("MK-01")
async def test_a_failure_that_an_engine_reports_leaves_no_second_token_beside_a_live_one(running, clock, kept) -> None:
    member_id = await subscriber(running)
    decisions = [await one(running, await campaign(running), member_id) for _ in range(3)]
    assert (await report(running, decisions[0], Outcome.FAILED)).recorded
    assert why(await one(running, await campaign(running), member_id)) == ["FREQUENCY_CAP"]
    now, rebuilt = await kept(member_id)
    assert now == rebuilt
    assert len(now) == 3
    for decision in decisions:
        assert (await report(running, decision, Outcome.SENT)).recorded
    clock.advance(minutes=6)
    assert why(await one(running, await campaign(running), member_id)) == ["FREQUENCY_CAP"]


async def test_a_failed_message_costs_its_slot_no_longer_than_its_token_lives(running, clock, kept) -> None:
    member_id = await subscriber(running)
    decision = await one(running, await campaign(running), member_id)
    assert (await report(running, decision, Outcome.FAILED)).recorded
    clock.advance(minutes=6)
    assert await kept(member_id) == ((), ())


@pytest.mark.obligation("MK-01")
async def test_an_engine_cannot_give_back_what_this_house_has_handed_over(running, kept) -> None:
    member_id = await subscriber(running)
    decision = await one(running, await campaign(running), member_id)
    await redeem(running, decision)
    lie = await report(running, decision, Outcome.FAILED)
    assert (lie.accepted, lie.recorded, lie.code) == (False, False, "ALREADY_DISPATCHED")
    assert await record(running, decision, Outcome.UNKNOWN)
    assert (await report(running, decision, Outcome.FAILED)).code == "ALREADY_DISPATCHED"
    now, rebuilt = await kept(member_id)
    assert now == rebuilt
    assert len(now) == 1


async def test_an_engine_reports_only_what_a_sender_knows(running) -> None:
    decision = await one(running, await campaign(running), await subscriber(running))
    for outcome in (Outcome.DISPATCHED, Outcome.CANCELLED, Outcome.UNKNOWN):
        with pytest.raises(BadInput):
            await report(running, decision, outcome)


async def test_a_service_message_is_redeemed_once_too(running) -> None:
    body = words(message_class=MessageClass.SERVICE, sender="living_sms_service")
    order = await campaign(running, body, topic="orders", purpose="order_fulfilment")
    decision = await one(running, order, await subscriber(running))
    assert isinstance(await redeem(running, decision), Cleared)
    assert (await redeem(running, decision)).code == "ALREADY_DISPATCHED"


@pytest.mark.obligation("LB-09")
async def test_the_entry_of_a_sending_proves_itself(running) -> None:
    """Subject, consent event and field stand in it, so that the evidence of entries holds for it without a word more."""
    from tests.api.front_end import entries

    decision = await one(running, await campaign(running), await subscriber(running))
    await redeem(running, decision)
    entry = (await entries(running, "send"))[-1]
    found = await running.operations.evidence(a_call("compliance_officer"), entry_id=entry["id"], purpose="audit")
    assert found is not None
    assert found.whole, found.findings
    assert found.event is not None
    assert found.event.purpose == "marketing_sms"
