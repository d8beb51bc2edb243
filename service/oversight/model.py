"""The words of oversight: frozen values, no rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from policies.duties import DutyKind
from policies.naming import Title

Activities = Mapping[str, Mapping[str, Any]]
"""The register's activities by the purpose's key, each in JSON's words."""


class Law(StrEnum):
    """Whose list of measures is asked for."""

    PIPL51 = "PIPL51"


class ControlKind(StrEnum):
    """A measure that only people can take."""

    INTERNAL_RULES = "INTERNAL_RULES"
    TRAINING = "TRAINING"
    INCIDENT_PLAN = "INCIDENT_PLAN"
    INCIDENT_DRILL = "INCIDENT_DRILL"
    BACKUP_RESTORE = "BACKUP_RESTORE"
    SUPERVISION = "SUPERVISION"
    COMPLIANCE_AUDIT = "COMPLIANCE_AUDIT"


@dataclass(frozen=True, slots=True)
class Control:
    """That one was taken: its title, where its document lies, the document's SHA-256 ("" where there is none), when, and who says so."""

    control_id: str
    kind: ControlKind
    title: str
    reference: str
    digest: str
    held_on: date
    recorded_by: str
    recorded_at: datetime


class Standing(StrEnum):
    """What was found of a measure. MISSING comes with what to do."""

    PRESENT = "PRESENT"
    MISSING = "MISSING"


@dataclass(frozen=True, slots=True)
class Artefact:
    """One thing that shows a measure, as it is at this moment. `value` is a number, a digest, a date or a code; never a person's."""

    code: str
    title: Title
    value: str
    standing: Standing = Standing.PRESENT
    todo: Title | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """One item of the law's list, with all that shows it."""

    item: str
    title: Title
    artefacts: tuple[Artefact, ...]

    @property
    def standing(self) -> Standing:
        """MISSING where anything of it is."""
        missing = any(artefact.standing is Standing.MISSING for artefact in self.artefacts)
        return Standing.MISSING if missing or not self.artefacts else Standing.PRESENT


@dataclass(frozen=True, slots=True)
class Register:
    """What was active at a moment, and since when: the policy's digest and its activities. `responsible` is a function, not a name."""

    digest: str
    since: datetime
    responsible: str
    activities: Activities


@dataclass(frozen=True, slots=True)
class Difference:
    """One activity that is not as it was. `before` or `after` is None where it was not there; else only what differs stands in them."""

    purpose: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class RegisterDiff:
    """From one moment to another: None where nothing was served under yet."""

    before: Register | None
    after: Register | None
    differences: tuple[Difference, ...]


class Grants(StrEnum):
    """What a line of the review is about."""

    ROLE = "ROLE"
    ACT = "ACT"
    PURPOSE = "PURPOSE"


@dataclass(frozen=True, slots=True)
class Grant:
    """What an account may by a role, and when it last did. `account` is "" for a role that no account has shown. `known` is False for a
    role that the policy no longer has: it gives nothing.
    """

    account: str
    role: str
    what: Grants
    name: str
    last_use: datetime | None
    known: bool = True


@dataclass(frozen=True, slots=True)
class Account:
    """An account of staff or of a service, as the log knows it: `staff:clerk-7`."""

    account: str
    first_seen: datetime
    last_seen: datetime
    enabled_at: datetime | None = None
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccessReview:
    """Every grant at a moment. `digest` is over all of it: whoever signs it off names what they saw. `read_to` is how many entries of the
    log it rests on.
    """

    quarter: str
    grants: tuple[Grant, ...]
    accounts: tuple[Account, ...]
    read_to: int
    digest: str


@dataclass(frozen=True, slots=True)
class SignedReview:
    """That somebody has reviewed it."""

    review_id: str
    quarter: str
    digest: str
    lines: int
    comment: str
    reviewed_by: str
    reviewed_at: datetime


@dataclass(frozen=True, slots=True)
class Duty:
    """A task. `overdue` is whether its day is past."""

    duty_id: str
    kind: DutyKind
    occasion: str
    opened_at: datetime
    due_on: date | None
    done_at: datetime | None = None
    done_by: str = ""
    reference: str = ""
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class Persons:
    """How many there were on a day."""

    day: date
    persons: int


@dataclass(frozen=True, slots=True)
class KeyFact:
    """The newest key of one use: its suite, the kind of store that its master key is in, when it was made. Nothing of the key."""

    use: str
    generation: int
    suite: str
    kms: str
    made_at: datetime
