"""What a mutation may answer instead of success: types that say what was missing, and what to do about it.

Each is a `Refusal`, so that a client which meets one that it does not know yet still has a code and words to show.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import strawberry

from policies import lint, terms
from schema.campaign_types import Objection
from schema.enums import WithheldReason
from schema.scalars import FieldKey, PurposeKey
from service.campaigns import model as campaigns
from service.consent import model as consent
from service.errors import outcome_code
from service.members import model as members
from service.minors import model as minors
from service.notices import model as notices
from service.personalisation import model as personalisation
from service.propagation import model as propagation
from service.subscriptions import model as subscriptions

_WORDS: Mapping[str, tuple[str, str]] = {
    "NOTICE_NOT_PRESENTED": ("Show the notice first; nothing was collected.", "请先展示个人信息处理规则；未收集任何信息。"),
    "NOTICE_STALE": (
        "The notice has been superseded; show the current one and ask again.",
        "所展示的告知版本已更新，请展示现行版本后重新征求同意。",
    ),
    "GUARDIAN_CONSENT_REQUIRED": ("Under 14, only a guardian can answer.", "未满十四周岁，须取得其父母或者其他监护人的同意。"),
    "SEPARATE_CONSENT_REQUIRED": ("Ask for this purpose alone, on a screen of its own.", "该目的需要单独同意，请单独征求。"),
    "PRETICKED": ("A box that was ticked beforehand proves no consent.", "预先勾选不构成同意。"),
    "PURPOSE_UNKNOWN": ("No such purpose is declared.", "未声明该处理目的。"),
    "NOT_CONSENT_BASED": ("This purpose does not stand on consent.", "该目的不以同意为依据。"),
    "DUPLICATE_DECISION": ("One purpose was answered twice.", "同一目的出现了两个答复。"),
    "EVIDENCE_INCOMPLETE": ("The evidence lacks a mandatory part.", "同意证据缺少必备内容。"),
    "NOT_IN_NOTICE": ("The notice in force does not tell of this purpose as it is now.", "现行告知未说明该目的的现行范围。"),
    "WORDS_UNKNOWN": ("The question that was shown is not the published one.", "所展示的问句与已发布的不符。"),
    "PROCESSING_RESTRICTED": ("This member's processing is restricted.", "已限制处理该会员的个人信息。"),
    "MEMBER_ACT_REQUIRED": (
        "Staff cannot say yes for a member: the member confirms on a device of their own (confirmConsents), once, within ten minutes.",
        "员工不得代会员作出同意：请会员在本人设备上确认（confirmConsents），十分钟内一次有效。",
    ),
    "NO_DECISION": ("There is no decision to record.", "没有可记录的决定。"),
    "CONSENT_NEEDED": (
        "Nothing is collected for it until the member has consented.",
        "会员尚未同意，不得收集。",
    ),
    "NOTHING_TO_WITHDRAW": ("This purpose does not stand on a consent that could be taken back.", "该目的没有可撤回的同意。"),
    "FIELD_NOT_IN_PURPOSE": (
        "The purpose does not cover these fields; nothing was stored.",
        "该目的不包含这些字段；未保存任何信息。",
    ),
    "FIELD_REJECTED": ("A value breaks its field's rule; nothing was stored.", "字段值不符合规则；未保存任何信息。"),
    "CONTACT_TAKEN": ("Another member holds this contact; nothing was stored.", "该联系方式已属于其他会员；未保存任何信息。"),
    "TAG_UNKNOWN": ("A tag is not in the vocabulary; nothing was stored.", "标签不在词表内；未保存任何信息。"),
    "PERSONALISATION_OFF": (
        "Nothing of this member may be used for automated decisions; nothing was stored.",
        "不得将该会员的信息用于自动化决策；未保存任何信息。",
    ),
    "PROPAGATION_NOT_FOUND": ("There is no such propagation.", "未找到该转达事项。"),
    "GUARDIAN_UNFIT": (
        "Only an adult member with a proven number or account can be a guardian.",
        "监护人须为已验证身份的成年会员。",
    ),
    "LINK_NOT_FOUND": ("There is no such guardian's link.", "未找到该监护关系。"),
    "NOT_A_MINOR": ("No approval is needed: this member is no minor.", "该会员并非未成年人，无需审批。"),
    "OWN_APPROVAL": ("Somebody else has to approve it.", "不得审批本人的申请。"),
    "STAFF_UNKNOWN": ("Name the account of a member of staff.", "请填写员工账号。"),
    "EXPIRY_OUT_OF_RANGE": ("An approval holds for 30 days at most.", "审批的有效期最长三十天。"),
    "REASON_REQUIRED": ("Say why, in a few words.", "请说明理由。"),
    "REASON_PERSONAL": (
        "The reason is too long or holds personal data; say it without.",
        "理由过长或含有个人信息，请改写。",
    ),
    "REQUEST_NOT_FOUND": ("There is no such request.", "未找到该请求。"),
    "REQUEST_DECIDED": ("It has been decided already.", "该请求已有答复。"),
    "NOTICE_UNKNOWN": ("No notice of this version is published.", "没有该版本的告知。"),
    "LANGUAGE_UNKNOWN": ("The notice does not exist in this language.", "该告知没有此语言的文本。"),
    "NOTICE_SUPERSEDED": ("A newer notice is in force; show that one.", "该告知已被取代，请展示现行版本。"),
    "EXPIRY_PAST": ("It would have ended already.", "到期时间已过。"),
    "EXPIRY_TOO_LATE": (
        "It would last too long: 30 days in an emergency, else a year.",
        "期限过长：紧急情况最长三十天，其他最长一年。",
    ),
    "EXEMPTION_UNKNOWN": ("There is no such exemption.", "未找到该豁免。"),
    "INFORM_MEMBERS_FIRST": ("Inform the members who were admitted under it first.", "请先告知据此入会的会员。"),
    "CAMPAIGN_NOT_FOUND": ("There is no such campaign.", "未找到该活动。"),
    "TEMPLATE_NOT_FOUND": ("There is no such version of a template.", "未找到该模板版本。"),
    "CHANNEL_UNKNOWN": ("No such channel is declared.", "未声明该渠道。"),
    "SENDER_UNREGISTERED": (
        "Nobody is registered to send this class over this channel for this brand.",
        "没有已报备的发送方可在该渠道为该品牌发送此类消息。",
    ),
    "VARIABLE_UNKNOWN": (
        "Declare each ${name} of the words once: a field, or sender, contact, opt_out. Nothing else is filled in.",
        "正文中的每个 ${变量} 须声明一次，且仅限字段或 sender、contact、opt_out。",
    ),
    "MESSAGE_CLASS_FIXED": ("A template keeps its class; make another one.", "模板的信息类别不可更改，请另建模板。"),
    "TOPIC_UNKNOWN": ("No such topic is declared.", "未声明该主题。"),
    "PURPOSE_UNFIT": (
        "The purpose does not carry this: commercial needs the channel's consent, service a contract, an incident the duty to tell.",
        "该目的不适用：营销须基于该渠道的同意，服务须基于合同，事件告知须基于法定义务。",
    ),
    "AUDIENCE_INVALID": ("The audience names what is not in the vocabulary, or bounds that fit nobody.", "受众规则有误。"),
    "WINDOW_INVALID": (
        "It ends before it begins, is over, or lasts more than a year.",
        "活动时间有误：不得倒置、已过或超过一年。",
    ),
    "REWARD_FOR_SUBSCRIBING": ("Nobody is rewarded for subscribing.", "不得以奖励诱导订阅。"),
    "CAMPAIGN_STATE": ("It does not stand where this could be done.", "活动的当前状态不允许此操作。"),
    "CAMPAIGN_CHANGED": ("It is not what you saw: read it again.", "活动内容已变更，请重新查看。"),
    "OWN_CAMPAIGN": ("Somebody else has to review it.", "不得复核本人起草的内容。"),
    "TEMPLATE_NONCOMPLIANT": ("The words break a rule; each objection says which.", "内容不合规，详见各条审查意见。"),
    "BRAND_UNKNOWN": ("There is no such brand.", "没有该品牌。"),
    "PROMISE_STALE": (
        "The screen told another frequency or period than the policy; show the current ones (subscriptionTopics).",
        "所展示的频次或期限与现行规则不符，请按 subscriptionTopics 重新展示。",
    ),
    "ADDRESS_MISSING": ("The member has no address on this channel.", "会员在该渠道没有联系方式。"),
    "CONFIRMATION_VOID": (
        "This confirmation has nothing to confirm any more: it was refused, asked for anew, or the address is another.",
        "该确认链接已失效：已退订、已重新申请或联系方式已变更。",
    ),
    "MEMBER_NOT_FOUND": ("There is no such member for you.", "未找到该会员，或您无权访问。"),
}
_OTHERWISE = ("This was refused; nothing was stored.", "请求被拒绝；未保存任何信息。")


@strawberry.interface(description="An expected refusal (预期内的拒绝): nothing was stored but the record of it.")
class Refusal:
    """What every refusal says."""

    code: str = strawberry.field(description="A stable code in capitals (稳定代码).")
    message: str = strawberry.field(description="What to do about it, in English (英文说明).")
    zh: str = strawberry.field(description="What to do about it, in Chinese (中文说明).")


@strawberry.type(description="The notice (告知) was not shown before: nothing may be collected (PIPL 17).")
class NoticeNotPresented(Refusal):
    """From `consent.NoticeNotPresented`."""

    current: str | None = strawberry.field(
        description="Version of the notice to show; null while none is in force (现行告知版本)."
    )


@strawberry.type(description="The notice that was shown has been superseded (告知版本已失效).")
class NoticeStale(Refusal):
    """From `consent.NoticeStale`."""

    presented: str | None = strawberry.field(description="The version that was shown (已展示的版本).")
    current: str | None = strawberry.field(description="The version to show (现行版本).")


@strawberry.type(description="The member is under 14: a guardian (监护人) must answer (PIPL 31).")
class GuardianConsentRequired(Refusal):
    """From `consent.GuardianConsentRequired`."""


@strawberry.type(description="The purpose must be asked alone on its screen: separate consent (单独同意, PIPL 23, 29, 39).")
class SeparateConsentRequired(Refusal):
    """From `consent.SeparateConsentRequired`."""

    purpose: PurposeKey | None = strawberry.field(description="The purpose to ask alone (须单独征求的目的).")


@strawberry.type(description="The answer proves no consent (该答复不构成有效同意); `code` says why.")
class ConsentRejected(Refusal):
    """From `consent.ConsentRejected`."""

    purpose: PurposeKey | None = strawberry.field(description="The purpose that it is about, where there is one (所涉目的).")


@strawberry.type(description="The purpose rests on consent, and none stands (需先取得同意): nothing was stored.")
class ConsentNeeded(Refusal):
    """From `consent.ConsentNeeded`."""

    purpose: PurposeKey | None = strawberry.field(description="The purpose to ask for (目的).")
    reason: terms.Reason = strawberry.field(graphql_type=WithheldReason, description="Why it does not stand (原因).")


@strawberry.type(description="There is no consent to take back (没有可撤回的同意).")
class NothingToWithdraw(Refusal):
    """From `consent.NothingToWithdraw`."""

    purpose: PurposeKey | None = strawberry.field(description="The declared purpose that was named (所涉目的).")


@strawberry.type(description="The purpose does not cover the fields (字段超出处理目的), so nothing was stored (PIPL 6).")
class FieldNotInPurpose(Refusal):
    """From `members.FieldNotInPurpose`."""

    purpose: PurposeKey | None = strawberry.field(description="The purpose (处理目的).")
    fields: list[FieldKey] = strawberry.field(description="The fields outside it (超出的字段).")


@strawberry.type(description="A value breaks its field's rule (字段值不符合规则). The value is not repeated.")
class FieldRejected(Refusal):
    """From `members.FieldRejected`."""

    field: FieldKey = strawberry.field(description="The field (字段).")
    rule: str = strawberry.field(description="The rule that it breaks (所违反的规则).")


@strawberry.type(description="Another member holds this contact (联系方式已被占用). The value is not repeated.")
class ContactTaken(Refusal):
    """From `members.ContactTaken`."""

    field: FieldKey = strawberry.field(description="The field (字段).")


@strawberry.type(description="No such member that this caller may know of (会员不存在或无权知悉).")
class MemberNotFound(Refusal):
    """From `members.MemberNotFound`."""


@strawberry.type(description="A tag is not in the vocabulary (标签不在词表内, ALG 10). The word is not repeated.")
class TagUnknown(Refusal):
    """From `personalisation.TagUnknown`."""

    position: int = strawberry.field(description="Its place in the list, from 1 (在列表中的位置).")


@strawberry.type(description="No machine may decide about this member (已关闭个性化或为未成年人): nothing was stored.")
class PersonalisationOff(Refusal):
    """From `personalisation.PersonalisationOff`."""

    purpose: PurposeKey | None = strawberry.field(description="The purpose that was stated (处理目的).")
    reason: terms.Reason = strawberry.field(graphql_type=WithheldReason, description="Why (原因).")


@strawberry.type(description="No such propagation (未找到该转达事项).")
class PropagationNotFound(Refusal):
    """From `propagation.PropagationNotFound`."""


@strawberry.type(description="Not like this (未成年人保护规则不允许); `code` says why.")
class MinorsRejected(Refusal):
    """From `minors.MinorsRejected`."""


@strawberry.type(description="This notice informs nobody (该告知无效); `code` says why.")
class NoticeRejected(Refusal):
    """From `notices.NoticeRejected`."""

    current: str | None = strawberry.field(description="The version to show (现行版本); null while none is in force.")


@strawberry.type(description="No leave was given (未批准豁免); `code` says why.")
class ExemptionRejected(Refusal):
    """From `notices.ExemptionRejected`."""


@strawberry.type(description="There is no such exemption (未找到该豁免).")
class ExemptionUnknown(Refusal):
    """From `notices.ExemptionUnknown`."""


@strawberry.type(description="Members were admitted under it and are not informed yet (须先告知会员, PIPL 18(2)).")
class InformMembersFirst(Refusal):
    """From `notices.InformMembersFirst`."""

    count: int = strawberry.field(description="How many (人数).")


@strawberry.type(description="The campaign or template stays as it is (活动或模板未予办理); `code` says why.")
class CampaignRejected(Refusal):
    """From `campaigns.CampaignRejected`."""


@strawberry.type(description="The words may not go out as they are (模板不合规).")
class TemplateNoncompliant(Refusal):
    """From `campaigns.TemplateNoncompliant`."""

    objections: Sequence[lint.Objection] = strawberry.field(
        graphql_type=list[Objection], description="What is wrong, and on which ground (审查意见)."
    )


@strawberry.type(description="No subscription came of it (未能订阅或退订); `code` says why.")
class SubscriptionRejected(Refusal):
    """From `subscriptions.SubscriptionRejected`."""


_TYPES: Mapping[type, type[Refusal]] = {
    campaigns.CampaignRejected: CampaignRejected,
    campaigns.TemplateNoncompliant: TemplateNoncompliant,
    notices.NoticeRejected: NoticeRejected,
    notices.ExemptionRejected: ExemptionRejected,
    notices.ExemptionUnknown: ExemptionUnknown,
    notices.InformMembersFirst: InformMembersFirst,
    minors.MinorsRejected: MinorsRejected,
    consent.NoticeNotPresented: NoticeNotPresented,
    consent.NoticeStale: NoticeStale,
    consent.GuardianConsentRequired: GuardianConsentRequired,
    consent.SeparateConsentRequired: SeparateConsentRequired,
    consent.ConsentRejected: ConsentRejected,
    consent.ConsentNeeded: ConsentNeeded,
    consent.NothingToWithdraw: NothingToWithdraw,
    members.FieldNotInPurpose: FieldNotInPurpose,
    members.FieldRejected: FieldRejected,
    members.ContactTaken: ContactTaken,
    members.MemberNotFound: MemberNotFound,
    propagation.PropagationNotFound: PropagationNotFound,
    subscriptions.SubscriptionRejected: SubscriptionRejected,
    personalisation.TagUnknown: TagUnknown,
    personalisation.PersonalisationOff: PersonalisationOff,
}


def refusal(outcome: Any) -> Refusal:  # noqa: ANN401 - any outcome dataclass of a feature
    """A feature's outcome as the contract's type. An empty text is null: the outcome has nothing to say there."""
    code = outcome_code(outcome)
    message, zh = _WORDS.get(code, _OTHERWISE)
    said: dict[str, Any] = {part.name: getattr(outcome, part.name) or None for part in dataclasses.fields(outcome)}
    return _TYPES[type(outcome)](**{**said, "code": code, "message": message, "zh": zh})
