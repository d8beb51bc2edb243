"""The operations over guardians, over staff's access to minors, and over the yearly account of both."""

from collections.abc import Sequence
from datetime import datetime

from service.audit.entry import Draft
from service.consent import children
from service.disclosure import commands as disclosure
from service.disclosure.model import Profile
from service.errors import BadInput
from service.guardians import commands, queries, year
from service.guardians.model import Pack
from service.members.model import MemberNotFound
from service.minors import commands as guardians
from service.minors.acting import WardDesk
from service.minors.model import Approval, Link, Method, MinorPresumed, MinorsRejected, Request, RequestKind
from service.unit import Unit
from service.values import ActorKind, Call, MemberId


class GuardianOperations(WardDesk):
    """Raise Forbidden (recorded) where `roles.toml` does not give the role the act, and for a guardian who is none."""

    async def request_guardian_link(self, call: Call, *, member_id: MemberId) -> guardians.LinkOutcome:
        """The signed-in member says that they are a child's guardian."""

        async def work(unit: Unit) -> guardians.LinkOutcome:
            self.require(call, "guardian.ask")
            return await guardians.request(unit, member_id=self.known_form(member_id))

        return await self.units.change(call, self.duty("change", "requestGuardianLink"), work)

    async def presume_minor(self, call: Call, *, member_id: MemberId) -> MinorPresumed | MemberNotFound:
        """Somebody has reason to take a member for a child."""

        async def work(unit: Unit) -> MinorPresumed | MemberNotFound:
            self.require(call, "minor.presume")
            return await guardians.presume(unit, member_id=self.known_form(member_id))

        return await self.units.change(call, self.duty("change", "presumeMinor"), work)

    async def verify_guardian(
        self, call: Call, *, member_id: MemberId, guardian_id: MemberId, method: Method
    ) -> guardians.LinkOutcome:
        """A service has checked that somebody is the child's guardian."""

        async def work(unit: Unit) -> guardians.LinkOutcome:
            self.require(call, "guardian.verify")
            who = self.known_form(guardian_id)
            return await guardians.verify(unit, member_id=self.known_form(member_id), guardian_id=who, method=method)

        return await self.units.change(call, self.duty("change", "verifyGuardian"), work)

    async def end_guardian_link(self, call: Call, *, member_id: MemberId, guardian_id: MemberId | None) -> guardians.LinkOutcome:
        """The guardian leaves, or a service has found that they are none."""

        async def work(unit: Unit) -> guardians.LinkOutcome:
            member = call.actor.kind is ActorKind.MEMBER
            self.require(call, "guardian.ask" if member else "guardian.verify")
            who = self.target(call, guardian_id)
            ended = await guardians.end(unit, member_id=self.known_form(member_id), guardian_id=who)
            if isinstance(ended, Link):
                await children.left_alone(unit, ended.member_id)
            return ended

        return await self.units.change(call, self.duty("change", "endGuardianLink"), work)

    async def guardian_links(self, call: Call, *, member_id: MemberId | None) -> tuple[Link, ...]:
        """A member's own wards; for a service, who is a child's guardian."""

        async def work(unit: Unit) -> tuple[Link, ...]:
            if call.actor.kind is ActorKind.MEMBER:
                self.require(call, "guardian.ask")
                self.target(call, member_id)
                return await queries.wards(unit)
            self.require(call, "guardian.verify")
            return await queries.links(unit, member_id=self.target(call, member_id))

        return await self.units.disclose(call, self.duty("access", "guardianLinks"), work)

    async def ward(self, call: Call, *, member_id: MemberId, fields: Sequence[str]) -> Profile | None:
        """A child, as their verified guardian sees them."""

        async def work(unit: Unit) -> Profile | None:
            self.require(call, "guardian.ask")
            child = await self.ward_of(unit, member_id)
            return await disclosure.ward(unit, member_id=child, fields=fields)

        return await self.units.disclose(call, self.draft("access", "ward", self.catalogue.self_purpose), work)

    async def approve_minor_access(
        self, call: Call, *, staff: str, member_id: MemberId, reason: str, expires_at: datetime
    ) -> Approval | MinorsRejected | MemberNotFound:
        """Let one member of staff see one minor (MIN 36)."""

        async def work(unit: Unit) -> Approval | MinorsRejected | MemberNotFound:
            self.require(call, "minor.approve")
            who = self.known_form(member_id)
            return await commands.approve(unit, staff=staff, member_id=who, reason=reason, expires_at=expires_at)

        return await self.units.change(call, self.duty("change", "approveMinorAccess"), work)

    async def request_for_child(self, call: Call, *, member_id: MemberId, kind: RequestKind) -> Request:
        """A guardian asks for something (MIN 34)."""

        async def work(unit: Unit) -> Request:
            self.require(call, "guardian.ask")
            return await commands.ask(unit, member_id=self.known_form(member_id), kind=kind)

        return await self.units.change(call, self.duty("change", "requestForChild"), work)

    async def decide_guardian_request(
        self, call: Call, *, member_id: MemberId, request_id: str, accept: bool, reason: str
    ) -> Request | MinorsRejected:
        """Answer a guardian, in writing where it is a refusal."""

        async def work(unit: Unit) -> Request | MinorsRejected:
            self.require(call, "guardian.decide")
            who = self.known_form(member_id)
            return await commands.decide(unit, member_id=who, request_id=request_id, accept=accept, reason=reason)

        return await self.units.change(call, self.duty("change", "decideGuardianRequest"), work)

    async def guardian_requests(self, call: Call, *, member_id: MemberId | None, first: int) -> tuple[Request, ...]:
        """What the signed-in guardian has asked for a minor; for staff, what waits for an answer."""

        async def work(unit: Unit) -> tuple[Request, ...]:
            if call.actor.kind is ActorKind.MEMBER:
                self.require(call, "guardian.ask")
                if member_id is None:
                    raise BadInput("memberId: name the child")
                return await queries.asked_by_guardian(unit, member_id=self.known_form(member_id))
            self.require(call, "guardian.decide")
            if not 1 <= first <= queries.MOST:
                raise BadInput(f"first: between 1 and {queries.MOST}", code="PAGE_SIZE_TOO_LARGE")
            return await queries.to_answer(unit, member_id=member_id and self.known_form(member_id), first=first)

        return await self.units.disclose(call, self.duty("access", "guardianRequests"), work)

    async def minors_audit_pack(self, call: Call, *, year_of: int) -> Pack:
        """The yearly account of minors' data (MIN 37)."""

        async def work(unit: Unit) -> Pack:
            self.require(call, "minor.audit")
            unit.draft.extra["year"] = year_of
            return await year.pack(unit, year=year_of)

        return await self.units.disclose(call, Draft(typ="audit", operation="minorsAuditPack"), work)
