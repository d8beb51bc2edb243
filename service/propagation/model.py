"""How far the telling has come, and what a person may be told of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.members.model import Row
from service.work.model import Job, State


class Progress(StrEnum):
    """What the member sees: PROPAGATING until every recipient has confirmed, then DONE."""

    PROPAGATING = "PROPAGATING"
    DONE = "DONE"


@dataclass(frozen=True, slots=True)
class Propagation:
    """One recipient that is being told, or was. `overdue`: it has not confirmed for longer than the policy allows."""

    job: Job
    overdue: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A propagation with the member it is about, as the database has it."""

    job: Job
    row: Row


@dataclass(frozen=True, slots=True)
class PropagationAcknowledged:
    """A person says that the recipient has done it: the telling is over."""

    propagation: Propagation


@dataclass(frozen=True, slots=True)
class PropagationNotFound:
    """No such telling: another id, or another member's."""


def overdue(job: Job, alarm: datetime) -> bool:
    """Whether a recipient that was to be told before `alarm` has not confirmed. One that cannot be told needs a person at once."""
    return job.state is State.FAILED or (job.state is State.WAITING and job.created_at <= alarm)
