"""Saying yes: what is told is kept, both are asked together, an address confirms for itself, and nobody subscribes somebody else."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.consent.model import BoxState, ConsentRejected, NoticeNotPresented
from service.errors import BadInput
from service.subscriptions import ledger, store, subscribing
from service.subscriptions.model import SubscriptionRejected, SubscriptionState, Wish
from tests.factories import a_call, a_member, a_profile, evidence
from tests.service.subscriptions.saying import (
    MAIL_NEWS,
    NEWS,
    SMS,
    consented,
    known,
    leave,
    states,
    subscribe,
    subscribed,
    within,
)

KEY = ("email", "news", "living")


async def confirm(running, token):
    return await running.operations.confirm_subscription(a_call(), token=token)


@pytest.mark.obligation("SMS-01")
async def test_type_frequency_and_period_are_written_down_as_they_were_told(running):
    """listmonk #1329: when and where somebody opted in is not kept."""
    member_id = await a_member(running)
    found = (await subscribed(running, member_id)).shown.subscription
    (event,) = await store.events(running.database.read, member_id)
    assert {key: event.record[key] for key in ("title", "monthly", "months", "topic")} == {
        "title": "新品资讯",
        "monthly": 4,
        "months": 24,
        "topic": "news",
    }
    assert found.monthly == 4 and found.expires_at.isoformat() == event.record["expiresAt"].replace("Z", "+00:00")[:19] + "+00:00"
    assert event.record["privacyNotice"] and event.record["expression"] == "BUTTON"


@pytest.mark.obligation("SMS-01")
@pytest.mark.parametrize("wrong", [{"monthly": 3}, {"monthly": 60}, {"months": 12}])
async def test_a_screen_that_told_another_frequency_or_period_subscribes_nobody(running, wrong):
    member_id = await a_member(running)
    assert await subscribe(running, member_id, replace(NEWS, **wrong)) == SubscriptionRejected("PROMISE_STALE")
    assert await states(running, member_id) == {} and (await consented(running, member_id))[SMS] == "NEVER_ASKED"


async def test_the_consent_and_the_subscription_stand_together_or_not_at_all(running):
    member_id = await a_member(running)
    assert isinstance(await subscribe(running, member_id, box=BoxState.TICKED), ConsentRejected)
    call = a_call("member", member_id=member_id)
    assert isinstance(await running.operations.subscribe(call, member_id=None, wish=NEWS, evidence=None), NoticeNotPresented)
    assert await states(running, member_id) == {}
    await subscribed(running, member_id, by="member")
    assert (await consented(running, member_id))[SMS] == "GIVEN"
    assert await states(running, member_id) == {("sms", "news", "living"): "SUBSCRIBED"}


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (Wish("fax", "news", "living", 4, 24), "CHANNEL_UNKNOWN"),
        (Wish("sms", "gossip", "living", 4, 24), "TOPIC_UNKNOWN"),
        (Wish("sms", "news", "another", 4, 24), "BRAND_UNKNOWN"),
        (Wish("wechat", "news", "living", 4, 24), "ADDRESS_MISSING"),
    ],
)
async def test_what_the_policy_does_not_have_cannot_be_subscribed_to(running, wish, code):
    member_id = await a_member(running)
    assert await subscribe(running, member_id, wish) == SubscriptionRejected(code)
    assert await states(running, member_id) == {}


async def test_a_request_that_is_sent_again_does_not_undo_a_no_that_came_between(running, clock):
    member_id = await a_member(running)
    proof = evidence(running.catalogue, clock())

    async def tap():
        return await running.operations.subscribe(
            a_call(), member_id=member_id, wish=NEWS, evidence=proof, idempotency_key="tap-1"
        )

    first = await tap()
    clock.advance(60)
    await leave(running, member_id)
    again = await tap()
    assert first.shown.subscription.state is SubscriptionState.SUBSCRIBED
    assert again.shown.subscription.state is SubscriptionState.UNSUBSCRIBED and again.shown.suppressed
    without = await subscribe(running, member_id, presented_at=proof.presented_at)
    assert isinstance(without, NoticeNotPresented), "nor does an old screen without a key"


@pytest.mark.obligation("EM-01")
async def test_mail_is_wanted_only_when_its_address_has_said_so_once(running, clock):
    profile = a_profile()
    member_id = await a_member(running, profile)
    asked = await subscribed(running, member_id, MAIL_NEWS)
    assert asked.shown.subscription.state is SubscriptionState.PENDING
    clock.advance(hours=3)
    done = await confirm(running, asked.confirmation)
    assert done.shown.subscription.state is SubscriptionState.SUBSCRIBED and done.shown.subscription.monthly == 4
    events = len(await store.events(running.database.read, member_id))
    assert (await confirm(running, asked.confirmation)).shown == done.shown
    assert len(await store.events(running.database.read, member_id)) == events


