"""The affected set of an incident (PIPL 57): what was read with a token, from an address, by an account or in a request, in a window."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from service.approvals import commands as approvals
from service.approvals.model import about_of
from service.audit import queries as log
from service.errors import BadInput
from service.inspection import naming, searching
from service.inspection.model import Affected, Filter, Line, Scope, Status
from service.inspection.people import IN_FLIGHT
from service.unit import Unit
from service.values import utc_text
from service.vault.caller import address_digest, token_digest

KIND = "incident.names"
MOST = 1000
_READ = frozenset({"access", "export", "change"})
"""These count though they name nobody. Of the others those do that are about somebody: whoever asked for the proof of a consent, or which
questions are open, has been told of the member as surely as by a look at a field.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """What leaked or was misused, and when: exactly one of the four."""

    since: datetime
    until: datetime
    token: str = ""
    address: str = ""
    account: str = ""
    request: str = ""


@dataclass(slots=True)
class _Person:
    entries: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    since: str = "9"
    until: str = ""

    def add(self, line: Line) -> None:
        self.entries += 1
        self.fields.update(line.entry.get("fld", ()))
        self.since, self.until = min(self.since, line.entry["ts"]), max(self.until, line.entry["ts"])

    def join(self, other: "_Person") -> None:
        self.entries += other.entries
        self.fields += other.fields
        self.since, self.until = min(self.since, other.since), max(self.until, other.until)


