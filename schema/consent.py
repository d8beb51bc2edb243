"""Consents: where they stand, how it came about, answering and taking back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from policies import terms
from schema.arguments import Decisions, Evidenced, IdempotencyKey, MemberOrMe, PurposeUnlessMe
from schema.consent_inputs import decision_of, evidence_of
from schema.context import Info
from schema.enums import CaptureChannel, ConsentState
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
from service.consent import ledger, model


@strawberry.type(description="Where one purpose stands for a member (同意状态).")
class ConsentStanding:
    """Read from `model.ConsentStanding`."""

    purpose: PurposeKey = strawberry.field(description="The purpose (处理目的).")
    state: ConsentState = strawberry.field(description="The state (状态).")
    since: datetime | None = strawberry.field(description="Since when (起始时间); null where it was never asked.")
    expires_at: datetime | None = strawberry.field(description="When it runs out (到期时间); null: it does not.")
    event_id: strawberry.ID | None = strawberry.field(description="The ledger's event that brought it about (对应的同意记录).")
    notice_version: str | None = strawberry.field(description="The version of the notice that was shown (告知版本).")


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


@strawberry.type
class ConsentQuery:
    """Reading the ledger."""

    @field(
        "Where every consent-based purpose stands (同意状态), now or as the ledger stood at a moment.",
        shows=list[ConsentStanding] | None,
    )
    async def consents(
        self,
        info: Info,
        member_id: MemberOrMe = None,
        purpose: PurposeUnlessMe = None,
        at: Annotated[datetime | None, strawberry.argument(description="A moment in the past (历史时间点).")] = None,
    ) -> Sequence[model.ConsentStanding] | None:
        """`ops.consents`."""
        return await info.context.ops.consents(info.context.call, member_id=member_id, purpose=purpose, at=at)

    @field("A member's whole consent ledger, oldest first (同意历史).")
    async def consent_history(
        self, info: Info, member_id: MemberOrMe = None, purpose: PurposeUnlessMe = None
    ) -> list[ConsentEvent] | None:
        """`ops.consent_history`."""
        found = await info.context.ops.consent_history(info.context.call, member_id=member_id, purpose=purpose)
        return None if found is None else [_event(event) for event in found]


@strawberry.type
class ConsentMutation:
    """Answering and taking back."""

    @field("Write down a member's answers (记录同意或拒绝), each purpose on its own.", shows=RecordConsentsResult | None)
    async def record_consents(
        self,
        info: Info,
        decisions: Decisions,
        evidence: Evidenced = None,
        member_id: MemberOrMe = None,
        idempotency_key: IdempotencyKey = None,
    ) -> ConsentsRecorded | Refusal | None:
        """`ops.record_consents`."""
        answers = tuple(decision_of(decision) for decision in decisions)
        outcome = await info.context.ops.record_consents(
            info.context.call,
            member_id=member_id,
            decisions=answers,
            evidence=evidence_of(evidence),
            idempotency_key=idempotency_key,
        )
        return _recorded(outcome)

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


def _recorded(outcome: object) -> ConsentsRecorded | Refusal:
    return ConsentsRecorded(standings=outcome.standings) if isinstance(outcome, model.ConsentsRecorded) else refusal(outcome)


def _event(event: model.ConsentEvent) -> ConsentEvent:
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
