"""The record (审计记录): searched by whoever must, seen by each member as far as it is about them, resolved by two persons."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry import enum_value as value

from policies import naming
from policies.terms import Catalogue
from schema.context import Info
from schema.fields import field
from schema.incidents import ArchivedSegments, IncidentScope, LeakInput, archived_of, scope_of
from schema.rules import FieldTitle, Title
from schema.scalars import FieldKey, PurposeKey
from service.inspection import model, own, wording
from service.inspection.incidents import Leak

FIRST = 50
OWN_FIRST = 20


@strawberry.enum(description="How sure an entry is (证明状态).")
class AuditStatus(Enum):
    """Names of `model.Status`."""

    PROVEN = value(
        "PROVEN",
        description="A checkpoint covers it that was cosigned, or signed where no witness is configured. 已由检查点证明。",
    )
    PENDING = value("PENDING", description="No such checkpoint covers it yet. 尚待检查点覆盖。")
    BROKEN = value(
        "BROKEN",
        description="Bytes, leaf and columns do not fit one another, or not what was signed. 字节、叶哈希、检索列或签名不一致。",
    )


@strawberry.type(description="One entry of the audit log (审计条目): who did what, when, why, on which basis. Never a value.")
class AuditEntry:
    """From `model.Line`."""

    index: int = strawberry.field(description="Its place in the log (序号).")
    status: model.Status = strawberry.field(graphql_type=AuditStatus, description="How sure it is (证明状态).")
    archived: bool = strawberry.field(description="Whether its bytes are in the archive only (是否已归档).")
    segment: int | None = strawberry.field(description="The segment that it is in, where it is archived (归档分段号).")
    leaf_hash: str = strawberry.field(description="The leaf hash beside it, in hex (叶哈希).")
    id: strawberry.ID | None = strawberry.field(
        description="Its id (条目编号); null, with all that follows, where it is no entry."
    )
    at: datetime | None = strawberry.field(description="When (时间).")
    kind: str | None = strawberry.field(description="What kind of entry (条目类型), such as `access`.")
    operation: str | None = strawberry.field(description="The operation (操作).")
    actor_kind: str | None = strawberry.field(description="Who: staff, service, member or system (操作者类别).")
    actor: str | None = strawberry.field(description="The account, or a member's pseudonym (操作者).")
    roles: list[str] = strawberry.field(description="The roles (角色).")
    purpose: PurposeKey | None = strawberry.field(description="The purpose (处理目的).")
    purpose_title: naming.Title | None = strawberry.field(graphql_type=Title | None, description="Its name (目的名称).")
    basis: str | None = strawberry.field(description="The legal basis (合法性基础, PIPL 13).")
    basis_title: naming.Title | None = strawberry.field(graphql_type=Title | None, description="The same in words (依据名称).")
    fields: list[FieldTitle] = strawberry.field(description="The fields that left or were changed (所涉字段).")
    withheld: list[FieldTitle] = strawberry.field(description="The fields that were withheld (不予提供的字段).")
    decision: str | None = strawberry.field(description="allow or deny (决定).")
    reason: str | None = strawberry.field(description="Why it was refused (拒绝原因).")
    campaign: str | None = strawberry.field(description="The campaign (活动编号).")
    request: str | None = strawberry.field(description="The request's id (请求编号).")
    count: int | None = strawberry.field(description="How many records (记录数).")
    subjects: list[str] = strawberry.field(description="The members concerned, by pseudonym of the month (所涉会员假名).")


@strawberry.type(description="Where a page of the record ends (分页).")
class AuditPageInfo:
    """Cursors run backwards in time."""

    end_cursor: str | None = strawberry.field(description="What to give as `after` for the next page (下一页起点).")
    has_next_page: bool = strawberry.field(description="Whether there is one (是否还有).")
    archived: list[ArchivedSegments] = strawberry.field(
        description="Where nothing was looked for (未检索的归档分段): restore these to search them, too."
    )
    log_began_at: datetime | None = strawberry.field(
        description="When this log began, where it goes on from one that lost entries and was closed (本日志的起始时间): "
        "what happened before is not in it, and compliance keeps the closed log. Null where this is the first log."
    )


@strawberry.type(description="Entries of the record, the newest first (审计检索结果).")
class AuditEntryConnection:
    """From `model.Page`."""

    nodes: list[AuditEntry] = strawberry.field(description="The entries (条目).")
    page_info: AuditPageInfo = strawberry.field(description="Where it ends (分页).")


@strawberry.input(description="What to look for (检索条件): everything that is given must hold.")
class AuditFilter:
    """As `model.Filter`."""

    member_id: strawberry.ID | None = strawberry.field(default=None, description="About this member (会员编号).")
    actor: str | None = strawberry.field(
        default=None, description="By this account, or kind and account, `staff:clerk-7` (操作者)."
    )
    kind: str | None = strawberry.field(default=None, description="By staff, service, member or system (操作者类别).")
    role: str | None = strawberry.field(default=None, description="In this role (角色).")
    purpose: PurposeKey | None = strawberry.field(default=None, description="For this purpose (处理目的).")
    basis: str | None = strawberry.field(default=None, description="On this basis (合法性基础).")
    field: FieldKey | None = strawberry.field(default=None, description="With this field (字段).")
    decision: str | None = strawberry.field(default=None, description="allow or deny (决定).")
    reason: str | None = strawberry.field(default=None, description="Refused for this reason (拒绝原因).")
    operation: str | None = strawberry.field(default=None, description="This operation (操作).")
    entry_kind: str | None = strawberry.field(default=None, description="This kind of entry, such as `export` (条目类型).")
    campaign: strawberry.ID | None = strawberry.field(default=None, description="Of this campaign (活动编号).")
    request: str | None = strawberry.field(default=None, description="Of this request (请求编号).")
    since: datetime | None = strawberry.field(default=None, description="Not before (自).")
    until: datetime | None = strawberry.field(default=None, description="Before (至，不含).")


@strawberry.type(description="One line of the signed-in member's own view of the record (本人数据访问记录).")
class MyAccess:
    """From `own.Access`."""

    index: int = strawberry.field(description="Its place in the log (序号).")
    at: datetime | None = strawberry.field(description="When (时间); null where it is archived or broken, as all that follows.")
    kind: str | None = strawberry.field(description="What kind of entry (条目类型): access, change, consent, …")
    said: naming.Title | None = strawberry.field(graphql_type=Title | None, description="All of it in one sentence (说明).")
    who: naming.Title | None = strawberry.field(
        graphql_type=Title | None, description="Who, by role (操作者身份); never an account."
    )
    fields: list[FieldTitle] = strawberry.field(description="Which of the member's fields (所涉字段).")
    withheld: list[FieldTitle] = strawberry.field(description="Which were asked for and not given (未予提供的字段).")
    purpose: naming.Title | None = strawberry.field(graphql_type=Title | None, description="For what (处理目的).")
    basis: naming.Title | None = strawberry.field(graphql_type=Title | None, description="On which basis (合法性基础).")
    decision: str | None = strawberry.field(description="allow or deny (决定).")
    reason: str | None = strawberry.field(description="Why it was refused (拒绝原因).")
    status: model.Status = strawberry.field(graphql_type=AuditStatus, description="How sure it is (证明状态).")
    archived: bool = strawberry.field(description="Whether its bytes are in the archive only (是否已归档).")
    leaf_hash: str = strawberry.field(description="The entry's leaf hash, in hex (叶哈希).")
    proof: str | None = strawberry.field(
        description="That the log holds exactly this entry (c2sp.org/tlog-proof@v1, without its bytes, which may name others); null "
        "while no checkpoint covers it (证明)."
    )


@strawberry.type(description="What was done with the signed-in member's data, the newest first (本人数据访问记录).")
class MyAccessLog:
    """From `own.AccessLog`."""

    nodes: list[MyAccess] = strawberry.field(description="The lines (记录).")
    page_info: AuditPageInfo = strawberry.field(description="Where it ends (分页).")


@strawberry.type(description="Whom a pseudonym stands for (假名还原结果).")
class SubjectResolved:
    """From `model.Resolved`."""

    member_id: strawberry.ID | None = strawberry.field(
        description="The member's id (会员编号); null for nobody, and for somebody erased."
    )
    approval: strawberry.ID = strawberry.field(description="The approval that was used (所用审批).")


After = Annotated[str | None, strawberry.argument(description="`endCursor` of the page before (起点).")]
Since = Annotated[datetime | None, strawberry.argument(description="Not before (自).")]
Until = Annotated[datetime | None, strawberry.argument(description="Before (至，不含).")]


@strawberry.type
class AuditQuery:
    """Reading the record; each time is an entry of its own."""

    @field(
        "Search the record (检索审计日志): by member, actor, role, purpose, basis, field, decision, reason, operation, campaign, request, "
        "time. A page may be shorter than asked for, with another behind it (`hasNextPage`): a rare thing is looked for in steps. "
        "Null: no such member, or one who was erased and can be found by nobody.",
    )
    async def audit_entries(
        self,
        info: Info,
        where: Annotated[AuditFilter | None, strawberry.argument(description="What to look for (条件).")] = None,
        first: Annotated[int | None, strawberry.argument(description="How many, 1,000 at most (条数).")] = FIRST,
        after: After = None,
    ) -> AuditEntryConnection | None:
        """`ops.audit_entries`."""
        asked = where or AuditFilter()
        page = await info.context.ops.audit_entries(
            info.context.call,
            _filter(asked),
            member_id=asked.member_id,
            first=FIRST if first is None else first,
            after=after,
        )
        if page is None:
            return None
        nodes = [_entry(line, info.context.catalogue) for line in page.lines]
        return AuditEntryConnection(nodes=nodes, page_info=_page_info(page))

    @field(
        "Who read which of the signed-in member's fields, when, for what, on which basis (谁查看了我的信息), in plain words, each with a "
        "proof that tells of nobody else. Changes, consents and refusals, too."
    )
    async def my_access_log(
        self,
        info: Info,
        *,
        first: Annotated[int | None, strawberry.argument(description="How many, 50 at most (条数).")] = OWN_FIRST,
        after: After = None,
        since: Since = None,
        until: Until = None,
        field: Annotated[FieldKey | None, strawberry.argument(description="Only with this field (字段).")] = None,
    ) -> MyAccessLog | None:
        """`ops.my_access_log`."""
        many = OWN_FIRST if first is None else first
        found = await info.context.ops.my_access_log(
            info.context.call, first=many, after=after, since=since, until=until, field=field or ""
        )
        if found is None:
            return None
        nodes = [_access(item, info.context.catalogue) for item in found.items]
        return MyAccessLog(nodes=nodes, page_info=_page_info(found))

    @field(
        "What was read with what leaked, in a window (事件影响范围): every member and field, by pseudonym; by id with an approval."
    )
    async def incident_scope(
        self,
        info: Info,
        *,
        leak: Annotated[LeakInput, strawberry.argument(description="What leaked (泄露途径).")],
        since: Annotated[datetime, strawberry.argument(description="Not before (自).")],
        until: Annotated[datetime, strawberry.argument(description="Before (至，不含).")],
        names: Annotated[
            bool | None, strawberry.argument(description="Members by id (显示会员编号); needs an approval.")
        ] = False,
        first: Annotated[int | None, strawberry.argument(description="How many members, 1,000 at most (条数).")] = FIRST,
        after: After = None,
    ) -> IncidentScope | None:
        """`ops.incident_scope`."""
        given = {key: text or "" for key, text in vars(leak).items()}
        found = await info.context.ops.incident_scope(
            info.context.call,
            Leak(since=since, until=until, **given),
            names=bool(names),
            first=FIRST if first is None else first,
            after=after,
        )
        return scope_of(found)


@strawberry.type
class AuditMutation:
    """What takes two persons."""

    @field("Whom a pseudonym stands for (还原假名): once, after another person has allowed exactly this.")
    async def resolve_subject(
        self,
        info: Info,
        subject: Annotated[str, strawberry.argument(description="The pseudonym, as entries show it (假名).")],
        month: Annotated[str, strawberry.argument(description="The month of the entry in UTC, such as 2026-11 (月份).")],
    ) -> SubjectResolved | None:
        """`ops.resolve_subject`."""
        found = await info.context.ops.resolve_subject(info.context.call, subject=subject, month=month)
        member_id = None if found.member_id is None else strawberry.ID(found.member_id)
        return SubjectResolved(member_id=member_id, approval=strawberry.ID(found.approval))


def _filter(asked: AuditFilter) -> model.Filter:
    texts = ("actor", "kind", "role", "purpose", "basis", "field", "decision", "reason", "operation", "campaign", "request")
    given: dict[str, Any] = {key: getattr(asked, key) or "" for key in texts}
    return model.Filter(typ=asked.entry_kind or "", since=asked.since, until=asked.until, **given)


def _page_info(page: model.Page | own.AccessLog) -> AuditPageInfo:
    return AuditPageInfo(
        end_cursor=page.end, has_next_page=page.has_next, archived=archived_of(page.archived), log_began_at=page.begun
    )


def _entry(line: model.Line, catalogue: Catalogue) -> AuditEntry:
    entry: Mapping[str, Any] = line.entry
    act = entry.get("act", {})
    return AuditEntry(
        index=line.index,
        status=line.status,
        archived=line.archived,
        segment=line.segment,
        leaf_hash=line.leaf,
        id=entry.get("id"),
        at=datetime.fromisoformat(entry["ts"]) if entry else None,
        kind=entry.get("typ"),
        operation=entry.get("op"),
        actor_kind=act.get("k"),
        actor=act.get("id"),
        roles=act.get("role", []),
        purpose=entry.get("pur"),
        purpose_title=wording.purpose(entry, catalogue),
        basis=entry.get("bas"),
        basis_title=wording.basis(entry),
        fields=_fields(entry.get("fld", ()), catalogue),
        withheld=_fields(entry.get("wth", ()), catalogue),
        decision=entry.get("dec"),
        reason=entry.get("rsn"),
        campaign=model.campaign_of(entry) or None,
        request=entry.get("req") or None,
        count=entry.get("cnt"),
        subjects=entry.get("sub", []),
    )


def _fields(keys: Any, catalogue: Catalogue) -> list[FieldTitle]:  # noqa: ANN401  (a list of an entry's)
    titles = wording.fields(keys, catalogue)
    return [FieldTitle(key=FieldKey(key), title=title) for key, title in zip(keys, titles, strict=True)]


def _access(item: own.Access, catalogue: Catalogue) -> MyAccess:
    entry = item.entry
    return MyAccess(
        index=item.index,
        at=item.at,
        kind=item.kind or None,
        said=item.said,
        who=item.who,
        fields=_fields(entry.get("fld", ()), catalogue),
        withheld=_fields(entry.get("wth", ()), catalogue),
        purpose=item.purpose,
        basis=item.basis,
        decision=entry.get("dec"),
        reason=entry.get("rsn"),
        status=item.status,
        archived=item.archived,
        leaf_hash=item.leaf,
        proof=item.proof,
    )
