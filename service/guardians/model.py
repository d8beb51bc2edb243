"""What the yearly audit of minors' data says (未成年人网络保护条例 37), and the alerts that compliance staff see."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from policies.naming import Title
from policies.terms import ConsentState
from service.minors.model import LinkState, RequestKind, RequestState


@dataclass(frozen=True, slots=True)
class Uses:
    """How often minors of one band were read or changed for one purpose in the year; by staff, and how often under an approval."""

    purpose: str
    allowed: int = 0
    denied: int = 0
    by_staff: int = 0
    approved: int = 0


@dataclass(frozen=True, slots=True)
class BandAccount:
    """One age band: its members at the end of the year, where their consents stood then, and what was done with them in the year."""

    band: str
    title: Title
    members: int
    consents: Mapping[tuple[str, ConsentState], int]
    uses: tuple[Uses, ...]
    entries: int


@dataclass(frozen=True, slots=True)
class Check:
    """One total, as the tables keep it and as the audit log has it."""

    name: str
    kept: int
    logged: int


@dataclass(frozen=True, slots=True)
class Pack:
    """The account of one calendar year in China's time. `closed`: the year is over. `due_on`: by when it has to be reported.

    `incidents` is None where nothing counts them yet: then the number must come from elsewhere.
    """

    year: int
    closed: bool
    due_on: date
    bands: tuple[BandAccount, ...]
    links: Mapping[LinkState, int]
    approvals: int
    requests: Mapping[tuple[RequestKind, RequestState], int]
    checks: tuple[Check, ...]
    incidents: int | None = None

    @property
    def reconciles(self) -> bool:
        """Whether every total is the same in the tables and in the log."""
        return all(check.kept == check.logged for check in self.checks)


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that somebody has to do. `count` is what was measured, `limit` what it may be."""

    code: str
    open: bool
    count: int
    limit: int
    named: str = ""


@dataclass(slots=True)
class Tally:
    """What is counted of one band while the log is read."""

    entries: int = 0
    uses: dict[str, Uses] = field(default_factory=dict)
