"""The operations that edges call: each opens one unit, says what will be recorded, and checks what the caller's role may do.

An edge translates and calls; it never sees a unit, a session or the vault.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from policies.terms import Reason
from service.audit.entry import Draft
from service.consent import commands as consent
from service.consent import queries as consents
from service.consent.model import (
    CaptureChannel,
    ConsentEvent,
    ConsentsRecorded,
    ConsentStanding,
    Decision,
    Evidence,
    NothingToWithdraw,
)
from service.disclosure import commands
from service.disclosure.model import Page, Profile, Revealed, Withheld
from service.errors import BadInput, Forbidden, Refused
from service.members import commands as members
from service.members.model import MemberNotFound
from service.unit import Unit, Units
from service.values import ActorKind, Call, MemberId

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII)
_NOBODY = "00000000-0000-0000-0000-000000000000"


class Operations:
    """Everything a caller can ask for. Raises Forbidden (recorded) where `roles.toml` does not give the role the act."""

    def __init__(self, units: Units) -> None:
        self._units = units
        self._catalogue = units.catalogue

    async def member(self, call: Call, *, member_id: MemberId, purpose: str, fields: Sequence[str]) -> Profile | None:
        """One member by id, for a purpose."""

        async def work(unit: Unit) -> Profile | None:
            return await commands.member(unit, member_id=self._target(call, member_id), purpose=purpose, fields=fields)

        return await self._units.disclose(call, self._draft("access", "member", purpose), work)

    async def me(self, call: Call, *, fields: Sequence[str]) -> Profile | None:
        """The signed-in member."""

        async def work(unit: Unit) -> Profile | None:
            return await commands.me(unit, fields=fields)

        return await self._units.disclose(call, self._draft("access", "me", self._catalogue.self_purpose), work)

    async def by_contact(self, call: Call, *, field: str, value: str, purpose: str, fields: Sequence[str]) -> Profile | None:
        """One member by the exact value of a contact."""

        async def work(unit: Unit) -> Profile | None:
            self._not_a_member(call)
            return await commands.by_contact(unit, field=field, value=value, purpose=purpose, fields=fields)

        return await self._units.disclose(call, self._draft("access", "memberByContact", purpose), work)

    async def page(
        self,
        call: Call,
        *,
        purpose: str,
        fields: Sequence[str],
        first: int,
        after: str | None,
        edge_cursors: bool,
    ) -> Page:
        """The next page of members whose rows are permitted."""

        async def work(unit: Unit) -> Page:
            self._not_a_member(call)
            return await commands.page(unit, purpose=purpose, fields=fields, first=first, after=after, edge_cursors=edge_cursors)

        return await self._units.disclose(call, self._draft("access", "members", purpose), work)

    async def reveal(
        self, call: Call, *, member_id: MemberId, purpose: str, field: str, reason: str
    ) -> Revealed | Withheld | None:
        """One whole value, for a stated reason."""

        async def work(unit: Unit) -> Revealed | Withheld | None:
            self._require(call, "member.reveal")
            self._not_a_member(call)
            return await commands.reveal(
                unit, member_id=self._target(call, member_id), purpose=purpose, field=field, reason=reason
            )

        return await self._units.disclose(call, self._draft("access", "reveal", purpose), work)

    async def join(
        self,
        call: Call,
        *,
        purpose: str,
        fields: Mapping[str, object],
        evidence: Evidence | None,
        decisions: Sequence[Decision] = (),
        idempotency_key: str | None = None,
    ) -> consent.JoinOutcome:
        """Admit a member who has been shown the notice."""

        async def work(unit: Unit) -> consent.JoinOutcome:
            self._require(call, "member.join")
            return await consent.join(
                unit,
                purpose=purpose,
                fields=fields,
                evidence=evidence,
                decisions=decisions,
                idempotency_key=idempotency_key,
            )

        return await self._units.change(call, self._draft("change", "joinMember", purpose), work)

    async def update(
        self, call: Call, *, member_id: MemberId | None, purpose: str, changes: Mapping[str, object | None]
    ) -> consent.UpdateOutcome:
        """Store new values for a member, for a purpose."""

        async def work(unit: Unit) -> consent.UpdateOutcome:
            self._require(call, "member.update")
            target = self._target(call, member_id)
            return await consent.update(unit, member_id=target, purpose=purpose, changes=changes)

        return await self._units.change(call, self._draft("change", "updateMember", purpose), work)

    async def record_consents(
        self,
        call: Call,
        *,
        member_id: MemberId | None,
        decisions: Sequence[Decision],
        evidence: Evidence | None,
        idempotency_key: str | None = None,
    ) -> consent.RecordOutcome:
        """Write down a member's answers."""

        async def work(unit: Unit) -> consent.RecordOutcome:
            self._require(call, "consent.record")
            target = self._target(call, member_id)
            self._within_token(call, [decision.purpose for decision in decisions])
            return await consent.record(
                unit, member_id=target, decisions=decisions, evidence=evidence, idempotency_key=idempotency_key
            )

        return await self._units.change(call, Draft(typ="consent", operation="recordConsents", basis="CONSENT"), work)

    async def withdraw(
        self, call: Call, *, member_id: MemberId | None, purpose: str, channel: CaptureChannel
    ) -> ConsentsRecorded | NothingToWithdraw | MemberNotFound:
        """Take a consent back."""

        async def work(unit: Unit) -> ConsentsRecorded | NothingToWithdraw | MemberNotFound:
            self._require(call, "consent.record")
            target = self._target(call, member_id)
            return await consent.withdraw(unit, member_id=target, purpose=purpose, channel=channel)

        return await self._units.change(call, self._draft("consent", "withdrawConsent", purpose), work)

    async def erase(self, call: Call, *, member_id: MemberId) -> bool:
        """Destroy a member's secret: every copy of every value becomes unreadable, backups included. It cannot be undone."""

        async def work(unit: Unit) -> bool:
            self._require(call, "member.shred")
            return await consent.erase(unit, member_id=self._target(call, member_id))

        return await self._units.change(call, Draft(typ="erase", operation="eraseMember"), work)

    async def consents(
        self, call: Call, *, member_id: MemberId | None, purpose: str | None = None, at: datetime | None = None
    ) -> tuple[ConsentStanding, ...] | None:
        """Where each consent-based purpose stands for a member, now or at a moment. Whoever is not the member names a purpose."""
        stated = self._stated(call, purpose)

        async def work(unit: Unit) -> tuple[ConsentStanding, ...] | None:
            self._require(call, "consent.read")
            members.require(unit, stated)
            found = await consents.standings(unit, member_id=self._target(call, member_id), at=at)
            return found and tuple(standing for standing in found if self._seen_by(call, standing.purpose))

        return await self._units.disclose(call, self._draft("access", "consents", stated), work)

    async def consent_history(
        self, call: Call, *, member_id: MemberId | None, purpose: str | None = None
    ) -> tuple[ConsentEvent, ...] | None:
        """A member's whole consent ledger. Whoever is not the member names a purpose."""
        stated = self._stated(call, purpose)

        async def work(unit: Unit) -> tuple[ConsentEvent, ...] | None:
            self._require(call, "consent.read")
            members.require(unit, stated)
            found = await consents.history(unit, member_id=self._target(call, member_id))
            return found and tuple(event for event in found if self._seen_by(call, event.purpose))

        return await self._units.disclose(call, self._draft("access", "consentHistory", stated), work)

    def _draft(self, typ: str, operation: str, purpose: str) -> Draft:
        """The entry to come. A purpose that is not declared is not written down: who knows what somebody put there."""
        declared = self._catalogue.purposes.get(purpose)
        if declared is None:
            return Draft(typ=typ, operation=operation)
        return Draft(typ=typ, operation=operation, purpose=declared.key, basis=declared.basis.value)

    def _stated(self, call: Call, purpose: str | None) -> str:
        """No purpose, no data: a member reads their own under the purpose for that, everybody else says what for."""
        return self._catalogue.self_purpose if call.actor.kind is ActorKind.MEMBER else purpose or ""

    def _seen_by(self, call: Call, purpose: str) -> bool:
        return call.actor.purposes is None or purpose in call.actor.purposes

    def _within_token(self, call: Call, purposes: Sequence[str]) -> None:
        """A token that was narrowed to some purposes answers for no other. Taking back is never narrowed."""
        if not all(self._seen_by(call, purpose) for purpose in purposes):
            raise Refused(Reason.ROLE_NOT_ALLOWED.value)

    def _require(self, call: Call, act: str) -> None:
        roles = (self._catalogue.roles.get(role) for role in call.actor.roles)
        if not any(role is not None and act in role.may for role in roles):
            raise Forbidden

    def _not_a_member(self, call: Call) -> None:
        """Members look at themselves; looking for others is not theirs, whatever purpose they may state."""
        if call.actor.kind is ActorKind.MEMBER:
            raise Forbidden

    def _target(self, call: Call, member_id: MemberId | None) -> MemberId:
        """Whom it is about: a member is always about themselves, whatever id the request names."""
        actor = call.actor
        if actor.kind is ActorKind.MEMBER:
            if actor.member_id is None or member_id not in {None, actor.member_id}:
                raise Forbidden
            return actor.member_id
        if member_id is None:
            raise BadInput("memberId: name the member")
        # Anything else is no id of ours and goes no further: the database would choke on some of it.
        return member_id if _ID.fullmatch(member_id) else _NOBODY
