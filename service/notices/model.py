"""The words of telling, and the pure rules over them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from policies.changes import changes
from policies.terms import Catalogue, Change, Notice

GENERAL, CHILD = "GENERAL", "CHILD"


class Ground(StrEnum):
    """When nobody need be told, or not yet (PIPL 18): SECRECY_BY_LAW (1); EMERGENCY (2), and then promptly afterwards."""

    SECRECY_BY_LAW = "SECRECY_BY_LAW"
    EMERGENCY = "EMERGENCY"


LONGEST_DAYS = {Ground.SECRECY_BY_LAW: 366, Ground.EMERGENCY: 30}
"""For how long an exemption may be granted at once: an emergency that is forgotten must not become the rule."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A notice in force that a member is still to be told of. `changes` are the parts that are new to them; `known` is the version that
    they were told last, None for nothing.
    """

    notice: Notice
    known: str | None
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """That a member was shown a version, and when. `again`: it was recorded before."""

    version: str
    kind: str
    language: str
    told_at: datetime
    again: bool = False


@dataclass(frozen=True, slots=True)
class NoticeRejected:
    """Nothing can be read under this name. `code`: NOTICE_UNKNOWN, LANGUAGE_UNKNOWN, NOTICE_SUPERSEDED. Show `current`."""

    code: str
    current: str


@dataclass(frozen=True, slots=True)
class Exemption:
    """Leave not to tell, or to tell later. `untold` is how many members were admitted under it and still have to be informed."""

    exemption_id: str
    ground: str
    reason: str
    approver: str
    created_at: datetime
    expires_at: datetime
    closed_at: datetime | None = None
    untold: int = 0

    def holds(self, now: datetime) -> bool:
        """Whether somebody may be admitted under it at this moment, without having been told."""
        return self.ground == Ground.EMERGENCY and self.closed_at is None and self.created_at <= now < self.expires_at


@dataclass(frozen=True, slots=True)
class ExemptionRejected:
    """No leave was given. `code`: EXPIRY_PAST, EXPIRY_TOO_LATE."""

    code: str


@dataclass(frozen=True, slots=True)
class ExemptionUnknown:
    """There is no such exemption."""


@dataclass(frozen=True, slots=True)
class InformMembersFirst:
    """So many members were admitted under it and have not been informed yet (PIPL 18(2)); it stays open until they are."""

    count: int


def permalink(public_url: str, version: str, language: str) -> str:
    """Where the text of a version stays for ever (NC-03)."""
    return f"{public_url.rstrip('/')}/notices/{version}/{language}.md"


def pending(catalogue: Catalogue, told: Iterable[str], kinds: Iterable[str], now: datetime) -> tuple[Pending, ...]:
    """Of each kind the notice in force, unless it or a later one was told (NC-10)."""
    known = [catalogue.notices[version] for version in told if version in catalogue.notices]
    found = []
    for kind in kinds:
        current = catalogue.notice_in_force(now, kind)
        last = max((notice for notice in known if notice.kind == kind), key=lambda notice: notice.effective_at, default=None)
        if current is not None and (last is None or last.effective_at < current.effective_at):
            found.append(Pending(current, last.version if last else None, changes(last, current)))
    return tuple(found)


def at_least(catalogue: Catalogue, notice: Notice) -> tuple[str, ...]:
    """The versions of which any one that was told tells at least this one."""
    same = (other for other in catalogue.notices.values() if other.kind == notice.kind)
    return tuple(sorted(other.version for other in same if other.effective_at >= notice.effective_at))
