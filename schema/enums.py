"""The enumerations of the contract, every value explained. A test holds the names to those of the policy and the ledger."""

from enum import Enum

import strawberry
from strawberry import enum_value as value


@strawberry.enum(description="Why a field is withheld (不予提供的原因). The names are stable; new ones may be added.")
class WithheldReason(Enum):
    """Names of `policies.terms.Reason`."""

    PURPOSE_UNKNOWN = value("PURPOSE_UNKNOWN", description="No such purpose is declared. 处理目的未经声明。")
    ROLE_NOT_ALLOWED = value(
        "ROLE_NOT_ALLOWED", description="This role, or this token, may not state the purpose. 角色无权使用该目的。"
    )
    FIELD_NOT_IN_PURPOSE = value("FIELD_NOT_IN_PURPOSE", description="The purpose does not cover the field. 该目的不包含此字段。")
    CONSENT_REQUIRED = value("CONSENT_REQUIRED", description="The member has not consented. 会员尚未同意。")
    CONSENT_WITHDRAWN = value("CONSENT_WITHDRAWN", description="The member has withdrawn the consent. 会员已撤回同意。")
    CONSENT_EXPIRED = value("CONSENT_EXPIRED", description="The consent has run out. 同意已过期。")
    NOTICE_STALE = value(
        "NOTICE_STALE", description="The notice has changed, so the consent must be asked anew. 告知内容已变更，须重新取得同意。"
    )
    SEPARATE_CONSENT_REQUIRED = value(
        "SEPARATE_CONSENT_REQUIRED", description="A separate consent (单独同意) is needed. 需要单独同意。"
    )
    GUARDIAN_CONSENT_REQUIRED = value(
        "GUARDIAN_CONSENT_REQUIRED", description="Under 14: a guardian must consent. 须监护人同意。"
    )
    MINOR_ADM_MARKETING_FORBIDDEN = value(
        "MINOR_ADM_MARKETING_FORBIDDEN",
        description="No automated marketing to a minor, whatever was consented. 不得以自动化决策方式向未成年人营销。",
    )
    PERSONALISATION_OFF = value(
        "PERSONALISATION_OFF", description="The member has switched personalisation off. 会员已关闭个性化。"
    )
    APPROVAL_REQUIRED = value("APPROVAL_REQUIRED", description="Staff need an approval for this. 员工须先取得审批。")
    PROCESSING_RESTRICTED = value(
        "PROCESSING_RESTRICTED", description="Processing is restricted for this member. 该会员的处理已受限制。"
    )
    ERASED = value("ERASED", description="The member has been erased. 会员信息已删除。")


@strawberry.enum(description="Where a consent stands (同意状态). Only GIVEN and RENEWED permit anything.")
class ConsentState(Enum):
    """Names of `policies.terms.ConsentState`."""

    NEVER_ASKED = value("NEVER_ASKED", description="Not asked yet. 尚未征求。")
    REQUESTED = value("REQUESTED", description="Asked, and not answered yet. 已征求，未答复。")
    DEFERRED = value("DEFERRED", description="Put off by the member. 会员暂缓决定。")
    REFUSED = value("REFUSED", description="The member said no. 会员拒绝。")
    GIVEN = value("GIVEN", description="The member said yes. 会员同意。")
    RENEWED = value("RENEWED", description="The member said yes again. 会员再次同意。")
    WITHDRAWN = value("WITHDRAWN", description="The member took the consent back. 会员撤回同意。")
    REVOKED = value("REVOKED", description="The consent was taken back on the member's behalf. 代会员撤回。")
    EXPIRED = value("EXPIRED", description="The consent has run out. 同意已过期。")
    INVALIDATED = value(
        "INVALIDATED", description="The consent lost its ground, as when somebody else proved the number. 同意已失去依据。"
    )
    UNKNOWN = value("UNKNOWN", description="A flag from an older system, with nothing to prove it. 历史标记，无法证明。")


@strawberry.enum(description="How a member says yes or no (同意的表示方式). An implied consent cannot be said here (PIPL 14).")
class Expression(Enum):
    """Names of `service.consent.model.Expression`."""

    TAP_UNTICKED_BOX = value("TAP_UNTICKED_BOX", description="The member ticked a box that was empty. 主动勾选未勾选的选项框。")
    BUTTON = value("BUTTON", description="The member pressed a button that said so. 点击明示按钮。")
    SIGNATURE = value("SIGNATURE", description="The member signed. 签名。")
    KEYWORD_REPLY = value("KEYWORD_REPLY", description="The member replied with a keyword. 回复关键词。")
    VOICE = value("VOICE", description="The member said so, and it was recorded. 语音确认。")


