"""Saying no: at once, for every brand, for good; nothing is needed for it and twice is as good as once."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from service.db.statement import Prepared
from service.db.tables import job, subscription_event, suppression_event
from service.errors import BadInput
from service.subscriptions import leaving, ledger, store, writing
from service.subscriptions.model import Way
from service.work import store as jobs
from service.work.model import Job
from tests.factories import a_call, a_member, a_profile
from tests.service.subscriptions.saying import (
    MAIL,
    NEWS,
    PHONE,
    SMS,
    a_proven_member,
    consented,
    counted,
    known,
    leave,
    states,
    subscribe,
    subscribed,
    within,
)


@pytest.mark.obligation("MK-05", "CL-01")
@pytest.mark.parametrize(("channel", "purpose"), [("sms", SMS), ("phone", PHONE)])
async def test_a_no_to_one_brand_ends_the_channel_for_the_whole_company_at_once(running, channel, purpose):
    profile = a_profile()
    member_id = await a_member(running, profile)
    for brand in ("living", "beauty"):
        await subscribed(running, member_id, replace(NEWS, channel=channel, brand=brand))
    assert (await consented(running, member_id))[purpose] in {"GIVEN", "RENEWED"}
    running.clock.advance(60)
    left = await leave(running, member_id, channel=channel, brand="living")
    assert (left.channels, left.again) == ((channel,), False)
    assert set((await states(running, member_id)).values()) == {"UNSUBSCRIBED"}
    assert await known(running, profile["phone"]) == {channel: ("SUPPRESSED", "UNSUBSCRIBED")}
    assert (await consented(running, member_id))[purpose] == "WITHDRAWN"


async def test_a_topic_ends_by_itself_and_the_address_is_not_suppressed(running):
    profile = a_profile()
    member_id = await a_member(running, profile)
    for brand in ("living", "beauty"):
        await subscribed(running, member_id, replace(NEWS, brand=brand))
        await subscribed(running, member_id, replace(NEWS, topic="offers", brand=brand))
    await leave(running, member_id, topic="news")
    await leave(running, member_id, topic="offers", brand="beauty")
    assert await states(running, member_id) == {
        ("sms", "news", "living"): "UNSUBSCRIBED",
        ("sms", "news", "beauty"): "UNSUBSCRIBED",
        ("sms", "offers", "living"): "SUBSCRIBED",
        ("sms", "offers", "beauty"): "UNSUBSCRIBED",
    }
    assert await known(running, profile["phone"]) == {}
    assert (await consented(running, member_id))[SMS] in {"GIVEN", "RENEWED"}


async def test_everything_off_is_off_on_every_channel(running):
    profile = a_profile()
    member_id = await a_member(running, profile, yes=[SMS, MAIL, PHONE])
    left = await leave(running, member_id, channel=None, way=Way.GRAPHQL)
    assert set(left.channels) == set(running.catalogue.channels)
    assert {state for key, state in (await consented(running, member_id)).items() if key in {SMS, MAIL, PHONE}} == {"WITHDRAWN"}
    assert set(await known(running, profile["phone"])) == {"sms", "phone"}
    assert set(await known(running, profile["email"], "email")) == {"email"}


async def test_the_second_time_it_reads_a_few_rows_and_writes_nothing(running):
    member_id = await a_member(running, yes=[SMS])
    await subscribed(running, member_id)
    _, wrote = await counted(running, member_id)
    assert wrote > 0
    assert await counted(running, member_id) == (4, 0)
    assert await counted(running, member_id, channel=None) != (4, 0)
    assert await counted(running, member_id, channel=None) == (4, 0)
    assert (await leave(running, member_id)).again


async def test_a_no_without_any_yes_before_it_is_kept_all_the_same(running):
    profile = a_profile()
    member_id = await a_member(running, profile)
    assert not (await leave(running, member_id)).again
    assert await states(running, member_id) == {("sms", "", ""): "UNSUBSCRIBED"}
    assert await known(running, profile["phone"]) == {"sms": ("SUPPRESSED", "UNSUBSCRIBED")}


async def test_what_was_queued_for_the_channel_is_cancelled(running, clock):
    member_id = await a_member(running, yes=[SMS])
    waiting = Job(
        member_id=member_id,
        job_id="019aa8f2-7c00-7000-8000-0000000000aa",
        kind="SEND",
        purpose=SMS,
        recipient="",
        event_id="",
        due_at=clock(),
        created_at=clock(),
    )
    await within(running, lambda unit: jobs.queue(unit.session, [waiting]))
    await leave(running, member_id)
    rows = await running.database.read.rows(Prepared(select(job.c.state).where(job.c.kind == "SEND")))
    assert rows == [("CANCELLED_WITHDRAWN",)]


async def test_an_address_of_nobody_is_suppressed_and_of_a_member_ends_everything_there(running):
    profile, stranger = a_profile(), a_profile()
    member_id = await a_member(running, profile)
    await subscribed(running, member_id)

    def at(value):
        return lambda unit: leaving.leave_address(unit, channel="sms", field="phone", value=str(value), way=Way.SMS_REPLY)

    left = await within(running, at(profile["phone"]))
    assert left.member_id == member_id and not left.again
    assert (await states(running, member_id))[("sms", "news", "living")] == "UNSUBSCRIBED"
    assert await within(running, at(stranger["phone"])) is None
    assert await known(running, stranger["phone"]) == {"sms": ("SUPPRESSED", "UNSUBSCRIBED")}
    with pytest.raises(BadInput) as caught:
        await within(running, at("no number"))
    assert caught.value.code == "ADDRESS_INVALID"


async def test_an_address_that_several_share_says_no_for_all_of_them(running):
    shared = a_profile()["email"]
    both = [await a_member(running, a_profile(email=shared), yes=[MAIL]) for _ in range(2)]
    await within(
        running, lambda unit: leaving.leave_address(unit, channel="email", field="email", value=shared, way=Way.COMPLAINT)
    )
    assert [(await consented(running, each))[MAIL] for each in both] == ["WITHDRAWN", "WITHDRAWN"]
    assert await known(running, shared, "email") == {"email": ("SUPPRESSED", "COMPLAINED")}


async def test_a_bounce_is_no_refusal_but_nothing_goes_there_any_more(running):
    profile = a_profile()
    member_id = await a_member(running, profile, yes=[MAIL])
    await leave(running, member_id, channel="email", way=Way.BOUNCE)
    assert (await consented(running, member_id))[MAIL] == "GIVEN"
    assert await known(running, profile["email"], "email") == {"email": ("SUPPRESSED", "BOUNCED")}


@pytest.mark.obligation("MK-04")
async def test_a_link_is_all_that_a_no_needs(running, clock):
    """No session, no purpose, no question back: the sealed text of the link, once."""
    from service.subscriptions import links

    member_id = await a_member(running, yes=[SMS])
    token = links.make(running.vault, links.Link(member_id, "sms", "news", "living", "", clock()))
    clock.advance(days=1000)

    async def click(unit):
        found = links.opened(unit.vault, token, now=unit.now, life=unit.catalogue.marketing.link_life)
        return await leaving.leave(unit, found.member_id, channel=found.channel, way=Way.ONE_CLICK)

    assert not (await within(running, click)).again
    assert (await within(running, click)).again
    assert (await consented(running, member_id))[SMS] in {"WITHDRAWN", "EXPIRED"}


@pytest.mark.obligation("SMS-06")
async def test_what_was_said_is_there_after_years_and_cannot_be_taken_away(running, clock):
    """listmonk #1454, #2641: nobody can prove who unsubscribed, and when."""
    from sqlalchemy import delete

    from service.errors import ChangeRefused

    member_id = await a_member(running)
    await subscribed(running, member_id)
    clock.advance(days=150)
    await leave(running, member_id)
    clock.advance(days=900)
    rows = await running.database.read.rows(Prepared(select(subscription_event.c.state, subscription_event.c.recorded_at)))
    assert {state for state, _ in rows} == {"SUBSCRIBED", "UNSUBSCRIBED"}
    assert min(at for _, at in rows) == clock() - timedelta(days=1050)
    for table in (subscription_event, suppression_event):
        with pytest.raises(ChangeRefused):
            await within(running, lambda unit, table=table: unit.session.run(Prepared(delete(table))))


