"""Sending (发送): may this go out now, what became of it, and what each decision rests on."""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry import enum_value as value

from policies import marketing
from schema.arguments import Purpose
from schema.campaign_types import ArchivedStep, step
from schema.campaigns import CampaignRef
from schema.consent import ConsentEvent, event_of
from schema.context import Info
from schema.fields import field
from schema.outcomes import CampaignRejected, Refusal, refusal
from schema.receipts import BROKEN, EvidenceHolding, EvidenceNotice, notice_of
from schema.sending_words import OutcomeReport, SendOutcome, SendReason, outcome_of
from service.audit.inclusion import Inclusion
from service.gate import model
from service.receipts.model import Holding

FIRST = 1000


@strawberry.type(description="One answer (发送判定): may this message go to this member now?")
class SendDecision:
    """Read from `model.Decision`."""

    member_id: strawberry.ID = strawberry.field(description="The member (会员编号).")
    send_id: strawberry.ID = strawberry.field(description="The decision's id (判定编号), by which its evidence is found.")
    allowed: bool = strawberry.field(description="Whether it may go out (是否允许).")
    reasons: Sequence[marketing.SendReason] = strawberry.field(
        graphql_type=list[SendReason], description="Every reason why not, in the order of the rules (拒绝原因); empty if it may."
    )
    token: str | None = strawberry.field(
        description="Proof for exactly this member, template and channel (发送许可); null if not."
    )
    expires_at: datetime | None = strawberry.field(description="Until when the proof and the reserved slot hold (有效期至).")
    next_slot: datetime | None = strawberry.field(
        description="When to ask again, where time alone stands in the way (下次可发时间)."
    )


@strawberry.type(description="Where a page of decisions ends (分页信息).")
class SendPageInfo:
    """From `model.DecisionPage`."""

    end_cursor: str | None = strawberry.field(description="What to give as `after` for the next page (下一页起点).")
    has_next_page: bool = strawberry.field(description="Whether the audience goes on (是否还有).")


@strawberry.type(description="One page of answers (发送判定列表).")
class SendDecisions:
    """From `model.DecisionPage`."""

    decisions: Sequence[model.Decision] = strawberry.field(
        graphql_type=list[SendDecision], description="One answer a member (逐人判定), in the order asked, else by id."
    )
    page_info: SendPageInfo = strawberry.field(description="Where it ends (分页信息).")


DecideSendsResult = Annotated[
    SendDecisions | CampaignRejected,
    strawberry.union("DecideSendsResult", description="The answers, or why there are none (发送判定结果)."),
]


@strawberry.type(description="What was made of one report (回报处理结果).")
class RecordedOutcome:
    """From `model.Reported`."""

    send_id: strawberry.ID = strawberry.field(description="The decision (判定编号).")
    accepted: bool = strawberry.field(description="Whether the report holds (是否接受).")
    recorded: bool = strawberry.field(description="Whether it was new (是否新记录): told twice, it counts once.")
    code: str | None = strawberry.field(description="Why it does not hold, or an alarm (代码); null when all is well.")


@strawberry.type(description="What was made of each report, in their order (回报处理结果列表).")
class OutcomesRecorded:
    """From `model.OutcomesRecorded`."""

    results: list[RecordedOutcome] = strawberry.field(description="One answer a report (逐条结果).")


@strawberry.enum(description="A link of the chain behind one decision (判定证据链环节).")
class SendEvidencePart(Enum):
    """Names of `model.SendPart`."""

    ENTRY = value("ENTRY", description="The log's entry of the call has the hash under which it was logged. 审计条目未被改动。")
    DECISIONS = value("DECISIONS", description="The decisions of the call are those that were logged. 判定记录与审计条目一致。")
    EVENT = value("EVENT", description="The consent event is there and hashes to what it says. 同意记录存在且未被改动。")
    CHAIN = value("CHAIN", description="No consent event before it is missing or altered. 之前的同意记录连续完整。")
    NOTICE = value("NOTICE", description="The notice has exactly the bytes that were shown. 告知文本与展示时一致。")
    WORDS = value("WORDS", description="The question has exactly the words that were shown. 问句与展示时一致。")
    TEMPLATE = value("TEMPLATE", description="The template's words are those that were decided on. 模板内容与判定时一致。")
    APPROVAL = value("APPROVAL", description="Somebody else approved exactly this before. 活动此前已由他人批准。")


