"""What decideSends answers, through the operation, on both databases. The clock stands at 10:00 in Shanghai on a Sunday."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from sqlalchemy import bindparam, update

from policies.marketing import MessageClass
from policies.terms import ConsentState
from service.campaigns.model import Audience, CampaignRejected
from service.consent.model import CaptureChannel
from service.db.statement import Prepared
from service.db.tables import consent_standing, member, member_lookup
from service.errors import BadInput, Forbidden, Refused
from service.gate import commands, deciding, store
from service.gate.model import Outcome
from service.members import store as members
from service.subscriptions import leaving, quota
from service.subscriptions.model import Way
from tests.factories import a_call, a_member, a_profile
from tests.plugins import canary
from tests.service.campaigns.made import words
from tests.service.gate import made
from tests.service.gate.made import campaign, decide, one, subscribed, subscriber, why
from tests.service.senders.made import a_body

SERVICE = {"message_class": MessageClass.SERVICE, "sender": "living_sms_service"}


async def test_whoever_said_yes_and_subscribed_is_allowed_for_five_minutes(running) -> None:
    member_id = await subscriber(running)
    found = await one(running, await campaign(running), member_id)
    assert (found.allowed, why(found)) == (True, [])
    assert found.token
    assert found.expires_at == running.clock() + timedelta(minutes=5)


@pytest.mark.obligation("MK-01", "MK-09")
async def test_every_reason_is_told_in_the_order_of_the_rules_and_kept(running) -> None:
    member_id = await a_member(running, no=("marketing_sms",))
    found = await one(running, await campaign(running, words(sender="beauty_sms"), approved=False), member_id)
    assert why(found) == ["CONSENT_REQUIRED", "NOT_SUBSCRIBED", "TEMPLATE_NONCOMPLIANT", "CAMPAIGN_NOT_APPROVED"]
    assert found.token is None
    stored = await store.decision(running.database.read, member_id, found.send_id)
    assert stored is not None
    assert list(stored.reasons) == why(found)
    assert orjson.loads(stored.evidence)["consentState"] == "REFUSED"


@pytest.mark.obligation("MK-02", "EM-01", "CL-01")
@pytest.mark.parametrize("state", list(ConsentState))
async def test_only_a_consent_that_stands_allows(running, state: ConsentState) -> None:
    """The standing of each state, put there by hand: whatever it is called, only GIVEN and RENEWED open anything."""
    member_id = await subscriber(running)
    await _set_state(running, member_id, state)
    found = await one(running, await campaign(running), member_id)
    assert found.allowed == (state in {ConsentState.GIVEN, ConsentState.RENEWED})


async def _set_state(running, member_id: str, state: ConsentState) -> None:
    moved = update(consent_standing).where(consent_standing.c.member_id == bindparam("of_member")).values(state=bindparam("to"))

    async def work(unit) -> None:
        await unit.session.run(Prepared(moved), {"of_member": member_id, "to": state.value})

    await made.changed(running, work)


@pytest.mark.obligation("MK-02")
async def test_a_no_beats_a_yes_that_stands(running) -> None:
    """Suppressed and consented at once: the refusal wins."""
    member_id = await subscriber(running)
    await _left(running, member_id, channel="sms")
    await _set_state(running, member_id, ConsentState.GIVEN)
    assert why(await one(running, await campaign(running), member_id))[0] == "SUPPRESSED"


async def _left(running, member_id: str, *, channel: str, way: Way = Way.SMS_REPLY) -> None:
    async def work(unit) -> None:
        await leaving.leave(unit, member_id, channel=channel, way=way)

    await made.changed(running, work)


@pytest.mark.obligation("MK-05")
async def test_a_no_to_one_brand_holds_for_another_brand_of_the_same_company(running) -> None:
    member_id = await subscriber(running)
    await subscribed(running, member_id, brand="beauty")
    beauty = await campaign(running, made.BEAUTY, brand="beauty")
    await _left(running, member_id, channel="sms")
    found = await one(running, beauty, member_id)
    assert found.reasons[0].value == "SUPPRESSED"
    assert not found.allowed


@pytest.mark.obligation("MK-01")
async def test_three_in_seven_days_over_all_channels_and_brands_then_no_more(running, clock) -> None:
    """Mautic: a cap for each channel by itself; #6729: and none for campaigns."""
    member_id = await subscriber(running)
    await subscribed(running, member_id, topic="offers")
    await subscribed(running, member_id, brand="beauty")
    for more in ({}, {"topic": "offers"}, {"brand": "beauty"}):
        body = made.BEAUTY if more.get("brand") else None
        decision = await one(running, await campaign(running, body, **more), member_id)
        assert decision.allowed
        await _sent(running, decision)
        clock.advance(hours=1)
    fourth = await one(running, await campaign(running), member_id)
    assert why(fourth) == ["FREQUENCY_CAP"]
    assert fourth.next_slot == datetime(2026, 11, 29, 2, 0, tzinfo=UTC)
    clock.now = fourth.next_slot
    assert (await one(running, await campaign(running), member_id)).allowed


