"""May this be sent? One pure function, `judge`, once a member and message (MK-01): every rule is weighed, every failing one is told.

Fail closed: what is missing or unknown is a reason not to send. What the law wants told (BREACH) passes everything that is about the
member and the hour; but that it is such a notice, and nothing for sale, a second person has approved like any other.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from policies.clock import SHANGHAI
from policies.decide import Standing, bars, too_young, weigh_consent
from policies.marketing import MessageClass, SendReason
from policies.terms import Basis, Channel, MemberStatus, Purpose, PurposeClass

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Mailing:
    """The message, as far as no member matters. `automated`: who gets it was worked out from tags, scores or history (PIPL 24).

    `compliant`: the template breaks no rule (policies/lint.py); `approved`: what a second person approved is exactly what would be sent.
    """

    campaign_id: str
    purpose: Purpose | None
    message_class: MessageClass
    channel: Channel
    brand: str
    topic: str
    automated: bool
    compliant: bool
    approved: bool
    starts_at: datetime
    ends_at: datetime

    @property
    def commercial(self) -> bool:
        """Whether the rules of advertising hold: also where somebody calls it a service and names a commercial purpose."""
        promotes = self.purpose is not None and self.purpose.purpose_class is PurposeClass.COMMERCIAL
        return self.message_class is not MessageClass.SERVICE or promotes

    @property
    def picked(self) -> bool:
        """Whether a machine decides who gets it, by the audience or by the purpose itself."""
        return self.automated or (self.purpose is not None and self.purpose.automated_decision)


@dataclass(frozen=True, slots=True)
class Slot:
    """One commercial message that counts towards a cap: reserved `until` a moment, or sent `at` one (`until` None)."""

    send_id: str
    campaign_id: str
    channel: str
    topic: str
    at: datetime
    until: datetime | None = None

    def counts(self, now: datetime) -> bool:
        """A reservation counts while its token lives; what was sent counts for good."""
        return self.until is None or self.until > now

    def leaves(self, moment: datetime) -> datetime:
        """When it counts no more for a rule that would forget it at `moment`: then, or as soon as the reservation has run out."""
        return moment if self.until is None else min(moment, self.until)


@dataclass(frozen=True, slots=True)
class Addressee:
    """What is known of one member for the message at hand, read under the lock of their window.

    `addressed`: they have an address on the channel; `reachable`: it has not bounced for good. `monthly` is what the subscription promised
    (None: nothing was promised). `quota` is how many acceptances are left where each message needs one (WX-04), None elsewhere.
    `in_audience`: the campaign's rule still covers them.
    """

    standing: Standing
    suppressed: bool
    subscribed: bool
    addressed: bool
    reachable: bool = True
    monthly: int | None = None
    quota: int | None = None
    in_audience: bool = True
    slots: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Allowed where there is no reason. `next_slot`: when to decide again, where time alone stands in the way."""

    reasons: tuple[SendReason, ...]
    next_slot: datetime | None = None

    @property
    def allowed(self) -> bool:
        """Whether it may be sent now."""
        return not self.reasons


_ORDER = {reason: place for place, reason in enumerate(SendReason)}
_TIME_ALONE = frozenset({SendReason.QUIET_HOURS, SendReason.FREQUENCY_CAP, SendReason.PROMISED_FREQUENCY})
_Wait = tuple[SendReason, datetime | None]
"""A reason that passes, and when; None: it never does."""


def judge(mailing: Mailing, addressee: Addressee, now: datetime) -> Verdict:
    """All reasons why this message may not go to this member now, in the order of MK-01."""
    if mailing.message_class is MessageClass.BREACH:
        return _verdict([*_unreachable(addressee), *_reviewed(mailing)])
    waits = [*_quiet(mailing.channel, now), *_too_often(mailing, addressee, now)] if mailing.commercial else []
    verdict = _verdict(
        [*_of_person(mailing, addressee, now), *_of_campaign(mailing, addressee, now), *(reason for reason, _ in waits)]
    )
    return replace(verdict, next_slot=_next_slot(mailing, waits)) if _TIME_ALONE.issuperset(verdict.reasons) else verdict


def _verdict(reasons: Iterable[SendReason]) -> Verdict:
    return Verdict(tuple(sorted(set(reasons), key=_ORDER.__getitem__)))


def _next_slot(mailing: Mailing, waits: list[_Wait]) -> datetime | None:
    """The first moment at which time stands in the way no more. None: there is none while the campaign runs, or none is needed."""
    moments = [until for _, until in waits if until is not None]
    if not moments or len(moments) < len(waits):
        return None
    opening = _first_open(mailing.channel, max(moments))
    return opening if opening < mailing.ends_at else None


def _of_person(mailing: Mailing, addressee: Addressee, now: datetime) -> Iterable[SendReason]:
    standing = addressee.standing
    if mailing.commercial and addressee.suppressed:
        yield SendReason.SUPPRESSED
    yield from _barred(mailing, standing)
    yield from _consent(mailing, addressee, now)
    yield from _unreachable(addressee)
    if addressee.quota is not None and addressee.quota < 1:
        yield SendReason.QUOTA_EXHAUSTED
    if mailing.picked and standing.personalisation is not True:
        # Not touched is not agreed to: a machine picks only those who wished to be picked (PIPL 24).
        yield SendReason.PERSONALISATION_OFF


