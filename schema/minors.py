"""Minors (未成年人): guardians, approvals for staff, guardians' requests, the yearly account, alerts."""

import dataclasses
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, TypeVar

import strawberry

from policies import naming, terms
from schema.arguments import MemberOrMe
from schema.context import Info
from schema.engine.selection import selected
from schema.enums import ConsentState, GuardianLinkState, GuardianMethod, GuardianRequestKind, GuardianRequestState
from schema.fields import field
from schema.member import Member, present
from schema.outcomes import MemberNotFound, MinorsRejected, Refusal, refusal
from schema.rules import Title
from schema.scalars import PurposeKey
from service.guardians import model as account
from service.minors import model

FIRST = 20
Shown = TypeVar("Shown")


@strawberry.type(description="One guardian of one child (监护关系).")
class GuardianLink:
    """Read from `model.Link`."""

    member_id: strawberry.ID = strawberry.field(description="The child's id (被监护人编号).")
    guardian_id: strawberry.ID = strawberry.field(description="The guardian's id (监护人编号).")
    state: model.LinkState = strawberry.field(graphql_type=GuardianLinkState, description="Where it stands (状态).")
    method: model.Method | None = strawberry.field(
        graphql_type=GuardianMethod | None, description="How it was verified (核验方式); null before."
    )
    requested_at: datetime = strawberry.field(description="When the guardian said so (提出时间).")
    verified_at: datetime | None = strawberry.field(description="When it was verified (核验时间).")
    ended_at: datetime | None = strawberry.field(description="When it ended (终止时间).")


@strawberry.type(
    description="Leave for one member of staff to see one minor (员工查看未成年人信息的审批, 未成年人网络保护条例 36)."
)
class MinorApproval:
    """Read from `model.Approval`."""

    approval_id: strawberry.ID = strawberry.field(description="Its id, which stands in the record of every look (审批编号).")
    member_id: strawberry.ID = strawberry.field(description="The minor's id (会员编号).")
    staff: str = strawberry.field(description="The account that may look (员工账号).")
    approver: str = strawberry.field(description="The account that approved (审批人账号).")
    expires_at: datetime = strawberry.field(description="Until when (有效期至).")


@strawberry.type(description="What a guardian asked for a minor (监护人的请求, 未成年人网络保护条例 34).")
class GuardianRequest:
    """Read from `model.Request`."""

    request_id: strawberry.ID = strawberry.field(description="Its id (请求编号).")
    member_id: strawberry.ID = strawberry.field(description="The minor's id (会员编号).")
    guardian_id: strawberry.ID = strawberry.field(description="The guardian's id (监护人编号).")
    kind: model.RequestKind = strawberry.field(graphql_type=GuardianRequestKind, description="What for (请求事项).")
    state: model.RequestState = strawberry.field(graphql_type=GuardianRequestState, description="What became of it (状态).")
    created_at: datetime = strawberry.field(description="When it was asked (提出时间).")
    due_on: date = strawberry.field(description="The last day for an answer (答复期限): fifteen working days.")
    reason: str | None = strawberry.field(description="Why it was refused (拒绝理由).")
    decided_at: datetime | None = strawberry.field(description="When it was answered (答复时间).")


@strawberry.type(description="How many consents to one purpose stand in one state (同意计数).")
class ConsentCount:
    """One line of a `account.BandAccount`."""

    purpose: PurposeKey = strawberry.field(description="The purpose (处理目的).")
    state: terms.ConsentState = strawberry.field(graphql_type=ConsentState, description="The state (状态).")
    count: int = strawberry.field(description="How many (数量).")


@strawberry.type(description="How often minors of one band were read or changed for one purpose in the year (使用计数).")
class MinorUses:
    """Read from `account.Uses`."""

    purpose: str = strawberry.field(description="The purpose (处理目的); empty for acts that state none.")
    allowed: int = strawberry.field(description="How often it was allowed (允许次数).")
    denied: int = strawberry.field(description="How often it was refused (拒绝次数).")
    by_staff: int = strawberry.field(description="How often it was a member of staff (员工次数).")
    approved: int = strawberry.field(description="How often they had an approval (其中经审批次数).")