@strawberry.enum(description="What the box looked like before the member touched it (选项框的初始状态).")
class BoxState(Enum):
    """Names of `service.consent.model.BoxState`."""

    UNTICKED = value("UNTICKED", description="Empty. 未勾选。")
    TICKED = value("TICKED", description="Ticked beforehand: an answer given like this is refused. 预先勾选：此类答复将被拒绝。")
    NONE = value("NONE", description="There was no box. 没有选项框。")


@strawberry.enum(description="Where an answer was given (作出答复的渠道).")
class CaptureChannel(Enum):
    """Names of `service.consent.model.CaptureChannel`."""

    MINI_PROGRAM = value("MINI_PROGRAM", description="The WeChat mini-program. 微信小程序。")
    WEB = value("WEB", description="A web page. 网页。")
    STORE = value("STORE", description="In a shop. 门店。")
    SMS = value("SMS", description="By text message. 短信。")
    PHONE = value("PHONE", description="In a phone call. 电话。")
    IMPORT = value("IMPORT", description="Taken over from another system with its evidence. 由其他系统连同证据导入。")


@strawberry.enum(description="Where a tag came from (标签来源).")
class TagSource(Enum):
    """Names of `service.members.tags.model.Source`."""

    PURCHASES = value("PURCHASES", description="Derived from purchases. 由购买记录得出。")
    SURVEY = value("SURVEY", description="From what the member said. 会员自述。")
    STAFF = value("STAFF", description="Entered by the shop. 商家录入。")
    IMPORT = value("IMPORT", description="Taken over from another system. 由其他系统导入。")


@strawberry.enum(description="How far the recipients of a consent that has ended have been told (撤回转达进度).")
class Progress(Enum):
    """Names of `service.propagation.model.Progress`."""

    PROPAGATING = value("PROPAGATING", description="Not all of them have confirmed yet. 尚未全部确认。")
    DONE = value("DONE", description="All of them have confirmed. 已全部确认。")


@strawberry.enum(description="Where the telling of one recipient stands (转达状态).")
class PropagationState(Enum):
    """Names of `service.work.model.State`, as far as a telling gets into them."""

    WAITING = value("WAITING", description="Tried again and again until the recipient confirms. 待接收方确认，持续重试。")
    DONE = value("DONE", description="The recipient knows. 接收方已获知。")
    FAILED = value("FAILED", description="It cannot be told by machine: a person has to. 无法自动转达，须人工处理。")


@strawberry.enum(description="Who began to ask (征求同意的发起方).")
class Initiator(Enum):
    """Names of `service.consent.asks.Initiator`."""

    MEMBER = value("MEMBER", description="The member, by opening the page or asking for it. 会员主动发起。")
    SYSTEM = value("SYSTEM", description="Everything else: a screen that comes up by itself, a campaign. 系统发起。")


@strawberry.enum(description="Why a purpose is not asked for now (暂不征求的原因). The names are stable; new ones may be added.")
class NotAskedReason(Enum):
    """Names of `service.consent.asks.NotNow`."""

    PURPOSE_UNKNOWN = value("PURPOSE_UNKNOWN", description="No such purpose is declared. 处理目的未经声明。")
    NOT_CONSENT_BASED = value("NOT_CONSENT_BASED", description="The purpose does not stand on consent. 该目的不以同意为依据。")
    NOT_IN_NOTICE = value(
        "NOT_IN_NOTICE",
        description="The notice in force does not tell of the purpose as it is now. 现行告知未说明该目的的现行范围。",
    )
    ALREADY_GIVEN = value("ALREADY_GIVEN", description="The member's consent stands. 会员的同意仍然有效。")
    REASK_COOLDOWN = value(
        "REASK_COOLDOWN", description="A pause after a question, a refusal or a withdrawal. 征求、拒绝或撤回后的间隔期内。"
    )
    ASKED_ONCE = value("ASKED_ONCE", description="On this channel a question is put once and never again. 该渠道只可征求一次。")
    GUARDIAN_CONSENT_REQUIRED = value(
        "GUARDIAN_CONSENT_REQUIRED", description="Under 14: ask the guardian. 未满十四周岁，应向监护人征求。"
    )
    MINOR_ADM_MARKETING_FORBIDDEN = value(
        "MINOR_ADM_MARKETING_FORBIDDEN",
        description="No automated marketing to a minor, so there is nothing to ask. 不得以自动化决策方式向未成年人营销。",
    )
    PROCESSING_RESTRICTED = value("PROCESSING_RESTRICTED", description="Processing is restricted. 该会员的处理已受限制。")