async def test_staff_say_how_they_know_and_it_is_sealed(running):
    profile = a_profile()
    member_id = await a_member(running, profile, yes=[SMS])
    call = a_call("customer_service_agent")
    refused = await running.operations.unsubscribe_for_member(call, member_id=member_id, channel="sms", reason=" ")
    assert refused.code == "REASON_REQUIRED"
    assert (await consented(running, member_id))[SMS] == "GIVEN"
    left = await running.operations.unsubscribe_for_member(
        call, member_id=member_id, channel="sms", reason=f"来电 {profile['phone']} 要求退订"
    )
    assert left.channels == ("sms",)
    assert (await consented(running, member_id))[SMS] == "WITHDRAWN"


async def test_eight_who_say_no_at_once_have_said_it_once(running):
    profile = a_profile()
    member_id = await a_member(running, profile, yes=[SMS])
    await subscribed(running, member_id)
    left = await asyncio.gather(*(leave(running, member_id) for _ in range(8)))
    assert sorted(each.again for each in left) == [False] + [True] * 7
    rows = await running.database.read.rows(Prepared(select(suppression_event.c.state)))
    assert rows == [("SUPPRESSED",)]


async def test_a_strangers_number_that_says_no_in_two_places_at_once_is_suppressed_once(running):
    number = str(a_profile()["phone"])

    async def said(unit):
        return await leaving.leave_address(unit, channel="sms", field="phone", value=number, way=Way.SMS_REPLY)

    assert await asyncio.gather(*(within(running, said) for _ in range(6))) == [None] * 6
    rows = await running.database.read.rows(Prepared(select(suppression_event.c.state)))
    assert rows == [("SUPPRESSED",)]


async def test_a_yes_and_a_no_at_once_never_leave_a_subscription_that_was_refused_later(running, clock):
    member_id = await a_proven_member(running)
    clock.advance(60)
    await asyncio.gather(subscribe(running, member_id), leave(running, member_id), subscribe(running, member_id, by="member"))
    kept = await store.standings(running.database.read, member_id)
    assert ledger.derived(await store.events(running.database.read, member_id)) == kept
    clock.advance(60)
    await leave(running, member_id)
    assert set((await states(running, member_id)).values()) == {"UNSUBSCRIBED"}


def test_an_entry_has_room_for_everything_that_ends_at_once():
    said: list[str] = []
    for place in range(500):
        said = writing.told(said, place.to_bytes(32, "big"))
    assert len(said) == writing.MOST_TOLD and said[:99] == [place.to_bytes(32, "big").hex() for place in range(99)]
    assert len({tuple(writing.told(said, bytes([place]) * 32)) for place in range(5)}) == 5
