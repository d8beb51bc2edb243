"""The operations of what takes two persons: ask, decide, look."""

from collections.abc import Sequence

from service.approvals import commands, queries, store
from service.approvals.model import Approval, about_of
from service.desk import Desk
from service.errors import BadInput
from service.unit import Unit
from service.values import Call


class ApprovalOperations(Desk):
    """Raise Forbidden (recorded) where `roles.toml` does not give the role the act."""

    async def ask_approval(
        self, call: Call, *, kind: str, reason: str, hours: int, about: bytes | None = None, what: str | None = None
    ) -> Approval:
        """Ask for exactly one thing: told in words (`what`), or by a digest of what the asker will do (`about`)."""

        async def work(unit: Unit) -> Approval:
            self.require(call, "approval.ask")
            if (about is None) is (what is None):
                raise BadInput("about, what: one of them", code="APPROVAL_INVALID")
            wanted = about if about is not None else about_of(kind, what or "")
            asked = await commands.ask(unit, kind=kind, about=wanted, reason=reason, what=what or "", hours=hours)
            found = await store.one(unit.session, asked)
            assert found is not None
            return found

        return await self.units.change(call, self.duty("admin", "askApproval"), work)

    async def decide_approval(self, call: Call, *, approval_id: str, allow: bool) -> Approval:
        """Allow what somebody else asked for, or refuse it."""

        async def work(unit: Unit) -> Approval:
            self.require(call, "approval.decide")
            return await commands.decide(unit, self.known_form(approval_id), allow=allow)

        return await self.units.change(call, self.duty("admin", "decideApproval"), work)

    async def approvals(self, call: Call, *, waiting: bool, first: int, after: str | None) -> Sequence[Approval]:
        """What waits for an answer, or all there ever was."""

        async def work(unit: Unit) -> Sequence[Approval]:
            self.require(call, "approval.decide")
            start = self.known_form(after) if after else ""
            return await queries.listed(unit, waiting=waiting, first=first, after=start)

        return await self.units.disclose(call, self.duty("audit", "approvals"), work)