@strawberry.enum(description="How somebody proved that a contact is theirs (联系方式的核验方式).")
class ContactMethod(Enum):
    """Names of `service.consent.contacts.ContactMethod`."""

    SMS_CODE = value("SMS_CODE", description="A code that was sent to the number. 短信验证码。")
    WECHAT_PHONE_CODE = value("WECHAT_PHONE_CODE", description="The phone number that WeChat vouches for. 微信手机号验证组件。")


@strawberry.enum(description="What may be done with a member at all (会员状态).")
class MemberStatus(Enum):
    """Names of `policies.terms.MemberStatus`."""

    ACTIVE = value("ACTIVE", description="As purposes and consents allow. 正常。")
    GUARDIAN_PENDING = value(
        "GUARDIAN_PENDING", description="Under 14, waiting for a guardian's consent. 未满十四周岁，待监护人同意。"
    )
    RESTRICTED = value("RESTRICTED", description="Processing is restricted. 已限制处理。")
    ERASED = value("ERASED", description="Erased. 已删除。")


@strawberry.enum(description="The legal basis of a purpose (处理个人信息的法律依据): the seven of PIPL 13, and no other.")
class LegalBasis(Enum):
    """Names of `policies.terms.Basis`."""

    CONSENT = value("CONSENT", description="The individual's consent. 取得个人同意。")
    CONTRACT = value("CONTRACT", description="Needed for a contract with the individual. 订立、履行合同所必需。")
    LEGAL_DUTY = value("LEGAL_DUTY", description="Needed for a legal duty. 履行法定职责或者法定义务所必需。")
    EMERGENCY = value("EMERGENCY", description="A public-health event or an emergency. 应对突发公共卫生事件或紧急情况。")
    NEWS = value("NEWS", description="News reporting in the public interest. 为公共利益实施新闻报道。")
    PUBLIC_INFORMATION = value("PUBLIC_INFORMATION", description="Information that is lawfully public. 已合法公开的个人信息。")
    OTHER_LAW = value("OTHER_LAW", description="Another law or regulation. 法律、行政法规规定的其他情形。")


@strawberry.enum(description="Whose wish a purpose serves (目的类别).")
class PurposeClass(Enum):
    """Names of `policies.terms.PurposeClass`."""

    SERVICE = value("SERVICE", description="What the member asked for. 会员要求的服务。")
    COMMERCIAL = value("COMMERCIAL", description="What the retailer wants; it stands on consent alone. 商业性目的，仅基于同意。")


@strawberry.enum(description="How sensitive a field is (敏感程度), in the sense of PIPL 28.")
class Sensitivity(Enum):
    """Names of `policies.terms.Sensitivity`."""

    GENERAL = value("GENERAL", description="General personal information. 一般个人信息。")
    SENSITIVE = value("SENSITIVE", description="Sensitive personal information. 敏感个人信息。")


@strawberry.enum(description="How a field leaves (呈现方式).")
class Shape(Enum):
    """Values of `policies.terms.Shape`."""

    PLAIN = value("plain", description="Whole. 完整。")
    MASKED = value("masked", description="Masked. 脱敏。")


@strawberry.enum(description="What a recipient of personal information is (接收方的身份).")
class RecipientRole(Enum):
    """Names of `policies.terms.RecipientRole`."""

    ENTRUSTED = value("ENTRUSTED", description="Acts on the controller's instructions alone. 受托人。")
    JOINT = value("JOINT", description="Decides together with the controller. 共同处理者。")
    OTHER_PROCESSOR = value("OTHER_PROCESSOR", description="Decides for itself. 其他个人信息处理者。")
    OVERSEAS = value("OVERSEAS", description="Receives the data abroad. 境外接收方。")
    OVERSIGHT = value(
        "OVERSIGHT",
        description="An authority or an auditor: gets records, for no purpose of ours. 监督方：主管部门、合规审计机构。",
    )


