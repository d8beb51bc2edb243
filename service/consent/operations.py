"""The operations over consents: ask, answer, take back, look. What a member gives besides is in `giving.py`."""

from collections.abc import Sequence
from datetime import datetime

from service.audit.entry import Draft
from service.consent import answering, asking, assisting, queries, withdrawing
from service.consent.asks import Initiator, Questions
from service.consent.giving import GivingOperations
from service.consent.model import (
    CaptureChannel,
    ConsentEvent,
    ConsentsRecorded,
    Decision,
    Evidence,
    NothingToWithdraw,
    Overview,
    StaleConsent,
)
from service.consent.views import ConsentView
from service.errors import Forbidden
from service.members import commands as members
from service.members.model import MemberNotFound
from service.unit import Unit
from service.values import ActorKind, Call, MemberId

Contacts = tuple[tuple[str, datetime | None], ...]


class ConsentOperations(GivingOperations):
    """Raise Forbidden (recorded) where `roles.toml` does not give the role the act."""

    async def consents_to_ask(
        self,
        call: Call,
        *,
        member_id: MemberId | None,
        purposes: Sequence[str],
        channel: CaptureChannel,
        initiator: Initiator,
    ) -> Questions | MemberNotFound:
        """What this screen may ask, recorded as asked. There is no way to look without recording: a service that could would ask on the
        quiet, and the pause would count from nothing.
        """

        async def work(unit: Unit) -> Questions | MemberNotFound:
            self.require(call, "consent.ask")
            target = await self.whom(unit, member_id)
            self.within_token(call, purposes)
            if call.actor.kind is ActorKind.MEMBER and initiator is not Initiator.MEMBER:
                raise Forbidden
            return await asking.ask(unit, member_id=target, purposes=purposes, channel=channel, initiator=initiator)

        return await self.units.change(call, Draft(typ="consent", operation="consentsToAsk", basis="CONSENT"), work)

    async def record_consents(
        self,
        call: Call,
        *,
        member_id: MemberId | None,
        decisions: Sequence[Decision],
        evidence: Evidence | None,
        idempotency_key: str | None = None,
        member_act: str | None = None,
    ) -> answering.RecordOutcome:
        """Write down a member's answers. Staff pass them on: a yes only with the member's own act."""

        async def work(unit: Unit) -> answering.RecordOutcome:
            self.require(call, "consent.record", assisting.ACT)
            target = await self.whom(unit, member_id)
            self.within_token(call, [decision.purpose for decision in decisions])
            return await answering.record(
                unit,
                member_id=target,
                decisions=decisions,
                evidence=evidence,
                idempotency_key=idempotency_key,
                member_act=member_act,
            )

        return await self.units.change(call, Draft(typ="consent", operation="recordConsents", basis="CONSENT"), work)

    async def confirm_consents(
        self, call: Call, *, decisions: Sequence[Decision], evidence: Evidence | None, assistant: str
    ) -> answering.ConfirmOutcome:
        """The member's own act, made on a device of their own, for the account that will pass the answers on."""

        async def work(unit: Unit) -> answering.ConfirmOutcome:
            if call.actor.kind is not ActorKind.MEMBER:
                raise Forbidden
            self.require(call, "consent.record")
            target = self.target(call, None)
            self.within_token(call, [decision.purpose for decision in decisions])
            return await answering.confirm(unit, member_id=target, to=assistant, decisions=decisions, evidence=evidence)

        return await self.units.change(call, Draft(typ="consent", operation="confirmConsents", basis="CONSENT"), work)

    async def withdraw(
        self, call: Call, *, member_id: MemberId | None, purpose: str, channel: CaptureChannel
    ) -> ConsentsRecorded | NothingToWithdraw | MemberNotFound:
        """Take a consent back."""

        async def work(unit: Unit) -> ConsentsRecorded | NothingToWithdraw | MemberNotFound:
            self.require(call, "consent.record", assisting.ACT)
            target = await self.whom(unit, member_id)
            return await withdrawing.withdraw(unit, member_id=target, purpose=purpose, channel=channel)

        return await self.units.change(call, self.draft("consent", "withdrawConsent", purpose), work)

    async def withdraw_all(
        self, call: Call, *, member_id: MemberId | None, channel: CaptureChannel
    ) -> ConsentsRecorded | MemberNotFound:
        """Take every consent back that stands."""

        async def work(unit: Unit) -> ConsentsRecorded | MemberNotFound:
            self.require(call, "consent.record", assisting.ACT)
            return await withdrawing.withdraw_all(unit, member_id=await self.whom(unit, member_id), channel=channel)

        return await self.units.change(call, Draft(typ="consent", operation="withdrawAll", basis="CONSENT"), work)

    async def consents(
        self, call: Call, *, member_id: MemberId | None, purpose: str | None = None, at: datetime | None = None
    ) -> tuple[ConsentView, ...] | None:
        """Where each consent-based purpose stands for a member, now or at a moment. Whoever is not the member names a purpose."""
        stated = self.stated(call, purpose)

        async def work(unit: Unit) -> tuple[ConsentView, ...] | None:
            self.require(call, "consent.read")
            members.require(unit, stated)
            found = await queries.standings(unit, member_id=await self.whom(unit, member_id), at=at)
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
            found = await queries.history(unit, member_id=await self.whom(unit, member_id))
            return found and tuple(event for event in found if self.seen_by(call, event.purpose))

        return await self.units.disclose(call, self.draft("access", "consentHistory", stated), work)

    async def contacts(self, call: Call, *, member_id: MemberId | None, purpose: str | None = None) -> Contacts | None:
        """By which contacts a member is found, and when each was last proven. Whoever is not the member names a purpose."""
        stated = self.stated(call, purpose)

        async def work(unit: Unit) -> Contacts | None:
            self.require(call, "consent.read")
            members.require(unit, stated)
            return await queries.contacts(unit, member_id=await self.whom(unit, member_id))

        return await self.units.disclose(call, self.draft("access", "contacts", stated), work)

    async def stale_consents(
        self, call: Call, *, of: str, purpose: str, first: int, after: MemberId | None
    ) -> tuple[StaleConsent, ...]:
        """Whose consent to `of` stands and does not cover all of it as it is now (NC-09)."""

        async def work(unit: Unit) -> tuple[StaleConsent, ...]:
            self.require(call, "consent.review")
            members.require(unit, purpose)
            start = self.known_form(after) if after is not None else ""
            return await queries.stale(unit, of=of, first=first, after=start)

        return await self.units.disclose(call, self.draft("access", "staleConsents", purpose), work)

    async def consent_overview(self, call: Call, *, of: str) -> Overview:
        """How many consents to a purpose stand in which state. It names nobody."""

        async def work(unit: Unit) -> Overview:
            self.require(call, "consent.review")
            return await queries.overview(unit, of=of)

        return await self.units.disclose(call, self.draft("access", "consentOverview", of), work)
