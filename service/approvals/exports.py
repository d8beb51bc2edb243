"""Exports: rows about many members leave only for a recipient that stands in the register, once another person has allowed it (LB-07)."""

from dataclasses import dataclass

from policies.bulk import BulkClass
from policies.terms import Catalogue, RecipientRole
from service.approvals import commands
from service.approvals.model import about_of
from service.errors import Refused
from service.unit import Unit

KIND = "export"
UNREGISTERED = "RECIPIENT_NOT_REGISTERED"


@dataclass(frozen=True, slots=True)
class Export:
    """What leaves (the operation, as in the log), for whom (a key of recipients.toml, or ""), and exactly which part of it, in words."""

    operation: str
    recipient: str
    scope: str

    @property
    def what(self) -> str:
        """The words that are allowed, to the letter."""
        return f"{self.operation} {self.recipient} {self.scope}"


async def admit(
    unit: Unit, export: Export, *, rows: int, many: bool = False, only: frozenset[RecipientRole] = frozenset()
) -> bool:
    """Let so many rows leave, or nothing; whether it took another person. `many`: they are too many whatever their number; `only`: it must
    be a recipient of these roles.

    Raises Refused: RECIPIENT_NOT_REGISTERED for a recipient that is not in the register (or abroad), and for none where the rows are
    more than the policy's `exports.rows`; APPROVAL_REQUIRED where they are more and nobody else has allowed the caller just this.
    """
    over = many or rows > unit.catalogue.export_rows
    try:
        if export.recipient or over or only:
            _registered(unit.catalogue, export.recipient, only)
            unit.draft.extra["recipient"] = export.recipient
        if over:
            # Several times until it has run out: an export that was interrupted is taken up by the same command, and is an entry again.
            await commands.use(unit, kind=KIND, about=about_of(KIND, export.what), once=False)
    except Refused:
        if over:
            # Whoever stands at the door raises the alarm by this.
            unit.draft.extra |= {"bulk": BulkClass.OTHER.value, "most": unit.catalogue.export_rows}
        raise
    return over


def _registered(catalogue: Catalogue, key: str, only: frozenset[RecipientRole]) -> None:
    """A name that is not in the register is not repeated in the log: who knows whose it is. Nothing of it goes abroad (PIPL 38, 41)."""
    found = catalogue.recipients.get(key)
    home = catalogue.controller.jurisdiction
    abroad = found is not None and (found.role is RecipientRole.OVERSEAS or home not in ("", found.region))
    if found is None or abroad or (only and found.role not in only):
        raise Refused(UNREGISTERED)