def _barred(mailing: Mailing, standing: Standing) -> Iterable[SendReason]:
    if standing.status is MemberStatus.ERASED:
        yield SendReason.ERASED
        return
    yield from (SendReason(reason.value) for reason in bars(standing))
    if mailing.commercial and too_young(standing, automated=mailing.picked):
        yield SendReason.MINOR_ADM_MARKETING_FORBIDDEN


def _consent(mailing: Mailing, addressee: Addressee, now: datetime) -> Iterable[SendReason]:
    purpose, commercial = mailing.purpose, mailing.commercial
    if purpose is None or (commercial and (purpose.basis is not Basis.CONSENT or purpose.channel != mailing.channel.key)):
        # A purpose that the policy no longer has, or that was never asked for this channel, allows nothing.
        yield SendReason.CONSENT_REQUIRED
    elif purpose.basis is Basis.CONSENT and (reason := weigh_consent(purpose, addressee.standing, now)) is not None:
        yield SendReason(reason.value)
    if commercial and not addressee.subscribed:
        yield SendReason.NOT_SUBSCRIBED


def _unreachable(addressee: Addressee) -> Iterable[SendReason]:
    if not addressee.addressed:
        yield SendReason.ADDRESS_MISSING
    elif not addressee.reachable:
        yield SendReason.ADDRESS_UNREACHABLE


def _of_campaign(mailing: Mailing, addressee: Addressee, now: datetime) -> Iterable[SendReason]:
    if not addressee.in_audience:
        yield SendReason.OUTSIDE_AUDIENCE
    yield from _reviewed(mailing)
    if not mailing.starts_at <= now < mailing.ends_at:
        yield SendReason.CAMPAIGN_NOT_RUNNING
    if any(slot.campaign_id == mailing.campaign_id and slot.counts(now) for slot in addressee.slots):
        yield SendReason.ALREADY_SENT


def _reviewed(mailing: Mailing) -> Iterable[SendReason]:
    """Promise 9. It holds for the notice of an incident as well: the marketer who calls an offer one would else reach everybody."""
    if not mailing.compliant:
        yield SendReason.TEMPLATE_NONCOMPLIANT
    if not mailing.approved:
        yield SendReason.CAMPAIGN_NOT_APPROVED


def _quiet(channel: Channel, now: datetime) -> Iterable[_Wait]:
    if quiet(channel, now):
        yield SendReason.QUIET_HOURS, _first_open(channel, now)


def quiet(channel: Channel, now: datetime) -> bool:
    """Whether the channel keeps quiet at this moment, by the clocks of Shanghai (SMS-07). From the first minute to before the last."""
    start, end = time.fromisoformat(channel.quiet_from), time.fromisoformat(channel.quiet_until)
    told = now.astimezone(SHANGHAI).time()
    return start <= told < end if start <= end else told >= start or told < end


def _first_open(channel: Channel, moment: datetime) -> datetime:
    """The first moment, from this one on, at which the channel may be used."""
    if not quiet(channel, moment):
        return moment
    here = moment.astimezone(SHANGHAI)
    opening = datetime.combine(here.date(), time.fromisoformat(channel.quiet_until), SHANGHAI)
    return opening if opening > here else opening + _ONE_DAY


def _too_often(mailing: Mailing, addressee: Addressee, now: datetime) -> Iterable[_Wait]:
    """The cap over all channels and brands together, then what the subscription itself promised (MK-08)."""
    channel, period = mailing.channel, timedelta(days=mailing.channel.cap_days)
    counted = [slot for slot in addressee.slots if slot.counts(now)]
    recent = [slot.leaves(slot.at + period) for slot in counted if slot.at > now - period]
    if len(recent) >= channel.cap_messages:
        yield SendReason.FREQUENCY_CAP, _room(recent, channel.cap_messages)
    if addressee.monthly is not None:
        end = _next_month(now)
        same = [slot.leaves(end) for slot in counted if _same_promise(slot, mailing) and _month(slot.at) == _month(now)]
        if len(same) >= addressee.monthly:
            yield SendReason.PROMISED_FREQUENCY, _room(same, addressee.monthly)


def _room(leaving: list[datetime], most: int) -> datetime | None:
    """When fewer than `most` are left. None where none at all are allowed: zero means never, and not that there is no rule."""
    return sorted(leaving)[len(leaving) - most] if most > 0 else None


def _same_promise(slot: Slot, mailing: Mailing) -> bool:
    return slot.channel == mailing.channel.key and slot.topic == mailing.topic


def _month(moment: datetime) -> tuple[int, int]:
    here = moment.astimezone(SHANGHAI)
    return here.year, here.month


def _next_month(moment: datetime) -> datetime:
    year, month = divmod(moment.astimezone(SHANGHAI).year * 12 + moment.astimezone(SHANGHAI).month, 12)
    return datetime(year, month + 1, 1, tzinfo=SHANGHAI)
