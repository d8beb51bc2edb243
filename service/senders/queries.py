"""For whoever looks after the sending: what did not go out or may have, and what was handed over."""

from service.errors import BadInput
from service.gate import store as gate
from service.members import store as members
from service.members.model import Row
from service.minors.approved import approved
from service.senders import store
from service.senders.model import FailedRow, SendRecord
from service.unit import Unit
from service.values import MemberId

PAGE_LIMIT = 100


async def failed(unit: Unit, *, first: int, after: str | None) -> tuple[FailedRow, ...]:
    """The next sends that no machine tries again. Raises BadInput (PAGE_SIZE_TOO_LARGE)."""
    if not 1 <= first <= PAGE_LIMIT:
        raise BadInput(f"first: between 1 and {PAGE_LIMIT}", code="PAGE_SIZE_TOO_LARGE")
    found = await store.failed(unit.session, after=after or "", size=first)
    _named(unit, [one.row for one in found])
    unit.draft.count = len(found)
    return tuple(found)


async def record(unit: Unit, *, member_id: MemberId, send_id: str) -> SendRecord | None:
    """What was handed over under this id, and what came of it. Raises Refused (APPROVAL_REQUIRED) where staff look at a minor."""
    records = await store.records(unit.session, member_id, send_id)
    row = await members.row(unit.session, member_id) if records else None
    if row is not None and row.wrapped is not None and row.sealed:
        await approved(unit, unit.vault.member_keys(row.member_id, row.generation, row.wrapped), row)
        _named(unit, [row])
    unit.draft.count = int(bool(records))
    if not records:
        unit.draft.deny("NOT_FOUND")
        return None
    return SendRecord(records, tuple(await gate.outcomes_of(unit.session, member_id, send_id)))


def _named(unit: Unit, rows: list[Row]) -> None:
    """The members' pseudonyms, each once, as long as they have one."""
    keys = (unit.vault.member_keys(row.member_id, row.generation, row.wrapped) for row in rows if row.wrapped is not None)
    unit.draft.subjects.extend(dict.fromkeys(unit.vault.pseudonym(found, unit.now) for found in keys))
