"""May this be sent? `judge` against a second opinion that was written without looking at it, and the hours, counts and ages one by one.

The second opinion is naive on purpose: it counts minutes on its fingers and asks one question after another.
"""

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.catalogue import SHIPPED, load
from policies.decide import Minority, Standing, minority_of
from policies.marketing import MessageClass, SendReason
from policies.send import Addressee, Mailing, Slot, Verdict, judge
from policies.terms import Channel, ConsentState, MemberStatus

POLICY = load(SHIPPED)
CHINA = timezone(timedelta(hours=8))
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=CHINA)
GIVEN = Standing("m", MemberStatus.ACTIVE, ConsentState.GIVEN, personalisation=True)
READY = Addressee(GIVEN, suppressed=False, subscribed=True, addressed=True)
SMS = Mailing(
    campaign_id="c0",
    purpose=POLICY.purposes["marketing_sms"],
    message_class=MessageClass.COMMERCIAL,
    channel=POLICY.channels["sms"],
    brand="living",
    topic="news",
    automated=False,
    compliant=True,
    approved=True,
    starts_at=datetime(2020, 1, 1, tzinfo=UTC),
    ends_at=datetime(2040, 1, 1, tzinfo=UTC),
)
SERVICE = replace(SMS, message_class=MessageClass.SERVICE, purpose=POLICY.purposes["order_fulfilment"], topic="orders")
BREACH = replace(SMS, message_class=MessageClass.BREACH, purpose=None)


def shanghai(*when: int) -> datetime:
    """A moment as a clock in Shanghai shows it."""
    return datetime(*when, tzinfo=CHINA)  # type: ignore[arg-type, misc]


def sent(at: datetime, number: int = 0, *, channel: str = "sms", topic: str = "news", until: datetime | None = None) -> Slot:
    """A message of another campaign that counts."""
    return Slot(f"s{number}", f"other{number}", channel, topic, at, until)


def reasons(mailing: Mailing, addressee: Addressee, now: datetime = NOON) -> list[str]:
    """In short."""
    return [reason.value for reason in judge(mailing, addressee, now).reasons]


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
moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))
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


# --- consent and subscription ----------------------------------------------------------------------------------------


@pytest.mark.obligation("MK-02", "CL-01")
@pytest.mark.parametrize("state", ConsentState)
@pytest.mark.parametrize("channel", ["sms", "email", "wechat", "phone"])
def test_only_a_consent_that_stands_a_subscription_and_no_refusal_together_allow(state: ConsentState, channel: str) -> None:
    mailing = replace(SMS, channel=POLICY.channels[channel], purpose=POLICY.purposes[f"marketing_{channel}"])
    stands = state in {ConsentState.GIVEN, ConsentState.RENEWED}
    for suppressed in (False, True):
        for subscribed in (False, True):
            addressee = replace(READY, standing=replace(GIVEN, consent=state), suppressed=suppressed, subscribed=subscribed)
            assert judge(mailing, addressee, NOON).allowed == (stands and subscribed and not suppressed)


def test_a_consent_for_one_channel_is_none_for_another() -> None:
    assert reasons(replace(SMS, channel=POLICY.channels["email"]), READY) == ["CONSENT_REQUIRED"]
    assert reasons(replace(SMS, purpose=None), READY) == ["CONSENT_REQUIRED"]


@pytest.mark.obligation("MK-06")
def test_an_offer_under_the_name_of_a_service_is_judged_as_the_offer_it_is() -> None:
    disguised = replace(SMS, message_class=MessageClass.SERVICE)
    addressee = replace(
        READY, suppressed=True, subscribed=False, slots=tuple(sent(NOON - timedelta(days=1), n) for n in range(3))
    )

    assert reasons(disguised, addressee) == reasons(SMS, addressee) == ["SUPPRESSED", "NOT_SUBSCRIBED", "FREQUENCY_CAP"]


# --- the hours -------------------------------------------------------------------------------------------------------


