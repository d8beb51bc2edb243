"""Why something was refused, in plain words for the member whom it is about: every code that an entry can hold. Pure.

Whoever reads their own record has no page of codes beside it. So codes that are one thing to a member have one sentence; what went wrong
inside is told as just that.
"""

from policies.naming import Title

OTHERWISE = Title("其他原因", "another reason")
"""For a code of a release that is not this one."""

_SAID = {
    Title(
        "您尚未同意", "you have not consented"
    ): "CONSENT_REQUIRED CONSENT_NEEDED NOT_PERMITTED FIELD_NOT_CONSENTED CONSENT_TOO_LATE",
    Title("您已撤回同意", "you have taken your consent back"): "CONSENT_WITHDRAWN CONSENT_SUPERSEDED",
    Title("您的同意已过期", "your consent has run out"): "CONSENT_EXPIRED",
    Title("须取得您的单独同意", "it needs a separate consent of yours"): "SEPARATE_CONSENT_REQUIRED",
    Title(
        "告知内容已变更，须重新取得您的同意", "the notice has changed, so you have to be asked anew"
    ): "NOTICE_STALE NOT_IN_NOTICE PROMISE_STALE",
    Title("未满十四周岁，须监护人同意", "under 14, a guardian has to consent"): "GUARDIAN_CONSENT_REQUIRED",
    Title("不得通过自动化决策方式向未成年人营销", "there is no automated marketing to minors"): "MINOR_ADM_MARKETING_FORBIDDEN",
    Title("您已关闭个性化", "you have switched personalisation off"): "PERSONALISATION_OFF",
    Title("对您的信息的处理已受限制", "processing of your information is restricted"): "PROCESSING_RESTRICTED",
    Title("您的信息已删除", "you have been erased"): "ERASED",
    Title("该目的不需要这些信息", "these fields are not needed for that purpose"): "FIELD_NOT_IN_PURPOSE OTHER_PURPOSE",
    Title(
        "所称的处理目的不存在或不适用", "the purpose that was stated does not exist, or does not fit"
    ): "PURPOSE_UNKNOWN PURPOSE_UNFIT",
    Title("无权进行此操作", "whoever asked may not do this"): "FORBIDDEN ROLE_NOT_ALLOWED NOT_ALLOWED",
    Title(
        "请求方的身份未能核实", "whoever asked did not show who they are"
    ): """UNAUTHENTICATED ACCOUNT_DISABLED SECRET_INVALID SIGNATURE_INVALID TIMESTAMP_STALE
        NONCE_REUSED""",
    Title(
        "须先经另一人审批", "another person has to approve it first"
    ): """APPROVAL_REQUIRED APPROVAL_NOT_FOUND APPROVAL_EXPIRED OWN_APPROVAL OWN_ALARM
        OWN_CAMPAIGN CAMPAIGN_NOT_APPROVED TOO_MANY_QUESTIONS""",
    Title("审批已作出或已被拒绝", "it was decided already, or refused"): "APPROVAL_DECIDED APPROVAL_REFUSED REQUEST_DECIDED",
    Title("接收方未登记", "whoever was to receive it is not registered"): "RECIPIENT_NOT_REGISTERED RECIPIENT_UNKNOWN",
    Title("未说明理由，或理由不合规", "no reason was given, or one that may not be kept"): "REASON_REQUIRED REASON_PERSONAL",
    Title("须由您本人确认", "you have to say so yourself"): "MEMBER_ACT_REQUIRED PRETICKED",
    Title(
        "未展示应展示的告知，或同意凭证不完整",
        "the notice was not shown as it has to be, or the evidence of your answer is not whole",
    ): """
        NOTICE_NOT_PRESENTED EVIDENCE_INCOMPLETE WORDS_UNKNOWN NOTICE_UNKNOWN NOTICE_SUPERSEDED LANGUAGE_UNKNOWN""",
    Title(
        "没有可记录或可撤回的决定", "there was nothing to record or to take back"
    ): """NO_DECISION DUPLICATE_DECISION NOTHING_TO_WITHDRAW
        NOT_CONSENT_BASED""",
    Title(
        "未找到相应的人员、事项或链接", "who or what was asked for was not found"
    ): """NOT_FOUND MEMBER_NOT_FOUND LINK_NOT_FOUND REQUEST_NOT_FOUND
        PROPAGATION_NOT_FOUND INBOUND_NOT_FOUND CAMPAIGN_NOT_FOUND TEMPLATE_NOT_FOUND SEND_NOT_FOUND ALARM_NOT_FOUND ENTRY_NOT_FOUND
        EVENT_NOT_FOUND EVENT_NOT_NAMED STAFF_UNKNOWN EXEMPTION_UNKNOWN OTHER_MEMBER""",
    Title("链接或确认已失效", "the link or the confirmation no longer holds"): "LINK_INVALID LINK_EXPIRED CONFIRMATION_VOID",
    Title("该联系方式已属于其他会员", "another member holds this contact"): "CONTACT_TAKEN",
    Title(
        "所填信息不符合规则", "what was filled in does not follow the rules"
    ): """FIELD_REJECTED FIELD_UNKNOWN FIELD_NOT_LOOKED_UP TAG_UNKNOWN BRAND_UNKNOWN
        CHANNEL_UNKNOWN TOPIC_UNKNOWN ADDRESS_INVALID ADDRESS_UNFIT EXPIRY_PAST EXPIRY_TOO_LATE EXPIRY_OUT_OF_RANGE
        INFORM_MEMBERS_FIRST""",
    Title(
        "所指定的监护人不符合条件，或该会员并非未成年人", "the guardian is not fit for it, or the member is no minor"
    ): "GUARDIAN_UNFIT NOT_A_MINOR",
    Title(
        "您已退订，或未订阅此类消息", "you have said no to these messages, or have not asked for them"
    ): "SUPPRESSED NOT_SUBSCRIBED",
    Title("当时处于免打扰时段", "it was a time at which nobody is written to"): "QUIET_HOURS",
    Title(
        "已达到发送次数上限", "as many messages as may be sent had been sent"
    ): """FREQUENCY_CAP PROMISED_FREQUENCY QUOTA_EXHAUSTED ALREADY_SENT
        ALREADY_DISPATCHED""",
    Title(
        "您没有可用于此渠道的联系方式", "there is no address of yours for this channel"
    ): """ADDRESS_MISSING ADDRESS_UNREACHABLE NUMBER_INVALID
        NUMBER_BLOCKED MAILBOX_UNKNOWN OPENID_INVALID OPENID_OF_ANOTHER_APP 43101""",
    Title(
        "您不属于该活动的对象，或活动当时未在进行", "you are not among those whom it is for, or it was not running"
    ): """OUTSIDE_AUDIENCE
        CAMPAIGN_NOT_RUNNING CAMPAIGN_STATE CAMPAIGN_CHANGED DECISION_TOKEN_EXPIRED DECISION_TOKEN_INVALID NO_LIVE_DECISION
        SENT_AFTER_TOKEN""",
    Title(
        "消息内容或发送方不合规", "the message or its sender does not follow the rules"
    ): """TEMPLATE_NONCOMPLIANT SENDER_UNREGISTERED SENDER_NOT_REGISTERED
        SENDER_MISSING SENDER_REFUSED NO_ACCOUNT VARIABLE_UNKNOWN VARIABLES_FORBIDDEN VALUE_UNFIT MESSAGE_CLASS_FIXED AUDIENCE_INVALID
        WINDOW_INVALID REWARD_FOR_SUBSCRIBING WAY_OUT_MISSING SUBJECT_NOT_MARKED TEXT_UNFIT HEADER_UNFIT CARD_UNFIT LINK_UNFIT
        LINK_NOT_HTTPS CHANNEL_WITHOUT_FORM CONTENT_REFUSED REQUEST_REFUSED SIGNATURE_MISSING SIGNATURE_UNKNOWN TEMPLATE_UNKNOWN
        TEMPLATE_PARAMETERS PAGE_UNKNOWN TEMPLATE_ALTERED REVIEW_ALTERED""",
    Title(
        "消息未能送出，或不能确定是否送出", "the message could not be sent, or nobody knows whether it was"
    ): """OUTCOME_UNKNOWN TIMEOUT BROKEN_OFF
        ANSWER_UNREADABLE UNREACHABLE THROTTLED TRY_LATER VENDOR_QUOTA VENDOR_ACCOUNT VENDOR_CREDENTIALS VENDOR_CLOCK VENDOR_FREQUENCY
        VENDOR_REFUSED VENDOR_BROKEN""",
    Title(
        "已由他人处理，或刚被他人更改", "somebody else had seen to it, or changed it just then"
    ): "CONFLICT RETRY JOB_SETTLED ALARM_HANDLED ALARM_CLOSED IMPORT_BUSY",
    Title(
        "请求格式有误，或范围过大", "what was asked was not well formed, or too much at once"
    ): """BAD_INPUT BAD_REQUEST BAD_JSON BATCHING_OFF
        JSON_TOO_DEEP METHOD_NOT_ALLOWED NOT_ACCEPTABLE BODY_TOO_LARGE UNSUPPORTED_MEDIA_TYPE TRUNCATED GRAPHQL_PARSE_FAILED
        GRAPHQL_VALIDATION_FAILED VARIABLES_INVALID OPERATION_NOT_FOUND QUERY_TOO_LONG QUERY_TOO_DEEP TOO_MANY_TOKENS TOO_MANY_FIELDS
        TOO_MANY_FRAGMENTS TOO_MANY_ALIASES TOO_MANY_DIRECTIVES TOO_MANY_ROOT_FIELDS INTROSPECTION_OFF PAGE_SIZE_TOO_LARGE
        CURSOR_INVALID WINDOW_TOO_WIDE BEFORE_THIS_LOG APPROVAL_INVALID OPTION_INVALID""",
    Title(
        "记录或证据核对不一致", "the record or its evidence does not fit"
    ): """AUDIT_LOG_BROKEN AUDIT_LOG_OTHER SEAL_BROKEN MALFORMED ENTRY_ALTERED EVENT_ALTERED CHAIN_BROKEN
        NOT_IN_LOG NOTICE_NOT_NAMED NOTICE_GONE NOTICE_DIFFERS WORDS_NOT_NAMED WORDS_GONE WORDS_DIFFER ENTRY_NOT_IN_TREE
        DECISIONS_ALTERED ALTERED UNKNOWN_KEY""",
    Title(
        "系统当时无法完成", "the system could not do it at that moment"
    ): """INTERNAL RECORD_UNAVAILABLE STORE_UNAVAILABLE KEY_UNAVAILABLE CHANGE_REFUSED
        CONFIG INSTANCE_RUNNING""",
}
REASONS = {code: said for said, codes in _SAID.items() for code in codes.split()}
"""Every code of docs/errors.md, of the policy's and the gate's reasons, and of what a change may be refused for."""


def reason(code: str) -> Title:
    """Why, in words; never the code."""
    return REASONS.get(code, OTHERWISE)