async def _sent(running, decision) -> None:
    async def work(unit) -> None:
        assert await commands.record(unit, decision.member_id, decision.send_id, Outcome.SENT)

    await made.changed(running, work)


@pytest.mark.obligation("MK-08")
async def test_what_was_promised_for_a_month_is_kept(running, clock) -> None:
    """Four a month were promised: the fifth in the same calendar month is denied, the first of the next is not."""
    clock.now = datetime(2026, 11, 1, 2, 0, tzinfo=UTC)
    member_id = await subscriber(running)
    for _ in range(4):
        decision = await one(running, await campaign(running), member_id)
        assert decision.allowed
        await _sent(running, decision)
        clock.advance(days=7)
    fifth = await one(running, await campaign(running), member_id)
    assert why(fifth) == ["PROMISED_FREQUENCY"]
    clock.now = fifth.next_slot + timedelta(hours=10)
    assert (clock.now.month, (await one(running, await campaign(running), member_id)).allowed) == (12, True)


@pytest.mark.obligation("SM-07", "AD-01")
async def test_a_machine_picks_only_whom_the_switch_allows_and_never_a_minor(running) -> None:
    untouched = await subscriber(running)
    picked = await campaign(running, audience=Audience(points_below=10**6))
    assert why(await one(running, picked, untouched)) == ["PERSONALISATION_OFF", "OUTSIDE_AUDIENCE"]
    young = await subscriber(running, a_profile(birthday="2010-06-01"), yes=("marketing_sms", "personalised_recommendation"))
    assert "MINOR_ADM_MARKETING_FORBIDDEN" in why(await one(running, picked, young))
    assert (await one(running, await campaign(running), young)).allowed


@pytest.mark.obligation("WX-04", "WX-07")
async def test_wechat_needs_its_own_acceptance_and_the_consent_besides(running) -> None:
    profile = a_profile(wechat_openid=canary.value("openid"))
    member_id = await subscriber(running, profile, yes=("marketing_wechat",), channel="wechat")
    bare = await subscriber(running, a_profile(wechat_openid=canary.value("openid")), yes=(), channel="wechat")
    promo = made.WECHAT
    order = words(
        channel="wechat",
        sender="living_wechat",
        vendor_template="T1",
        message_class=MessageClass.SERVICE,
        text="示例生活：您的订单已发货",
    )
    wanted = {"channel": "wechat", "purpose": "marketing_wechat"}

    async def accepted(unit) -> None:
        for who in (member_id, bare):
            for tap in ("tap-1", "tap-2"):
                await quota.accept(unit, who, "T1", reference=tap)

    assert why(await one(running, await campaign(running, promo, **wanted), member_id)) == ["QUOTA_EXHAUSTED"]
    await made.changed(running, accepted)
    for _ in range(2):
        decision = await one(running, await campaign(running, promo, **wanted), member_id)
        assert decision.allowed, why(decision)
        await _sent(running, decision)
    assert why(await one(running, await campaign(running, promo, **wanted), member_id)) == ["QUOTA_EXHAUSTED"]
    assert "CONSENT_REQUIRED" in why(await one(running, await campaign(running, promo, **wanted), bare))
    notice = await campaign(running, order, channel="wechat", topic="orders", purpose="account_service")
    assert (await one(running, notice, bare)).allowed


