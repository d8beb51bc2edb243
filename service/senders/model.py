"""What is handed to a vendor, what may come of it, and the leave without which no adapter hands over anything."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from policies.marketing import MessageClass
from policies.marketing import Sender as RegisteredSender
from policies.naming import Title
from policies.terms import Controller
from service.errors import ServiceError
from service.gate.model import Became, Cleared
from service.members.model import Row
from service.subscriptions.ledger import Promise
from service.subscriptions.model import LetterKind
from service.values import MemberId
from service.work.model import Job

SEND = "send"
"""The kind of the jobs that send. It is done for a purpose, so a withdrawal cancels it (service/work/model.py)."""


class NoLiveDecision(ServiceError):
    """An adapter was given a message without a live decision for exactly that member, template, channel and send (MK-01)."""

    code = "NO_LIVE_DECISION"


class Unfit(Exception):
    """The words, or the address, cannot be sent like this. `code` says why and quotes nothing."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Fate(StrEnum):
    """What came of one try at a vendor.

    SENT: the vendor took it. REFUSED: it said no for good. BOUNCED: nobody lives there. NOT_OUT: it surely has not
    left, and may be tried again. UNKNOWN: nobody can say, so it is never tried again.
    """

    SENT = "SENT"
    REFUSED = "REFUSED"
    BOUNCED = "BOUNCED"
    NOT_OUT = "NOT_OUT"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A vendor's word: `code` is one of ours, never its text; `reference` is its own id of the message, for its later reports."""

    fate: Fate
    code: str
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WayOut:
    """How this member refuses: a link, a mailbox with what to write into the subject (EM-04), the sentence registered with the vendor."""

    link: str = field(repr=False)
    mailbox: str
    token: str = field(repr=False)
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The message as the member will see it. `parameters` are what a vendor fills into its own copy of the template, in their order."""

    text: str
    subject: str = ""
    html: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one member, and the leave under which it goes out. What it was made for is written down beside the leave, so that a
    leave for another member, template or channel is found out. Nothing of it is shown by `repr`.
    """

    cleared: Cleared = field(repr=False)
    cleared_at: datetime
    send_id: str
    member_id: MemberId
    channel: str
    template_digest: bytes = field(repr=False)
    sender: RegisteredSender
    vendor_template: str = field(repr=False)
    to: str = field(repr=False)
    words: Words = field(repr=False)
    way_out: WayOut = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail that asks an address to confirm something. It has no place for words: it goes without a decision of the gate, so it can say
    nothing but what `letters.py` says. `asked_at` is when the unit that gave leave for it ran.
    """

    letter_id: str
    kind: LetterKind
    sender: RegisteredSender
    controller: Controller
    to: str = field(repr=False)
    link: str = field(repr=False)
    hours: int
    asked_at: datetime
    brand: Title | None = None
    topic: Title | None = None
    promise: Promise | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """One decision that is to be carried out, with the token that proves it."""

    member_id: MemberId
    send_id: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Queued:
    """What became of one order. `code` says why it was refused, "" where it was not."""

    send_id: str
    queued: bool
    code: str = ""


@dataclass(frozen=True, slots=True)
class SendsQueued:
    """One answer for each order, in their order."""

    results: tuple[Queued, ...]


@dataclass(frozen=True, slots=True)
class FailedRow:
    """A send that needs a person, with its member's row."""

    job: Job
    row: Row


@dataclass(frozen=True, slots=True)
class Record:
    """What was handed over (SMS-06). `code` is what the message came from, `address_mark` a keyed hash of where it went."""

    send_id: str
    sender: str
    code: str
    address_mark: bytes
    content_digest: bytes
    template_id: str
    template_version: int
    handed_at: datetime


@dataclass(frozen=True, slots=True)
class SendRecord:
    """What was handed over, each time, and what came of it."""

    records: tuple[Record, ...]
    outcomes: tuple[Became, ...]


class Sender(Protocol):
    """An adapter to one vendor. `key` is the send's id: the vendor's idempotency key where it has one, its correlation id where not."""

    async def deliver(self, message: Message, *, key: str) -> Delivery:
        """Hand the message over once. Raises NoLiveDecision; whatever the network does is a Delivery."""


def admit(message: Message, registered: RegisteredSender, *, key: str, now: datetime, life: timedelta) -> None:
    """Raises NoLiveDecision unless the leave is younger than `life` and is for exactly this message by this sender (MK-01, SMS-05)."""
    cleared = message.cleared
    same = (
        cleared.send_id == message.send_id == key
        and cleared.member_id == message.member_id
        and cleared.permit.member_id == message.member_id
        and cleared.campaign.content.channel == message.channel == registered.channel
        and cleared.template.digest == message.template_digest
        and cleared.template.body.sender == message.sender.key
        and message.sender == registered
    )
    if not same or not message.cleared_at <= now < message.cleared_at + life:
        raise NoLiveDecision


def admit_letter(letter: Letter, registered: RegisteredSender, *, key: str, now: datetime, life: timedelta) -> None:
    """Raises NoLiveDecision unless the letter was just asked for, is this sender's, and the sender carries no marketing (SMS-04's rule, for
    mail): a letter is no way round the gate.
    """
    same = letter.letter_id == key and letter.sender == registered and registered.channel == "email"
    service = MessageClass.SERVICE in registered.classes and MessageClass.COMMERCIAL not in registered.classes
    if not (same and service) or not letter.asked_at <= now < letter.asked_at + life:
        raise NoLiveDecision
