"""The operations of personalisation: see it, turn it, record tags, see them, delete them."""

from collections.abc import Sequence

from service.consent.answering import RecordOutcome
from service.consent.model import CaptureChannel, Evidence
from service.errors import Refused
from service.members.model import MemberNotFound
from service.members.tags.model import Source
from service.minors.acting import WardDesk
from service.personalisation import commands, queries
from service.personalisation.model import DerivedTag, MyTag, Personalisation, TagsDeleted, switch_of
from service.unit import Unit
from service.values import Call, MemberId

SetOutcome = Personalisation | RecordOutcome


class PersonalisationOperations(WardDesk):
    """Raise Forbidden (recorded) where `roles.toml` does not give the role the act."""

    async def my_personalisation(self, call: Call) -> Personalisation | None:
        """Where the signed-in member's switch stands."""

        async def work(unit: Unit) -> Personalisation | None:
            self.require(call, "consent.read")
            return await queries.personalisation(unit, member_id=_oneself(call))

        return await self.units.disclose(call, self.draft("access", "myPersonalisation", self.catalogue.self_purpose), work)

    async def my_tags(self, call: Call) -> tuple[MyTag, ...] | None:
        """The signed-in member's tags."""

        async def work(unit: Unit) -> tuple[MyTag, ...] | None:
            return await queries.my_tags(unit, member_id=_oneself(call))

        return await self.units.disclose(call, self.draft("access", "myTags", self.catalogue.self_purpose), work)

    async def set_personalisation(
        self, call: Call, *, member_id: MemberId | None, on: bool, channel: CaptureChannel, evidence: Evidence | None
    ) -> SetOutcome:
        """Turn personalisation on, with what proves a yes, or off, with nothing."""
        switch = switch_of(self.catalogue).key

        async def work(unit: Unit) -> SetOutcome:
            self.require(call, "consent.record")
            target = await self.whom(unit, member_id)
            if not on:
                return await commands.turn_off(unit, member_id=target, channel=channel)
            self.within_token(call, [switch])
            return await commands.turn_on(unit, member_id=target, evidence=evidence)

        return await self.units.change(call, self.draft("consent", "setPersonalisation", switch), work)

    async def record_tags(
        self, call: Call, *, member_id: MemberId, purpose: str, source: Source, tags: Sequence[DerivedTag]
    ) -> commands.RecordTagsOutcome:
        """What a service derived from one source."""

        async def work(unit: Unit) -> commands.RecordTagsOutcome:
            self.require(call, "tag.record")
            target = self.target(call, member_id)
            return await commands.record_tags(unit, member_id=target, purpose=purpose, source=source, found=tags)

        return await self.units.change(call, self.draft("change", "recordTags", purpose), work)

    async def delete_tags(self, call: Call, *, member_id: MemberId | None, tag: str | None) -> TagsDeleted | MemberNotFound:
        """One tag, or all of them (`tag` is None)."""

        async def work(unit: Unit) -> TagsDeleted | MemberNotFound:
            self.require(call, "tag.delete")
            only = None if tag is None else (tag,)
            return await commands.delete_tags(unit, member_id=await self.whom(unit, member_id), only=only)

        operation = "deleteAllTags" if tag is None else "deleteTag"
        return await self.units.change(call, self.duty("change", operation), work)


def _oneself(call: Call) -> MemberId:
    if call.actor.member_id is None:
        raise Refused("ROLE_NOT_ALLOWED")
    return call.actor.member_id
