"""The operations of telling: what a member is still to be told, that they were, and when nobody need be."""

from datetime import datetime

from service.audit.entry import Draft
from service.errors import Forbidden
from service.members import commands as members
from service.members.model import MemberNotFound
from service.minors.acting import WardDesk
from service.notices import commands, model, queries, store
from service.unit import Unit
from service.values import ActorKind, Call, MemberId

OVERSEE = "notice.oversee"
"""The act of whoever answers for telling: counts, exemptions."""


class NoticeOperations(WardDesk):
    """Raise Forbidden (recorded) where `roles.toml` does not give the role the act."""

    async def pending_notices(
        self, call: Call, *, member_id: MemberId | None, purpose: str | None = None
    ) -> tuple[model.Pending, ...] | None:
        """What a member is still to be told. Whoever is not the member names a purpose."""
        stated = self.stated(call, purpose)

        async def work(unit: Unit) -> tuple[model.Pending, ...] | None:
            self.require(call, "consent.read")
            members.require(unit, stated)
            return await queries.pending(unit, await self.whom(unit, member_id))

        return await self.units.disclose(call, self.draft("access", "pendingNotices", stated), work)

    async def acknowledge_notice(
        self, call: Call, *, member_id: MemberId | None, version: str, language: str, channel: str
    ) -> model.Told | model.NoticeRejected | MemberNotFound:
        """The member has read a notice, and says so themselves or through the service that showed it."""

        async def work(unit: Unit) -> model.Told | model.NoticeRejected | MemberNotFound:
            self.require(call, "consent.record")
            target = await self.whom(unit, member_id)
            return await commands.acknowledge(unit, member_id=target, version=version, language=language, channel=channel)

        return await self.units.change(call, self.duty("change", "acknowledgeNotice"), work)

    async def mark_informed(
        self, call: Call, *, member_id: MemberId, version: str, language: str, channel: str
    ) -> model.Told | model.NoticeRejected | MemberNotFound:
        """A service has delivered a notice to a member, by post or message: they are informed, whether they read it or not."""

        async def work(unit: Unit) -> model.Told | model.NoticeRejected | MemberNotFound:
            self.require(call, "consent.record")
            if call.actor.kind is not ActorKind.SERVICE:
                raise Forbidden
            target = self.target(call, member_id)
            return await commands.acknowledge(unit, member_id=target, version=version, language=language, channel=channel)

        return await self.units.change(call, self.duty("change", "markInformed"), work)

    async def untold_count(self, call: Call, *, version: str) -> int:
        """How many members have been told neither this version nor a later one."""

        async def work(unit: Unit) -> int:
            self.require(call, OVERSEE)
            unit.draft.count = await queries.untold(unit, version)
            return unit.draft.count

        return await self.units.disclose(call, Draft(typ="access", operation="untoldCount"), work)

    async def exemptions(self, call: Call) -> list[model.Exemption]:
        """Every exemption, the newest first."""

        async def work(unit: Unit) -> list[model.Exemption]:
            self.require(call, OVERSEE)
            found = await store.exemptions(unit.session)
            unit.draft.count = len(found)
            return found

        return await self.units.disclose(call, Draft(typ="access", operation="noticeExemptions"), work)

    async def members_to_inform(self, call: Call, *, exemption_id: str) -> list[MemberId]:
        """Who was admitted under an exemption and is still to be informed: ids, for those who inform them."""

        async def work(unit: Unit) -> list[MemberId]:
            self.require(call, OVERSEE)
            return await queries.to_inform(unit, self.known_form(exemption_id))

        return await self.units.disclose(call, self.duty("access", "membersToInform"), work)

    async def grant_exemption(
        self, call: Call, *, ground: model.Ground, reason: str, expires_at: datetime
    ) -> model.Exemption | model.ExemptionRejected:
        """Leave not to tell, or to tell later."""

        async def work(unit: Unit) -> model.Exemption | model.ExemptionRejected:
            self.require(call, OVERSEE)
            return await commands.grant(unit, ground=ground, reason=reason, expires_at=expires_at)

        return await self.units.change(call, Draft(typ="admin", operation="grantNoticeExemption"), work)

    async def close_exemption(
        self, call: Call, *, exemption_id: str
    ) -> model.Exemption | model.ExemptionUnknown | model.InformMembersFirst:
        """End an exemption."""

        async def work(unit: Unit) -> model.Exemption | model.ExemptionUnknown | model.InformMembersFirst:
            self.require(call, OVERSEE)
            return await commands.close(unit, exemption_id=self.known_form(exemption_id))

        return await self.units.change(call, Draft(typ="admin", operation="closeNoticeExemption"), work)
