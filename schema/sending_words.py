"""The words of sending: why not, what became of it, and how an engine reports it."""

from enum import Enum

import strawberry
from strawberry import enum_value as value

from service.gate import model


@strawberry.enum(description="Why a message may not go out (不得发送的原因), in the order of the rules. New ones may be added.")
class SendReason(Enum):
    """Names of `policies.marketing.SendReason`."""

    SUPPRESSED = value("SUPPRESSED", description="Somebody said no to this address. 该地址已退订或拒收。")
    ERASED = value("ERASED", description="There is no such member, or not any more. 会员不存在或已删除。")
    PROCESSING_RESTRICTED = value("PROCESSING_RESTRICTED", description="Processing is restricted. 该会员的处理已受限制。")
    GUARDIAN_CONSENT_REQUIRED = value("GUARDIAN_CONSENT_REQUIRED", description="A guardian must consent. 须监护人同意。")
    MINOR_ADM_MARKETING_FORBIDDEN = value(
        "MINOR_ADM_MARKETING_FORBIDDEN", description="No automated marketing to minors. 不得以自动化决策方式向未成年人营销。"
    )
    CONSENT_REQUIRED = value("CONSENT_REQUIRED", description="The member has not consented to this channel. 会员尚未同意。")
    SEPARATE_CONSENT_REQUIRED = value("SEPARATE_CONSENT_REQUIRED", description="A separate consent is needed. 需要单独同意。")
    CONSENT_WITHDRAWN = value("CONSENT_WITHDRAWN", description="The consent was taken back. 会员已撤回同意。")
    CONSENT_EXPIRED = value("CONSENT_EXPIRED", description="The consent has run out. 同意已过期。")
    NOTICE_STALE = value("NOTICE_STALE", description="The notice has changed; ask anew. 告知已变更，须重新取得同意。")
    NOT_SUBSCRIBED = value("NOT_SUBSCRIBED", description="The member does not take this topic of this brand here. 会员未订阅。")
    ADDRESS_MISSING = value("ADDRESS_MISSING", description="There is no address on this channel. 没有该渠道的联系方式。")
    ADDRESS_UNREACHABLE = value("ADDRESS_UNREACHABLE", description="A message bounced off it for good. 该地址无法送达。")
    QUOTA_EXHAUSTED = value("QUOTA_EXHAUSTED", description="WeChat: no acceptance is left. 订阅次数已用完。")
    PERSONALISATION_OFF = value(
        "PERSONALISATION_OFF", description="A machine would pick, and the member has not wished that. 会员未开启个性化。"
    )
    OUTSIDE_AUDIENCE = value("OUTSIDE_AUDIENCE", description="The campaign's rule does not cover them. 不在活动受众之内。")
    TEMPLATE_NONCOMPLIANT = value("TEMPLATE_NONCOMPLIANT", description="The words break a rule. 模板不合规。")
    CAMPAIGN_NOT_APPROVED = value(
        "CAMPAIGN_NOT_APPROVED", description="Nobody approved exactly this. 活动未经批准，或批准后有改动。"
    )
    CAMPAIGN_NOT_RUNNING = value("CAMPAIGN_NOT_RUNNING", description="Before its beginning or after its end. 不在活动期间。")
    ALREADY_SENT = value("ALREADY_SENT", description="This campaign has reached them, or is about to. 该活动已发送给此会员。")
    QUIET_HOURS = value("QUIET_HOURS", description="Not at this hour; put off, and decided anew then. 静默时段，顺延后重新判定。")
    FREQUENCY_CAP = value("FREQUENCY_CAP", description="Three in any seven days, over all channels. 已达频次上限。")
    PROMISED_FREQUENCY = value("PROMISED_FREQUENCY", description="As often as was promised this month. 已达承诺的每月条数。")


@strawberry.enum(description="What became of an allowed message (发送结果).")
class SendOutcome(Enum):
    """Names of `service.gate.model.Outcome`."""

    DISPATCHED = value("DISPATCHED", description="Handed to a sender of this service. 已交发送。")
    SENT = value("SENT", description="The vendor took it. 已发送。")
    FAILED = value("FAILED", description="It did not go out; the slot is free again. 发送失败，名额已释放。")
    BOUNCED = value("BOUNCED", description="The address does not take it. 退信。")
    COMPLAINED = value("COMPLAINED", description="The member complained; nothing more goes there. 被投诉，停止发送。")
    CANCELLED = value("CANCELLED", description="Something stood in the way when it was to go out. 发送前取消。")
    UNKNOWN = value("UNKNOWN", description="Nobody can say whether it went out; it counts. 结果不明，按已发送计。")


@strawberry.enum(description="What a sender can report (可回报的结果).")
class ReportedOutcome(Enum):
    """Some of `service.gate.model.Outcome`."""

    SENT = value("SENT", description="The vendor took it. 已发送。")
    FAILED = value("FAILED", description="It did not go out. 发送失败。")
    BOUNCED = value("BOUNCED", description="The address does not take it; 5.x.x for good, 4.x.x for now. 退信。")
    COMPLAINED = value("COMPLAINED", description="The member complained. 被投诉。")


@strawberry.input(description="What became of one message (发送结果回报).")
class OutcomeReport:
    """To `model.Report`."""

    send_id: strawberry.ID = strawberry.field(description="The decision's id (判定编号).")
    member_id: strawberry.ID = strawberry.field(description="The member's id (会员编号).")
    token: str = strawberry.field(description="The decision's token (发送许可).")
    outcome: ReportedOutcome = strawberry.field(description="What (结果).")
    code: str | None = strawberry.field(
        default=None, description="The vendor's code (服务商代码), 60 characters at most; no text."
    )
    reference: str | None = strawberry.field(default=None, description="The vendor's number of it (服务商流水号).")


def outcome_of(given: OutcomeReport) -> model.Report:
    """As the gate takes it."""
    return model.Report(
        given.send_id, given.member_id, given.token, model.Outcome(given.outcome.name), given.code or "", given.reference or ""
    )
