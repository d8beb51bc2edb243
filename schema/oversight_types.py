"""What oversight shows: the register, measures, grants, tasks."""

from datetime import date, datetime
from enum import Enum

import strawberry
from strawberry import enum_value as value

from policies import naming
from schema.rules import Title


@strawberry.enum(description="Whose list of measures (法律依据).")
class Law(Enum):
    """Names of `service.oversight.model.Law`."""

    PIPL51 = value("PIPL51", description="The six measures of PIPL 51. 个人信息保护法第五十一条。")


@strawberry.enum(description="A measure that only people can take (须由人员采取并登记的措施).")
class ControlKind(Enum):
    """Names of `service.oversight.model.ControlKind`."""

    INTERNAL_RULES = value("INTERNAL_RULES", description="A document of internal rules. 内部管理制度文件。")
    TRAINING = value("TRAINING", description="A training that was held. 安全教育和培训。")
    INCIDENT_PLAN = value("INCIDENT_PLAN", description="A version of the incident plan. 应急预案。")
    INCIDENT_DRILL = value("INCIDENT_DRILL", description="A drill that was held. 应急演练。")
    BACKUP_RESTORE = value("BACKUP_RESTORE", description="A restore that was tried. 备份恢复测试。")
    SUPERVISION = value("SUPERVISION", description="A check of somebody entrusted. 对受托人的监督检查。")
    COMPLIANCE_AUDIT = value("COMPLIANCE_AUDIT", description="A compliance audit that was held. 合规审计。")


@strawberry.enum(description="Whether a measure was found (措施状态).")
class MeasureStanding(Enum):
    """Names of `service.oversight.model.Standing`."""

    PRESENT = value("PRESENT", description="It is there. 已具备。")
    MISSING = value("MISSING", description="It is not, or is too old. 缺失或已过期。")


@strawberry.enum(description="What a grant is (授权类型).")
class GrantKind(Enum):
    """Names of `service.oversight.model.Grants`."""

    ROLE = value("ROLE", description="The role itself. 角色。")
    ACT = value("ACT", description="An act of it, as in roles.toml. 操作。")
    PURPOSE = value("PURPOSE", description="A purpose that it may state. 处理目的。")


@strawberry.enum(description="What is to be done (任务类型). New ones may be added.")
class DutyKind(Enum):
    """Names of `policies.duties.DutyKind`."""

    OFFICER_FILING = value("OFFICER_FILING", description="File the person in charge: 1,000,000 persons. 报送负责人信息。")
    OFFICER_CHANGE = value("OFFICER_CHANGE", description="File the change of the person in charge. 报送负责人变更。")
    TEN_MILLION_NEAR = value("TEN_MILLION_NEAR", description="80 % of 10,000,000 persons. 接近一千万人。")
    NDR30_OFFICER = value("NDR30_OFFICER", description="Name officer and body (NDR 30). 明确安全负责人和机构。")
    NDR30_RULES = value("NDR30_RULES", description="Rules and incident plan (NDR 30). 管理制度和应急预案。")
    NDR30_RISKS = value("NDR30_RISKS", description="Risks, drills, training (NDR 30). 风险监测、演练、培训。")
    NDR30_COMPLAINTS = value("NDR30_COMPLAINTS", description="Complaints (NDR 30). 受理投诉举报。")
    NDR32_DISPOSAL = value("NDR32_DISPOSAL", description="A plan for merger or end (NDR 32). 数据处置方案。")
    BIENNIAL_AUDIT = value("BIENNIAL_AUDIT", description="A compliance audit every two years. 两年一次合规审计。")
    ACCESS_REVIEW = value("ACCESS_REVIEW", description="This quarter's access review. 季度权限复核。")
    TRAINING = value("TRAINING", description="This year's training. 年度培训。")


@strawberry.type(description="One activity of the register (处理活动), as one version of the policy has it.")
class ProcessingActivity:
    """From an entry of `model.Activities`."""

    purpose: str = strawberry.field(description="The purpose (处理目的).")
    title: naming.Title = strawberry.field(graphql_type=Title, description="Its name (名称).")
    basis: str = strawberry.field(description="The legal basis (合法性基础).")
    fields: list[str] = strawberry.field(description="The fields that it may use (字段).")
    recipients: list[str] = strawberry.field(description="Who else receives them (接收方).")
    triggers: list[str] = strawberry.field(description="Which cases of PIPL 55 it is one of (须评估情形).")
    record: str = strawberry.field(description="The whole of it, as JSON (完整记录).")