@strawberry.enum(description="Where it stands whether somebody is a child's guardian (监护关系状态).")
class GuardianLinkState(Enum):
    """Names of `service.minors.model.LinkState`."""

    PENDING = value("PENDING", description="Said, and not verified yet: it opens nothing. 已提出，待核验。")
    VERIFIED = value("VERIFIED", description="Verified: the guardian may act for the child. 已核验。")
    ENDED = value("ENDED", description="Over. 已终止。")


@strawberry.enum(description="How it was found out that somebody is a child's guardian (监护关系核验方式).")
class GuardianMethod(Enum):
    """Names of `service.minors.model.Method`."""

    MOBILE_CODE = value("MOBILE_CODE", description="A code sent to the guardian's own number. 监护人手机验证码。")
    REAL_NAME = value("REAL_NAME", description="The platform's real-name check. 平台实名核验。")
    DOCUMENT = value("DOCUMENT", description="A document was looked at and not kept. 查验证件（不留存）。")
    IN_STORE = value("IN_STORE", description="In a shop, in person. 门店当面核验。")


@strawberry.enum(description="What a guardian may ask for (监护人可提出的请求), 未成年人网络保护条例 34.")
class GuardianRequestKind(Enum):
    """Names of `service.minors.model.RequestKind`."""

    VIEW = value("VIEW", description="To see the data. 查阅。")
    COPY = value("COPY", description="A copy. 复制。")
    CORRECT = value("CORRECT", description="To have something corrected. 更正。")
    SUPPLEMENT = value("SUPPLEMENT", description="To have something added. 补充。")
    DELETE = value("DELETE", description="To have everything erased. 删除。")


@strawberry.enum(description="What became of a guardian's request (监护人请求的状态).")
class GuardianRequestState(Enum):
    """Names of `service.minors.model.RequestState`."""

    OPEN = value("OPEN", description="Waits for an answer. 待答复。")
    ACCEPTED = value("ACCEPTED", description="Accepted. 已准予。")
    REFUSED = value("REFUSED", description="Refused, with a reason. 已拒绝并说明理由。")


@strawberry.enum(description="Where a subscription stands (订阅状态). Only SUBSCRIBED allows anything.")
class SubscriptionState(Enum):
    """Names of `service.subscriptions.model.SubscriptionState`."""

    PENDING = value("PENDING", description="Asked for; the address has yet to confirm it. 待确认。")
    SUBSCRIBED = value("SUBSCRIBED", description="Wanted. 已订阅。")
    UNSUBSCRIBED = value("UNSUBSCRIBED", description="Refused, or ended. 已退订。")


@strawberry.enum(description="Whether anything commercial may go to an address (拒收状态).")
class SuppressionState(Enum):
    """Names of `service.suppression.model.SuppressionState`."""

    SUPPRESSED = value("SUPPRESSED", description="Nothing may. 拒收。")
    LIFTED = value("LIFTED", description="Its verified owner has said yes since. 已由本人解除。")


@strawberry.enum(description="Why nothing commercial may go to an address (拒收原因).")
class SuppressionCause(Enum):
    """Names of `service.suppression.model.Cause`."""

    UNSUBSCRIBED = value("UNSUBSCRIBED", description="Somebody there said no. 退订。")
    COMPLAINED = value("COMPLAINED", description="Somebody there complained. 投诉。")
    BOUNCED = value("BOUNCED", description="There is no such address. 地址无效。")
    ERASED = value("ERASED", description="Its owner was a member and has left. 会员已注销。")


@strawberry.enum(description="What wx.requestSubscribeMessage said of a template (微信订阅消息授权结果).")
class DialogAnswer(Enum):
    """Names of `service.subscriptions.reports.DialogAnswer`."""

    ACCEPT = value("ACCEPT", description="One message is allowed. 同意一次。")
    REJECT = value("REJECT", description="The member said no. 拒绝。")
    BAN = value("BAN", description="WeChat has banned the template. 模板已被封禁。")
    FILTER = value("FILTER", description="WeChat left it out: another has the same title. 因标题重复被过滤。")


@strawberry.enum(description="What became of WeChat's privacy dialog (微信隐私授权弹窗结果).")
class PrivacyEvent(Enum):
    """Names of `service.subscriptions.reports.PrivacyEvent`."""

    EXPOSED = value("EXPOSED", description="It was shown. 已展示。")
    AGREE = value("AGREE", description="The member agreed to WeChat's guideline. 同意。")
    DISAGREE = value("DISAGREE", description="The member did not. 不同意。")