@pytest.mark.obligation("EM-01")
async def test_a_link_that_is_confirmed_after_a_no_does_nothing(running, clock):
    profile = a_profile()
    member_id = await a_member(running, profile)
    asked = await subscribed(running, member_id, MAIL_NEWS)
    clock.advance(60)
    await leave(running, member_id, channel="email")
    assert await confirm(running, asked.confirmation) == SubscriptionRejected("CONFIRMATION_VOID")
    clock.advance(60)
    done = await subscribed(running, member_id, MAIL_NEWS)
    assert await confirm(running, asked.confirmation) == SubscriptionRejected("CONFIRMATION_VOID")
    await confirm(running, done.confirmation)
    clock.advance(60)
    await leave(running, member_id, channel="email")
    assert await confirm(running, done.confirmation) == SubscriptionRejected("CONFIRMATION_VOID")
    assert (await states(running, member_id))[KEY] == "UNSUBSCRIBED"


async def test_a_confirmation_ends_and_is_for_the_address_that_it_was_sent_to(running, clock):
    member_id = await a_member(running)
    asked = await subscribed(running, member_id, MAIL_NEWS)
    await running.operations.update(
        a_call("member", member_id=member_id),
        member_id=None,
        purpose="self_access",
        changes={"email": a_profile()["email"]},
    )
    assert await confirm(running, asked.confirmation) == SubscriptionRejected("CONFIRMATION_VOID")
    again = await subscribed(running, member_id, MAIL_NEWS)
    clock.advance(hours=48)
    with pytest.raises(BadInput) as caught:
        await confirm(running, again.confirmation)
    assert caught.value.code == "LINK_EXPIRED"
    assert (await states(running, member_id))[KEY] == "PENDING"


@pytest.mark.obligation("EM-01")
async def test_the_members_own_browser_is_not_told_what_only_the_mailbox_may_know(running):
    member_id = await a_member(running)
    asked = await subscribed(running, member_id, MAIL_NEWS, by="member")
    assert asked.confirmation is None and asked.shown.subscription.state is SubscriptionState.PENDING


@pytest.mark.obligation("EM-01")
async def test_a_confirmed_address_lifts_its_own_no(running, clock):
    profile = a_profile()
    member_id = await a_member(running, profile)
    await leave(running, member_id, channel="email")
    clock.advance(60)
    asked = await subscribed(running, member_id, MAIL_NEWS)
    assert asked.shown.suppressed, "asking proves nothing of the mailbox"
    clock.advance(60)
    assert not (await confirm(running, asked.confirmation)).shown.suppressed
    assert (await known(running, profile["email"], "email"))["email"][0] == "LIFTED"


@pytest.mark.obligation("SMS-01")
async def test_what_was_promised_holds_whatever_the_policy_says_since(running, clock):
    member_id = await a_member(running)
    asked = await subscribed(running, member_id, MAIL_NEWS)
    louder = replace(running.catalogue.topics["news"], monthly=30, months=60)
    catalogue = replace(running.catalogue, topics={**running.catalogue.topics, "news": louder})
    done = await within(running, lambda unit: subscribing.confirm(replace(unit, catalogue=catalogue), asked.confirmation))
    assert done.shown.subscription.monthly == 4
    (_, event) = await store.events(running.database.read, member_id)
    assert (event.record["monthly"], event.record["months"]) == (4, 24)


@pytest.mark.obligation("WX-07")
async def test_an_acceptance_in_wechat_is_no_consent_to_marketing(running):
    from service.subscriptions.reports import DialogAnswer, Reported

    member_id = await a_member(running, a_profile(wechat_openid="oABCDEFGHIJKLMNOPQRSTUVWX-_9"))
    before = await consented(running, member_id)
    found = await running.operations.report_wechat_subscription(
        a_call(), member_id=member_id, reported=[Reported("tmpl-1", DialogAnswer.ACCEPT)], reference="dialog-1"
    )
    assert found.quotas[0].balance == 1
    assert await consented(running, member_id) == before and await states(running, member_id) == {}


_WORDS = st.lists(
    st.tuples(
        st.sampled_from(["yes", "no", "topic", "all"]), st.sampled_from(["sms", "phone"]), st.sampled_from(["news", "offers"])
    ),
    max_size=7,
)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_WORDS)
async def test_whatever_is_said_what_is_kept_is_what_follows_from_the_ledger(running, clock, said):
    member_id = await a_member(running)
    for what, channel, topic in said:
        clock.advance(60)
        if what == "yes":
            await subscribed(running, member_id, replace(NEWS, channel=channel, topic=topic))
        else:
            about = {"no": {"channel": channel}, "topic": {"channel": channel, "topic": topic}, "all": {"channel": None}}[what]
            await leave(running, member_id, **about)
    kept = await store.standings(running.database.read, member_id)
    assert ledger.derived(await store.events(running.database.read, member_id)) == kept
    await leave(running, member_id, channel=None)
    assert "SUBSCRIBED" not in (await states(running, member_id)).values()
