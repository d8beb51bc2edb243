"""What an alarm is, and when it is told again. No alarm names a member or quotes a value: it is read in mailboxes and on telephones."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from service.values import Actor, ActorKind

WATCH = Actor(ActorKind.SYSTEM, "watch", frozenset())
"""Who raises what no person raised."""

MOST_NOTE = 200
MOST_ABOUT = 160

SEEN_HOLDS = timedelta(days=1)
"""So long somebody's word that they see to it keeps others from being told when it happens again: not for ever, or an accomplice's single
word would silence all that comes after.
"""


class AlarmKind(StrEnum):
    """What has happened."""

    BULK_READING = "BULK_READING"
    HONEY_MEMBER = "HONEY_MEMBER"
    DENIED_STREAK = "DENIED_STREAK"
    UNSIGNED_TAIL = "UNSIGNED_TAIL"
    WITNESS_UNREACHABLE = "WITNESS_UNREACHABLE"
    WITNESS_REFUSED = "WITNESS_REFUSED"
    LOG_BROKEN = "LOG_BROKEN"
    LOG_CLOSED = "LOG_CLOSED"
    ANCHOR_FAILED = "ANCHOR_FAILED"
    DUTY_OVERDUE = "DUTY_OVERDUE"


_OF_ACCOUNTS = frozenset({AlarmKind.BULK_READING, AlarmKind.HONEY_MEMBER, AlarmKind.DENIED_STREAK})
_STAFF = "staff:"

PASSING = frozenset({AlarmKind.UNSIGNED_TAIL, AlarmKind.WITNESS_UNREACHABLE, AlarmKind.ANCHOR_FAILED, AlarmKind.DUTY_OVERDUE})
"""What is over when it is over. Everything else waits for somebody's word, though it may never come again."""


class AlarmState(StrEnum):
    """Where it stands: OPEN is told again and again, SEEN is somebody's, CLOSED is over."""

    OPEN = "OPEN"
    SEEN = "SEEN"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """`about` is whose or what: an account and a class, a witness. `count` is how often it has happened since `first_at`."""

    kind: AlarmKind
    about: str
    slot: str
    alarm_id: str
    state: AlarmState
    first_at: datetime
    last_at: datetime
    count: int
    handled_by: str
    handled_at: datetime | None
    note: str
    due_at: datetime | None
    tries: int
    outcome: str
    told_at: datetime | None

    @property
    def account(self) -> str:
        """The person's account that it is about, or "". Of reading, the class stands behind the last space."""
        whose = self.about.rpartition(" ")[0] if self.kind is AlarmKind.BULK_READING else self.about
        return whose.removeprefix(_STAFF) if self.kind in _OF_ACCOUNTS and whose.startswith(_STAFF) else ""


@dataclass(frozen=True, slots=True)
class Rules:
    """When an alarm is told again, and from how many refusals on a streak is one."""

    repeat: timedelta = timedelta(hours=4)
    refusals: int = 20
    within: timedelta = timedelta(minutes=10)
    unsigned: timedelta = timedelta(minutes=5)


Troubles = Mapping[tuple[AlarmKind, str], str]
"""What is wrong at this moment: the kind, whose or what, and a code that says more."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look has found. `whole`: what it does not see is not there; an instance that does not publish cannot say so of witnesses."""

    troubles: Troubles
    whole: bool