@strawberry.type(description="One link, and whether it holds (环节及状态).")
class SendFinding:
    """From `model.SendFinding`."""

    part: model.SendPart = strawberry.field(graphql_type=SendEvidencePart, description="The link (环节).")
    holding: Holding = strawberry.field(graphql_type=EvidenceHolding, description="Whether it holds (状态).")
    code: str | None = strawberry.field(description="Why it does not; null where it does (原因代码).")


@strawberry.type(description="What became of a message (发送结果).")
class SendBecame:
    """From `model.Became`."""

    outcome: model.Outcome = strawberry.field(graphql_type=SendOutcome, description="What (结果).")
    code: str | None = strawberry.field(description="A code of the sender's, or an alarm (代码).")
    recorded_at: datetime = strawberry.field(description="When it was recorded (记录时间).")


@strawberry.type(
    description="The entry's proof of inclusion (审计日志包含证明, RFC 9162 2.1.3): whoever hashes `leafHash` up the path gets `root`, "
    "and needs to believe nobody on the way."
)
class LogInclusion:
    """From `service.audit.inclusion.Inclusion`."""

    size: int = strawberry.field(description="How many entries the log had when it was proven (日志条目数).")
    root: str = strawberry.field(description="The log's root at that size, in hex (树根哈希).")
    path: list[str] = strawberry.field(description="The hashes beside the way, from the leaf upwards, in hex (哈希路径).")


@strawberry.type(description="All that proves one decision, allowed or refused, to have been right (发送判定的证据链, PIPL 69).")
class SendEvidence:
    """From `model.SendEvidence`."""

    whole: bool = strawberry.field(description="Whether every link that is needed is there and holds (是否完整).")
    code: str | None = strawberry.field(description="EVIDENCE_BROKEN where it is not whole; `findings` says where (结论代码).")
    findings: list[SendFinding] = strawberry.field(description="Link by link (逐项结果).")
    member_id: strawberry.ID = strawberry.field(description="The member (会员编号).")
    campaign_id: strawberry.ID = strawberry.field(description="The campaign (活动编号).")
    channel: str = strawberry.field(description="The channel (渠道).")
    allowed: bool = strawberry.field(description="Whether it was allowed (是否允许).")
    reasons: list[str] = strawberry.field(description="Every rule that stood in the way (拒绝原因).")
    decided_at: datetime = strawberry.field(description="When (判定时间).")
    outcomes: list[SendBecame] = strawberry.field(description="What became of it, in order (发送结果).")
    rests_on: str = strawberry.field(description="What every rule was judged by, as JSON, exactly as it was kept (判定依据).")
    policy_in_force: bool = strawberry.field(description="Whether the policy that decided is in force now (政策是否仍有效).")
    event: ConsentEvent | None = strawberry.field(description="The consent (所依据的同意记录).")
    notice: EvidenceNotice | None = strawberry.field(description="What the member had been shown (展示内容).")
    template_text: str | None = strawberry.field(description="The words (模板正文); null where they are gone.")
    approval: ArchivedStep | None = strawberry.field(description="Who approved it, and what (批准记录).")
    entry_id: strawberry.ID = strawberry.field(description="The log's entry of the call that decided (审计条目编号).")
    entry_index: int | None = strawberry.field(description="Its place in the log (序号); null where it is not there.")
    leaf_hash: str | None = strawberry.field(description="Its leaf hash in the log's tree, in hex (叶哈希).")
    inclusion: LogInclusion | None = strawberry.field(
        description="The proof that it is in the log (包含证明); null where it is not, and then `findings` says so."
    )