@pytest.mark.obligation("SMS-07", "CL-03")
@pytest.mark.parametrize("channel", ["sms", "email", "wechat", "phone"])
@pytest.mark.parametrize(
    ("when", "slot"),
    [
        ((2026, 11, 22, 20, 59, 59), None),
        ((2026, 11, 22, 21, 0, 0), (2026, 11, 23, 8)),
        ((2026, 11, 22, 23, 59, 59), (2026, 11, 23, 8)),
        ((2026, 11, 23, 0, 0, 0), (2026, 11, 23, 8)),
        ((2026, 11, 23, 7, 59, 59, 999999), (2026, 11, 23, 8)),
        ((2026, 11, 23, 8, 0, 0), None),
        ((2026, 12, 31, 21, 0, 0), (2027, 1, 1, 8)),
        ((2027, 1, 1, 0, 0, 0), (2027, 1, 1, 8)),
        ((2028, 2, 28, 22, 0, 0), (2028, 2, 29, 8)),
        ((2028, 2, 29, 22, 0, 0), (2028, 3, 1, 8)),
        ((2027, 2, 28, 22, 0, 0), (2027, 3, 1, 8)),
    ],
)
@pytest.mark.parametrize("host", ["UTC", "EST5EDT,M3.2.0,M11.1.0", "IST-5:30", "NZST-12NZDT,M9.5.0,M4.1.0"])
def test_quiet_hours_are_shanghais_whatever_the_hosts_clock_shows(
    channel: str, when: tuple[int, ...], slot: tuple[int, ...] | None, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", host)
    time.tzset()
    try:
        mailing = replace(SMS, channel=POLICY.channels[channel], purpose=POLICY.purposes[f"marketing_{channel}"])
        verdict = judge(mailing, READY, shanghai(*when).astimezone())
    finally:
        monkeypatch.undo()
        time.tzset()

    assert verdict == Verdict((SendReason.QUIET_HOURS,) if slot else (), shanghai(*slot) if slot else None)


@pytest.mark.obligation("CL-03")
def test_narrower_hours_can_be_chosen() -> None:
    phone = replace(POLICY.channels["phone"], quiet_from="20:00", quiet_until="09:00")
    call = replace(SMS, channel=phone, purpose=POLICY.purposes["marketing_phone"])

    assert reasons(call, READY, shanghai(2026, 11, 22, 19, 59, 59)) == []
    assert judge(call, READY, shanghai(2026, 11, 22, 20)) == Verdict((SendReason.QUIET_HOURS,), shanghai(2026, 11, 23, 9))
    assert reasons(call, READY, shanghai(2026, 11, 23, 8, 59, 59)) == ["QUIET_HOURS"]
    siesta = replace(call, channel=replace(phone, quiet_from="12:00", quiet_until="14:00"))
    assert reasons(siesta, READY, shanghai(2026, 11, 22, 11, 59, 59)) == reasons(siesta, READY, shanghai(2026, 11, 22, 14)) == []
    assert judge(siesta, READY, NOON) == Verdict((SendReason.QUIET_HOURS,), shanghai(2026, 11, 22, 14))


@pytest.mark.obligation("SMS-07")
def test_a_consent_withdrawn_overnight_is_not_sent_in_the_morning() -> None:
    evening = judge(SMS, READY, shanghai(2026, 11, 22, 21))
    assert evening.next_slot == shanghai(2026, 11, 23, 8)

    withdrawn = replace(READY, standing=replace(GIVEN, consent=ConsentState.WITHDRAWN))
    assert judge(SMS, withdrawn, shanghai(2026, 11, 23, 8)) == Verdict((SendReason.CONSENT_WITHDRAWN,))


def test_there_is_no_next_slot_where_something_else_is_wrong_or_the_campaign_ends_before() -> None:
    night = shanghai(2026, 11, 22, 22)
    assert judge(SMS, replace(READY, addressed=False), night).next_slot is None
    assert judge(replace(SMS, ends_at=shanghai(2026, 11, 23, 8)), READY, night) == Verdict((SendReason.QUIET_HOURS,), None)


# --- how often -------------------------------------------------------------------------------------------------------


@dataclass
class Ledger:
    """Sixteen careless senders and one ledger: what is reserved, and what really went out."""

    slots: list[Slot] = field(default_factory=list)
    gone: list[datetime] = field(default_factory=list)

    def decide(self, now: datetime, mailing: Mailing) -> None:
        """Reserve, where it is allowed."""
        if judge(mailing, replace(READY, slots=tuple(self.slots)), now).allowed:
            slot = Slot(
                str(len(self.slots)), mailing.campaign_id, mailing.channel.key, mailing.topic, now, now + timedelta(minutes=5)
            )
            self.slots.append(slot)

    def redeem(self, now: datetime, mailing: Mailing) -> None:
        """Send the oldest reservation that lives, if every rule still holds."""
        slot = next((slot for slot in self.slots if slot.until is not None and slot.until > now), None)
        if slot is None:
            return
        rest = [other for other in self.slots if other is not slot]
        if judge(replace(mailing, campaign_id=slot.campaign_id), replace(READY, slots=tuple(rest)), now).allowed:
            self.slots = [*rest, replace(slot, at=now, until=None)]
            self.gone.append(now)


steps = st.tuples(
    st.sampled_from([timedelta(0), timedelta(minutes=1), timedelta(minutes=4), timedelta(hours=5), timedelta(days=1)])
    | st.sampled_from([timedelta(days=7), timedelta(days=7) - timedelta(microseconds=1), timedelta(days=2, hours=8)]),
    st.sampled_from(["sms", "email", "wechat", "phone"]),
    st.booleans(),
)


@pytest.mark.obligation("MK-08")
@given(st.lists(steps, min_size=10, max_size=60), moments)
def test_no_seven_days_ever_hold_a_fourth_message_over_all_channels(
    plan: list[tuple[timedelta, str, bool]], now: datetime
) -> None:
    ledger = Ledger()
    for number, (wait, channel, decides) in enumerate(plan):
        now += wait
        purpose = POLICY.purposes[f"marketing_{channel}"]
        mailing = replace(SMS, campaign_id=f"c{number}", channel=POLICY.channels[channel], purpose=purpose)
        if decides:
            ledger.decide(now, mailing)
        ledger.redeem(now + timedelta(seconds=1), mailing)
        reserved = [slot for slot in ledger.slots if slot.counts(now) and now - slot.at < timedelta(days=7)]
        assert len(reserved) <= 3

    for first in ledger.gone:
        assert sum(timedelta(0) <= other - first < timedelta(days=7) for other in ledger.gone) <= 3


@pytest.mark.obligation("MK-08")
def test_the_fourth_waits_until_the_first_is_seven_days_old() -> None:
    past = tuple(
        sent(NOON - timedelta(days=days), days, channel=channel) for days, channel in ((6, "sms"), (3, "email"), (1, "phone"))
    )
    verdict = judge(SMS, replace(READY, slots=past), NOON)

    assert verdict == Verdict((SendReason.FREQUENCY_CAP,), NOON + timedelta(days=1))
    assert judge(SMS, replace(READY, slots=past), NOON + timedelta(days=1)).allowed
    assert not judge(SMS, replace(READY, slots=past), NOON + timedelta(days=1, microseconds=-1)).allowed


def test_a_reservation_that_nobody_uses_is_given_back_with_its_token() -> None:
    ends = NOON + timedelta(minutes=5)
    held = tuple(sent(NOON, number, until=ends) for number in range(3))

    assert judge(SMS, replace(READY, slots=held), NOON) == Verdict((SendReason.FREQUENCY_CAP,), ends)
    assert judge(SMS, replace(READY, slots=held), ends).allowed


def test_a_cap_of_zero_means_never_and_not_that_there_is_no_cap() -> None:
    none = replace(SMS, channel=replace(SMS.channel, cap_messages=0))
    for slots in ((), (sent(NOON - timedelta(days=1)),), (sent(NOON - timedelta(days=30)),)):
        assert judge(none, replace(READY, slots=slots), NOON) == Verdict((SendReason.FREQUENCY_CAP,), None)
    assert judge(SMS, replace(READY, monthly=0), NOON) == Verdict((SendReason.PROMISED_FREQUENCY,), None)


@pytest.mark.obligation("MK-08")
def test_the_fifth_of_four_promised_a_month_is_denied_until_the_next_month_of_shanghai() -> None:
    four = tuple(sent(shanghai(2026, 12, day, 10), day) for day in (1, 8, 15, 22))
    subscriber = replace(READY, monthly=4, slots=four)

    assert judge(SMS, replace(subscriber, slots=four[:3]), shanghai(2026, 12, 29, 10)).allowed
    last = shanghai(2026, 12, 31, 20, 59, 59)
    assert judge(SMS, subscriber, last) == Verdict((SendReason.PROMISED_FREQUENCY,), shanghai(2027, 1, 1, 8))
    assert judge(SMS, subscriber, shanghai(2027, 1, 1, 8)).allowed


@pytest.mark.obligation("MK-08")
def test_the_promise_is_the_topics_over_all_brands_and_a_month_begins_at_midnight_in_shanghai() -> None:
    promised = replace(READY, monthly=1)
    spent = replace(promised, slots=(sent(shanghai(2026, 12, 1, 9)),))
    noon = shanghai(2026, 12, 20, 12)

    assert reasons(replace(SMS, brand="beauty"), spent, noon) == ["PROMISED_FREQUENCY"]
    assert reasons(replace(SMS, topic="offers"), spent, noon) == []
    # 16:30 UTC of the 30th is the 1st in Shanghai, and 15:30 is not.
    december = sent(datetime(2026, 11, 30, 16, 30, tzinfo=UTC))
    november = sent(datetime(2026, 11, 30, 15, 30, tzinfo=UTC))
    assert reasons(SMS, replace(promised, slots=(december,)), noon) == ["PROMISED_FREQUENCY"]
    assert reasons(SMS, replace(promised, slots=(november,)), noon) == []


# --- services and incidents ------------------------------------------------------------------------------------------


@pytest.mark.obligation("SMS-07")
def test_a_service_message_is_not_capped_not_quiet_and_asks_for_no_subscription() -> None:
    many = tuple(sent(NOON, number) for number in range(9))
    refused = Addressee(
        Standing("m", MemberStatus.ACTIVE), suppressed=True, subscribed=False, addressed=True, monthly=0, slots=many
    )

    assert judge(SERVICE, refused, shanghai(2026, 11, 22, 23)) == Verdict(())
    assert reasons(replace(SERVICE, approved=False), refused) == ["CAMPAIGN_NOT_APPROVED"]


def test_the_notice_of_an_incident_passes_whatever_is_about_the_member_or_the_hour() -> None:
    worst = Standing(
        "m", MemberStatus.RESTRICTED, ConsentState.WITHDRAWN, minority=Minority(None, told=False), personalisation=False
    )
    many = tuple(sent(NOON, number) for number in range(9))
    refused = Addressee(
        worst, suppressed=True, subscribed=False, addressed=True, monthly=0, quota=0, in_audience=False, slots=many
    )

    assert judge(replace(BREACH, automated=True), refused, shanghai(2026, 11, 22, 23)) == Verdict(())
    assert reasons(BREACH, replace(refused, addressed=False)) == ["ADDRESS_MISSING"]
    assert reasons(BREACH, replace(refused, reachable=False)) == ["ADDRESS_UNREACHABLE"]


def test_an_offer_that_calls_itself_an_incident_reaches_nobody_unreviewed() -> None:
    assert reasons(replace(BREACH, approved=False), READY) == ["CAMPAIGN_NOT_APPROVED"]
    assert reasons(replace(BREACH, compliant=False), READY) == ["TEMPLATE_NONCOMPLIANT"]


# --- minors ----------------------------------------------------------------------------------------------------------


@pytest.mark.obligation("SM-07")
@pytest.mark.parametrize("guardian", [False, True])
def test_no_machine_picks_a_minor_whatever_was_consented_until_midnight_of_the_eighteenth_birthday(guardian: bool) -> None:
    hourless = replace(SMS, channel=replace(SMS.channel, quiet_from="03:00", quiet_until="04:00"), automated=True)

    def on(now: datetime, mailing: Mailing = hourless) -> list[str]:
        minority = minority_of(date(2008, 12, 1), POLICY, now, guarded=guardian)
        return reasons(mailing, replace(READY, standing=replace(GIVEN, minority=minority, by_guardian=guardian)), now)

    assert on(shanghai(2026, 11, 30, 23, 59, 59)) == ["MINOR_ADM_MARKETING_FORBIDDEN"]
    assert on(shanghai(2026, 12, 1, 0, 0, 0)) == []
    assert on(shanghai(2026, 11, 30, 12), replace(hourless, automated=False)) == []


@pytest.mark.obligation("SM-07")
def test_a_purpose_that_is_an_automated_decision_is_one_whatever_the_audience_says() -> None:
    purpose = replace(SMS.purpose, automated_decision=True)  # type: ignore[type-var]
    young = replace(READY, standing=replace(GIVEN, minority=minority_of(date(2010, 1, 1), POLICY, NOON)))

    assert reasons(replace(SMS, purpose=purpose), young) == ["MINOR_ADM_MARKETING_FORBIDDEN"]
    assert reasons(replace(SMS, purpose=purpose), replace(READY, standing=replace(GIVEN, personalisation=None))) == [
        "PERSONALISATION_OFF"
    ]


def test_an_age_that_nobody_can_tell_allows_nothing_and_a_child_needs_the_guardians_own_yes() -> None:
    unknown = replace(READY, standing=replace(GIVEN, minority=Minority(None, told=False)))
    child = minority_of(date(2015, 1, 1), POLICY, NOON, guarded=True)

    assert reasons(SMS, unknown) == ["GUARDIAN_CONSENT_REQUIRED"]
    assert reasons(SMS, replace(READY, standing=replace(GIVEN, minority=child))) == ["GUARDIAN_CONSENT_REQUIRED"]
    assert reasons(SMS, replace(READY, standing=replace(GIVEN, minority=child, by_guardian=True))) == []


def test_what_bars_a_member_in_two_ways_is_told_twice() -> None:
    child = minority_of(date(2015, 1, 1), POLICY, NOON)
    standing = replace(GIVEN, status=MemberStatus.RESTRICTED, minority=child, by_guardian=True)

    assert reasons(SMS, replace(READY, standing=standing)) == ["PROCESSING_RESTRICTED", "GUARDIAN_CONSENT_REQUIRED"]
    assert reasons(replace(SMS, purpose=None), replace(READY, standing=standing))[:2] == [
        "PROCESSING_RESTRICTED",
        "GUARDIAN_CONSENT_REQUIRED",
    ]
