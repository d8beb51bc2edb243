"""What takes two persons (双人审批): one asks, another allows, and it is done once."""

import re
from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry
from strawberry import enum_value as value

from schema.context import Info
from schema.fields import field
from service.approvals import model
from service.errors import BadInput

PAGE = 50
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


@strawberry.enum(description="Where an approval stands (审批状态). A refusal is for good.")
class ApprovalDecision(Enum):
    """Names of `model.Decision`."""

    OPEN = value("OPEN", description="Nobody has answered yet. 待审批。")
    ALLOWED = value("ALLOWED", description="Another person allowed it. 已批准。")
    REFUSED = value("REFUSED", description="Another person refused it. 已拒绝。")


@strawberry.type(description="What one person asked for, and another allows or refuses (双人审批).")
class Approval:
    """From `model.Approval`."""

    id: strawberry.ID = strawberry.field(description="Its id, which stands in the record of every step (审批编号).")
    kind: str = strawberry.field(description="What kind of thing it is for (事项), such as bulk.read.")
    about: str = strawberry.field(description="SHA-256 of what exactly may be done, in hex (内容摘要).")
    what: str = strawberry.field(description="The same in words (内容); empty where only its digest was given.")
    reason: str = strawberry.field(description="Why it was asked for (理由).")
    asked_by: str = strawberry.field(description="Who asked (申请人账号).")
    asked_at: datetime = strawberry.field(description="When (申请时间).")
    decision: ApprovalDecision = strawberry.field(description="Where it stands (状态).")
    decided_by: str = strawberry.field(description="Who answered (审批人账号); empty: nobody.")
    decided_at: datetime | None = strawberry.field(description="When it was answered (审批时间).")
    until: datetime = strawberry.field(description="Until when it can be decided and used (有效期至).")
    used_at: datetime | None = strawberry.field(description="When it was used up (使用时间).")


@strawberry.type
class ApprovalQuery:
    """Looking at what waits."""

    @field("What waits for a second person (待审批事项), the oldest first; with `waiting: false` all that ever did.")
    async def approvals(
        self,
        info: Info,
        waiting: Annotated[bool | None, strawberry.argument(description="Only what waits for an answer (仅待审批).")] = True,
        first: Annotated[int | None, strawberry.argument(description="How many, up to 100 (条数).")] = PAGE,
        after: Annotated[
            strawberry.ID | None, strawberry.argument(description="Behind the one with this id (从此编号之后).")
        ] = None,
    ) -> list[Approval] | None:
        """`ops.approvals`."""
        found = await info.context.ops.approvals(
            info.context.call, waiting=waiting is not False, first=PAGE if first is None else first, after=after
        )
        return [shown(one) for one in found]


@strawberry.type
class ApprovalMutation:
    """Asking and deciding."""

    @field(
        "Ask another person to allow exactly one thing (申请审批). Give `what` in words, or `about` as a digest. No personal data."
    )
    async def ask_approval(  # noqa: PLR0917 - arguments of the contract, which GraphQL passes by name
        self,
        info: Info,
        kind: Annotated[str, strawberry.argument(description="What kind of thing it is for (事项).")],
        reason: Annotated[str, strawberry.argument(description="Why (理由), up to 200 characters; it is kept as it is.")],
        what: Annotated[str | None, strawberry.argument(description="What exactly, in words (内容).")] = None,
        about: Annotated[str | None, strawberry.argument(description="Its SHA-256 in hex (内容摘要).")] = None,
        hours: Annotated[
            int | None, strawberry.argument(description="For how long, up to 72 (有效小时数).")
        ] = model.DEFAULT_HOURS,
    ) -> Approval | None:
        """`ops.ask_approval`."""
        ops, lasting = info.context.ops, model.DEFAULT_HOURS if hours is None else hours
        asked = await ops.ask_approval(
            info.context.call, kind=kind, reason=reason, hours=lasting, about=_digest(about), what=what
        )
        return shown(asked)

    @field("Allow what somebody else asked for, or refuse it for good (审批). Nobody decides for themselves.")
    async def decide_approval(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The approval's id (审批编号).")],  # noqa: A002
        allow: Annotated[bool, strawberry.argument(description="Whether it is allowed (是否批准).")],
    ) -> Approval | None:
        """`ops.decide_approval`."""
        return shown(await info.context.ops.decide_approval(info.context.call, approval_id=id, allow=allow))


def shown(found: model.Approval) -> Approval:
    """The contract's type of one."""
    return Approval(
        id=strawberry.ID(found.approval_id),
        kind=found.kind,
        about=found.about.hex(),
        what=found.what,
        reason=found.reason,
        asked_by=found.asked_by,
        asked_at=found.asked_at,
        decision=ApprovalDecision[found.decision.name],
        decided_by=found.decided_by,
        decided_at=found.decided_at,
        until=found.until,
        used_at=found.used_at,
    )


def _digest(text: str | None) -> bytes | None:
    if text is not None and not _DIGEST.fullmatch(text):
        raise BadInput("about: 64 digits of hex", code="APPROVAL_INVALID")
    return None if text is None else bytes.fromhex(text)
