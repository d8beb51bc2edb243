"""What an authority may copy (PIPL 63; AL-08): the entries of one scope, each with its proof, and nothing else of the log."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from policies.bulk import BulkClass
from policies.terms import RecipientRole
from service.approvals import exports
from service.approvals.exports import Export
from service.archive.proofs import covering
from service.checkpoints.model import Noted
from service.checkpoints.trust import Trust
from service.errors import BadInput, RecordUnavailable
from service.inspection import people, searching
from service.inspection.model import Filter, Line
from service.inspection.proving import Proofs, in_parts, proofs
from service.inspection.queries import say
from service.unit import Unit
from service.values import MemberId, utc_text

FORMAT = "menshen/audit-inspection/v1"
_LONGEST_REFERENCE = 64
_AUTHORITIES = frozenset({RecipientRole.OVERSIGHT})


@dataclass(frozen=True, slots=True)
class Copied:
    """The file's lines: what it is, then a line for each entry."""

    head: Mapping[str, Any]
    rows: tuple[Mapping[str, Any], ...]

    def lines(self) -> Iterator[bytes]:
        """As they are written."""
        for one in (self.head, *self.rows):
            yield json.dumps(one, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


async def copied(
    unit: Unit, trust: Trust, wanted: Filter, *, member_id: MemberId | None, reference: str, recipient: str
) -> Copied:
    """The entries of the scope under the newest checkpoint.

    Raises BadInput for what is no scope, RecordUnavailable without a checkpoint, Refused as `exports.admit`: RECIPIENT_NOT_REGISTERED for
    an authority that is not in the register, APPROVAL_REQUIRED where there are more entries than an export may have, or they tell of more
    members than the policy's count (LB-07), and nobody else has allowed just this scope for just this authority.
    """
    if wanted.since is None or wanted.until is None or wanted.until <= wanted.since:
        raise BadInput("--since, --until: an inspection has a beginning and an end")
    if not reference.strip() or len(reference) > _LONGEST_REFERENCE or not reference.isprintable():
        raise BadInput("--reference: the authority's own, in 64 characters")
    unit.draft.extra["reference"] = reference
    say(unit, wanted)
    names: tuple[str, ...] | None = None
    if member_id is not None:
        names = await _names(unit, member_id, wanted)
        wanted = replace(wanted, subjects=names)
    newest = await covering(unit.session, trust, 1)
    if newest is None:
        raise RecordUnavailable("no checkpoint has been signed yet")
    log = await searching.look(unit.session, unit.vault.origin)
    lines = [line async for line in searching.find(unit.session, log, wanted, before=newest.size)]
    told = {one for line in lines for one in line.entry.get("sub", ())}
    many = member_id is None and len(told) > unit.catalogue.bulk[BulkClass.OTHER]
    if not await exports.admit(unit, leaving(wanted, reference, recipient), rows=len(lines), many=many, only=_AUTHORITIES):
        unit.draft.shown = sorted(told if names is None else told.intersection(names))
    surely, rows = not trust.lacks(newest.note), list[Mapping[str, Any]]()
    for some in in_parts(lines[::-1]):
        shown = await proofs(unit.session, trust, newest, [line.index for line in some])
        rows += [_row(line, shown, names) for line in (searching.proven(some, shown) if surely else some)]
    unit.draft.count = len(rows)
    return Copied(_head(unit, wanted, reference, newest), tuple(rows))


def leaving(wanted: Filter, reference: str, recipient: str) -> Export:
    """What another person is asked to allow: who gets it, and exactly which scope. Raises BadInput without an end or a beginning."""
    scope = (wanted.purpose, wanted.field, wanted.actor, wanted.role, wanted.campaign)
    said = (reference, f"{wanted.first}/{wanted.end}", *(text or "-" for text in scope))
    return Export("inspectionExport", recipient, " ".join(said))


async def _names(unit: Unit, member_id: MemberId, wanted: Filter) -> tuple[str, ...]:
    keys = await people.keys_of(unit, member_id)
    if keys is None:
        raise BadInput("--member: there is no such member, or it was erased and can no longer be found in the log")
    unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    return tuple(people.names(unit, keys, wanted.since, wanted.until).values())


def _head(unit: Unit, wanted: Filter, reference: str, newest: Noted) -> Mapping[str, Any]:
    asked = {
        "purpose": wanted.purpose,
        "field": wanted.field,
        "actor": wanted.actor,
        "role": wanted.role,
        "campaign": wanted.campaign,
    }
    scope: dict[str, Any] = {key: text for key, text in asked.items() if text}
    if wanted.subjects is not None:
        scope["subjects"] = list(wanted.subjects)
    scope |= {"from": wanted.first, "to": wanted.end}
    return {"format": FORMAT, "reference": reference, "scope": scope, "made": utc_text(unit.now), "checkpoint": newest.note}


def _row(line: Line, shown: Proofs, names: Collection[str] | None) -> Mapping[str, Any]:
    """The bytes, where all members in them are within the scope. Else what is left of the entry without the others, and a proof of its
    hash.
    """
    leaf = bytes.fromhex(line.leaf)
    within = line.entry.get("sub", ()) if names is None else names
    others = [one for one in line.entry.get("sub", ()) if one not in within]
    row: dict[str, Any] = {"index": line.index, "leaf": line.leaf, "status": line.status.value}
    if not line.entry:
        return row
    if not others:
        return row | {"entry": line.raw.decode(), "proof": shown.of(line.index, leaf, extra=line.raw)}
    kept = {key: value for key, value in line.entry.items() if key not in {"n", "x"}}
    kept["sub"] = [one for one in line.entry["sub"] if one not in others]
    if line.entry["act"]["k"] == "member":
        kept["act"] = {key: value for key, value in line.entry["act"].items() if key != "id" or value in within}
    return row | {"part": kept, "others": len(others), "proof": shown.of(line.index, leaf)}
