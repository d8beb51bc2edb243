"""The words of the consent ledger, and the pure rules over them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from policies.terms import ConsentState, Reason
from service.propagation.model import Progress


class Expression(StrEnum):
    """How a member can say yes or no.

    An implied consent (default, silence, continued use, a ticked box) has no name here (NC-05).
    """

    TAP_UNTICKED_BOX = "TAP_UNTICKED_BOX"
    BUTTON = "BUTTON"
    SIGNATURE = "SIGNATURE"
    KEYWORD_REPLY = "KEYWORD_REPLY"
    VOICE = "VOICE"


class BoxState(StrEnum):
    """What the box looked like before the member touched it, as the front end reports it. TICKED is refused (NC-05)."""

    UNTICKED = "UNTICKED"
    TICKED = "TICKED"
    NONE = "NONE"


class CaptureChannel(StrEnum):
    """Where the answer was given."""

    MINI_PROGRAM = "MINI_PROGRAM"
    WEB = "WEB"
    STORE = "STORE"
    SMS = "SMS"
    PHONE = "PHONE"
    IMPORT = "IMPORT"


@dataclass(frozen=True, slots=True)
class Client:
    """What the member held in their hand. The device is a digest made by the front end, never an identifier."""

    app_id: str = ""
    app_version: str = ""
    device_digest: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What proves an answer (PIPL 14, 69; ISO/IEC TS 27560): the notice as shown, the screen, the gesture, the moment.

    `purposes_on_screen` is how many purposes the screen asked for, `words_digest` the SHA-256 (hex) of the question as it was shown: a
    separate consent (PIPL 29) needs both.
    """

    notice_version: str
    language: str
    presented_at: datetime
    expression: Expression
    screen: str
    channel: CaptureChannel
    box: BoxState = BoxState.NONE
    client: Client = Client()
    purposes_on_screen: int | None = None
    words_digest: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """One answer to one purpose: there is no 'accept all' (NC-06). `granted` is None for 'not now'."""

    purpose: str
    granted: bool | None


@dataclass(frozen=True, slots=True)
class ConsentStanding:
    """Where one purpose stands for one member. `propagation`: how far the recipients have been told of its end, where they must be."""

    purpose: str
    state: ConsentState
    since: datetime | None = None
    expires_at: datetime | None = None
    event_id: str | None = None
    notice_version: str | None = None
    scope: int = 1
    by_guardian: bool = False
    propagation: Progress | None = None


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """One row of the ledger.

    `record` holds every field of ISO/IEC TS 27560 and the evidence; `hash` chains it to its forerunner.
    """

    event_id: str
    purpose: str
    state: ConsentState
    recorded_at: datetime
    expires_at: datetime | None
    notice_version: str | None
    record: Mapping[str, object]
    previous_hash: bytes
    hash: bytes

    @property
    def scope(self) -> int:
        """The version of the purpose that it is about."""
        version = self.record.get("purposeVersion", 1)
        return version if isinstance(version, int) else 1

    @property
    def by_guardian(self) -> bool:
        """Whether a guardian answered for a child (PIPL 31)."""
        return self.record.get("entityRole") == "guardian"


@dataclass(frozen=True, slots=True)
class ConsentsRecorded:
    """The answers stand; `standings` are the new states of exactly the purposes answered."""

    standings: tuple[ConsentStanding, ...]


@dataclass(frozen=True, slots=True)
class NoticeNotPresented:
    """No evidence that the notice was shown before: nothing is collected and nothing recorded (NC-04). Show `current`."""

    current: str


@dataclass(frozen=True, slots=True)
class NoticeStale:
    """The notice that was shown has been superseded. Show `current` and ask again."""

    presented: str
    current: str


@dataclass(frozen=True, slots=True)
class GuardianConsentRequired:
    """The member is under 14: only a guardian can answer (PIPL 31)."""


@dataclass(frozen=True, slots=True)
class SeparateConsentRequired:
    """This purpose must be asked alone on its screen (PIPL 23, 29, 39)."""

    purpose: str


@dataclass(frozen=True, slots=True)
class ConsentRejected:
    """The answer proves no consent.

    `code`: PRETICKED, PURPOSE_UNKNOWN, NOT_CONSENT_BASED, DUPLICATE_DECISION, EVIDENCE_INCOMPLETE, NOT_IN_NOTICE, WORDS_UNKNOWN,
    MEMBER_ACT_REQUIRED, NO_DECISION, PROCESSING_RESTRICTED.
    """

    code: str
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class ConsentNeeded:
    """The purpose rests on consent, and the member's does not stand: nothing is collected for it (PIPL 13).

    `reason` as for a read.
    """

    purpose: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class NothingToWithdraw:
    """There is no consent to take back: the purpose stands on another basis or is not declared."""

    purpose: str


@dataclass(frozen=True, slots=True)
class StaleConsent:
    """A consent that stands, given to an older version of its purpose (NC-09). The last two name the member to the log, and leave in no
    answer.
    """

    member_id: str
    since: datetime
    scope: int
    notice_version: str | None
    generation: int
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class Overview:
    """How many members' consents to a purpose stand in which state. What has run out counts as EXPIRED and is not `stale`."""

    states: Mapping[ConsentState, int]
    stale: int
