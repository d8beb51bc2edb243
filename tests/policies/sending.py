"""What the tests of `judge` share: a message and a member of whom nothing is wrong, to be changed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st

from policies.catalogue import SHIPPED, load
from policies.decide import Standing
from policies.marketing import MessageClass
from policies.send import Addressee, Mailing, Slot, judge
from policies.terms import ConsentState, MemberStatus

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

moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))


def shanghai(*when: int) -> datetime:
    """A moment as a clock in Shanghai shows it."""
    return datetime(*when, tzinfo=CHINA)  # type: ignore[arg-type, misc]


def sent(at: datetime, number: int = 0, *, channel: str = "sms", topic: str = "news", until: datetime | None = None) -> Slot:
    """A message of another campaign that counts."""
    return Slot(f"s{number}", f"other{number}", channel, topic, at, until)


def reasons(mailing: Mailing, addressee: Addressee, now: datetime = NOON) -> list[str]:
    """In short."""
    return [reason.value for reason in judge(mailing, addressee, now).reasons]
