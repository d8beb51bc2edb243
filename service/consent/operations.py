"""The operations over consents and over what a member gives: join, update, answer, take back, look."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from service.audit.entry import Draft
from service.consent import commands, queries
from service.consent.model import (
    CaptureChannel,
    ConsentEvent,
    ConsentsRecorded,
    ConsentStanding,
    Decision,
    Evidence,
    NothingToWithdraw,
)
from service.desk import Desk
from service.members import commands as members
from service.members.model import MemberNotFound
from service.unit import Unit
from service.values import Call, MemberId


class ConsentOperations(Desk):
    """Raise Forbidden (recorded) where `roles.toml` does not give the role the act."""

    async def join(
        self,
        call: Call,
        *,
        purpose: str,
        fields: Mapping[str, object],
        evidence: Evidence | None,
        decisions: Sequence[Decision] = (),
        idempotency_key: str | None = None,
    ) -> commands.JoinOutcome:
        """Admit a member who has been shown the notice."""

        async def work(unit: Unit) -> commands.JoinOutcome:
            self.require(call, "member.join")
            return await commands.join(
                unit,
                purpose=purpose,
                fields=fields,
                evidence=evidence,
                decisions=decisions,
                idempotency_key=idempotency_key,
            )

        return await self.units.change(call, self.draft("change", "joinMember", purpose), work)

    async def update(
        self, call: Call, *, member_id: MemberId | None, purpose: str, changes: Mapping[str, object | None]
    ) -> commands.UpdateOutcome:
        """Store new values for a member, for a purpose."""

        async def work(unit: Unit) -> commands.UpdateOutcome:
            self.require(call, "member.update")
            target = self.target(call, member_id)
            return await commands.update(unit, member_id=target, purpose=purpose, changes=changes)

        return await self.units.change(call, self.draft("change", "updateMember", purpose), work)

    async def record_consents(
        self,
        call: Call,
        *,
        member_id: MemberId | None,
        decisions: Sequence[Decision],
        evidence: Evidence | None,
        idempotency_key: str | None = None,
    ) -> commands.RecordOutcome:
        """Write down a member's answers."""

        async def work(unit: Unit) -> commands.RecordOutcome:
            self.require(call, "consent.record")
            target = self.target(call, member_id)
            self.within_token(call, [decision.purpose for decision in decisions])
            return await commands.record(
                unit, member_id=target, decisions=decisions, evidence=evidence, idempotency_key=idempotency_key
            )

        return await self.units.change(call, Draft(typ="consent", operation="recordConsents", basis="CONSENT"), work)

    async def withdraw(
        self, call: Call, *, member_id: MemberId | None, purpose: str, channel: CaptureChannel
    ) -> ConsentsRecorded | NothingToWithdraw | MemberNotFound:
        """Take a consent back."""

        async def work(unit: Unit) -> ConsentsRecorded | NothingToWithdraw | MemberNotFound:
            self.require(call, "consent.record")
            target = self.target(call, member_id)
            return await commands.withdraw(unit, member_id=target, purpose=purpose, channel=channel)

        return await self.units.change(call, self.draft("consent", "withdrawConsent", purpose), work)

    async def erase(self, call: Call, *, member_id: MemberId) -> bool:
        """Destroy a member's secret: every copy of every value becomes unreadable, backups included. It cannot be undone."""

        async def work(unit: Unit) -> bool:
            self.require(call, "member.shred")
            return await commands.erase(unit, member_id=self.target(call, member_id))

        return await self.units.change(call, Draft(typ="erase", operation="eraseMember"), work)

    async def consents(
        self, call: Call, *, member_id: MemberId | None, purpose: str | None = None, at: datetime | None = None
    ) -> tuple[ConsentStanding, ...] | None:
        """Where each consent-based purpose stands for a member, now or at a moment. Whoever is not the member names a purpose."""
        stated = self.stated(call, purpose)

        async def work(unit: Unit) -> tuple[ConsentStanding, ...] | None:
            self.require(call, "consent.read")
            members.require(unit, stated)
            found = await queries.standings(unit, member_id=self.target(call, member_id), at=at)
            return found and tuple(standing for standing in found if self.seen_by(call, standing.purpose))

        return await self.units.disclose(call, self.draft("access", "consents", stated), work)

    async def consent_history(
        self, call: Call, *, member_id: MemberId | None, purpose: str | None = None
    ) -> tuple[ConsentEvent, ...] | None:
        """A member's whole consent ledger. Whoever is not the member names a purpose."""
        stated = self.stated(call, purpose)

        async def work(unit: Unit) -> tuple[ConsentEvent, ...] | None:
            self.require(call, "consent.read")
            members.require(unit, stated)
            found = await queries.history(unit, member_id=self.target(call, member_id))
            return found and tuple(event for event in found if self.seen_by(call, event.purpose))

        return await self.units.disclose(call, self.draft("access", "consentHistory", stated), work)
