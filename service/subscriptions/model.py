"""The words of subscriptions: what a member receives, over which channel, of which brand, and how they said so."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from policies.marketing import Topic
from policies.terms import Basis, Catalogue, Channel, Purpose, PurposeClass
from service.consent.model import CaptureChannel
from service.suppression.model import Cause
from service.values import MemberId

Key = tuple[str, str, str]
"""Channel, topic, brand: what one subscription is about. (channel, "", "") is the channel as a whole."""


class SubscriptionState(StrEnum):
    """PENDING: asked for, and the address has not confirmed it yet. Only SUBSCRIBED allows anything."""

    PENDING = "PENDING"
    SUBSCRIBED = "SUBSCRIBED"
    UNSUBSCRIBED = "UNSUBSCRIBED"


class Way(StrEnum):
    """How somebody said yes or no. A bounce says neither: the address does not exist."""

    LINK = "LINK"
    ONE_CLICK = "ONE_CLICK"
    LETTER = "LETTER"
    SMS_REPLY = "SMS_REPLY"
    WECHAT_EVENT = "WECHAT_EVENT"
    PHONE = "PHONE"
    BOUNCE = "BOUNCE"
    COMPLAINT = "COMPLAINT"
    GRAPHQL = "GRAPHQL"
    CONFIRMATION = "CONFIRMATION"
    STAFF = "STAFF"
    IMPORT = "IMPORT"
    ERASURE = "ERASURE"


_CAPTURED = {
    Way.LINK: CaptureChannel.WEB,
    Way.ONE_CLICK: CaptureChannel.WEB,
    Way.SMS_REPLY: CaptureChannel.SMS,
    Way.PHONE: CaptureChannel.PHONE,
    Way.STAFF: CaptureChannel.PHONE,
    Way.IMPORT: CaptureChannel.IMPORT,
    Way.LETTER: CaptureChannel.STORE,
    Way.COMPLAINT: CaptureChannel.WEB,
}
_CAUSES = {Way.BOUNCE: Cause.BOUNCED, Way.COMPLAINT: Cause.COMPLAINED, Way.ERASURE: Cause.ERASED}


def captured(way: Way) -> CaptureChannel:
    """Where it was said, in the words of the consent ledger."""
    return _CAPTURED.get(way, CaptureChannel.MINI_PROGRAM)


def cause(way: Way) -> Cause:
    """Why nothing may go to an address after this."""
    return _CAUSES.get(way, Cause.UNSUBSCRIBED)


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where one subscription stands. `monthly` is how often at most the member was told that they would be written to (SMS-01)."""

    channel: str
    topic: str
    brand: str
    state: SubscriptionState
    since: datetime
    event_id: str
    expires_at: datetime | None
    monthly: int | None
    hash: bytes

    @property
    def key(self) -> Key:
        """What it is about."""
        return (self.channel, self.topic, self.brand)

    def live(self, at: datetime) -> bool:
        """Whether it allows anything at a moment."""
        return self.state is SubscriptionState.SUBSCRIBED and (self.expires_at is None or self.expires_at > at)


@dataclass(frozen=True, slots=True)
class SubscriptionEvent:
    """One row of the ledger. `record` holds all of it; `hash` chains it to its forerunner of the same subscription."""

    event_id: str
    channel: str
    topic: str
    brand: str
    state: SubscriptionState
    way: str
    recorded_at: datetime
    record: Mapping[str, object]
    previous_hash: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Shown:
    """A subscription as it is read. `suppressed`: whatever it says, nothing goes out, because the address said no."""

    subscription: Subscription
    suppressed: bool


@dataclass(frozen=True, slots=True)
class Left:
    """It is off. `channels`: those that nothing goes out over any more, or where a topic ended; `again`: all of it was so before.
    `known`: there is such a member.
    """

    member_id: MemberId
    channels: tuple[str, ...]
    again: bool
    known: bool = True


@dataclass(frozen=True, slots=True)
class Wish:
    """What a member asks for, and how often and for how long they were told that it will be (SMS-01). Nothing is given in return: there is
    no place for a reward (WX-06).
    """

    channel: str
    topic: str
    brand: str
    monthly: int
    months: int


@dataclass(frozen=True, slots=True)
class Subscribed:
    """Where the subscription stands now. `confirmation` is for the service that writes to the address, and for nobody else."""

    shown: Shown
    confirmation: str | None = None


LETTER = "letter"
"""The kind of the jobs that write to an address to ask it something (service/senders/writing.py)."""


class LetterKind(StrEnum):
    """What a letter asks the address: whether it wants what was subscribed to, or whether it wants nothing more."""

    CONFIRM = "CONFIRM"
    LEAVE = "LEAVE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One letter. A confirmation's `letter_id` is the event that asked for it. `sealed` is the link of a typed address, None otherwise."""

    mark: bytes
    day: str
    place: int
    letter_id: str
    kind: str
    asked_at: datetime
    handed_at: datetime | None
    sealed: bytes | None


@dataclass(frozen=True, slots=True)
class SubscriptionRejected:
    """Nothing was recorded. `code`: CHANNEL_UNKNOWN, TOPIC_UNKNOWN, BRAND_UNKNOWN, PROMISE_STALE, ADDRESS_MISSING, CONFIRMATION_VOID,
    REASON_REQUIRED.
    """

    code: str


def purposes_of(catalogue: Catalogue, channel: str) -> list[Purpose]:
    """What has to be consented to before anything commercial goes out over a channel; empty where nothing ever may."""
    return [
        purpose
        for purpose in catalogue.purposes.values()
        if purpose.channel == channel and purpose.basis is Basis.CONSENT and purpose.purpose_class is PurposeClass.COMMERCIAL
    ]


def unfit(catalogue: Catalogue, wish: Wish) -> str:
    """Why nobody can subscribe to this, as a code; "" where they can."""
    topic = catalogue.topics.get(wish.topic)
    if wish.channel not in catalogue.channels or not purposes_of(catalogue, wish.channel):
        return "CHANNEL_UNKNOWN"
    if topic is None:
        return "TOPIC_UNKNOWN"
    if wish.brand not in {brand.key for brand in catalogue.controller.brands}:
        return "BRAND_UNKNOWN"
    return "" if told_rightly(topic, wish) else "PROMISE_STALE"


def told_rightly(topic: Topic, wish: Wish) -> bool:
    """Whether the screen said what the policy says: another number would be a promise that nobody keeps."""
    return (wish.monthly, wish.months) == (topic.monthly, topic.months)


def confirms(channel: Channel) -> bool:
    """Whether the address itself has to confirm (double opt-in)."""
    return channel.opt_in == "double"