SendRef = Annotated[strawberry.ID, strawberry.argument(description="The decision's id (判定编号).")]
Members = Annotated[
    list[strawberry.ID] | None,
    strawberry.argument(description="For these members, 1,000 at most (会员编号); left out: for the campaign's audience."),
]
Page = Annotated[int | None, strawberry.argument(description="How many of the audience, 1,000 at most (数量).")]
After = Annotated[str | None, strawberry.argument(description="`endCursor` of the page before (起点).")]
Reports = Annotated[list[OutcomeReport], strawberry.argument(description="Up to 100 reports (回报).")]


@strawberry.type
class SendingQuery:
    """Looking at what was decided."""

    @field("What one decision rests on (发送举证, PIPL 69): for what was refused as for what was sent. null where there is none.")
    async def send_evidence(self, info: Info, send_id: SendRef, purpose: Purpose) -> SendEvidence | None:
        """`ops.send_evidence`."""
        found = await info.context.ops.send_evidence(info.context.call, send_id=send_id, purpose=purpose)
        return _evidence(found) if found else None


@strawberry.type
class SendingMutation:
    """The gate."""

    @field(
        "May this campaign go to these members, or to its audience, now (判定可否发送)? What is allowed is reserved for five minutes.",
        shows=DecideSendsResult | None,
    )
    async def decide_sends(
        self, info: Info, campaign_id: CampaignRef, members: Members = None, first: Page = FIRST, after: After = None
    ) -> SendDecisions | Refusal | None:
        """`ops.decide_sends`."""
        outcome = await info.context.ops.decide_sends(
            info.context.call,
            campaign_id=campaign_id,
            members=members,
            first=FIRST if first is None else first,
            after=after,
        )
        if not isinstance(outcome, model.DecisionPage):
            return refusal(outcome)
        return SendDecisions(
            decisions=outcome.decisions, page_info=SendPageInfo(end_cursor=outcome.end, has_next_page=outcome.has_next)
        )

    @field("Say what became of messages that the caller sent itself (回报发送结果), each with the token of its decision.")
    async def record_outcomes(self, info: Info, outcomes: Reports) -> OutcomesRecorded | None:
        """`ops.record_outcomes`."""
        done = await info.context.ops.record_outcomes(info.context.call, reports=[outcome_of(one) for one in outcomes])
        return OutcomesRecorded(results=[_shown(one) for one in done.results])


def _shown(found: model.Reported) -> RecordedOutcome:
    return RecordedOutcome(
        send_id=strawberry.ID(found.send_id), accepted=found.accepted, recorded=found.recorded, code=found.code or None
    )


def _evidence(found: model.SendEvidence) -> SendEvidence:
    decision = found.decision
    given: dict[str, Any] = {
        "member_id": strawberry.ID(decision.member_id),
        "campaign_id": strawberry.ID(decision.campaign_id),
        "channel": decision.channel,
        "allowed": decision.allowed,
        "reasons": list(decision.reasons),
        "decided_at": decision.decided_at,
        "rests_on": decision.evidence,
        "entry_id": strawberry.ID(decision.batch),
    }
    return SendEvidence(
        **given,
        whole=found.whole,
        code=None if found.whole else BROKEN,
        findings=[SendFinding(part=one.part, holding=one.holding, code=one.code or None) for one in found.findings],
        outcomes=[SendBecame(outcome=one.outcome, code=one.code or None, recorded_at=one.recorded_at) for one in found.outcomes],
        policy_in_force=found.policy_in_force,
        event=event_of(found.event) if found.event else None,
        notice=notice_of(found.shown) if found.shown else None,
        template_text=found.template.body.text if found.template else None,
        approval=step(found.approval) if found.approval else None,
        entry_index=found.entry_index,
        leaf_hash=found.entry_leaf or None,
        inclusion=_inclusion(found.inclusion),
    )


def _inclusion(found: Inclusion | None) -> LogInclusion | None:
    return LogInclusion(size=found.size, root=found.root.hex(), path=[one.hex() for one in found.path]) if found else None
