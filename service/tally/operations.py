"""The operation of whoever has to read of many members, and says so beforehand."""

from policies.bulk import BulkClass
from service.approvals.model import Approval
from service.desk import Desk
from service.tally import commands
from service.unit import Unit
from service.values import Call


class TallyOperations(Desk):
    """Raise Forbidden (recorded) where `roles.toml` does not give the role the act."""

    async def ask_bulk_reading(self, call: Call, *, bulk: BulkClass, most: int, reason: str, hours: int) -> Approval:
        """Ask for leave to read of more members in a day than the policy lets anybody."""

        async def work(unit: Unit) -> Approval:
            self.require(call, "approval.ask")
            return await commands.ask(unit, bulk=bulk, most=most, reason=reason, hours=hours)

        return await self.units.change(call, self.duty("admin", "askBulkReading"), work)