class _Seen:
    """What was found so far."""

    def __init__(self) -> None:
        self.people: dict[str, _Person] = defaultdict(_Person)
        self.fields: Counter[str] = Counter()
        self.entries = 0
        self.broken: list[int] = []

    def add(self, line: Line) -> None:
        """An entry; what is broken is told of, and counted as far as it can be read."""
        if line.status is Status.BROKEN or not line.entry:
            self.broken.append(line.index)
        if line.entry.get("dec") != "allow" or not (line.entry["typ"] in _READ or line.entry.get("sub")):
            return
        self.entries += 1
        self.fields.update(line.entry.get("fld", ()))
        for subject in line.entry.get("sub", ()):
            self.people[subject].add(line)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one answer holds: so many entries, so many pseudonyms (in some 200 MB), and so many entries looked at for them, some twenty
    seconds' work. A wider question is refused, never answered in part; the answers of windows that lie side by side are together the whole.
    """

    entries: int = 200_000
    people: int = 250_000
    looked: int = 400_000

    def hold(self, lines: int, people: int, *, quarters: int = 4) -> bool:
        """Whether this is not more, or not more than so many quarters of it."""
        return lines * 4 <= self.entries * quarters and people * 4 <= self.people * quarters


ONE_ANSWER = Bounds()


async def scope(unit: Unit, leak: Leak, *, names: bool, first: int, after: str | None, bounds: Bounds = ONE_ANSWER) -> Scope:
    """Every member and field that was read; with `names`, members by id.

    Raises BadInput (WINDOW_TOO_WIDE where it is more than one answer holds, naming the part to ask for first), and Refused
    (APPROVAL_REQUIRED) where names are asked for that nobody else allowed.
    """
    months = _checked(leak, first)
    allowed = _what(unit, leak, months)
    if names:
        await approvals.use(unit, kind=KIND, about=about_of(KIND, allowed), once=False)
    unit.draft.extra |= {"from": utc_text(leak.since), "to": utc_text(leak.until), "named": names}
    log = await searching.look(unit.session, unit.vault.origin)
    begun = await searching.begun(unit.session, log, unit.vault.origin)
    if begun is not None and leak.since < begun:
        # Nobody found would be read as nobody concerned: what was before lies in the closed log's folder.
        raise BadInput("since: before this log, which goes on from one that was closed, began", code="BEFORE_THIS_LOG")
    wanted = _filter(unit, leak, months)
    seen = await _look(unit, leak, log, wanted, bounds)
    people, strangers = await _people(unit, seen.people, months)
    unit.draft.count = len(people) + strangers
    rows = [
        Affected(subject, member_id if names else None, one.entries, dict(one.fields), one.since, one.until)
        for (member_id, subject), one in sorted(people.items(), key=lambda item: item[0][1])
        if after is None or subject > after
    ]
    unit.draft.shown = [row.subject for row in rows[:first]]
    return Scope(
        entries=seen.entries,
        members=len(people),
        unattributed=strangers,
        what=allowed,
        fields=dict(seen.fields),
        categories=_counted(unit, people, "category"),
        sensitivities=_counted(unit, people, "sensitivity"),
        affected=tuple(rows[:first]),
        end=rows[first - 1].subject if len(rows) > first else None,
        broken=tuple(seen.broken[:MOST]),
        archived=searching.archived(log, wanted),
    )


async def _look(unit: Unit, leak: Leak, log: searching.Log, wanted: Filter, bounds: Bounds) -> _Seen:
    """All of it, or BadInput (WINDOW_TOO_WIDE)."""
    seen, patience, lines, sure = _Seen(), searching.Patience(left=bounds.looked), 0, ""
    async for line in searching.find(unit.session, log, wanted, patience=patience):
        seen.add(line)
        lines += 1
        if not bounds.hold(lines, len(seen.people)):
            raise _too_wide(leak, sure)
        if line.entry and bounds.hold(lines, len(seen.people), quarters=3):
            sure = line.entry["ts"]
    if patience.stopped is not None:
        raise _too_wide(leak, sure)
    return seen


def _too_wide(leak: Leak, sure: str) -> BadInput:
    """What was found was found from the newest on: so down to there it fits, or, where nothing was, perhaps in half of the time."""
    reached = datetime.fromisoformat(sure) if sure else leak.since
    if not leak.since < reached < leak.until:
        reached = leak.since + (leak.until - leak.since) / 2
    return BadInput(f"since: ask from {utc_text(reached)} on, and for what was before it separately", code="WINDOW_TOO_WIDE")


def _what(unit: Unit, leak: Leak, months: list[str]) -> str:
    """The question in words, to the letter: what another person allows before members are named. An address only as its digest."""
    named = {"token": leak.token, "account": leak.account, "request": leak.request}
    if leak.address:
        named["address"] = address_digest(unit.vault, leak.address, months[0])
    (said,) = [f"{key} {value}" for key, value in named.items() if value]
    return f"{said} {utc_text(leak.since)} {utc_text(leak.until)}"


def _checked(leak: Leak, first: int) -> list[str]:
    """The months of the window. Raises BadInput."""
    if sum(map(bool, (leak.token, leak.address, leak.account, leak.request))) != 1:
        raise BadInput("token, address, account, request: exactly one of them")
    if leak.until <= leak.since:
        raise BadInput("until: after since")
    if not 1 <= first <= MOST:
        raise BadInput(f"first: between 1 and {MOST}", code="PAGE_SIZE_TOO_LARGE")
    return log.months(leak.since - IN_FLIGHT, leak.until)


def _filter(unit: Unit, leak: Leak, months: list[str]) -> Filter:
    unit.draft.extra["by"] = next(key for key in ("token", "address", "account", "request") if getattr(leak, key))
    if leak.token:
        digest = token_digest(unit.vault, leak.token)
        unit.draft.extra["token"] = digest
        return Filter(token=digest, since=leak.since, until=leak.until)
    if leak.address:
        digests = tuple(address_digest(unit.vault, leak.address, month) for month in months)
        return Filter(addresses=digests, since=leak.since, until=leak.until)
    return Filter(actor=leak.account, request=leak.request, since=leak.since, until=leak.until)


async def _people(unit: Unit, seen: dict[str, _Person], months: list[str]) -> tuple[dict[tuple[str, str], _Person], int]:
    """One person's months together; and how many pseudonyms are of nobody who lives here."""
    known = await naming.named(unit, seen.keys(), months)
    people: dict[tuple[str, str], _Person] = defaultdict(_Person)
    for subject, one in seen.items():
        if subject in known:
            people[known[subject]].join(one)
    return people, len(seen.keys() - known.keys())


def _counted(unit: Unit, people: dict[tuple[str, str], _Person], of: str) -> dict[str, int]:
    """How many members had fields of each category, or of each sensitivity, read."""
    catalogue, counted = unit.catalogue.fields, Counter[str]()
    for one in people.values():
        counted.update({str(getattr(catalogue[key], of)) for key in one.fields if key in catalogue})
    return dict(counted)