@strawberry.type(description="One age band in one year (年龄段年度统计).")
class MinorsBand:
    """From `account.BandAccount`."""

    band: str = strawberry.field(description="The band's key in the policy (年龄段).")
    title: naming.Title = strawberry.field(graphql_type=Title, description="Its name (名称).")
    members: int = strawberry.field(description="Members of it at the end of the year (年末人数).")
    entries: int = strawberry.field(description="Entries of the audit log about them in the year (审计条目数).")
    consents: list[ConsentCount] = strawberry.field(description="Where their consents stood at the end of the year (同意状态).")
    uses: Sequence[account.Uses] = strawberry.field(
        graphql_type=list[MinorUses], description="What was done with their data, by purpose (各目的使用次数)."
    )


@strawberry.type(description="How many guardians' links stood in one state (监护关系计数).")
class LinkCount:
    """One line of a `account.Pack`."""

    state: model.LinkState = strawberry.field(graphql_type=GuardianLinkState, description="The state (状态).")
    count: int = strawberry.field(description="How many (数量).")


@strawberry.type(description="How many requests of one kind came to one end (请求计数).")
class RequestCount:
    """One line of a `account.Pack`."""

    kind: model.RequestKind = strawberry.field(graphql_type=GuardianRequestKind, description="What for (请求事项).")
    state: model.RequestState = strawberry.field(graphql_type=GuardianRequestState, description="What became of it (状态).")
    count: int = strawberry.field(description="How many (数量).")


@strawberry.type(description="One total, as the tables keep it and as the audit log has it (对账).")
class Reconciled:
    """Read from `account.Check`."""

    name: str = strawberry.field(description="What was counted (项目).")
    kept: int = strawberry.field(description="As the tables keep it (业务数据).")
    logged: int = strawberry.field(description="As the audit log has it (审计日志).")


@strawberry.type(description="The yearly audit of minors' data (未成年人个人信息年度合规审计, 未成年人网络保护条例 37).")
class MinorsAuditPack:
    """From `account.Pack`."""

    year: int = strawberry.field(description="The calendar year in China's time (年度).")
    closed: bool = strawberry.field(description="Whether the year is over (年度是否已结束).")
    report_due_on: date = strawberry.field(description="By when it has to be reported (报送期限).")
    bands: list[MinorsBand] = strawberry.field(description="Each age band by itself (各年龄段).")
    links: list[LinkCount] = strawberry.field(description="Guardians' links at the end of the year (监护关系).")
    approvals: int = strawberry.field(description="Approvals for staff given in the year (审批数).")
    requests: list[RequestCount] = strawberry.field(description="Guardians' requests of the year (监护人请求).")
    incidents: int | None = strawberry.field(
        description="Incidents (安全事件); null: they are not counted here, add them by hand."
    )
    checks: Sequence[account.Check] = strawberry.field(
        graphql_type=list[Reconciled], description="The totals held against the audit log (与审计日志对账)."
    )
    reconciles: bool = strawberry.field(description="Whether all of them agree (是否一致).")


@strawberry.type(description="Something that somebody has to see to (合规告警).")
class ComplianceAlert:
    """Read from `account.Alert`."""

    code: str = strawberry.field(
        description="Its stable code (代码): `SENSITIVE_100K`; of the last day's mail `COMPLAINT_RATE_HIGH`, `COMPLAINT_RATE_CRITICAL` "
        "(complaints per 100,000 of the worst sending domain); of the last week `SENT_AFTER_TOKEN`, `SENDS_FAILED`."
    )
    open: bool = strawberry.field(description="Whether it is open (是否未处理).")
    count: int = strawberry.field(description="What was counted (计数).")
    limit: int = strawberry.field(description="What it may be (阈值).")
    named: str = strawberry.field(description="The function that is named for it (负责岗位); empty: nobody.")


@strawberry.type(description="The member is taken for a child from now on (推定为不满十四周岁).")
class MinorPresumed:
    """From `model.MinorPresumed`."""

    member_id: strawberry.ID = strawberry.field(description="The member's id (会员编号).")


