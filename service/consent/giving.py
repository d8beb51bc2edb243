"""The operations over what a member gives: join, change, be erased; and whose a contact is."""

from collections.abc import Mapping, Sequence

from service.audit.entry import Draft
from service.consent import commands, contacts
from service.consent.contacts import ContactProof
from service.consent.model import Decision, Evidence
from service.minors.acting import WardDesk
from service.unit import Reader, Unit
from service.values import ActorKind, Call, MemberId


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

        async def work(unit: Unit) -> commands.JoinOutcome:
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
            )

        async def admissible(reader: Reader) -> bool:
            return self._may(call, "member.join") and commands.admissible(reader, evidence, decisions)

        if proof is not None and await self.units.read(call, admissible):
            await self._release(call, purpose, fields, proof, of=None)
        return await self.units.change(call, self.draft("change", "joinMember", purpose), work)

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

        async def work(unit: Unit) -> commands.UpdateOutcome:
            self.require(call, "member.update")
            target = await self.whom(unit, member_id)
            return await commands.update(unit, member_id=target, purpose=purpose, changes=changes, proof=proof)

        if proof is not None and member_id is not None and self._may(call, "member.update"):
            await self._release(call, purpose, changes, proof, of=self.known_form(member_id))
        return await self.units.change(call, self.draft("change", "updateMember", purpose), work)

    async def erase(self, call: Call, *, member_id: MemberId) -> bool:
        """Destroy a member's secret: every copy of every value becomes unreadable, backups included. It cannot be undone."""

        async def work(unit: Unit) -> bool:
            self.require(call, "member.shred")
            return await commands.erase(unit, member_id=self.target(call, member_id))

        return await self.units.change(call, Draft(typ="erase", operation="eraseMember"), work)

    async def _release(
        self, call: Call, purpose: str, fields: Mapping[str, object | None], proof: ContactProof, *, of: MemberId | None
    ) -> None:
        """Take the proven contact from whoever else holds it: a unit of its own, before the one that gives it to its new holder."""

        async def look(reader: Reader) -> tuple[MemberId, bytes] | None:
            return await contacts.displaced(reader, self.units.vault, purpose=purpose, fields=fields, proof=proof, of=of)

        found = await self.units.read(call, look)
        if found is None:
            return
        holder, digest = found

        async def work(unit: Unit) -> None:
            await contacts.release(unit, holder=holder, proof=proof, digest=digest)

        await self.units.change(call, self.draft("change", "releaseContact", purpose), work)

    def _may(self, call: Call, act: str) -> bool:
        """Whether the real unit will not refuse this caller; what it refuses must not have touched anybody else before."""
        roles = (self.catalogue.roles.get(role) for role in call.actor.roles)
        return call.actor.kind is ActorKind.SERVICE and any(role is not None and act in role.may for role in roles)
