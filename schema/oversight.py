"""Oversight (合规监督): the register of processing, the measures of PIPL 51, who may do what, tasks."""

import dataclasses
import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

import strawberry

from policies.duties import RULES
from policies.naming import Title
from schema.context import Info
from schema.fields import field
from schema.oversight_types import (
    AccessReview,
    Account,
    ComplianceAuditPack,
    ComplianceDuty,
    ControlArtefact,
    ControlKind,
    ControlMeasure,
    ControlRecord,
    DutyKind,
    Grant,
    GrantKind,
    Law,
    MeasureStanding,
    PackFigure,
    PackGap,
    ProcessingActivity,
    ProcessingRegister,
    RegisterDiff,
    RegisterDifference,
    SignedReview,
)
from service.oversight import model
from service.oversight.pack.build import Built, Nowhere
from service.oversight.pack.figures import FIGURES
from service.oversight.pack.gaps import GAPS

Shown = TypeVar("Shown")


@strawberry.type
class OversightQuery:
    """Looking at it all."""

    @field("What processing was active at a moment (处理活动登记, PIPL 55, 56); null before anything was.")
    async def processing_register(
        self, info: Info, at: Annotated[datetime, strawberry.argument(description="When (时间).")]
    ) -> ProcessingRegister | None:
        """`ops.processing_register`."""
        found = await info.context.ops.processing_register(info.context.call, at=at)
        return None if found is None else _register(found)

    @field("What differs in the register between two moments (登记变更).")
    async def register_diff(
        self,
        info: Info,
        since: Annotated[datetime, strawberry.argument(description="The earlier moment (起).")],
        until: Annotated[datetime, strawberry.argument(description="The later moment (止).")],
    ) -> RegisterDiff | None:
        """`ops.register_diff`."""
        found = await info.context.ops.register_diff(info.context.call, since=since, until=until)
        return RegisterDiff(
            before=found.before.digest if found.before else None,
            after=found.after.digest if found.after else None,
            differences=[_difference(one) for one in found.differences],
        )

    @field("The measures that a law lists (法定措施证据), each with what shows it now. What is missing says so, and what to do.")
    async def control_evidence(
        self, info: Info, law: Annotated[Law, strawberry.argument(description="Whose list (法律).")]
    ) -> list[ControlMeasure] | None:
        """`ops.control_evidence`."""
        found = await info.context.ops.control_evidence(info.context.call, law=model.Law[law.name])
        return [_measure(measure) for measure in found]

    @field("Every grant with its last use (权限复核), for a person to review each quarter.")
    async def access_review(self, info: Info) -> AccessReview | None:
        """`ops.access_review`."""
        found = await info.context.ops.access_review(info.context.call)
        return AccessReview(
            quarter=found.quarter,
            digest=found.digest,
            read_to=found.read_to,
            grants=[_as(Grant, grant, what=GrantKind[grant.what.name]) for grant in found.grants],
            accounts=[_as(Account, account) for account in found.accounts],
        )

    @field("The figures of a pack for a compliance audit (合规审计资料包, PIPL 54) over some days, counted now from its rows.")
    async def compliance_audit_pack(
        self,
        info: Info,
        since: Annotated[date, strawberry.argument(description="The first day, in China's time (起始日).")],
        until: Annotated[date, strawberry.argument(description="The last day, whole (截止日).")],
    ) -> ComplianceAuditPack | None:
        """`ops.compliance_audit_pack`."""
        ops, call = info.context.ops, info.context.call
        return _pack(await ops.compliance_audit_pack(call, since=since, until=until, into=Nowhere()))  # type: ignore[arg-type]

    @field("Every task that a number, a change or a date has brought (合规任务), the most urgent open one first.")
    async def duties(self, info: Info) -> list[ComplianceDuty] | None:
        """`ops.duties`."""
        return [_duty(duty) for duty in await info.context.ops.duties(info.context.call)]


