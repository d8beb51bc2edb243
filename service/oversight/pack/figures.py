"""What the pack says in numbers, topic by topic of the audit guideline (个人信息保护合规审计管理办法, annex), each with the definition by
which anybody works it out again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from policies.naming import Title


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its topic, what it counts in words, and how, for a program."""

    key: str
    topic: str
    title: Title
    definition: Mapping[str, Any]


TOPICS: Mapping[str, Title] = {
    "BASIS": Title("合法性基础与同意", "Lawful basis and consent"),
    "NOTICE": Title("处理规则与告知", "Processing rules and notices"),
    "PROVISION": Title("共同处理、委托处理、转移与提供", "Joint and entrusted processing, transfer, provision"),
    "AUTOMATED": Title("自动化决策", "Automated decisions"),
    "PUBLICATION": Title("公开、公共场所图像与已公开信息", "Publication, images in public places, public data"),
    "SENSITIVE": Title("敏感个人信息与不满十四周岁未成年人", "Sensitive data and children under 14"),
    "CROSS_BORDER": Title("跨境提供", "Provision across the border"),
    "RIGHTS": Title("删除与个人权利", "Deletion and rights"),
    "MEASURES": Title(
        "内部制度、技术措施、培训、负责人、影响评估与事件", "Rules, measures, training, officer, assessments, incidents"
    ),
    "PLATFORM": Title("大型平台义务", "Duties of large platforms"),
}


OURS = "policy"
"""In the place of whom this deployment believes: the log's keys and its witnesses' (C2SP tlog-policy)."""


def figures(policy: str) -> tuple[Figure, ...]:
    """All of them, as this deployment states them."""
    return tuple(replace(one, definition=_believing(one.definition, policy)) for one in FIGURES)


def _believing(definition: Mapping[str, Any], policy: str) -> Mapping[str, Any]:
    where = [[*which, policy if operand == OURS else operand] for *which, operand in definition.get("where", ())]
    return {**definition, "where": where} if where else definition


def _figure(topic: str, key: str, zh: str, en: str, **definition: Any) -> Figure:  # noqa: ANN401 - as JSON has it
    file = definition.pop("file")
    return Figure(key, topic, Title(zh, en), {"file": f"data/{file}.csv", "measure": "count", **definition})