@pytest.mark.obligation("CL-03", "SMS-07")
@pytest.mark.parametrize(("channel", "sender"), [("phone", "living_phone"), ("sms", "living_sms")])
async def test_from_nine_in_the_evening_nobody_is_disturbed(running, clock, channel: str, sender: str) -> None:
    purpose = f"marketing_{channel}"
    member_id = await subscriber(running, yes=(purpose,), channel=channel)
    body = a_body(sender)
    clock.now = datetime(2026, 11, 22, 12, 59, 59, tzinfo=UTC)
    evening = await campaign(running, body, channel=channel, purpose=purpose)
    clock.now = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
    late = await one(running, evening, member_id)
    assert why(late) == ["QUIET_HOURS"]
    assert late.next_slot == datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
    clock.now = datetime(2026, 11, 22, 12, 59, 59, tzinfo=UTC)
    assert (await one(running, evening, member_id)).allowed


@pytest.mark.obligation("EM-09")
async def test_an_address_that_bounced_for_good_gets_nothing_more(running) -> None:
    member_id = await subscriber(running, yes=("marketing_email",), channel="email")
    body = made.MAIL
    decision = await one(running, await campaign(running, body, channel="email", purpose="marketing_email"), member_id)
    await _sent(running, decision)
    await _became(running, decision, "BOUNCED", "5.1.1")
    again = await one(running, await campaign(running, body, channel="email", purpose="marketing_email"), member_id)
    assert why(again) == ["ADDRESS_UNREACHABLE"]


@pytest.mark.obligation("EM-09")
async def test_a_complaint_suppresses_at_once(running) -> None:
    member_id = await subscriber(running)
    decision = await one(running, await campaign(running), member_id)
    await _sent(running, decision)
    await _became(running, decision, "COMPLAINED", "")
    assert why(await one(running, await campaign(running), member_id))[0] == "SUPPRESSED"


async def _became(running, decision, outcome: str, code: str) -> None:
    async def work(unit) -> bool:
        return await commands.record(unit, decision.member_id, decision.send_id, Outcome(outcome), code=code)

    assert await made.changed(running, work)


async def test_a_full_mailbox_is_no_reason_to_give_an_address_up(running) -> None:
    member_id = await subscriber(running)
    decision = await one(running, await campaign(running), member_id)
    await _became(running, decision, "BOUNCED", "4.2.2")
    assert (await one(running, await campaign(running), member_id)).allowed


async def test_service_messages_are_neither_counted_nor_capped_nor_kept_for_the_day(running, clock, kept) -> None:
    """Mautic #6896: the cap held for transactional mail, too; listmonk #673, #1472: and it could be refused."""
    member_id = await a_member(running)
    clock.now = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
    for _ in range(5):
        order = await campaign(running, words(**SERVICE), topic="orders", purpose="order_fulfilment")
        assert (await one(running, order, member_id)).allowed
    assert await kept(member_id) == ((), ())


async def test_nobody_and_somebody_erased_look_alike(running) -> None:
    nobody = "019a0000-0000-7000-8000-00000000ffff"
    gone = await subscriber(running)

    async def erased(unit) -> None:
        await members.erase(unit.session, gone, now=unit.now)

    await made.changed(running, erased)
    first, second = await decide(running, await campaign(running), nobody, gone)
    assert why(first) == why(second)
    assert why(first)[0] == "ERASED"


@pytest.mark.obligation("RD-06")
async def test_an_address_that_nobody_can_look_up_among_the_refusals_gets_nothing(running) -> None:
    member_id = await subscriber(running)

    async def unmarked(unit) -> None:
        await unit.session.run(Prepared(update(member_lookup).values(mark=None)), {})

    await made.changed(running, unmarked)
    assert why(await one(running, await campaign(running), member_id)) == ["SUPPRESSED"]


async def test_a_restricted_member_is_told_to_nobody(running) -> None:
    member_id = await subscriber(running)

    async def work(unit) -> None:
        moved = update(member).where(member.c.member_id == bindparam("of_member")).values(status="RESTRICTED")
        await unit.session.run(Prepared(moved), {"of_member": member_id})

    await made.changed(running, work)
    assert why(await one(running, await campaign(running), member_id)) == ["PROCESSING_RESTRICTED"]


