"""Senders (发送执行): have live decisions sent, see what needs a person, see what was handed over."""

from datetime import datetime
from typing import Annotated

import strawberry

from schema.arguments import MemberRef, Purpose
from schema.campaigns import CampaignRef
from schema.context import Info
from schema.fields import field
from schema.outcomes import CampaignRejected, Refusal, refusal
from schema.scalars import PurposeKey
from schema.sending import SendBecame, SendRef
from service.senders import model

PAGE = 50
"""How many are shown where nobody says how many."""


@strawberry.input(description="One decision to carry out (发送指令), while its token lives.")
class SendOrder:
    """Becomes a `model.Ordered`."""

    member_id: strawberry.ID = strawberry.field(description="The member (会员编号).")
    send_id: strawberry.ID = strawberry.field(description="The decision (判定编号).")
    token: str = strawberry.field(description="The decision's token (发送许可).")


@strawberry.type(description="What became of one order (发送指令受理结果).")
class QueuedSend:
    """From `model.Queued`."""

    send_id: strawberry.ID = strawberry.field(description="The decision (判定编号).")
    queued: bool = strawberry.field(description="Whether it will be sent, if every rule still allows it then (是否受理).")
    code: str | None = strawberry.field(description="Why not (代码); null where it will.")


@strawberry.type(description="One answer for each order, in their order (发送指令受理结果列表).")
class SendsQueued:
    """From `model.SendsQueued`."""

    results: list[QueuedSend] = strawberry.field(description="The answers (逐条结果).")


QueueSendsResult = Annotated[
    SendsQueued | CampaignRejected,
    strawberry.union("QueueSendsResult", description="The answers, or why there are none (受理结果)."),
]


@strawberry.type(description="A message that no machine tries again (需人工处理的发送): refused, or nobody knows if it went out.")
class FailedSend:
    """From `model.FailedRow`."""

    id: strawberry.ID = strawberry.field(description="The decision (判定编号).")
    member_id: strawberry.ID = strawberry.field(description="The member (会员编号).")
    campaign_id: strawberry.ID = strawberry.field(description="The campaign (活动编号).")
    purpose: PurposeKey = strawberry.field(description="The purpose (处理目的).")
    sender: str = strawberry.field(description="The registered sender (发送方).")
    code: str = strawberry.field(
        description="Why (原因代码). OUTCOME_UNKNOWN, TIMEOUT, BROKEN_OFF: it may have gone out, and is not sent again."
    )
    attempts: int = strawberry.field(description="How often it was tried (尝试次数).")
    since: datetime = strawberry.field(description="When it was queued (受理时间).")
    ended_at: datetime | None = strawberry.field(description="When it was given up (终止时间).")


@strawberry.type(
    description="One time that a message was handed to a vendor (提交记录, SMS-06). Digests, no address and no words."
)
class HandedOver:
    """From `model.Record`."""

    handed_at: datetime = strawberry.field(description="When (提交时间).")
    sender: str = strawberry.field(description="The registered sender (发送方).")
    code: str = strawberry.field(description="The code, mailbox or app that it came from (端口号、发件地址).")
    address_mark: str = strawberry.field(description="A keyed digest of where it went, in hex (接收地址的密钥摘要).")
    content_digest: str = strawberry.field(description="SHA-256 of the words as they were seen, in hex (内容摘要).")
    template_id: strawberry.ID = strawberry.field(description="The template (模板编号).")
    template_version: int = strawberry.field(description="Its version (模板版本).")


@strawberry.type(description="What was handed over, and what came of it (发送记录).")
class SendRecord:
    """From `model.SendRecord`."""

    handed: list[HandedOver] = strawberry.field(description="Each time that it was handed over (提交记录).")
    outcomes: list[SendBecame] = strawberry.field(description="What came of it, step by step (结果).")


Orders = Annotated[list[SendOrder], strawberry.argument(description="Up to 1,000 decisions (发送指令).")]
First = Annotated[int | None, strawberry.argument(description="How many, up to 100 (条数).")]
After = Annotated[strawberry.ID | None, strawberry.argument(description="Behind the one with this id (从此编号之后).")]


@strawberry.type
class SendersQuery:
    """Looking after what is sent."""

    @field("What no machine tries again (需人工处理的发送), the oldest first.", shows=list[FailedSend] | None)
    async def failed_sends(self, info: Info, purpose: Purpose, first: First = PAGE, after: After = None) -> list[FailedSend]:
        """`ops.failed_sends`."""
        found = await info.context.ops.failed_sends(
            info.context.call, purpose=purpose, first=PAGE if first is None else first, after=after
        )
        return [_failed(one) for one in found]

    @field("What was handed to a vendor for one decision (发送记录, 短信息服务管理规定). null where nothing was.")
    async def send_record(self, info: Info, member_id: MemberRef, send_id: SendRef, purpose: Purpose) -> SendRecord | None:
        """`ops.send_record`."""
        found = await info.context.ops.send_record(info.context.call, member_id=member_id, send_id=send_id, purpose=purpose)
        return _record(found) if found is not None else None


@strawberry.type
class SendersMutation:
    """Having decisions carried out."""

    @field(
        "Have these decisions carried out (提交发送). Each is decided anew just before it goes out; told twice, it is one message.",
        shows=QueueSendsResult | None,
    )
    async def queue_sends(self, info: Info, campaign_id: CampaignRef, sends: Orders) -> SendsQueued | Refusal | None:
        """`ops.queue_sends`."""
        orders = [model.Ordered(member_id=one.member_id, send_id=one.send_id, token=one.token) for one in sends]
        outcome = await info.context.ops.queue_sends(info.context.call, campaign_id=campaign_id, sends=orders)
        if not isinstance(outcome, model.SendsQueued):
            return refusal(outcome)
        return SendsQueued(
            results=[
                QueuedSend(send_id=strawberry.ID(one.send_id), queued=one.queued, code=one.code or None)
                for one in outcome.results
            ]
        )


def _failed(found: model.FailedRow) -> FailedSend:
    job = found.job
    return FailedSend(
        id=strawberry.ID(job.job_id),
        member_id=strawberry.ID(job.member_id),
        campaign_id=strawberry.ID(job.event_id),
        purpose=PurposeKey(job.purpose),
        sender=job.recipient,
        code=job.outcome,
        attempts=job.attempts,
        since=job.created_at,
        ended_at=job.ended_at,
    )


def _record(found: model.SendRecord) -> SendRecord:
    handed = [
        HandedOver(
            handed_at=one.handed_at,
            sender=one.sender,
            code=one.code,
            address_mark=one.address_mark.hex(),
            content_digest=one.content_digest.hex(),
            template_id=strawberry.ID(one.template_id),
            template_version=one.template_version,
        )
        for one in found.records
    ]
    outcomes = [SendBecame(outcome=one.outcome, code=one.code or None, recorded_at=one.recorded_at) for one in found.outcomes]
    return SendRecord(handed=handed, outcomes=outcomes)
