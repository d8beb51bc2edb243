"""Alarms (告警): what somebody has to see to now; and leave to read of more members than is usual."""

from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry
from strawberry import enum_value as value

from policies.bulk import BulkClass as Bulk
from schema.approvals import Approval, shown
from schema.context import Info
from schema.fields import field
from service.alarms import model, words
from service.approvals.model import DEFAULT_HOURS

PAGE = 50


@strawberry.enum(description="What has happened (告警类型). New ones may be added.")
class AlarmKind(Enum):
    """Names of `model.AlarmKind`."""

    BULK_READING = value("BULK_READING", description="Somebody read of more members in a day than is usual. 批量读取。")
    HONEY_MEMBER = value("HONEY_MEMBER", description="A member was read that nobody has reason to read. 读取诱饵会员。")
    DENIED_STREAK = value("DENIED_STREAK", description="One account was refused many times. 连续被拒绝。")
    UNSIGNED_TAIL = value("UNSIGNED_TAIL", description="The log has not been signed for long. 日志未签名。")
    WITNESS_UNREACHABLE = value("WITNESS_UNREACHABLE", description="A witness cannot be reached. 见证者无法连接。")
    WITNESS_REFUSED = value("WITNESS_REFUSED", description="A witness refused to cosign. 见证者拒绝会签。")
    LOG_BROKEN = value("LOG_BROKEN", description="The log does not fit its own record. 日志校验不符。")
    LOG_CLOSED = value(
        "LOG_CLOSED", description="A log lost entries for good and was closed; another goes on. 日志已终结，由后续日志接续。"
    )
    ANCHOR_FAILED = value("ANCHOR_FAILED", description="A deposit outside has failed. 外部存证失败。")
    DUTY_OVERDUE = value("DUTY_OVERDUE", description="A task of the law is past its day. 法定任务逾期。")


@strawberry.enum(description="Where an alarm stands (告警状态).")
class AlarmState(Enum):
    """Names of `model.AlarmState`."""

    OPEN = value("OPEN", description="Nobody sees to it yet; it is told again and again. 未处理。")
    SEEN = value("SEEN", description="Somebody sees to it. 处理中。")
    CLOSED = value("CLOSED", description="It is over. 已关闭。")


@strawberry.enum(description="How many members are many (批量档次), by what is read of them (法释〔2017〕10号 5).")
class BulkClass(Enum):
    """Names of `policies.bulk.BulkClass`."""

    PROPERTY = value("PROPERTY", description="Tracks, communications, credit, property: 50. 行踪轨迹、通信内容、征信、财产。")
    TRANSACTION = value(
        "TRANSACTION", description="Lodging, communication records, health, transactions: 500. 住宿、通信记录、健康生理、交易。"
    )
    OTHER = value("OTHER", description="Everything else: 5,000. 其他个人信息。")


@strawberry.type(description="Something that somebody has to see to (告警). It names no member.")
class Alarm:
    """From `model.Alarm`."""

    id: strawberry.ID = strawberry.field(description="Its id (编号).")
    kind: AlarmKind = strawberry.field(description="What has happened (类型).")
    about: str = strawberry.field(description="Whose or what: an account and a class, a witness (对象).")
    state: AlarmState = strawberry.field(description="Where it stands (状态).")
    count: int = strawberry.field(description="How often since the first time (次数).")
    first_at: datetime = strawberry.field(description="The first time (首次时间).")
    last_at: datetime = strawberry.field(description="The last time (最近时间).")
    told_at: datetime | None = strawberry.field(description="When somebody was last told (通知时间); null: nobody yet.")
    handled_by: str = strawberry.field(description="Who sees to it, or closed it (处理人账号).")
    handled_at: datetime | None = strawberry.field(description="Since when (处理时间).")
    note: str = strawberry.field(description="What came of it (处理结果).")
    advice: str = strawberry.field(description="What to do next, in 中文 and English (处理建议).")


@strawberry.type
class AlarmQuery:
    """Looking at them."""

    @field("What somebody has to see to (告警), the oldest first; with `live: false` also what is closed.")
    async def alarms(
        self,
        info: Info,
        live: Annotated[bool | None, strawberry.argument(description="Only what is not closed (仅未关闭).")] = True,
        first: Annotated[int | None, strawberry.argument(description="How many, up to 100 (条数).")] = PAGE,
        after: Annotated[
            strawberry.ID | None, strawberry.argument(description="Behind the one with this id (从此编号之后).")
        ] = None,
    ) -> list[Alarm] | None:
        """`ops.alarms`."""
        most = PAGE if first is None else first
        found = await info.context.ops.alarms(info.context.call, live=live is not False, first=most, after=after)
        return [_shown(one) for one in found]


AlarmRef = Annotated[strawberry.ID, strawberry.argument(description="The alarm's id (编号).")]


@strawberry.type
class AlarmMutation:
    """Seeing to them, and asking beforehand."""

    @field("Say that one sees to an alarm (确认告警): nobody else is told any more.")
    async def acknowledge_alarm(self, info: Info, id: AlarmRef) -> Alarm | None:  # noqa: A002
        """`ops.acknowledge_alarm`."""
        return _shown(await info.context.ops.acknowledge_alarm(info.context.call, alarm_id=id))

    @field("Close an alarm (关闭告警), saying what came of it. Nobody closes one about themselves.")
    async def close_alarm(
        self,
        info: Info,
        id: AlarmRef,  # noqa: A002
        note: Annotated[str, strawberry.argument(description="What came of it (处理结果). No personal data.")],
    ) -> Alarm | None:
        """`ops.close_alarm`."""
        return _shown(await info.context.ops.close_alarm(info.context.call, alarm_id=id, note=note))

    @field("Ask another person for leave to read of more members in 24 hours than the policy's count (申请批量读取).")
    async def ask_bulk_reading(
        self,
        info: Info,
        bulk: Annotated[BulkClass, strawberry.argument(description="What is read (档次).")],
        most: Annotated[int, strawberry.argument(description="Of how many members within 24 hours (人数).")],
        reason: Annotated[str, strawberry.argument(description="Why (理由), up to 200 characters; it is kept as it is.")],
        hours: Annotated[int | None, strawberry.argument(description="For how long, up to 72 (有效小时数).")] = DEFAULT_HOURS,
    ) -> Approval | None:
        """`ops.ask_bulk_reading`."""
        lasting = DEFAULT_HOURS if hours is None else hours
        return shown(
            await info.context.ops.ask_bulk_reading(
                info.context.call, bulk=Bulk[bulk.name], most=most, reason=reason, hours=lasting
            )
        )


def _shown(found: model.Alarm) -> Alarm:
    return Alarm(
        id=strawberry.ID(found.alarm_id),
        kind=AlarmKind[found.kind.name],
        about=found.about,
        state=AlarmState[found.state.name],
        count=found.count,
        first_at=found.first_at,
        last_at=found.last_at,
        told_at=found.told_at,
        handled_by=found.handled_by,
        handled_at=found.handled_at,
        note=found.note,
        advice=words.text(found),
    )
