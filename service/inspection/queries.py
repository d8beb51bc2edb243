"""Searches for whoever may search: who read or changed what of whom, newest first."""

from dataclasses import replace

from service.audit import grammar
from service.audit.entry import named_in
from service.checkpoints.trust import Trust
from service.errors import BadInput
from service.inspection import people, searching
from service.inspection.model import Filter, Page
from service.inspection.proving import proofs
from service.inspection.searching import Patience
from service.unit import Unit
from service.values import MemberId, utc_text

MOST = 1000
_LONGEST = 64


async def entries(
    unit: Unit,
    trust: Trust,
    wanted: Filter,
    *,
    member_id: MemberId | None,
    first: int,
    after: str | None,
    patience: Patience | None = None,
) -> Page | None:
    """One page; a short one, with another behind it, where a rare thing was looked for long enough. None: no such member, or one whose name
    in the log nobody can make any more. Raises BadInput.
    """
    before = before_of(first, after, most=MOST)
    say(unit, wanted)
    if member_id is not None:
        keys = await people.keys_of(unit, member_id)
        if keys is None:
            unit.draft.deny("NOT_FOUND")
            unit.draft.count = 0
            return None
        # Only this month's: the others beside it would join what the months keep apart.
        unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
        named = people.names(unit, keys, wanted.since, wanted.until)
        wanted = replace(wanted, subjects=tuple(named.values()))
    log = await searching.look(unit.session, unit.vault.origin)
    found = await searching.page(unit.session, log, wanted, first, before=before, patience=patience)
    unit.draft.count = len(found.lines)
    # A row is a row, however many it names: whoever looks for one member must not run out of leave by the lists that they stand in.
    unit.draft.shown = named_in((line.raw for line in found.lines), each=1)
    newest = await searching.point(unit.session, trust)
    shown = await proofs(unit.session, trust, newest, searching.pending(found.lines), paths=False)
    lines = searching.proven(found.lines, shown)
    began = await searching.begun(unit.session, log, unit.vault.origin)
    return Page(tuple(lines), found.cursor, found.more, searching.archived(log, wanted), began)


def before_of(first: int, after: str | None, *, most: int) -> int | None:
    """Before which index a page of `first` lines begins. Raises BadInput for too long a one, and for a cursor that no page gave out."""
    if not 1 <= first <= most:
        raise BadInput(f"first: between 1 and {most}", code="PAGE_SIZE_TOO_LARGE")
    if after is None:
        return None
    if not (after.isascii() and after.isdigit() and len(after) < 19):
        raise BadInput("after: not a cursor of this list", code="CURSOR_INVALID")
    return int(after)


def say(unit: Unit, wanted: Filter) -> None:
    """Write down what was looked for, in the entry of the looking. What has no form of a code is not repeated: it may be anything."""
    for key in ("kind", "role", "purpose", "basis", "field", "decision", "reason", "operation", "typ"):
        if grammar.is_code(value := getattr(wanted, key)):
            unit.draft.extra[key] = value
    for key, value in (("actor", wanted.actor), ("campaign", wanted.campaign), ("request", wanted.request)):
        if value:
            unit.draft.extra[key] = value[:_LONGEST]
    for key, moment in (("from", wanted.since), ("to", wanted.until)):
        if moment:
            unit.draft.extra[key] = utc_text(moment)
