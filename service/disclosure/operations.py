"""The operations that read members' data: one member, oneself, by contact, a page, one whole value."""

from collections.abc import Sequence

from service.desk import Desk
from service.disclosure import commands
from service.disclosure.model import Page, Profile, Revealed, Withheld
from service.unit import Unit
from service.values import Call, MemberId


class DisclosureOperations(Desk):
    """Raise Forbidden (recorded) where `roles.toml` does not give the role the act."""

    async def member(self, call: Call, *, member_id: MemberId, purpose: str, fields: Sequence[str]) -> Profile | None:
        """One member by id, for a purpose."""

        async def work(unit: Unit) -> Profile | None:
            return await commands.member(unit, member_id=self.target(call, member_id), purpose=purpose, fields=fields)

        return await self.units.disclose(call, self.draft("access", "member", purpose), work)

    async def me(self, call: Call, *, fields: Sequence[str]) -> Profile | None:
        """The signed-in member."""

        async def work(unit: Unit) -> Profile | None:
            return await commands.me(unit, fields=fields)

        return await self.units.disclose(call, self.draft("access", "me", self.catalogue.self_purpose), work)

    async def by_contact(self, call: Call, *, field: str, value: str, purpose: str, fields: Sequence[str]) -> Profile | None:
        """One member by the exact value of a contact."""

        async def work(unit: Unit) -> Profile | None:
            self.not_a_member(call)
            return await commands.by_contact(unit, field=field, value=value, purpose=purpose, fields=fields)

        return await self.units.disclose(call, self.draft("access", "memberByContact", purpose), work)

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
            self.not_a_member(call)
            return await commands.page(unit, purpose=purpose, fields=fields, first=first, after=after, edge_cursors=edge_cursors)

        return await self.units.disclose(call, self.draft("access", "members", purpose), work)

    async def reveal(
        self, call: Call, *, member_id: MemberId, purpose: str, field: str, reason: str
    ) -> Revealed | Withheld | None:
        """One whole value, for a stated reason."""

        async def work(unit: Unit) -> Revealed | Withheld | None:
            self.require(call, "member.reveal")
            self.not_a_member(call)
            return await commands.reveal(
                unit, member_id=self.target(call, member_id), purpose=purpose, field=field, reason=reason
            )

        return await self.units.disclose(call, self.draft("access", "reveal", purpose), work)