PresumeMinorResult = Annotated[
    MinorPresumed | MemberNotFound,
    strawberry.union("PresumeMinorResult", description="What became of it (推定结果)."),
]
GuardianLinkResult = Annotated[
    GuardianLink | MinorsRejected | MemberNotFound,
    strawberry.union("GuardianLinkResult", description="The link, or why there is none (监护关系办理结果)."),
]
ApproveMinorAccessResult = Annotated[
    MinorApproval | MinorsRejected | MemberNotFound,
    strawberry.union("ApproveMinorAccessResult", description="The approval, or why there is none (审批结果)."),
]
DecideGuardianRequestResult = Annotated[
    GuardianRequest | MinorsRejected,
    strawberry.union("DecideGuardianRequestResult", description="The answered request, or why it was not answered (答复结果)."),
]
ChildRef = Annotated[strawberry.ID, strawberry.argument(description="The minor's id (被监护人编号).")]
GuardianOrMe = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="The guardian's id (监护人编号); left out by a guardian, who is always meant."),
]


@strawberry.type
class MinorsQuery:
    """Looking at a child, at requests, at the year."""

    @field("A child (被监护人) as their verified guardian, who is signed in, sees them. Nobody else can.")
    async def ward(self, info: Info, member_id: ChildRef) -> Member | None:
        """`ops.ward`."""
        found = await info.context.ops.ward(info.context.call, member_id=member_id, fields=selected(info).fields)
        return None if found is None else present(found)

    @field(
        "The signed-in member's links to their wards (我的被监护人); for a service, a child's guardians.",
        shows=list[GuardianLink] | None,
    )
    async def guardian_links(self, info: Info, member_id: MemberOrMe = None) -> Sequence[model.Link] | None:
        """`ops.guardian_links`."""
        return await info.context.ops.guardian_links(info.context.call, member_id=member_id)

    @field(
        "What the signed-in guardian asked for a minor (我的请求); for staff, what waits for an answer, the most urgent first.",
        shows=list[GuardianRequest] | None,
    )
    async def guardian_requests(
        self,
        info: Info,
        member_id: MemberOrMe = None,
        first: Annotated[int | None, strawberry.argument(description="How many, 100 at most (数量).")] = FIRST,
    ) -> Sequence[model.Request] | None:
        """`ops.guardian_requests`."""
        most = FIRST if first is None else first
        return await info.context.ops.guardian_requests(info.context.call, member_id=member_id, first=most)

    @field("The yearly audit of minors' data (未成年人个人信息年度审计), counted now from the ledgers and held against the log.")
    async def minors_audit_pack(
        self, info: Info, year: Annotated[int, strawberry.argument(description="The calendar year (年度).")]
    ) -> MinorsAuditPack | None:
        """`ops.minors_audit_pack`."""
        return _pack(await info.context.ops.minors_audit_pack(info.context.call, year_of=year))

    @field("What compliance staff have to see to (合规告警).", shows=list[ComplianceAlert] | None)
    async def compliance_alerts(self, info: Info) -> Sequence[account.Alert] | None:
        """`ops.compliance_alerts`."""
        return await info.context.ops.compliance_alerts(info.context.call)