@strawberry.type
class OversightMutation:
    """What people say they did."""

    @field("Record a measure that people took (登记措施). It is never changed; a later one stands beside it.")
    async def record_control(  # noqa: PLR0917 - arguments of the contract, which GraphQL passes by name
        self,
        info: Info,
        kind: Annotated[ControlKind, strawberry.argument(description="What (类型).")],
        title: Annotated[str, strawberry.argument(description="Its title (名称); no personal data.")],
        held_on: Annotated[date, strawberry.argument(description="When it was taken (日期).")],
        reference: Annotated[str | None, strawberry.argument(description="Where its document lies (文件位置).")] = None,
        digest: Annotated[str | None, strawberry.argument(description="The document's SHA-256, in hex (文件摘要).")] = None,
    ) -> ControlRecord | None:
        """`ops.record_control`."""
        ops, wanted = info.context.ops, model.ControlKind[kind.name]
        told = {"title": title, "reference": reference or "", "digest": digest or "", "held_on": held_on}
        found = await ops.record_control(info.context.call, kind=wanted, **told)  # type: ignore[arg-type]
        return _as(ControlRecord, found, kind=kind)

    @field("Sign off this quarter's access review (权限复核签字), exactly as it was seen.")
    async def sign_access_review(
        self,
        info: Info,
        digest: Annotated[str, strawberry.argument(description="The digest of what was seen (所复核内容的摘要).")],
        comment: Annotated[str | None, strawberry.argument(description="What the reviewer says (意见).")] = None,
    ) -> SignedReview | None:
        """`ops.sign_access_review`."""
        found = await info.context.ops.sign_access_review(info.context.call, digest=digest, comment=comment or "")
        return _as(SignedReview, found)

    @field("Open an account again that was closed because nobody used it (恢复账号); never one's own.")
    async def enable_account(
        self,
        info: Info,
        account: Annotated[str, strawberry.argument(description="Kind and id, as in the log (账号).")],
        reason: Annotated[str, strawberry.argument(description="Why (理由); no personal data.")],
    ) -> bool | None:
        """`ops.enable_account`."""
        return await info.context.ops.enable_account(info.context.call, account=account, reason=reason)

    @field("Close a task (完成任务), with a reference to what was done.")
    async def complete_duty(
        self,
        info: Info,
        duty_id: Annotated[strawberry.ID, strawberry.argument(description="Its id (编号).")],
        reference: Annotated[str, strawberry.argument(description="What was done (办理依据); no personal data.")],
    ) -> ComplianceDuty | None:
        """`ops.complete_duty`."""
        return _duty(await info.context.ops.complete_duty(info.context.call, duty_id=duty_id, reference=reference))


def _register(found: model.Register) -> ProcessingRegister:
    activities = [_activity(key, activity) for key, activity in found.activities.items()]
    return ProcessingRegister(digest=found.digest, since=found.since, responsible=found.responsible, activities=activities)


def _activity(key: str, activity: Mapping[str, Any]) -> ProcessingActivity:
    return ProcessingActivity(
        purpose=key,
        title=Title(**activity["title"]),
        basis=activity["basis"],
        fields=list(activity["fields"]),
        recipients=[recipient["key"] for recipient in activity["recipients"]],
        triggers=activity["triggers"],
        record=_json(activity) or "",
    )


def _difference(found: model.Difference) -> RegisterDifference:
    return RegisterDifference(purpose=found.purpose, before=_json(found.before), after=_json(found.after))


def _measure(found: model.Measure) -> ControlMeasure:
    artefacts = [_as(ControlArtefact, one, standing=MeasureStanding[one.standing.name]) for one in found.artefacts]
    standing = MeasureStanding[found.standing.name]
    return ControlMeasure(item=found.item, title=found.title, standing=standing, artefacts=artefacts)


def _pack(found: Built) -> ComplianceAuditPack:
    figures = [
        _as(PackFigure, one, definition=_json(one.definition), value=json.dumps(found.values[one.key], ensure_ascii=False))
        for one in FIGURES
    ]
    gaps = [_as(PackGap, gap) for gap in GAPS]
    return _as(ComplianceAuditPack, found, figures=figures, gaps=gaps, vkeys=list(found.vkeys))


def _duty(found: model.Duty) -> ComplianceDuty:
    rule = RULES[found.kind]
    return _as(ComplianceDuty, found, kind=DutyKind[found.kind.name], title=rule.title, law=rule.law)


def _json(found: Mapping[str, Any] | None) -> str | None:
    return None if found is None else json.dumps(found, ensure_ascii=False, sort_keys=True)


def _as(type_: type[Shown], found: object, **other: object) -> Shown:
    """A value as its GraphQL type: the same names, but for those that are given."""
    names = [part.name for part in dataclasses.fields(type_)]  # type: ignore[arg-type]
    return type_(**{name: other[name] if name in other else getattr(found, name) for name in names})