@pytest.mark.obligation("MK-01")
async def test_an_edit_after_the_approval_stops_everything(running) -> None:
    member_id = await subscriber(running)
    campaign_id = await campaign(running)
    await made.edited(running, campaign_id, title="别的")
    assert why(await one(running, campaign_id, member_id)) == ["CAMPAIGN_NOT_APPROVED"]


async def test_the_same_campaign_reaches_a_member_once(running, clock) -> None:
    """Also months later, while it is still running (listmonk #888: send once)."""
    member_id = await subscriber(running)
    campaign_id = await campaign(running)
    first = await one(running, campaign_id, member_id)
    assert why(await one(running, campaign_id, member_id)) == ["ALREADY_SENT"]
    await _sent(running, first)
    clock.advance(days=50)
    other = await one(running, await campaign(running), member_id)
    await _sent(running, other)
    assert why(await one(running, campaign_id, member_id)) == ["ALREADY_SENT"]


async def test_a_reservation_that_nobody_used_is_free_again(running, clock) -> None:
    member_id = await subscriber(running)
    campaign_id = await campaign(running)
    assert (await one(running, campaign_id, member_id)).allowed
    clock.advance(minutes=5)
    assert (await one(running, campaign_id, member_id)).allowed


async def test_an_audience_is_paged_and_holds_only_who_said_yes_and_subscribed(running) -> None:
    wanted = sorted([await subscriber(running) for _ in range(5)])
    await a_member(running, yes=("marketing_sms",))
    withdrawn = await subscriber(running)
    query = running.operations.withdraw
    await query(a_call("member", member_id=withdrawn), member_id=None, purpose="marketing_sms", channel=CaptureChannel.WEB)
    campaign_id = await campaign(running)
    first = await made.page(running, campaign_id, first=3)
    second = await made.page(running, campaign_id, first=3, after=first.end)
    assert [found.member_id for found in (*first.decisions, *second.decisions)] == wanted
    assert (first.has_next, second.has_next) == (True, False)
    with pytest.raises(BadInput) as caught:
        await made.page(running, await campaign(running), first=3, after=first.end)
    assert caught.value.code == "CURSOR_INVALID"


async def test_members_are_answered_in_the_order_asked_each_once(running) -> None:
    ids = [await subscriber(running) for _ in range(3)]
    asked = [ids[2], ids[0], ids[2], ids[1]]
    assert [found.member_id for found in await decide(running, await campaign(running), *asked)] == [ids[2], ids[0], ids[1]]


async def test_only_the_engine_may_ask_and_only_within_its_token(running) -> None:
    member_id, campaign_id = await subscriber(running), await campaign(running)
    with pytest.raises(Forbidden):
        await decide(running, campaign_id, member_id, call=a_call("marketer"))
    with pytest.raises(Refused):
        await decide(running, campaign_id, member_id, call=a_call("marketing_engine", purposes=["marketing_email"]))
    with pytest.raises(BadInput):
        await decide(running, campaign_id, "not an id")


async def test_a_campaign_that_is_not_there(running) -> None:
    found = await running.operations.decide_sends(made.ENGINE, campaign_id="x", members=None, first=10, after=None)
    assert isinstance(found, CampaignRejected)


async def test_a_page_costs_as_many_statements_as_one_member(running) -> None:
    few = [await subscriber(running) for _ in range(10)]
    many = few + [f"019a0000-0000-7000-8000-{number:012x}" for number in range(990)]
    first, second = await campaign(running), await campaign(running)
    assert await _statements(running, first, few) == await _statements(running, second, many)


async def _statements(running, campaign_id: str, ids: list[str]) -> int:
    counted = 0

    class Counting:
        def __init__(self, session) -> None:
            self._session = session
            self.dialect = session.dialect

        def __getattr__(self, name: str):
            run = getattr(self._session, name)

            async def one(*given):
                nonlocal counted
                counted += 1
                return await run(*given)

            return one

    async def work(unit) -> None:
        counting = replace(unit, session=Counting(unit.session))
        await deciding.decide_sends(counting, campaign_id=campaign_id, members=ids, first=1000, after=None)

    await running.units.change(made.ENGINE, running.operations.draft("change", "decideSends", ""), work)
    return counted
