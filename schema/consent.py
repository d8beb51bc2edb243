"""Consents: where they stand, how it came about, answering and taking back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from policies import terms
from schema.arguments import Decisions, Evidenced, IdempotencyKey, MemberOrMe, PurposeUnlessMe
from schema.consent_inputs import decision_of, evidence_of
from schema.consent_shown import MemberConsent, shown
from schema.context import Info
from schema.enums import CaptureChannel, ConsentState, Progress
from schema.fields import field
from schema.outcomes import (
    ConsentRejected,
    GuardianConsentRequired,
    MemberNotFound,
    NothingToWithdraw,
    NoticeNotPresented,
    NoticeStale,
    Refusal,
    SeparateConsentRequired,
    refusal,
)
from schema.scalars import PurposeKey
from service.consent import assisting, ledger, model


@strawberry.type(description="Where one purpose stands for a member (同意状态).")
class ConsentStanding:
    """Read from `model.ConsentStanding`."""

    purpose: PurposeKey = strawberry.field(description="The purpose (处理目的).")
    state: ConsentState = strawberry.field(description="The state (状态).")
    since: datetime | None = strawberry.field(description="Since when (起始时间); null where it was never asked.")
    expires_at: datetime | None = strawberry.field(description="When it runs out (到期时间); null: it does not.")
    event_id: strawberry.ID | None = strawberry.field(description="The ledger's event that brought it about (对应的同意记录).")
    notice_version: str | None = strawberry.field(description="The version of the notice that was shown (告知版本).")
    propagation: Progress | None = strawberry.field(
        description="How far the recipients have been told that it has ended (转达进度); null where nobody need be told."
    )


@strawberry.type(description="One row of the consent ledger (同意记录): never changed, never removed while the member is here.")
class ConsentEvent:
    """From `model.ConsentEvent`."""

    id: strawberry.ID = strawberry.field(description="The event's id (记录编号).")
    purpose: PurposeKey = strawberry.field(description="The purpose (处理目的).")
    state: terms.ConsentState = strawberry.field(graphql_type=ConsentState, description="The state that it led to (状态).")
    recorded_at: datetime = strawberry.field(description="When it was recorded (记录时间).")
    notice_version: str | None = strawberry.field(description="The version of the notice that was shown (告知版本).")
    record: str = strawberry.field(
        description="Everything that ISO/IEC TS 27560 asks for, as the JSON that is hashed (记录全文)."
    )
    previous_hash: str = strawberry.field(
        description="The hash of the event before it, in hex; zeros for the first (前一记录的哈希)."
    )
    hash: str = strawberry.field(description="SHA-256 over format name and record, in hex (本记录的哈希).")


@strawberry.type(description="The answers stand (已记录).")
class ConsentsRecorded:
    """From `model.ConsentsRecorded`."""

    standings: Sequence[model.ConsentStanding] = strawberry.field(
        graphql_type=list[ConsentStanding], description="The new states of exactly the purposes that were answered (新的状态)."
    )


@strawberry.type(description="The member's own act (会员本人确认): to be handed to the till, as a code to scan.")
class MemberAct:
    """From `assisting.MemberAct`."""

    token: str = strawberry.field(description="Send it as `memberAct` of `recordConsents` (确认令牌).")
    expires_at: datetime = strawberry.field(description="Until when it is good (到期时间).")


RecordConsentsResult = Annotated[
    ConsentsRecorded
    | NoticeNotPresented
    | NoticeStale
    | GuardianConsentRequired
    | SeparateConsentRequired
    | ConsentRejected
    | MemberNotFound,
    strawberry.union("RecordConsentsResult", description="The new standings, or what is missing (记录结果)."),
]
WithdrawConsentResult = Annotated[
    ConsentsRecorded | NothingToWithdraw | MemberNotFound,
    strawberry.union("WithdrawConsentResult", description="The new standing, or why there is none (撤回结果)."),
]

WithdrawAllResult = Annotated[
    ConsentsRecorded | MemberNotFound,
    strawberry.union("WithdrawAllResult", description="What changed (撤回结果), or no such member."),
]
ConfirmConsentsResult = Annotated[
    MemberAct
    | NoticeNotPresented
    | NoticeStale
    | GuardianConsentRequired
    | SeparateConsentRequired
    | ConsentRejected
    | MemberNotFound,
    strawberry.union("ConfirmConsentsResult", description="The member's own act, or what is missing (确认结果)."),
]


@strawberry.type
class ConsentQuery:
    """Reading the ledger."""

    @field(
        "Where every consent-based purpose stands (同意状态), now or as the ledger stood at a moment.",
    )
    async def consents(
        self,
        info: Info,
        member_id: MemberOrMe = None,
        purpose: PurposeUnlessMe = None,
        at: Annotated[datetime | None, strawberry.argument(description="A moment in the past (历史时间点).")] = None,
    ) -> list[MemberConsent] | None:
        """`ops.consents`."""
        found = await info.context.ops.consents(info.context.call, member_id=member_id, purpose=purpose, at=at)
        return None if found is None else [shown(view, info.context.catalogue) for view in found]

    @field("A member's whole consent ledger, oldest first (同意历史).")
    async def consent_history(
        self, info: Info, member_id: MemberOrMe = None, purpose: PurposeUnlessMe = None
    ) -> list[ConsentEvent] | None:
        """`ops.consent_history`."""
        found = await info.context.ops.consent_history(info.context.call, member_id=member_id, purpose=purpose)
        return None if found is None else [event_of(event) for event in found]


@strawberry.type
class ConsentMutation:
    """Answering and taking back."""

    @field("Write down a member's answers (记录同意或拒绝), each purpose on its own.", shows=RecordConsentsResult | None)
    async def record_consents(  # noqa: PLR0917 - arguments of the contract, which GraphQL passes by name
        self,
        info: Info,
        decisions: Decisions,
        evidence: Evidenced = None,
        member_id: MemberOrMe = None,
        idempotency_key: IdempotencyKey = None,
        member_act: Annotated[
            str | None,
            strawberry.argument(description="From staff, for a yes: the member's own act (会员本人确认), by `confirmConsents`."),
        ] = None,
    ) -> ConsentsRecorded | Refusal | None:
        """`ops.record_consents`."""
        answers = tuple(decision_of(decision) for decision in decisions)
        outcome = await info.context.ops.record_consents(
            info.context.call,
            member_id=member_id,
            decisions=answers,
            evidence=evidence_of(evidence),
            idempotency_key=idempotency_key,
            member_act=member_act,
        )
        return _recorded(outcome)

    @field(
        "Confirm one's own answers on a device of one's own (会员本人确认), for the account at the till that will pass them on. Nothing is "
        "decided by it yet; it is good once, for ten minutes, for exactly this.",
        shows=ConfirmConsentsResult | None,
    )
    async def confirm_consents(
        self,
        info: Info,
        decisions: Decisions,
        assistant: Annotated[
            str, strawberry.argument(description="The account that will pass them on, as the till shows it (协助人员账号).")
        ],
        evidence: Evidenced = None,
    ) -> MemberAct | Refusal | None:
        """`ops.confirm_consents`."""
        answers = tuple(decision_of(decision) for decision in decisions)
        outcome = await info.context.ops.confirm_consents(
            info.context.call, decisions=answers, evidence=evidence_of(evidence), assistant=assistant
        )
        if isinstance(outcome, assisting.MemberAct):
            return MemberAct(token=outcome.token, expires_at=outcome.expires_at)
        return refusal(outcome)

    @field(
        "Take a consent back (撤回同意, PIPL 15): no reason, no proof; it holds from the next request on.",
        shows=WithdrawConsentResult | None,
    )
    async def withdraw_consent(
        self,
        info: Info,
        purpose: Annotated[PurposeKey, strawberry.argument(description="The purpose to take back (要撤回同意的处理目的).")],
        channel: Annotated[CaptureChannel, strawberry.argument(description="Where it was said (渠道).")],
        member_id: MemberOrMe = None,
    ) -> ConsentsRecorded | Refusal | None:
        """`ops.withdraw`."""
        said = model.CaptureChannel[channel.name]
        outcome = await info.context.ops.withdraw(info.context.call, member_id=member_id, purpose=purpose, channel=said)
        return _recorded(outcome)

    @field(
        "Take back every consent that stands (撤回全部同意), in one step; the result lists what changed. Twice is as good as once.",
        shows=WithdrawAllResult | None,
    )
    async def withdraw_all(
        self,
        info: Info,
        channel: Annotated[CaptureChannel, strawberry.argument(description="Where it was said (渠道).")],
        member_id: MemberOrMe = None,
    ) -> ConsentsRecorded | Refusal | None:
        """`ops.withdraw_all`."""
        said = model.CaptureChannel[channel.name]
        return _recorded(await info.context.ops.withdraw_all(info.context.call, member_id=member_id, channel=said))


def _recorded(outcome: object) -> ConsentsRecorded | Refusal:
    return ConsentsRecorded(standings=outcome.standings) if isinstance(outcome, model.ConsentsRecorded) else refusal(outcome)


def event_of(event: model.ConsentEvent) -> ConsentEvent:
    """The ledger's row as the contract shows it."""
    return ConsentEvent(
        id=strawberry.ID(event.event_id),
        purpose=PurposeKey(event.purpose),
        state=event.state,
        recorded_at=event.recorded_at,
        notice_version=event.notice_version,
        record=ledger.canonical(event.record),
        previous_hash=event.previous_hash.hex(),
        hash=event.hash.hex(),
    )