@strawberry.type
class MinorsMutation:
    """Guardians, approvals, requests."""

    @field(
        "Say that the signed-in member is a child's guardian (申请监护关系). It opens nothing before it is verified.",
        shows=GuardianLinkResult | None,
    )
    async def request_guardian_link(self, info: Info, member_id: ChildRef) -> GuardianLink | Refusal | None:
        """`ops.request_guardian_link`."""
        return _link(await info.context.ops.request_guardian_link(info.context.call, member_id=member_id))

    @field(
        "Take a member for a child under 14, whatever birthday was told (推定为不满十四周岁): nothing is done with them before a "
        "guardian has answered. It ends when a service that has checked it writes the birthday.",
        shows=PresumeMinorResult | None,
    )
    async def presume_minor(self, info: Info, member_id: ChildRef) -> MinorPresumed | Refusal | None:
        """`ops.presume_minor`."""
        outcome = await info.context.ops.presume_minor(info.context.call, member_id=member_id)
        return _shown(MinorPresumed, outcome) if isinstance(outcome, model.MinorPresumed) else refusal(outcome)

    @field("A service has verified that a member is a child's guardian (核验监护人).", shows=GuardianLinkResult | None)
    async def verify_guardian(
        self,
        info: Info,
        member_id: ChildRef,
        guardian_id: Annotated[strawberry.ID, strawberry.argument(description="The guardian's id (监护人编号).")],
        method: Annotated[GuardianMethod, strawberry.argument(description="How it was verified (核验方式).")],
    ) -> GuardianLink | Refusal | None:
        """`ops.verify_guardian`."""
        outcome = await info.context.ops.verify_guardian(
            info.context.call, member_id=member_id, guardian_id=guardian_id, method=model.Method[method.name]
        )
        return _link(outcome)

    @field(
        "End a guardian's link (终止监护关系): with the last one the child waits for a guardian again.",
        shows=GuardianLinkResult | None,
    )
    async def end_guardian_link(
        self, info: Info, member_id: ChildRef, guardian_id: GuardianOrMe = None
    ) -> GuardianLink | Refusal | None:
        """`ops.end_guardian_link`."""
        outcome = await info.context.ops.end_guardian_link(info.context.call, member_id=member_id, guardian_id=guardian_id)
        return _link(outcome)

    @field(
        "Let one member of staff see one minor (审批员工查看未成年人信息), for 30 days at most.",
        shows=ApproveMinorAccessResult | None,
    )
    async def approve_minor_access(
        self,
        info: Info,
        staff: Annotated[str, strawberry.argument(description="The account that may look (员工账号); never one's own.")],
        member_id: ChildRef,
        reason: Annotated[str, strawberry.argument(description="Why (理由). It is kept as it is: no personal data in it.")],
        expires_at: Annotated[datetime, strawberry.argument(description="Until when (有效期至).")],
    ) -> MinorApproval | Refusal | None:
        """`ops.approve_minor_access`."""
        outcome = await info.context.ops.approve_minor_access(
            info.context.call, staff=staff, member_id=member_id, reason=reason, expires_at=expires_at
        )
        return _shown(MinorApproval, outcome) if isinstance(outcome, model.Approval) else refusal(outcome)

    @field(
        "A guardian asks to see, copy, correct, complete or delete a minor's data (监护人提出请求).", shows=GuardianRequest | None
    )
    async def request_for_child(
        self,
        info: Info,
        member_id: ChildRef,
        kind: Annotated[GuardianRequestKind, strawberry.argument(description="What for (请求事项).")],
    ) -> model.Request | None:
        """`ops.request_for_child`."""
        wanted = model.RequestKind[kind.name]
        return await info.context.ops.request_for_child(info.context.call, member_id=member_id, kind=wanted)

    @field(
        "Answer a guardian's request (答复监护人); a refusal says why. An accepted deletion is done at once.",
        shows=DecideGuardianRequestResult | None,
    )
    async def decide_guardian_request(
        self,
        info: Info,
        member_id: ChildRef,
        request_id: Annotated[strawberry.ID, strawberry.argument(description="The request's id (请求编号).")],
        accept: Annotated[bool, strawberry.argument(description="Whether it is accepted (是否准予).")],
        reason: Annotated[str | None, strawberry.argument(description="Why (理由): a refusal needs one, in writing.")] = None,
    ) -> GuardianRequest | Refusal | None:
        """`ops.decide_guardian_request`."""
        outcome = await info.context.ops.decide_guardian_request(
            info.context.call, member_id=member_id, request_id=request_id, accept=accept, reason=reason or ""
        )
        return _shown(GuardianRequest, outcome) if isinstance(outcome, model.Request) else refusal(outcome)


def _link(outcome: object) -> GuardianLink | Refusal:
    return _shown(GuardianLink, outcome) if isinstance(outcome, model.Link) else refusal(outcome)


def _shown(type_: type[Shown], outcome: object) -> Shown:
    """An outcome as the member of a union: graphql tells those apart by their types."""
    return type_(**{part.name: getattr(outcome, part.name) for part in dataclasses.fields(type_)})  # type: ignore[arg-type]


def _pack(pack: account.Pack) -> MinorsAuditPack:
    return MinorsAuditPack(
        year=pack.year,
        closed=pack.closed,
        report_due_on=pack.due_on,
        bands=[_band(band) for band in pack.bands],
        links=[LinkCount(state=state, count=count) for state, count in pack.links.items()],
        approvals=pack.approvals,
        requests=[RequestCount(kind=kind, state=state, count=count) for (kind, state), count in pack.requests.items()],
        incidents=pack.incidents,
        checks=pack.checks,
        reconciles=pack.reconciles,
    )


def _band(band: account.BandAccount) -> MinorsBand:
    consents = sorted(band.consents.items())
    return MinorsBand(
        band=band.band,
        title=band.title,
        members=band.members,
        entries=band.entries,
        consents=[ConsentCount(purpose=PurposeKey(key), state=state, count=count) for (key, state), count in consents],
        uses=band.uses,
    )
