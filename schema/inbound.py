"""What came in from outside and no rule understood, for the staff who read it; and complaints that were made elsewhere."""

from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry
from strawberry import enum_value as value

from schema.context import Info
from schema.fields import field
from schema.outcomes import ComplaintRejected, InboundNotFound, Refusal, refusal
from service.inbound import model

PAGE = 50
"""How many are shown where nobody says how many."""


@strawberry.enum(description="What came in (来信种类).")
class InboundKind(Enum):
    """Names of `service.inbound.model.InboundKind`."""

    SMS_REPLY = value("SMS_REPLY", description="A text that somebody sent back. 短信上行回复。")
    WECHAT_SUBSCRIPTION = value("WECHAT_SUBSCRIPTION", description="Templates accepted or refused. 订阅消息授权变化。")
    WECHAT_REVOCATION = value("WECHAT_REVOCATION", description="An authorisation was taken back. 用户撤回授权信息。")
    WECHAT_CANCELLATION = value("WECHAT_CANCELLATION", description="The account is gone: a wish to be erased. 用户完成注销。")
    WECHAT_CHANGE = value("WECHAT_CHANGE", description="What WeChat tells of somebody has changed. 用户资料变更。")
    WECHAT_OTHER = value("WECHAT_OTHER", description="Another message of WeChat's. 微信其他消息。")
    MAIL_BOUNCE = value("MAIL_BOUNCE", description="A mail came back. 邮件退回。")
    MAIL_COMPLAINT = value("MAIL_COMPLAINT", description="A mail was reported as abuse. 邮件被举报。")
    TYPED_ADDRESS = value(
        "TYPED_ADDRESS",
        description="An address typed where a link had run out: confirm with its owner, then unsubscribe. 填写地址退订，待核实。",
    )
    COMPLAINT = value("COMPLAINT", description="A complaint that was made elsewhere. 其他渠道的投诉。")


@strawberry.enum(description="What staff do with what came in (处理方式).")
class HandleAction(Enum):
    """Names of `service.inbound.model.HandleAction`."""

    UNSUBSCRIBE = value("UNSUBSCRIBE", description="It was a no: the channel is off at once. 属于退订，立即停止发送。")
    CLOSE = value("CLOSE", description="Nothing is to be done. 无需处理。")


@strawberry.type(description="Something from outside that a person has to read (待处理的来信).")
class InboundReply:
    """From `model.InboundShown`."""

    id: strawberry.ID = strawberry.field(description="Its id (编号).")
    kind: InboundKind = strawberry.field(description="What it is (种类).")
    member_id: strawberry.ID | None = strawberry.field(description="Whose it is (会员编号).")
    text: str | None = strawberry.field(
        description="What was written (内容); null where nothing was, or once the member is erased."
    )
    received_at: datetime = strawberry.field(description="When it came in (收到时间).")


@strawberry.type(description="It is over (已处理).")
class InboundHandled:
    """From `model.InboundHandled`."""

    id: strawberry.ID = strawberry.field(description="Its id (编号).")
    unsubscribed: bool = strawberry.field(description="Whether it ended in a no (是否退订).")


@strawberry.type(description="Suppressed at once, with what an investigation needs (投诉已登记，已停止发送).")
class ComplaintRecorded:
    """From `model.ComplaintRecorded`."""

    id: strawberry.ID = strawberry.field(description="The complaint's id (编号).")
    member_id: strawberry.ID | None = strawberry.field(description="Whose address it is (会员编号); null for nobody's.")
    sends: list[strawberry.ID] = strawberry.field(description="The newest decisions to send, by id (发送决定).")
    consents: list[strawberry.ID] = strawberry.field(description="The newest consent events, by id (同意记录).")
    subscriptions: list[strawberry.ID] = strawberry.field(description="The newest subscription events, by id (订阅记录).")


HandleInboundResult = Annotated[
    InboundHandled | InboundNotFound,
    strawberry.union("HandleInboundResult", description="The end of it, or why there is none (处理结果)."),
]
RecordComplaintResult = Annotated[
    ComplaintRecorded | ComplaintRejected,
    strawberry.union("RecordComplaintResult", description="What was recorded, or why nothing was (登记结果)."),
]


@strawberry.type
class InboundQuery:
    """Reading what came in."""

    @field("What came in and waits for somebody who can read (待处理的来信), the oldest first.", shows=list[InboundReply] | None)
    async def inbound_replies(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="How many, up to 100 (条数).")] = PAGE,
        after: Annotated[
            strawberry.ID | None, strawberry.argument(description="Behind the one with this id (从此编号之后).")
        ] = None,
    ) -> list[InboundReply]:
        """`ops.inbound_replies`."""
        size = PAGE if first is None else first
        found = await info.context.ops.inbound_replies(info.context.call, first=size, after=after)
        return [_shown(each) for each in found]


@strawberry.type
class InboundMutation:
    """What staff do about it."""

    @field("Say what becomes of something that came in (处理来信). Twice is answered as once.", shows=HandleInboundResult | None)
    async def handle_inbound(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Its id (编号).")],  # noqa: A002
        action: Annotated[HandleAction, strawberry.argument(description="What is done (处理方式).")],
    ) -> InboundHandled | Refusal | None:
        """`ops.handle_inbound`."""
        chosen = model.HandleAction[action.name]
        outcome = await info.context.ops.handle_inbound(info.context.call, inbound_id=id, action=chosen)
        if isinstance(outcome, model.InboundHandled):
            left = outcome.outcome is model.InboundOutcome.UNSUBSCRIBED
            return InboundHandled(id=strawberry.ID(outcome.inbound_id), unsubscribed=left)
        return refusal(outcome)

    @field(
        "Take down a complaint about a message (登记投诉, e.g. 12321): the channel is off for them before anybody looks into it.",
        shows=RecordComplaintResult | None,
    )
    async def record_complaint(
        self,
        info: Info,
        channel: Annotated[str, strawberry.argument(description="The channel's key in the policy (渠道).")],
        reference: Annotated[
            str, strawberry.argument(description="What names the complaint where it was made (投诉编号); taken down once.")
        ],
        member_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="The member who complains (会员编号).")
        ] = None,
        address: Annotated[
            str | None, strawberry.argument(description="Instead of the member, the address that was written to (地址).")
        ] = None,
    ) -> ComplaintRecorded | Refusal | None:
        """`ops.record_complaint`."""
        outcome = await info.context.ops.record_complaint(
            info.context.call, channel=channel, member_id=member_id, address=address, reference=reference
        )
        return _recorded(outcome) if isinstance(outcome, model.ComplaintRecorded) else refusal(outcome)


def _shown(found: model.InboundShown) -> InboundReply:
    return InboundReply(
        id=strawberry.ID(found.inbound_id),
        kind=InboundKind[found.kind.name],
        member_id=strawberry.ID(found.member_id) if found.member_id else None,
        text=found.text,
        received_at=found.received_at,
    )


def _recorded(found: model.ComplaintRecorded) -> ComplaintRecorded:
    return ComplaintRecorded(
        id=strawberry.ID(found.inbound_id),
        member_id=strawberry.ID(found.member_id) if found.member_id else None,
        sends=[strawberry.ID(each) for each in found.sends],
        consents=[strawberry.ID(each) for each in found.consents],
        subscriptions=[strawberry.ID(each) for each in found.subscriptions],
    )
