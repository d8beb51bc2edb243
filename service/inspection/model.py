"""What can be asked of the record, and what is answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from service.archive.model import SEGMENT
from service.audit.entry import actor_of
from service.audit.index import terms
from service.values import ActorKind, utc_text

_KINDS = tuple(kind.value for kind in ActorKind)


class Status(StrEnum):
    """How sure an entry is. PROVEN: its leaf is under a checkpoint that our key signed and, where witnesses are configured, enough of them
    cosigned. PENDING: under none that we believe, yet.

    BROKEN: bytes, leaf hash and columns do not fit one another, the entry is not where something points to, or not what was signed there.
    """

    PROVEN = "PROVEN"
    PENDING = "PENDING"
    BROKEN = "BROKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What to look for; everything that is given must hold. `subjects` are one member's pseudonyms, one for each month (None: anybody).

    `actor` is an account, or a kind and an account as in `staff:clerk-7`. `field` is one that was disclosed or changed. `token` and
    `address` are the digests that stand in entries.
    """

    subjects: tuple[str, ...] | None = None
    actor: str = ""
    kind: str = ""
    role: str = ""
    purpose: str = ""
    basis: str = ""
    field: str = ""
    decision: str = ""
    reason: str = ""
    operation: str = ""
    typ: str = ""
    campaign: str = ""
    request: str = ""
    token: str = ""
    addresses: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    @property
    def first(self) -> str:
        """`since` as entries write it."""
        return utc_text(self.since) if self.since else ""

    @property
    def end(self) -> str:
        """`until` as entries write it; beyond every moment where there is none."""
        return utc_text(self.until) if self.until else "9"

    def words(self) -> list[list[str]]:
        """The words that an entry must have: one of each list."""
        named = {
            "kind": self.kind,
            "role": self.role,
            "pur": self.purpose,
            "bas": self.basis,
            "fld": self.field,
            "dec": self.decision,
            "rsn": self.reason,
            "op": self.operation,
            "typ": self.typ,
            "cmp": self.campaign,
        }
        return [[f"{key}:{value}"] for key, value in named.items() if value] + self._actors()

    def _actors(self) -> list[list[str]]:
        """No word stands for a member who acts, so that such an actor is found by looking at the entries."""
        kind, colon, _ = self.actor.partition(":")
        if not self.actor or (colon and kind == ActorKind.MEMBER.value):
            return []
        known = [self.actor] if colon else [f"{kind}:{self.actor}" for kind in _KINDS]
        return [[f"act:{actor}" for actor in known]]

    def accepts(self, entry: Mapping[str, Any]) -> bool:
        """Whether this entry is one of them: what a search finds is defined here, and by nothing that is stored beside entries."""
        act = entry["act"]
        return (
            self.first <= entry["ts"] < self.end
            and (self.subjects is None or not set(self.subjects).isdisjoint(entry.get("sub", ())))
            and self.actor in {"", actor_of(entry), act.get("id", "")}
            and self.kind in {"", act["k"]}
            and (not self.role or self.role in act["role"])
            and (not self.field or self.field in entry.get("fld", ()))
            and self.campaign in {"", terms.campaign(entry)}
            and self.token in {"", act.get("tok", "")}
            and (not self.addresses or act.get("ip", "") in self.addresses)
            and all(wanted in {"", entry.get(key, "")} for key, wanted in self._plain())
        )

    def _plain(self) -> list[tuple[str, str]]:
        return [
            ("pur", self.purpose),
            ("bas", self.basis),
            ("dec", self.decision),
            ("rsn", self.reason),
            ("op", self.operation),
            ("typ", self.typ),
            ("req", self.request),
        ]


campaign_of = terms.campaign
"""The campaign that an entry names, or ""."""


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as it is stored. `entry` is empty for bytes that are none; `raw` too, where the entry is archived and no longer here."""

    index: int
    entry: Mapping[str, Any]
    status: Status
    leaf: str = ""
    raw: bytes = b""
    archived: bool = False

    @property
    def segment(self) -> int | None:
        """Where it is, when it is archived and not here."""
        return self.index // SEGMENT if self.archived else None


@dataclass(frozen=True, slots=True)
class Archived:
    """Segments `first` to `last` (included), which are in the archive only and hold something of the time that was asked for."""

    first: int
    last: int
    since: str
    until: str


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, the newest first. `end` is where the next page goes on. `archived` is where nothing was looked for, and before `begun` there
    was another log, which was closed.
    """

    lines: tuple[Line, ...]
    end: str | None
    has_next: bool
    archived: tuple[Archived, ...] = ()
    begun: datetime | None = None


@dataclass(frozen=True, slots=True)
class Resolved:
    """Whom a pseudonym stands for; nobody, where it is of no member who is known."""

    member_id: str | None
    approval: str


@dataclass(frozen=True, slots=True)
class Affected:
    """One member of an incident: by this month's pseudonym, by id only where two persons allowed it. `fields` with how often."""

    subject: str
    member_id: str | None
    entries: int
    fields: Mapping[str, int]
    since: str
    until: str


@dataclass(frozen=True, slots=True)
class Scope:
    """What was read with what leaked. `categories` and `sensitivities` count members, `fields` count entries.

    `unattributed` are pseudonyms whose member is erased, or not in this deployment's table: counted, and nameable by nobody. `what` is
    what another person must allow before members are named. `archived` is where nothing was looked for.
    """

    entries: int
    members: int
    unattributed: int
    what: str
    fields: Mapping[str, int]
    categories: Mapping[str, int]
    sensitivities: Mapping[str, int]
    affected: tuple[Affected, ...]
    end: str | None = None
    broken: tuple[int, ...] = field(default=())
    archived: tuple[Archived, ...] = ()
