"""The hours, the counts, the classes and the ages by which a message may be sent, one by one."""

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.decide import Minority, Standing, minority_of
from policies.marketing import MessageClass, SendReason
from policies.send import Addressee, Mailing, Slot, Verdict, judge
from policies.terms import ConsentState, MemberStatus
from tests.policies.sending import BREACH, GIVEN, NOON, POLICY, READY, SERVICE, SMS, moments, reasons, sent, shanghai

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
    """Mautic #4761: what three a week put off waited three weeks."""
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
    """Mautic #10275, #10416, #10753: nobody could tell whether zero was a rule or none."""
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
    """Mautic #6896: its frequency rules held transactional mail back."""
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
