"""What a job is, what may come of it, and when it is tried again."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from service.values import Actor, ActorKind, Call, MemberId

TELL = "tell_recipient"
DELETE = "delete_fields"
"""The kinds of work that the end of a consent brings about. Every other kind is done for its purpose, and a withdrawal cancels it."""

SYSTEM = Actor(ActorKind.SYSTEM, "worker", frozenset())


class State(StrEnum):
    """Where a job stands. A WAITING one may be in somebody's hands: `due_at` is then when their lease runs out."""

    WAITING = "WAITING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED_WITHDRAWN = "CANCELLED_WITHDRAWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One thing to be done for one member. `job_id` is the idempotency key for whoever is outside; `attempts` counts the claims, and so
    says whose claim this is: a worker that was thought dead and comes back holds an old number.
    """

    member_id: MemberId
    job_id: str
    kind: str
    purpose: str
    event_id: str
    due_at: datetime
    created_at: datetime
    recipient: str = ""
    attempts: int = 0
    state: State = State.WAITING
    outcome: str = ""
    ended_at: datetime | None = None

    @property
    def call(self) -> Call:
        """The request that doing this job is."""
        return Call(SYSTEM, self.job_id)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one try, in a code that says nothing of the member. `state` None: it is tried again, `after` so long."""

    code: str
    state: State | None = None
    after: timedelta | None = None


Handler = Callable[[Job], Awaitable[Outcome | None]]
"""Does a job. None: its state has been written by the handler's own unit, together with what it did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Jobs of one kind (and for one recipient) in a row of their own: who is slow or dead holds up nobody else."""

    kind: str
    handler: Handler
    recipient: str = ""
    width: int = 8


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait between tries: twice as long each time, up to a cap."""

    first: timedelta
    most: timedelta

    def after(self, job: Job) -> timedelta:
        """The pause behind the job's last try, up to a fifth longer: those that failed together do not come back together."""
        pause = min(self.first * 2 ** min(job.attempts - 1, 20), self.most) if job.attempts else self.first
        return pause * (1 + int(job.job_id[-4:], 16) / 0xFFFF / 5)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is waiting now, for whoever watches. `oldest` is the moment at which the longest waiting job was queued."""

    waiting: int
    failed: int
    overdue: int
    oldest: datetime | None
