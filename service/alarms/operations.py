"""The operations of whoever sees to alarms."""

from collections.abc import Awaitable, Callable, Sequence

from service.alarms import commands, queries
from service.alarms.model import Alarm
from service.desk import Desk
from service.unit import Unit
from service.values import Call


class AlarmOperations(Desk):
    """Raise Forbidden (recorded) where `roles.toml` does not give the role the act."""

    async def alarms(self, call: Call, *, live: bool, first: int, after: str | None) -> Sequence[Alarm]:
        """What is not closed yet, or all there ever was."""

        async def work(unit: Unit) -> Sequence[Alarm]:
            self.require(call, "alarm.read")
            return await queries.listed(unit, live=live, first=first, after=self.known_form(after) if after else "")

        return await self.units.disclose(call, self.duty("audit", "alarms"), work)

    async def acknowledge_alarm(self, call: Call, *, alarm_id: str) -> Alarm:
        """Say that one sees to it."""
        return await self._handle(call, "acknowledgeAlarm", lambda unit: commands.acknowledge(unit, self.known_form(alarm_id)))

    async def close_alarm(self, call: Call, *, alarm_id: str, note: str) -> Alarm:
        """Say that it is over, and what came of it."""
        return await self._handle(call, "closeAlarm", lambda unit: commands.close(unit, self.known_form(alarm_id), note=note))

    async def _handle(self, call: Call, operation: str, handle: Callable[[Unit], Awaitable[Alarm]]) -> Alarm:
        async def work(unit: Unit) -> Alarm:
            self.require(call, "alarm.handle")
            return await handle(unit)

        return await self.units.change(call, self.duty("admin", operation), work)
