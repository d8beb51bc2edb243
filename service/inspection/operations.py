"""The operations of inspection. Each leaves an entry of its own before anything is shown."""

from service.audit.entry import Draft
from service.desk import Desk
from service.inspection import queries
from service.inspection.model import Filter, Page
from service.unit import Unit
from service.values import Call, MemberId

SEARCH = "audit.search"


class InspectionOperations(Desk):
    """Raise Forbidden (recorded) where `roles.toml` does not give the role the act."""

    async def audit_entries(
        self, call: Call, wanted: Filter, *, member_id: MemberId | None, first: int, after: str | None
    ) -> Page | None:
        """Search the log. None: no such member, or an erased one."""

        async def work(unit: Unit) -> Page | None:
            self.require(call, SEARCH)
            self.not_a_member(call)
            who = None if member_id is None else self.known_form(member_id)
            return await queries.entries(unit, wanted, member_id=who, first=first, after=after)

        return await self.units.disclose(call, Draft(typ="audit", operation="auditEntries"), work)
