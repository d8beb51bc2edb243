"""What an incident concerns (PIPL 57), as GraphQL says it: whose data, which fields, how often."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import strawberry

from service.inspection import model


@strawberry.type(
    description="Segments that are in the archive only and hold entries of the time that was asked for (已归档分段)."
)
class ArchivedSegments:
    """From `model.Archived`."""

    first: int = strawberry.field(description="The first segment (首段号).")
    last: int = strawberry.field(description="The last, included (末段号).")
    since: datetime = strawberry.field(description="Their first moment (自).")
    until: datetime = strawberry.field(description="Their last moment (至).")


@strawberry.type(description="How many (计数).")
class AuditCount:
    """One line of a `model.Scope`."""

    key: str = strawberry.field(description="Of what (项目).")
    count: int = strawberry.field(description="How many (数量).")


@strawberry.type(description="One member whose data an incident concerns (受影响会员).")
class AffectedMember:
    """From `model.Affected`."""

    subject: str = strawberry.field(description="This month's pseudonym (本月假名).")
    member_id: strawberry.ID | None = strawberry.field(description="The id (会员编号); null unless another person allowed names.")
    entries: int = strawberry.field(description="How many entries (条目数).")
    fields: list[AuditCount] = strawberry.field(description="Which fields, how often (字段及次数).")
    since: datetime = strawberry.field(description="The first time (首次).")
    until: datetime = strawberry.field(description="The last time (末次).")


@strawberry.type(description="What an incident concerns (事件影响范围, PIPL 57).")
class IncidentScope:
    """From `model.Scope`."""

    entries: int = strawberry.field(description="Entries that let something out or changed it (条目数).")
    members: int = strawberry.field(description="Members concerned, each once (受影响会员数).")
    unattributed: int = strawberry.field(description="Pseudonyms of members who have been erased (已删除会员的假名数).")
    fields: list[AuditCount] = strawberry.field(description="Entries by field (按字段).")
    categories: list[AuditCount] = strawberry.field(description="Members by category (按信息种类).")
    sensitivities: list[AuditCount] = strawberry.field(description="Members by sensitivity (按敏感程度).")
    affected: list[AffectedMember] = strawberry.field(description="The members, by pseudonym (受影响会员).")
    end_cursor: str | None = strawberry.field(description="What to give as `after` for the next of them (下一页起点).")
    broken: list[int] = strawberry.field(description="Entries that are not whole; up to 1,000 (不完整的条目).")
    archived: list[ArchivedSegments] = strawberry.field(
        description="Segments of that time that are in the archive only: nothing was looked for in them (已归档，未检索的分段)."
    )
    approval_what: str = strawberry.field(
        description='What to ask for with `askApproval(kind: "incident.names", what: …)` before `names` (审批内容).'
    )


@strawberry.input(description="What leaked or was misused (泄露途径): exactly one of the four.")
class LeakInput:
    """As `Leak`."""

    token: str | None = strawberry.field(
        default=None, description="The token's jti, or its SHA-256 where it has none (令牌编号)."
    )
    account: str | None = strawberry.field(
        default=None, description="An account or client, such as `staff:clerk-7` (账号或客户端)."
    )
    address: str | None = strawberry.field(default=None, description="A caller's address (来源地址).")
    request: str | None = strawberry.field(default=None, description="A request's id (请求编号).")


def scope_of(found: model.Scope) -> IncidentScope:
    """As GraphQL says it."""
    return IncidentScope(
        entries=found.entries,
        members=found.members,
        unattributed=found.unattributed,
        fields=_counts(found.fields),
        categories=_counts(found.categories),
        sensitivities=_counts(found.sensitivities),
        affected=[_affected(one) for one in found.affected],
        end_cursor=found.end,
        broken=list(found.broken),
        archived=archived_of(found.archived),
        approval_what=found.what,
    )


def archived_of(found: Sequence[model.Archived]) -> list[ArchivedSegments]:
    """As GraphQL says it."""
    moment = datetime.fromisoformat
    return [ArchivedSegments(first=one.first, last=one.last, since=moment(one.since), until=moment(one.until)) for one in found]


def _affected(one: model.Affected) -> AffectedMember:
    since, until = map(datetime.fromisoformat, (one.since, one.until))
    member_id = None if one.member_id is None else strawberry.ID(one.member_id)
    fields = _counts(one.fields)
    return AffectedMember(subject=one.subject, member_id=member_id, entries=one.entries, fields=fields, since=since, until=until)


def _counts(counted: Mapping[str, int]) -> list[AuditCount]:
    return [AuditCount(key=key, count=count) for key, count in sorted(counted.items())]
