"""The operations over receipts and evidence."""

from service.errors import Forbidden
from service.members import commands as members
from service.minors.acting import WardDesk
from service.receipts import queries, store
from service.receipts.model import Evidence, EvidencePage, Receipt
from service.unit import Unit
from service.values import ActorKind, Call, MemberId


class ReceiptOperations(WardDesk):
    """Raise Forbidden (recorded) where `roles.toml` does not give the role the act."""

    async def consent_receipt(self, call: Call, *, event_id: str, purpose: str | None = None) -> Receipt | None:
        """The receipt of one event. A member sees their own; whoever is not the member names a purpose."""
        stated = self.stated(call, purpose)

        async def work(unit: Unit) -> Receipt | None:
            self.require(call, "consent.read")
            members.require(unit, stated)
            own = self.target(call, None) if call.actor.kind is ActorKind.MEMBER else None
            if own is not None:
                own = await self._own_or_ward(unit, own, self.known_form(event_id))
            return await queries.receipt(
                unit, event_id=self.known_form(event_id), own=own, sees=lambda purpose: self.seen_by(call, purpose)
            )

        return await self.units.disclose(call, self.draft("access", "consentReceipt", stated), work)

    async def _own_or_ward(self, unit: Unit, own: MemberId, event_id: str) -> MemberId:
        """Whose event a member may ask for: their own, and those of a child whose verified guardian they are."""
        holder = await store.holder(unit.session, event_id)
        try:
            return own if holder in {None, own} else await self.ward_of(unit, holder or "")
        except Forbidden:
            # Somebody else's event and none at all look alike.
            return own

    async def evidence(self, call: Call, *, entry_id: str, purpose: str) -> Evidence | None:
        """What proves that the processing of one entry was right (LB-09)."""

        async def work(unit: Unit) -> Evidence | None:
            self._require_evidence(call, unit, purpose)
            return await queries.evidence(unit, entry_id=self.known_form(entry_id))

        return await self.units.disclose(call, self.draft("audit", "evidence", purpose), work)

    async def member_evidence(
        self, call: Call, *, member_id: MemberId, purpose: str, first: int, after: str | None
    ) -> EvidencePage | None:
        """The same for all that was done with one member's data, the newest first."""

        async def work(unit: Unit) -> EvidencePage | None:
            self._require_evidence(call, unit, purpose)
            return await queries.member_evidence(unit, member_id=self.target(call, member_id), first=first, after=after)

        return await self.units.disclose(call, self.draft("audit", "memberEvidence", purpose), work)

    def _require_evidence(self, call: Call, unit: Unit, purpose: str) -> None:
        """It shows a consent beside an entry: who may see only one of the two may not see both."""
        self.not_a_member(call)
        self.require(call, "audit.search")
        self.require(call, "consent.read")
        members.require(unit, purpose)