FIGURES = (
    _figure(
        "BASIS",
        "purposes_by_basis",
        "期间适用的处理目的，按合法性基础",
        "Purposes served under, by basis",
        file="purposes",
        by=["basis"],
    ),
    _figure(
        "BASIS",
        "consent_events",
        "同意事件，按目的和状态",
        "Consent events, by purpose and state",
        file="consent_events",
        by=["purpose", "state"],
    ),
    _figure(
        "BASIS",
        "consents_renewed",
        "重新取得的同意",
        "Consents renewed",
        file="consent_events",
        where=[["state", "is", ["RENEWED"]]],
    ),
    _figure(
        "BASIS",
        "consents_ended",
        "撤回、代撤回、到期、失效，按状态",
        "Consents that ended, by how",
        file="consent_events",
        by=["state"],
        where=[["state", "is", ["WITHDRAWN", "REVOKED", "EXPIRED", "INVALIDATED"]]],
    ),
    _figure(
        "BASIS",
        "questions",
        "征求同意的次数，按目的和渠道",
        "Questions put, by purpose and channel",
        file="consent_asks",
        by=["purpose", "channel"],
    ),
    _figure(
        "BASIS",
        "slowest_telling",
        "撤回后告知接收方的最长用时（秒），按接收方",
        "The longest time until a recipient knew of a withdrawal, in seconds",
        file="propagation",
        measure="longest",
        column="created_at",
        to="ended_at",
        by=["recipient"],
        where=[["kind", "is", ["TELL"]], ["state", "is", ["DONE"]]],
    ),
    _figure(
        "BASIS",
        "tellings",
        "撤回转达，按接收方和状态",
        "Tellings of a withdrawal, by recipient and state",
        file="propagation",
        by=["recipient", "state"],
        where=[["kind", "is", ["TELL"]]],
    ),
    _figure(
        "NOTICE",
        "notices",
        "告知版本（至期末），按类型和语言",
        "Notices up to the period's end, by kind and language",
        file="notices",
        by=["kind", "language"],
    ),
    _figure(
        "NOTICE",
        "notices_told",
        "已展示的告知，按版本和渠道",
        "Notices shown, by version and channel",
        file="notices_told",
        by=["version", "channel"],
    ),
    _figure(
        "NOTICE",
        "exemptions",
        "免于或者延后告知，按理由",
        "Exemptions from telling, by ground",
        file="notice_exemptions",
        by=["ground"],
    ),
    _figure(
        "PROVISION",
        "recipients",
        "接收方，按角色和地区",
        "Recipients, by role and region",
        file="recipients",
        by=["role", "region"],
    ),
    _figure(
        "PROVISION",
        "disclosures",
        "提供个人信息的记录数，按目的和调用方类别",
        "Reads that were allowed, by purpose and kind of caller",
        file="log",
        by=["purpose", "actor"],
        where=[["typ", "is", ["access"]], ["decision", "is", ["allow"]], ["purpose", "not", [""]]],
    ),
    _figure(
        "PROVISION",
        "disclosed_records",
        "提供的会员记录数，按目的",
        "Members' records given out, by purpose",
        file="log",
        measure="sum",
        column="count",
        by=["purpose"],
        where=[["typ", "is", ["access"]], ["decision", "is", ["allow"]], ["purpose", "not", [""]]],
    ),
    _figure(
        "PROVISION",
        "exports",
        "导出，按操作和结果",
        "Exports, by operation and result",
        file="log",
        by=["operation", "decision"],
        where=[["typ", "is", ["export"]]],
    ),
    _figure(
        "PROVISION",
        "supervision",
        "对受托人的监督检查",
        "Checks of those entrusted",
        file="controls",
        where=[["kind", "is", ["SUPERVISION"]]],
    ),
    _figure(
        "AUTOMATED",
        "automated_purposes",
        "自动化决策目的",
        "Purposes with automated decisions",
        file="purposes",
        where=[["automated", "is", ["1"]]],
    ),
    _figure(
        "AUTOMATED",
        "switch_uses",
        "个性化开关使用次数，按结果",
        "Uses of the personalisation switch, by result",
        file="log",
        by=["decision"],
        where=[["operation", "is", ["setPersonalisation"]]],
    ),
    _figure(
        "AUTOMATED",
        "withheld_for_switch",
        "因关闭个性化或未成年而拒绝",
        "Refusals for the switch or for a minor",
        file="log",
        by=["reason"],
        where=[["reason", "is", ["PERSONALISATION_OFF", "MINOR_ADM_MARKETING_FORBIDDEN"]]],
    ),
    _figure(
        "PUBLICATION",
        "published_to",
        "作为公开的接收方（应为 0）",
        "Recipients that are the public (should be 0)",
        file="recipients",
        where=[["role", "is", ["PUBLIC"]]],
    ),
    _figure(
        "SENSITIVE",
        "sensitive_purposes",
        "使用敏感个人信息的目的，按是否单独同意",
        "Purposes with sensitive data, by separate consent",
        file="purposes",
        by=["separate"],
        where=[["sensitive", "not", ["0"]]],
    ),
    _figure(
        "SENSITIVE",
        "guardians",
        "监护关系（至期末），按状态",
        "Guardians up to the period's end, by state",
        file="guardian_links",
        by=["state"],
    ),
    _figure(
        "SENSITIVE", "staff_approvals", "员工查看未成年人信息的审批", "Approvals for staff to see a minor", file="staff_approvals"
    ),
    _figure(
        "SENSITIVE",
        "approvals_missing",
        "因缺少审批而拒绝",
        "Refusals for want of an approval",
        file="log",
        where=[["reason", "is", ["APPROVAL_REQUIRED"]]],
    ),
    _figure(
        "CROSS_BORDER",
        "overseas",
        "境外接收方，按地区",
        "Recipients overseas, by region",
        file="recipients",
        by=["region"],
        where=[["role", "is", ["OVERSEAS"]]],
    ),
    _figure(
        "RIGHTS", "erasures", "删除，按结果", "Erasures, by result", file="log", by=["decision"], where=[["typ", "is", ["erase"]]]
    ),
    _figure(
        "RIGHTS",
        "deletions",
        "撤回后的删除任务，按状态",
        "Deletions after a withdrawal, by state",
        file="propagation",
        by=["state"],
        where=[["kind", "is", ["DELETE"]]],
    ),
    _figure(
        "RIGHTS",
        "guardian_requests",
        "监护人的请求，按类型和状态",
        "Guardians' requests, by kind and state",
        file="guardian_requests",
        by=["kind", "state"],
    ),
    _figure(
        "RIGHTS",
        "requests_in_time",
        "按期答复的请求",
        "Requests answered in time",
        file="guardian_requests",
        where=[["decided_on", "by", "due_on"]],
    ),
    _figure(
        "RIGHTS",
        "requests_late",
        "逾期答复的请求",
        "Requests answered late",
        file="guardian_requests",
        where=[["decided_on", "after", "due_on"]],
    ),
    _figure(
        "RIGHTS",
        "own_reads",
        "会员查阅本人信息",
        "Members' reads of their own data",
        file="log",
        where=[["actor", "is", ["member"]], ["typ", "is", ["access"]], ["decision", "is", ["allow"]]],
    ),
    _figure(
        "RIGHTS",
        "unsubscribed",
        "退订，按渠道和方式",
        "Unsubscriptions, by channel and way",
        file="subscription_events",
        by=["channel", "way"],
        where=[["state", "is", ["UNSUBSCRIBED"]]],
    ),
    _figure("MEASURES", "controls", "登记的措施，按类型", "Measures recorded, by kind", file="controls", by=["kind"]),
    _figure(
        "MEASURES", "access_reviews", "权限复核，按季度", "Access reviews, by quarter", file="access_reviews", by=["quarter"]
    ),
    _figure("MEASURES", "account_events", "账号停用与恢复", "Accounts closed and opened", file="account_events", by=["step"]),
    _figure(
        "MEASURES",
        "tasks",
        "合规任务（至期末），按类型和状态",
        "Tasks up to the period's end, by kind and state",
        file="duties",
        by=["kind", "state"],
    ),
    _figure(
        "MEASURES",
        "tasks_late",
        "逾期完成的任务，按类型",
        "Tasks closed late, by kind",
        file="duties",
        by=["kind"],
        where=[["done_on", "after", "due_on"]],
    ),
    _figure(
        "MEASURES",
        "keys",
        "密钥（至期末），按用途和状态",
        "Keys up to the period's end, by use and state",
        file="keys",
        by=["use", "state"],
    ),
    _figure("MEASURES", "log_entries", "审计日志条目，按类型", "Entries of the log, by type", file="log", by=["typ"]),
    _figure(
        "MEASURES",
        "refusals",
        "被拒绝的操作，按原因",
        "Refusals, by reason",
        file="log",
        by=["reason"],
        where=[["decision", "is", ["deny"]]],
    ),
    _figure(
        "MEASURES",
        "checkpoints",
        "日志检查点（以存储记录为准）",
        "Checkpoints of the log, as they are stored",
        file="checkpoints",
    ),
    _figure(
        "MEASURES",
        "checkpoints_cosigned",
        "其中经外部见证的（以见证者签名为准）",
        "Of these cosigned by the witnesses, as their signatures show",
        file="checkpoints",
        where=[["note", "cosigned", OURS]],
    ),
    _figure("PLATFORM", "persons_counted", "人数统计（日）", "Days on which persons were counted", file="persons"),
    _figure(
        "PLATFORM",
        "sends",
        "营销发送决定，按渠道和结果",
        "Marketing decisions, by channel and result",
        file="send_decisions",
        by=["channel", "allowed"],
    ),
)
