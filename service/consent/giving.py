"""The operations over what a member gives: join, change; and whose a contact is."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from service.audit.entry import Draft
from service.consent import commands, contacts
from service.consent.contacts import ContactProof
from service.consent.model import Decision, Evidence
from service.minors.acting import WardDesk
from service.unit import Unit
from service.values import Call, MemberId

T = TypeVar("T")


class GivingOperations(WardDesk):
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
        proof: ContactProof | None = None,
        exemption: str | None = None,
    ) -> commands.JoinOutcome:
        """Admit a member who has been shown the notice. A contact that they have proven is theirs, whoever held it before."""

        async def work(unit: Unit, *, displacing: bool) -> commands.JoinOutcome:
            self.require(call, "member.join")
            return await commands.join(
                unit,
                purpose=purpose,
                fields=fields,
                evidence=evidence,
                decisions=decisions,
                idempotency_key=idempotency_key,
                proof=proof,
                exemption=exemption and self.known_form(exemption),
                displacing=displacing,
            )

        return await self._given(call, self.draft("change", "joinMember", purpose), proof, work)

    async def update(
        self,
        call: Call,
        *,
        member_id: MemberId | None,
        purpose: str,
        changes: Mapping[str, object | None],
        proof: ContactProof | None = None,
    ) -> commands.UpdateOutcome:
        """Store new values for a member, for a purpose."""

        async def work(unit: Unit, *, displacing: bool) -> commands.UpdateOutcome:
            self.require(call, "member.update")
            target = await self.whom(unit, member_id)
            return await commands.update(
                unit, member_id=target, purpose=purpose, changes=changes, proof=proof, displacing=displacing
            )

        return await self._given(call, self.draft("change", "updateMember", purpose), proof, work)

    async def _given(self, call: Call, draft: Draft, proof: ContactProof | None, work: Callable[..., Awaitable[T]]) -> T:
        """Run `work`. Where nothing but another holder of the proven contact stands in its way, they lose it first, in a unit of their
        own; whatever is refused has touched nobody. The second time, whoever came between keeps it.
        """
        if proof is not None:
            try:
                return await self.units.change(call, draft, partial(work, displacing=True))
            except contacts.Held as held:
                await self._release(call, held, proof, purpose=draft.purpose)
        return await self.units.change(call, draft, partial(work, displacing=False))

    async def _release(self, call: Call, held: contacts.Held, proof: ContactProof, *, purpose: str) -> None:
        async def work(unit: Unit) -> None:
            await contacts.release(unit, holder=held.holder, proof=proof, digest=held.digest)

        await self.units.change(call, self.draft("change", "releaseContact", purpose), work)
