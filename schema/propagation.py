"""Recipients that are being told of the end of a consent: for whoever must see to it that they know."""

from datetime import datetime
from typing import Annotated

import strawberry

from schema.arguments import MemberRef, Purpose
from schema.context import Info
from schema.enums import PropagationState
from schema.fields import field
from schema.outcomes import PropagationNotFound, Refusal, refusal
from schema.scalars import PurposeKey
from service.propagation import model
from service.work.model import State

PAGE = 50
"""How many are shown where nobody says how many."""


@strawberry.type(description="One recipient (接收方) that is told, for one member, that a consent has ended (PIPL 21, 47).")
class Propagation:
    """From `model.Propagation`."""

    id: strawberry.ID = strawberry.field(description="Its id, which the recipient has as `webhook-id` (编号).")
    member_id: strawberry.ID = strawberry.field(description="The member (会员编号).")
    purpose: PurposeKey = strawberry.field(description="The purpose whose consent has ended (处理目的).")
    recipient: str = strawberry.field(description="The recipient's key in the policy (接收方).")
    state: PropagationState = strawberry.field(description="Where it stands (状态).")
    since: datetime = strawberry.field(description="Since when the recipient is to be told (起始时间).")
    attempts: int = strawberry.field(description="How often it was tried (尝试次数).")
    outcome: str | None = strawberry.field(description="What came of the last try, as a code (最近结果); null before the first.")
    ended_at: datetime | None = strawberry.field(description="When it was over (结束时间).")
    overdue: bool = strawberry.field(
        description="Whether somebody must look: not confirmed within the policy's hours, or impossible by machine (是否超时)."
    )


@strawberry.type(description="The recipient knows: a person says so (已确认).")
class PropagationAcknowledged:
    """From `model.PropagationAcknowledged`."""

    propagation: Propagation = strawberry.field(description="Where it stands now (转达事项).")


AcknowledgePropagationResult = Annotated[
    PropagationAcknowledged | PropagationNotFound,
    strawberry.union("AcknowledgePropagationResult", description="The propagation's end, or why there is none (确认结果)."),
]


@strawberry.type
class PropagationQuery:
    """Looking after the tellings."""

    @field(
        "Which recipients have yet to confirm that they know of the end of a consent, or have (撤回转达), the oldest first.",
        shows=list[Propagation] | None,
    )
    async def propagations(  # noqa: PLR0917 - arguments of the contract, which GraphQL passes by name
        self,
        info: Info,
        purpose: Purpose,
        state: Annotated[
            PropagationState | None, strawberry.argument(description="In which state (状态).")
        ] = PropagationState.WAITING,
        overdue: Annotated[bool | None, strawberry.argument(description="Only those past the policy's hours (仅超时).")] = False,
        first: Annotated[int | None, strawberry.argument(description="How many, up to 100 (条数).")] = PAGE,
        after: Annotated[
            strawberry.ID | None, strawberry.argument(description="Behind the one with this id (从此编号之后).")
        ] = None,
    ) -> list[Propagation]:
        """`ops.propagations`."""
        found = await info.context.ops.propagations(
            info.context.call,
            purpose=purpose,
            state=State[state.name] if state else State.WAITING,
            overdue=bool(overdue),
            first=PAGE if first is None else first,
            after=after,
        )
        return [_shown(propagation) for propagation in found]


@strawberry.type
class PropagationMutation:
    """A person's word."""

    @field(
        "Say that a recipient knows, told by other means (确认接收方已获知). Tries to tell it end with that.",
        shows=AcknowledgePropagationResult | None,
    )
    async def acknowledge_propagation(
        self,
        info: Info,
        member_id: MemberRef,
        id: Annotated[strawberry.ID, strawberry.argument(description="The propagation's id (编号).")],  # noqa: A002
    ) -> PropagationAcknowledged | Refusal | None:
        """`ops.acknowledge_propagation`."""
        outcome = await info.context.ops.acknowledge_propagation(info.context.call, member_id=member_id, job_id=id)
        if isinstance(outcome, model.PropagationAcknowledged):
            return PropagationAcknowledged(propagation=_shown(outcome.propagation))
        return refusal(outcome)


def _shown(found: model.Propagation) -> Propagation:
    job = found.job
    return Propagation(
        id=strawberry.ID(job.job_id),
        member_id=strawberry.ID(job.member_id),
        purpose=PurposeKey(job.purpose),
        recipient=job.recipient,
        state=PropagationState[job.state.name],
        since=job.created_at,
        attempts=job.attempts,
        outcome=job.outcome or None,
        ended_at=job.ended_at,
        overdue=found.overdue,
    )
