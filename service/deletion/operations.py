"""The operation of deletion: a member goes."""

from service.audit.entry import Draft
from service.deletion import commands
from service.desk import Desk
from service.unit import Unit
from service.values import Call, MemberId


class DeletionOperations(Desk):
    """Raise Forbidden (recorded) where `roles.toml` does not give the role the act."""

    async def erase(self, call: Call, *, member_id: MemberId) -> bool:
        """Destroy a member's secret: every copy of every value becomes unreadable, backups included. It cannot be undone."""

        async def work(unit: Unit) -> bool:
            self.require(call, "member.shred")
            return await commands.erase(unit, member_id=self.target(call, member_id))

        return await self.units.change(call, Draft(typ="erase", operation="eraseMember"), work)
