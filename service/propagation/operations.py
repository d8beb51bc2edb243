"""The operations of whoever sees to it that recipients know: look, and say that one has been told."""

from service.desk import Desk
from service.propagation import commands, queries
from service.propagation.model import Propagation, PropagationAcknowledged, PropagationNotFound
from service.unit import Unit
from service.values import Call, MemberId
from service.work.model import State


class PropagationOperations(Desk):
    """Raise Forbidden (recorded) where `roles.toml` does not give the role the act."""

    async def propagations(
        self, call: Call, *, purpose: str, state: State, overdue: bool, first: int, after: str | None
    ) -> tuple[Propagation, ...]:
        """Which recipients have yet to confirm the end of a consent, or have."""

        async def work(unit: Unit) -> tuple[Propagation, ...]:
            self.require(call, "propagation.read")
            start = after and self.known_form(after)
            return await queries.page(unit, purpose=purpose, state=state, overdue_only=overdue, first=first, after=start)

        return await self.units.disclose(call, self.draft("access", "propagations", purpose), work)

    async def acknowledge_propagation(
        self, call: Call, *, member_id: MemberId, job_id: str
    ) -> PropagationAcknowledged | PropagationNotFound:
        """Say that a recipient has been told by other means."""

        async def work(unit: Unit) -> PropagationAcknowledged | PropagationNotFound:
            self.require(call, "propagation.acknowledge")
            target = self.target(call, member_id)
            return await commands.acknowledge(unit, member_id=target, job_id=self.known_form(job_id))

        return await self.units.change(call, self.duty("result", "acknowledgePropagation"), work)