@strawberry.type(description="The register of processing (处理活动登记) as it was active at a moment.")
class ProcessingRegister:
    """From `model.Register`."""

    digest: str = strawberry.field(description="The policy's digest (政策摘要).")
    since: datetime = strawberry.field(description="Since when it was served under (启用时间).")
    responsible: str = strawberry.field(description="The person in charge, by function (个人信息保护负责人).")
    activities: list[ProcessingActivity] = strawberry.field(description="Every activity (各项处理活动).")


@strawberry.type(description="One activity that differs (变更的处理活动).")
class RegisterDifference:
    """From `model.Difference`."""

    purpose: str = strawberry.field(description="The purpose (处理目的).")
    before: str | None = strawberry.field(description="What it was, as JSON: all of one that is gone; null: it is new (变更前).")
    after: str | None = strawberry.field(description="What it is, as JSON: all of one that is new; null: it is gone (变更后).")


@strawberry.type(
    description="What differs between two moments (登记变更). Applied to the earlier register it gives the later one."
)
class RegisterDiff:
    """From `model.RegisterDiff`."""

    before: str | None = strawberry.field(description="The earlier policy's digest (变更前政策摘要); null: none was in force.")
    after: str | None = strawberry.field(description="The later policy's digest (变更后政策摘要); null: none was in force.")
    differences: list[RegisterDifference] = strawberry.field(description="Every activity that differs (变更项).")


@strawberry.type(description="One thing that shows a measure, as it is now (措施证据).")
class ControlArtefact:
    """From `model.Artefact`."""

    code: str = strawberry.field(description="Its stable code (代码).")
    title: naming.Title = strawberry.field(graphql_type=Title, description="What it is (名称).")
    value: str = strawberry.field(description="A number, a digest, a date (值); empty where it is missing.")
    standing: MeasureStanding = strawberry.field(description="Whether it is there (状态).")
    todo: naming.Title | None = strawberry.field(graphql_type=Title | None, description="What to do where it is not (待办).")


@strawberry.type(description="One measure of the law's list (法定措施).")
class ControlMeasure:
    """From `model.Measure`."""

    item: str = strawberry.field(description="Its place in the law (条款项).")
    title: naming.Title = strawberry.field(graphql_type=Title, description="What it is (名称).")
    standing: MeasureStanding = strawberry.field(description="MISSING where anything of it is (状态).")
    artefacts: list[ControlArtefact] = strawberry.field(description="All that shows it (证据).")


@strawberry.type(description="A measure that people took (已登记的措施). It is never changed.")
class ControlRecord:
    """From `model.Control`."""

    control_id: strawberry.ID = strawberry.field(description="Its id (编号).")
    kind: ControlKind = strawberry.field(description="What it is (类型).")
    title: str = strawberry.field(description="Its title (名称).")
    reference: str = strawberry.field(description="Where its document lies (文件位置).")
    digest: str = strawberry.field(description="The document's SHA-256, or nothing (文件摘要).")
    held_on: date = strawberry.field(description="When it was taken (日期).")
    recorded_by: str = strawberry.field(description="Who recorded it (登记人账号).")
    recorded_at: datetime = strawberry.field(description="When it was recorded (登记时间).")


@strawberry.type(description="What an account may by a role, and when it last did (授权及最近使用).")
class Grant:
    """From `model.Grant`."""

    account: str = strawberry.field(description="The account (账号); empty: no account has shown this role.")
    role: str = strawberry.field(description="The role (角色).")
    what: GrantKind = strawberry.field(description="What is granted (授权类型).")
    name: str = strawberry.field(description="Its key (授权内容).")
    last_use: datetime | None = strawberry.field(description="When it was last used (最近使用); null: never.")
    known: bool = strawberry.field(description="Whether the policy still has the role (角色是否仍在政策中).")


