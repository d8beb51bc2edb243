"""The operations of sending: put live decisions down as jobs, see what needs a person, show what was handed over."""

from collections.abc import Sequence
from dataclasses import replace

from service.campaigns.model import CampaignRejected
from service.desk import Desk
from service.members import commands as members
from service.senders import commands, queries
from service.senders.model import FailedRow, Ordered, SendRecord, SendsQueued
from service.unit import Unit
from service.values import Call, MemberId


class SenderOperations(Desk):
    """Raise Forbidden (recorded) where `roles.toml` does not give the role the act."""

    async def queue_sends(self, call: Call, *, campaign_id: str, sends: Sequence[Ordered]) -> SendsQueued | CampaignRejected:
        """Have these sent. Each is decided once more just before it goes out."""

        async def work(unit: Unit) -> SendsQueued | CampaignRejected:
            self.require(call, "send.decide")
            known = [
                replace(order, member_id=self.known_form(order.member_id), send_id=self.known_form(order.send_id))
                for order in sends
            ]
            return await commands.queue_sends(unit, campaign_id=self.known_form(campaign_id), sends=known)

        return await self.units.change(call, self.draft("result", "queueSends", ""), work)

    async def failed_sends(self, call: Call, *, purpose: str, first: int, after: str | None) -> tuple[FailedRow, ...]:
        """What no machine tries again, and whether it may have gone out."""

        async def work(unit: Unit) -> tuple[FailedRow, ...]:
            self.require(call, "send.read")
            members.require(unit, purpose)
            return await queries.failed(unit, first=first, after=after and self.known_form(after))

        return await self.units.disclose(call, self.draft("access", "failedSends", purpose), work)

    async def send_record(self, call: Call, *, member_id: MemberId, send_id: str, purpose: str) -> SendRecord | None:
        """What was handed to a vendor (SMS-06); None where nothing was."""

        async def work(unit: Unit) -> SendRecord | None:
            self.require(call, "send.read")
            members.require(unit, purpose)
            return await queries.record(unit, member_id=self.known_form(member_id), send_id=self.known_form(send_id))

        return await self.units.disclose(call, self.draft("access", "sendRecord", purpose), work)
