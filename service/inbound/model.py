"""What comes in from outside, as plain values: who said what, over which way, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.values import MemberId

SMS, EMAIL, WECHAT = "sms", "email", "wechat"
"""The channels that something comes back over, as channels.toml names them."""


class InboundKind(StrEnum):
    """What came in."""

    SMS_REPLY = "SMS_REPLY"
    WECHAT_SUBSCRIPTION = "WECHAT_SUBSCRIPTION"
    WECHAT_REVOCATION = "WECHAT_REVOCATION"
    WECHAT_CANCELLATION = "WECHAT_CANCELLATION"
    WECHAT_CHANGE = "WECHAT_CHANGE"
    WECHAT_OTHER = "WECHAT_OTHER"
    MAIL_BOUNCE = "MAIL_BOUNCE"
    MAIL_COMPLAINT = "MAIL_COMPLAINT"
    TYPED_ADDRESS = "TYPED_ADDRESS"
    COMPLAINT = "COMPLAINT"


class InboundState(StrEnum):
    """HANDLED by the rules; FOR_STAFF: somebody must read it; DONE: somebody has."""

    HANDLED = "HANDLED"
    FOR_STAFF = "FOR_STAFF"
    DONE = "DONE"


class InboundOutcome(StrEnum):
    """What became of it. UNRECOGNISED: no rule knows what was meant. UNMATCHED: it concerns nobody who is known here."""

    UNSUBSCRIBED = "UNSUBSCRIBED"
    UNRECOGNISED = "UNRECOGNISED"
    UNMATCHED = "UNMATCHED"
    QUOTA = "QUOTA"
    CONSENTS_WITHDRAWN = "CONSENTS_WITHDRAWN"
    ERASURE_ASKED = "ERASURE_ASKED"
    UNREACHABLE = "UNREACHABLE"
    TO_CONFIRM = "TO_CONFIRM"
    ASKED_BY_MAIL = "ASKED_BY_MAIL"
    NOTED = "NOTED"
    NO_ACTION = "NO_ACTION"


class HandleAction(StrEnum):
    """What staff do with what came in. UNSUBSCRIBE: it was a no after all. CLOSE: nothing is to be done."""

    UNSUBSCRIBE = "UNSUBSCRIBE"
    CLOSE = "CLOSE"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request from outside came from, as the edge knows it."""

    request_id: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class SmsReply:
    """One text that somebody sent back. `code` and `sign` say to whom; `delivery` is what makes it the same one when it comes again."""

    number: str
    text: str
    code: str
    sign: str
    delivery: str


@dataclass(frozen=True, slots=True)
class Inbound:
    """One row: what came in, once. `sealed` is the text for staff under the member's key, None where there is none."""

    source: str
    digest: bytes
    inbound_id: str
    kind: str
    member_id: MemberId
    state: InboundState
    outcome: str
    received_at: datetime
    sealed: bytes | None = None
    handled_by: str = ""
    handled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InboundShown:
    """What staff see of it. `text` is None where nothing was kept, or can be opened no more (the member is erased)."""

    inbound_id: str
    kind: InboundKind
    source: str
    state: InboundState
    outcome: str
    member_id: MemberId | None
    text: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class InboundHandled:
    """It is over."""

    inbound_id: str
    outcome: InboundOutcome


@dataclass(frozen=True, slots=True)
class InboundNotFound:
    """There is none of this id that waits for staff."""


@dataclass(frozen=True, slots=True)
class ComplaintRecorded:
    """Suppressed, and what an investigation needs (SMS-09): the ids of the latest decisions, consents and subscriptions of the member."""

    inbound_id: str
    member_id: MemberId | None
    sends: tuple[str, ...]
    consents: tuple[str, ...]
    subscriptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ComplaintRejected:
    """Nothing was recorded: the address is none of its channel's."""

    code: str