@strawberry.type(description="An account of staff or of a service, as the log knows it (账号).")
class Account:
    """From `model.Account`."""

    account: str = strawberry.field(description="Kind and id, as in the log (账号).")
    first_seen: datetime = strawberry.field(description="When the log first names it (首次出现).")
    last_seen: datetime = strawberry.field(description="When it was last seen (最近出现).")
    enabled_at: datetime | None = strawberry.field(description="When somebody opened it again (恢复时间).")
    disabled_at: datetime | None = strawberry.field(description="Since when its tokens are refused (停用时间).")


@strawberry.type(description="Who may do what, and does (权限复核, PIPL 51(4)).")
class AccessReview:
    """From `model.AccessReview`."""

    quarter: str = strawberry.field(description="The quarter (季度).")
    digest: str = strawberry.field(description="Over all of it: whoever signs it off names this (内容摘要).")
    read_to: int = strawberry.field(description="How many entries of the log the last uses rest on (所依据的日志条目数).")
    grants: list[Grant] = strawberry.field(description="Every grant (各项授权).")
    accounts: list[Account] = strawberry.field(description="Every account (账号).")


@strawberry.type(description="A review that somebody signed off (已签字的权限复核).")
class SignedReview:
    """From `model.SignedReview`."""

    review_id: strawberry.ID = strawberry.field(description="Its id (编号).")
    quarter: str = strawberry.field(description="The quarter (季度).")
    digest: str = strawberry.field(description="Of what was seen (内容摘要).")
    lines: int = strawberry.field(description="How many grants (授权数).")
    comment: str = strawberry.field(description="What the reviewer says (意见).")
    reviewed_by: str = strawberry.field(description="Who reviewed it (复核人账号).")
    reviewed_at: datetime = strawberry.field(description="When (复核时间).")


@strawberry.type(description="Something that the law wants done (合规任务).")
class ComplianceDuty:
    """From `model.Duty`."""

    duty_id: strawberry.ID = strawberry.field(description="Its id (编号).")
    kind: DutyKind = strawberry.field(description="What (类型).")
    title: naming.Title = strawberry.field(graphql_type=Title, description="In words (内容).")
    law: str = strawberry.field(description="Where it stands (法律依据).")
    occasion: str = strawberry.field(description="What brought it (起因).")
    opened_at: datetime = strawberry.field(description="When it was opened (产生时间).")
    due_on: date | None = strawberry.field(description="Its last day (期限); null: the law names none.")
    overdue: bool = strawberry.field(description="Whether that is past (是否逾期).")
    done_at: datetime | None = strawberry.field(description="When somebody closed it (完成时间).")
    done_by: str = strawberry.field(description="Who (完成人账号).")
    reference: str = strawberry.field(description="What was done (办理依据).")


@strawberry.type(description="One figure of a pack (数字) with the definition by which its rows come to it.")
class PackFigure:
    """From `service.oversight.pack.figures.Figure`."""

    key: str = strawberry.field(description="Its stable key (代码).")
    topic: str = strawberry.field(description="Its topic (审计事项).")
    title: naming.Title = strawberry.field(graphql_type=Title, description="What it counts (名称).")
    definition: str = strawberry.field(description="How, as JSON (定义).")
    value: str = strawberry.field(description="What it comes to, as JSON: a number, or numbers by group (数值).")


@strawberry.type(description="Something that a topic asks for and this system does not hold (本系统不持有的内容).")
class PackGap:
    """From `service.oversight.pack.figures.Gap`."""

    topic: str = strawberry.field(description="Its topic (审计事项).")
    title: naming.Title = strawberry.field(graphql_type=Title, description="What (内容).")


@strawberry.type(
    description="A pack for a compliance audit (合规审计资料包) in figures; `menshen oversight audit-pack` writes it with all its rows."
)
class ComplianceAuditPack:
    """From `service.oversight.pack.build.Built`."""

    since: date = strawberry.field(description="The first day (起始日).")
    until: date = strawberry.field(description="The last day (截止日).")
    figures: list[PackFigure] = strawberry.field(description="Every figure (各项数字).")
    gaps: list[PackGap] = strawberry.field(description="What is to be added from elsewhere (须另行补充).")
    rows: int = strawberry.field(description="How many rows they rest on (数据行数).")
    manifest: str = strawberry.field(description="The signed manifest: every file with its SHA-256 (签名清单).")
    vkeys: list[str] = strawberry.field(description="The public keys, the one that signed first (公钥).")
