"""The words of minors' protection: who may answer for a child, which staff may look, what a guardian asked for."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from service.values import MemberId


class LinkState(StrEnum):
    """Where it stands whether somebody is a child's guardian. Only VERIFIED lets them act."""

    PENDING = "PENDING"
    VERIFIED = "VERIFIED"
    ENDED = "ENDED"


class Method(StrEnum):
    """How it was found out that somebody is a child's guardian."""

    MOBILE_CODE = "MOBILE_CODE"
    REAL_NAME = "REAL_NAME"
    DOCUMENT = "DOCUMENT"
    IN_STORE = "IN_STORE"


class RequestKind(StrEnum):
    """What a guardian may ask for (未成年人网络保护条例 34)."""

    VIEW = "VIEW"
    COPY = "COPY"
    CORRECT = "CORRECT"
    SUPPLEMENT = "SUPPLEMENT"
    DELETE = "DELETE"


class RequestState(StrEnum):
    """What became of it."""

    OPEN = "OPEN"
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Link:
    """One guardian of one child. `member_id` is the child's."""

    member_id: MemberId
    guardian_id: MemberId
    state: LinkState
    method: Method | None
    requested_at: datetime
    verified_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MinorPresumed:
    """The member is taken for a child from now on. Whether they were before is not told: whoever says so need not learn an age by it."""

    member_id: MemberId


@dataclass(frozen=True, slots=True)
class Approval:
    """Leave for one member of staff to see one minor, for a reason, until a moment (MIN 36)."""

    approval_id: str
    member_id: MemberId
    staff: str
    approver: str
    reason: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """What a guardian asked for a minor. `due_on` is the last day for an answer; `reason` is why it was refused."""

    request_id: str
    member_id: MemberId
    guardian_id: MemberId
    kind: RequestKind
    state: RequestState
    created_at: datetime
    due_on: date
    reason: str | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None


@dataclass(frozen=True, slots=True)
class MinorsRejected:
    """Not like this, and nothing was done.

    `code`: GUARDIAN_UNFIT, LINK_NOT_FOUND, NOT_A_MINOR, OWN_APPROVAL, STAFF_UNKNOWN, EXPIRY_OUT_OF_RANGE, REASON_REQUIRED,
    REASON_PERSONAL, REQUEST_NOT_FOUND, REQUEST_DECIDED.
    """

    code: str
