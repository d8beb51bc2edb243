"""Reading members: by id, by contact, a page, oneself; and revealing one masked value."""

from typing import Annotated

import strawberry

from schema.arguments import Key, MemberRef, Purpose
from schema.context import Info
from schema.engine.selection import selected
from schema.fields import field
from schema.member import Member, Withheld, present, withheld
from schema.outcomes import MemberNotFound, Refusal, refusal
from schema.scalars import FieldKey
from schema.values import Attribute, attribute
from service.disclosure import model
from service.members import model as members

PAGE = 20


@strawberry.type(description="Where a page of a connection stands (分页信息), as Relay has it.")
class PageInfo:
    """Cursors of the page's ends."""

    has_next_page: bool = strawberry.field(description="Whether more members follow (是否有下一页).")
    has_previous_page: bool = strawberry.field(description="Always false: pages are walked forward (仅支持向后翻页).")
    start_cursor: str | None = strawberry.field(description="The cursor of the first member; null on an empty page (起始游标).")
    end_cursor: str | None = strawberry.field(description="The cursor of the last member, for `after` (结束游标).")


@strawberry.type(description="One member of a page, with the cursor (游标) behind it.")
class MemberEdge:
    """A Relay edge."""

    cursor: str = strawberry.field(
        description="Give it as `after` to go on from here. Opaque, and of use in this list only (游标)."
    )
    node: Member = strawberry.field(description="The member (会员).")


@strawberry.type(
    description="A page of members (会员分页) whose rows the purpose and their consents permit; the others are absent."
)
class MemberConnection:
    """A Relay connection, with `nodes` for whoever needs no cursors."""

    edges: list[MemberEdge] = strawberry.field(description="The members with their cursors (会员及游标).")
    nodes: list[Member] = strawberry.field(description="The members (会员).")
    page_info: PageInfo = strawberry.field(description="Where this page stands (分页信息).")


@strawberry.type(description="One value shown whole for a stated reason (查看完整信息).")
class Revealed:
    """From `model.Revealed`."""

    member_id: strawberry.ID = strawberry.field(description="The member (会员编号).")
    attribute: Attribute | None = strawberry.field(description="The value (字段值); null where the member has none.")


RevealResult = Annotated[
    Revealed | Withheld | MemberNotFound,
    strawberry.union("RevealResult", description="The value; or why it is withheld; or no such member (查看结果)."),
]


@strawberry.type
class DisclosureQuery:
    """Everything that reads a member."""

    @field("One member by id, for a purpose (按编号查询会员). null where there is none for this caller.")
    async def member(self, info: Info, id: MemberRef, purpose: Purpose) -> Member | None:  # noqa: A002
        """`ops.member`."""
        context = info.context
        found = await context.ops.member(context.call, member_id=id, purpose=purpose, fields=selected(info).fields)
        return None if found is None else present(found)

    @field("One member by the exact value of a contact (按联系方式查询会员). null alike for absent, erased and not permitted.")
    async def member_by_contact(
        self,
        info: Info,
        field: Annotated[FieldKey, strawberry.argument(description="The contact's field, such as `phone` (联系方式字段).")],
        value: Annotated[str, strawberry.argument(description="The contact's value (联系方式). Send it as a variable.")],
        purpose: Purpose,
    ) -> Member | None:
        """`ops.by_contact`."""
        context = info.context
        fields = selected(info).fields
        found = await context.ops.by_contact(context.call, field=field, value=value, purpose=purpose, fields=fields)
        return None if found is None else present(found)

    @field("A page of the members whose rows are permitted for a purpose (会员列表).")
    async def members(
        self,
        info: Info,
        purpose: Purpose,
        first: Annotated[int | None, strawberry.argument(description="How many, 100 at most (每页数量).")] = PAGE,
        after: Annotated[str | None, strawberry.argument(description="The cursor to go on from (起始游标).")] = None,
    ) -> MemberConnection | None:
        """`ops.page`."""
        context, wanted = info.context, selected(info)
        page = await context.ops.page(
            context.call,
            purpose=purpose,
            fields=wanted.fields,
            first=PAGE if first is None else first,
            after=after,
            edge_cursors="edges.cursor" in wanted.around,
        )
        return _connection(page)

    @field("The signed-in member (会员本人), reading their own data (PIPL 44, 45).")
    async def me(self, info: Info) -> Member | None:
        """`ops.me`."""
        found = await info.context.ops.me(info.context.call, fields=selected(info).fields)
        return None if found is None else present(found)


@strawberry.type
class DisclosureMutation:
    """What reads, but is an act of its own."""

    @field("Show one masked value whole, for a stated reason that is recorded (查看完整信息).", shows=RevealResult | None)
    async def reveal(
        self,
        info: Info,
        member_id: MemberRef,
        purpose: Purpose,
        field: Key,
        reason: Annotated[
            str, strawberry.argument(description="Why it is needed (理由). It is kept, sealed under the member's key.")
        ],
    ) -> Revealed | Withheld | Refusal | None:
        """`ops.reveal`."""
        context = info.context
        found = await context.ops.reveal(context.call, member_id=member_id, purpose=purpose, field=field, reason=reason)
        if isinstance(found, model.Revealed):
            shown = None if found.value is None else attribute(found.field, found.value)
            return Revealed(member_id=strawberry.ID(found.member_id), attribute=shown)
        return refusal(members.MemberNotFound()) if found is None else withheld(found)


def _connection(page: model.Page) -> MemberConnection:
    nodes = [present(profile) for profile in page.profiles]
    # Cursors are made only where somebody asked for them; the edges are there all the same.
    cursors = page.cursors or ("",) * len(nodes)
    edges = [MemberEdge(cursor=cursor, node=node) for cursor, node in zip(cursors, nodes, strict=True)]
    info = PageInfo(
        has_next_page=page.has_next, has_previous_page=False, start_cursor=page.start_cursor, end_cursor=page.end_cursor
    )
    return MemberConnection(edges=edges, nodes=nodes, page_info=info)
