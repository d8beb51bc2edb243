"""What compliance sees over all members: who is stale, how many stand how; and when a contact was proven."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from policies import terms
from schema.arguments import MemberOrMe, Purpose, PurposeUnlessMe
from schema.context import Info
from schema.enums import ConsentState
from schema.fields import field
from schema.scalars import FieldKey, PurposeKey

PAGE = 50

Of = Annotated[PurposeKey, strawberry.argument(description="The consent-based purpose that is looked at (所查的处理目的).")]


@strawberry.type(
    description="One member whose consent stands and does not cover all of the purpose as it is now (须重新取得同意)."
)
class StaleConsent:
    """From `model.StaleConsent`."""

    member_id: strawberry.ID = strawberry.field(description="The member (会员编号).")
    since: datetime = strawberry.field(description="Since when the consent stands (起始时间).")
    version: int = strawberry.field(description="The version of the purpose that it was given to (已同意的版本).")
    notice_version: str | None = strawberry.field(description="The notice that was shown then (当时的告知版本).")


@strawberry.type(description="How many members' consents are in one state (各状态人数).")
class StateCount:
    """One entry of `model.Overview.states`."""

    state: terms.ConsentState = strawberry.field(graphql_type=ConsentState, description="The state (状态).")
    members: int = strawberry.field(description="How many members (人数).")


@strawberry.type(description="How the consents to one purpose stand (同意概况), at this moment.")
class ConsentOverview:
    """From `model.Overview`."""

    states: list[StateCount] = strawberry.field(
        description="How many in each state; who was never asked is not among them (各状态人数)."
    )
    stale: int = strawberry.field(
        description="Of those that stand, how many were given to an older version (须重新取得同意的人数)."
    )


@strawberry.type(description="One contact by which a member is found (联系方式). Its value is not shown here.")
class Contact:
    """A field with the moment of its last proof."""

    field: FieldKey = strawberry.field(description="The field (字段).")
    verified_at: datetime | None = strawberry.field(
        description="When the member last proved that it is theirs (最近核验时间); null: never."
    )


@strawberry.type
class ConsentReviewQuery:
    """Reading over many members, and how a contact was proven."""

    @field("The next members, by id, whose consent to a purpose is stale (须重新取得同意的会员).")
    async def stale_consents(
        self,
        info: Info,
        of: Of,
        purpose: Purpose,
        first: Annotated[int | None, strawberry.argument(description="How many, 100 at most (每页数量).")] = PAGE,
        after: Annotated[
            strawberry.ID | None, strawberry.argument(description="The member after whom to go on (起始会员编号).")
        ] = None,
    ) -> list[StaleConsent] | None:
        """`ops.stale_consents`."""
        size = PAGE if first is None else first
        found = await info.context.ops.stale_consents(info.context.call, of=of, purpose=purpose, first=size, after=after)
        return [
            StaleConsent(
                member_id=strawberry.ID(one.member_id), since=one.since, version=one.scope, notice_version=one.notice_version
            )
            for one in found
        ]

    @field("How many consents to a purpose stand in which state (同意概况). It names nobody.")
    async def consent_overview(self, info: Info, of: Of) -> ConsentOverview | None:
        """`ops.consent_overview`."""
        found = await info.context.ops.consent_overview(info.context.call, of=of)
        counted = [StateCount(state=state, members=count) for state, count in sorted(found.states.items())]
        return ConsentOverview(states=counted, stale=found.stale)

    @field("By which contacts a member is found, and when each was last proven to be theirs (联系方式核验情况, PIPL 8).")
    async def contacts(
        self, info: Info, member_id: MemberOrMe = None, purpose: PurposeUnlessMe = None
    ) -> Sequence[Contact] | None:
        """`ops.contacts`."""
        found = await info.context.ops.contacts(info.context.call, member_id=member_id, purpose=purpose)
        return None if found is None else [Contact(field=FieldKey(key), verified_at=at) for key, at in found]
