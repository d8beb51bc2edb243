"""A member's own view of the record: who read which of their fields, when, for what, on which basis; and nobody else in it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from policies.naming import Title
from service.checkpoints.trust import Trust
from service.errors import Forbidden
from service.inspection import people, searching, wording
from service.inspection.model import Archived, Filter, Line, Status
from service.inspection.proving import Proofs, proofs
from service.inspection.queries import before_of
from service.unit import Unit

MOST = 50


@dataclass(frozen=True, slots=True)
class Access:
    """One line of it. `entry` holds what this member may know: no account, no other member. `proof` is a tlog-proof without bytes."""

    index: int
    at: datetime | None
    kind: str
    who: Title | None
    said: Title | None
    entry: dict[str, Any]
    purpose: Title | None
    basis: Title | None
    status: Status
    archived: bool
    leaf: str
    proof: str | None


@dataclass(frozen=True, slots=True)
class AccessLog:
    """A page of it, the newest first."""

    items: tuple[Access, ...]
    end: str | None
    has_next: bool
    archived: tuple[Archived, ...] = ()
    begun: datetime | None = None
    """Where this log goes on from one that was closed: of the time before, it knows nothing."""


_SHOWN = ("fld", "wth", "dec", "rsn", "op", "pur", "bas")


async def access_log(
    unit: Unit, trust: Trust, *, first: int, after: str | None, since: datetime | None, until: datetime | None, field: str
) -> AccessLog | None:
    """The signed-in member's. None after erasure: then nobody can find them. Raises BadInput, Forbidden."""
    member_id = unit.call.actor.member_id
    if member_id is None:
        raise Forbidden
    before = before_of(first, after, most=MOST)
    keys = await people.keys_of(unit, member_id)
    if keys is None:
        unit.draft.deny("NOT_FOUND")
        unit.draft.count = 0
        return None
    unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    names = tuple(people.names(unit, keys, since, until).values())
    wanted = Filter(subjects=names, since=since, until=until, field=field)
    log = await searching.look(unit.session, unit.vault.origin)
    newest = await searching.point(unit.session, trust)
    found = await searching.page(unit.session, log, wanted, first, before=before)
    shown = await proofs(unit.session, trust, newest, searching.pending(found.lines))
    items = [_access(unit, line, names, _proof(line, shown)) for line in searching.proven(found.lines, shown)]
    unit.draft.count = len(items)
    began = await searching.begun(unit.session, log, unit.vault.origin)
    return AccessLog(tuple(items), found.cursor, found.more, searching.archived(log, wanted), began)


def _proof(line: Line, shown: Proofs) -> str | None:
    return shown.of(line.index, bytes.fromhex(line.leaf)) if line.status is Status.PROVEN else None


def _access(unit: Unit, line: Line, own: tuple[str, ...], proof: str | None) -> Access:
    """A line that is broken says so, and nothing of what stands there now: it may be about somebody else."""
    entry = line.entry if line.status is not Status.BROKEN else {}
    if not entry:
        return Access(line.index, None, "", None, None, {}, None, None, line.status, line.archived, line.leaf, proof)
    return Access(
        index=line.index,
        at=datetime.fromisoformat(entry["ts"]),
        kind=entry["typ"],
        who=wording.who(entry, unit.catalogue, own),
        said=wording.sentence(entry, unit.catalogue, own),
        entry={key: entry[key] for key in _SHOWN if key in entry},
        purpose=wording.purpose(entry, unit.catalogue),
        basis=wording.basis(entry),
        status=line.status,
        archived=line.archived,
        leaf=line.leaf,
        proof=proof,
    )
