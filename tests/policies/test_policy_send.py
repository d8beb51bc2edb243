"""May this be sent? `judge` against a second opinion that was written without looking at it, and the hours, counts and ages one by one.

The second opinion is naive on purpose: it counts minutes on its fingers and asks one question after another.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.decide import Minority, Standing
from policies.marketing import MessageClass, SendReason
from policies.send import Addressee, Mailing, Slot, Verdict, judge
from policies.terms import Channel, ConsentState, MemberStatus
from tests.policies.sending import POLICY, READY, SMS, moments

# --- the second opinion ----------------------------------------------------------------------------------------------


def minute_of_day(now: datetime) -> int:
    """Minutes since midnight in China, by counting from 1970."""
    return int((now - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() // 60 + 480) % 1440


def minutes(hour: str) -> int:
    """08:30 is 510."""
    return int(hour[:2]) * 60 + int(hour[3:])


def is_quiet(channel: Channel, now: datetime) -> bool:
    """Walks from the first quiet minute to the last."""
    walk, quiet = minutes(channel.quiet_from), set()
    while walk != minutes(channel.quiet_until):
        quiet.add(walk)
        walk = (walk + 1) % 1440
    return minute_of_day(now) in quiet


def month_of(now: datetime) -> str:
    """2026-11."""
    return (now.astimezone(UTC) + timedelta(hours=8)).strftime("%Y-%m")


def consent_says(mailing: Mailing, standing: Standing, now: datetime) -> str | None:
    """What is wrong with the consent, if anything."""
    purpose = mailing.purpose
    if purpose is None:
        return "CONSENT_REQUIRED"
    if purpose.basis != "CONSENT":
        return "CONSENT_REQUIRED" if is_offer(mailing) else None
    if is_offer(mailing) and purpose.channel != mailing.channel.key:
        return "CONSENT_REQUIRED"
    if standing.consent in ("WITHDRAWN", "REVOKED"):
        return "CONSENT_WITHDRAWN"
    if standing.consent == "EXPIRED":
        return "CONSENT_EXPIRED"
    if standing.consent not in ("GIVEN", "RENEWED"):
        return "SEPARATE_CONSENT_REQUIRED" if purpose.separate_consent else "CONSENT_REQUIRED"
    if standing.expires_at is not None and now >= standing.expires_at:
        return "CONSENT_EXPIRED"
    if standing.scope != purpose.version:
        return "NOTICE_STALE"
    child = standing.minority is not None and standing.minority.under_guardian
    return "GUARDIAN_CONSENT_REQUIRED" if child and not standing.by_guardian else None


def is_offer(mailing: Mailing) -> bool:
    """It promotes, or says that it does."""
    return mailing.message_class == "COMMERCIAL" or (
        mailing.purpose is not None and mailing.purpose.purpose_class == "COMMERCIAL"
    )


def naive(mailing: Mailing, addressee: Addressee, now: datetime) -> set[str]:
    """Everything that is wrong, in no order."""
    standing, offer, breach = addressee.standing, is_offer(mailing), mailing.message_class == "BREACH"
    machine = mailing.automated or (mailing.purpose is not None and mailing.purpose.automated_decision)
    youth = (
        standing.minority is not None and standing.minority.band is not None and not standing.minority.band.automated_marketing
    )
    child = standing.minority is not None and standing.minority.under_guardian
    erased = standing.status == "ERASED"
    unanswered = standing.status == "GUARDIAN_PENDING" and standing.minority is None
    alive = [slot for slot in addressee.slots if slot.until is None or now < slot.until]
    week = [slot for slot in alive if now - slot.at < timedelta(days=mailing.channel.cap_days)]
    month = [s for s in alive if (s.channel, s.topic) == (mailing.channel.key, mailing.topic) and month_of(s.at) == month_of(now)]
    questions = {
        "ADDRESS_MISSING": not addressee.addressed,
        "ADDRESS_UNREACHABLE": addressee.addressed and not addressee.reachable,
        "TEMPLATE_NONCOMPLIANT": not mailing.compliant,
        "CAMPAIGN_NOT_APPROVED": not mailing.approved,
    }
    if not breach:
        questions |= {
            "SUPPRESSED": offer and addressee.suppressed,
            "ERASED": erased,
            "PROCESSING_RESTRICTED": standing.status == "RESTRICTED",
            "GUARDIAN_CONSENT_REQUIRED": not erased and (unanswered or (child and not standing.minority.guarded)),  # type: ignore[union-attr]
            "MINOR_ADM_MARKETING_FORBIDDEN": not erased and offer and machine and youth,
            "NOT_SUBSCRIBED": offer and not addressee.subscribed,
            "QUOTA_EXHAUSTED": addressee.quota is not None and addressee.quota <= 0,
            "PERSONALISATION_OFF": machine and standing.personalisation in (False, None),
            "OUTSIDE_AUDIENCE": not addressee.in_audience,
            "CAMPAIGN_NOT_RUNNING": now < mailing.starts_at or now >= mailing.ends_at,
            "ALREADY_SENT": mailing.campaign_id in {slot.campaign_id for slot in alive},
            "QUIET_HOURS": offer and is_quiet(mailing.channel, now),
            "FREQUENCY_CAP": offer and len(week) >= mailing.channel.cap_messages,
            "PROMISED_FREQUENCY": offer and addressee.monthly is not None and len(month) >= addressee.monthly,
        }
    told = {name for name, yes in questions.items() if yes}
    consent = None if breach else consent_says(mailing, standing, now)
    return told | ({consent} if consent else set())


# --- any message, any member, any moment -----------------------------------------------------------------------------

hours = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 30, 59]))
near = st.integers(-45 * 1440, 0).map(lambda back: timedelta(minutes=back))
bands = st.sampled_from([None, *POLICY.consent.bands])
minorities = st.none() | st.builds(Minority, bands, st.booleans(), guarded=st.booleans())


@st.composite
def channels(draw: st.DrawFn) -> Channel:
    """A channel with some cap and some hours."""
    start, end = draw(st.tuples(hours, hours).filter(lambda pair: pair[0] != pair[1]) | st.just(("21:00", "08:00")))
    channel = draw(st.sampled_from([*POLICY.channels.values()]))
    cap, days = draw(st.integers(0, 3)), draw(st.integers(7, 30))
    return replace(channel, quiet_from=start, quiet_until=end, cap_messages=cap, cap_days=days)


@st.composite
def mailings(draw: st.DrawFn, *, now: datetime) -> Mailing:
    """A message that is often enough what it should be."""
    mostly = st.sampled_from([True, True, True, False])
    channel = draw(channels())
    fitting = next((p for p in POLICY.purposes.values() if p.channel == channel.key), None)
    return replace(
        SMS,
        purpose=draw(st.just(fitting) | st.sampled_from([None, *POLICY.purposes.values()])),
        message_class=draw(st.sampled_from([MessageClass.COMMERCIAL, *MessageClass])),
        channel=channel,
        topic=draw(st.sampled_from(["news", "offers"])),
        automated=draw(st.booleans()),
        compliant=draw(mostly),
        approved=draw(mostly),
        starts_at=now - draw(st.sampled_from([timedelta(days=1), timedelta(0), timedelta(microseconds=-1)])),
        ends_at=now + draw(st.sampled_from([timedelta(days=90), timedelta(hours=3), timedelta(0)])),
    )


@st.composite
def addressees(draw: st.DrawFn, *, now: datetime) -> Addressee:
    """A member with some past."""
    mostly = st.sampled_from([True, True, True, False])
    slots = []
    for number, back in enumerate(draw(st.lists(near, max_size=6))):
        until = draw(st.none() | st.sampled_from([now, now + timedelta(minutes=3)]))
        campaign = draw(st.sampled_from(["c0", "c1", "c2", "c3"]))
        slots.append(Slot(f"s{number}", campaign, draw(st.sampled_from(["sms", "email"])), "news", now + back, until))
    return Addressee(
        standing=Standing(
            "m",
            draw(st.sampled_from([MemberStatus.ACTIVE, MemberStatus.ACTIVE, *MemberStatus])),
            draw(st.sampled_from([ConsentState.GIVEN, ConsentState.GIVEN, *ConsentState])),
            expires_at=draw(st.none() | st.sampled_from([now, now + timedelta(microseconds=1), now - timedelta(days=1)])),
            scope=draw(st.sampled_from([1, 1, 1, 2, 0])),
            by_guardian=draw(st.booleans()),
            minority=draw(minorities),
            personalisation=draw(st.sampled_from([True, True, False, None])),
        ),
        suppressed=not draw(mostly),
        subscribed=draw(mostly),
        addressed=draw(mostly),
        reachable=draw(mostly),
        monthly=draw(st.none() | st.integers(0, 4)),
        quota=draw(st.none() | st.integers(-1, 2)),
        in_audience=draw(mostly),
        slots=tuple(slots),
    )


@pytest.mark.obligation("MK-01", "MK-02")
@given(st.data(), moments)
def test_every_rule_that_fails_is_told_in_order_and_none_that_holds(ahead: st.DataObject, now: datetime) -> None:
    mailing, addressee = ahead.draw(mailings(now=now)), ahead.draw(addressees(now=now))
    verdict = judge(mailing, addressee, now)

    assert {reason.value for reason in verdict.reasons} == naive(mailing, addressee, now)
    assert list(verdict.reasons) == [reason for reason in SendReason if reason in verdict.reasons]
    assert verdict.allowed == (not verdict.reasons)


@pytest.mark.obligation("MK-02")
@given(st.data(), moments)
def test_without_consent_and_subscription_nothing_commercial_is_ever_allowed(ahead: st.DataObject, now: datetime) -> None:
    mailing = replace(ahead.draw(mailings(now=now)), message_class=MessageClass.COMMERCIAL)
    addressee = ahead.draw(addressees(now=now))
    if judge(mailing, addressee, now).allowed:
        assert addressee.standing.consent in {ConsentState.GIVEN, ConsentState.RENEWED}
        assert addressee.subscribed and not addressee.suppressed
        assert mailing.purpose is not None and mailing.purpose.channel == mailing.channel.key


@pytest.mark.obligation("SMS-07")
@given(st.data(), moments)
def test_the_next_slot_is_the_first_moment_at_which_time_is_no_obstacle(ahead: st.DataObject, now: datetime) -> None:
    channel = ahead.draw(channels())
    slots = ahead.draw(addressees(now=now)).slots
    others = tuple(replace(slot, campaign_id="another") for slot in slots)
    mailing = replace(SMS, channel=replace(channel, key="sms"), ends_at=now + timedelta(days=365))
    addressee = replace(READY, monthly=ahead.draw(st.none() | st.integers(0, 4)), slots=others)
    verdict = judge(mailing, addressee, now)

    never = channel.cap_messages == 0 or addressee.monthly == 0
    assert (verdict.next_slot is None) == (verdict.allowed or never)
    if verdict.next_slot is not None:
        assert verdict.next_slot > now
        assert judge(mailing, addressee, verdict.next_slot) == Verdict(())
        assert not judge(mailing, addressee, verdict.next_slot - timedelta(microseconds=1)).allowed
