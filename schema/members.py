"""The mutations over a member's own data: join, update."""

from typing import Annotated

import strawberry

from policies import terms
from schema.arguments import Evidenced, IdempotencyKey, MemberOrMe, OptionalDecisions, Proof, Purpose
from schema.consent_inputs import decision_of, evidence_of, proof_of
from schema.context import Info
from schema.enums import MemberStatus
from schema.fields import field
from schema.member_inputs import MemberFieldsInput, fields_of
from schema.outcomes import (
    ConsentNeeded,
    ConsentRejected,
    ContactTaken,
    FieldNotInPurpose,
    FieldRejected,
    GuardianConsentRequired,
    MemberNotFound,
    NoticeNotPresented,
    NoticeStale,
    Refusal,
    SeparateConsentRequired,
    refusal,
)
from schema.scalars import FieldKey
from service.members import model


@strawberry.type(description="A new member (入会成功).")
class MemberJoined:
    """From `model.Joined`."""

    member_id: strawberry.ID = strawberry.field(description="The new member's id (会员编号).")
    status: terms.MemberStatus = strawberry.field(
        graphql_type=MemberStatus, description="GUARDIAN_PENDING for a member under 14 (会员状态)."
    )
    again: bool = strawberry.field(description="true: this idempotency key had been used, and this is its answer (重复请求).")


@strawberry.type(description="A member's data was changed (更新成功).")
class MemberUpdated:
    """From `model.Updated`."""

    member_id: strawberry.ID = strawberry.field(description="The member's id (会员编号).")
    fields: list[FieldKey] = strawberry.field(description="The fields that were changed (已更改的字段).")


JoinMemberResult = Annotated[
    MemberJoined
    | NoticeNotPresented
    | NoticeStale
    | SeparateConsentRequired
    | GuardianConsentRequired
    | ConsentRejected
    | FieldNotInPurpose
    | FieldRejected
    | ContactTaken,
    strawberry.union("JoinMemberResult", description="A new member, or what is missing (入会结果)."),
]
UpdateMemberResult = Annotated[
    MemberUpdated | FieldNotInPurpose | FieldRejected | ContactTaken | ConsentNeeded | MemberNotFound,
    strawberry.union("UpdateMemberResult", description="What was changed, or why nothing was (更新结果)."),
]


@strawberry.type
class MemberMutation:
    """Join and update."""

    @field(
        "Admit a member (入会). Nothing is collected before the notice was shown; one contact is enough, the rest is optional.",
        shows=JoinMemberResult | None,
    )
    async def join_member(  # noqa: PLR0917 - arguments of the contract, which GraphQL passes by name
        self,
        info: Info,
        purpose: Purpose,
        fields: Annotated[MemberFieldsInput, strawberry.argument(description="The member's data (会员信息).")],
        decisions: OptionalDecisions = None,
        evidence: Evidenced = None,
        idempotency_key: IdempotencyKey = None,
        exemption: Annotated[
            strawberry.ID | None,
            strawberry.argument(
                description="An EMERGENCY exemption (告知豁免, PIPL 18) in place of the evidence; no answers then."
            ),
        ] = None,
        contact_proof: Proof = None,
    ) -> MemberJoined | Refusal | None:
        """`ops.join`."""
        context = info.context
        outcome = await context.ops.join(
            context.call,
            purpose=purpose,
            fields={key: value for key, value in fields_of(fields).items() if value is not None},
            evidence=evidence_of(evidence),
            decisions=tuple(decision_of(decision) for decision in decisions or ()),
            idempotency_key=idempotency_key,
            exemption=exemption,
            proof=proof_of(contact_proof),
        )
        if isinstance(outcome, model.Joined):
            return MemberJoined(member_id=strawberry.ID(outcome.member_id), status=outcome.status, again=outcome.again)
        return refusal(outcome)

    @field(
        "Change a member's data (更正、补充个人信息). A field given as null is removed; one left out stays as it is.",
        shows=UpdateMemberResult | None,
    )
    async def update_member(
        self,
        info: Info,
        purpose: Purpose,
        changes: Annotated[MemberFieldsInput, strawberry.argument(description="The new values (新的会员信息).")],
        member_id: MemberOrMe = None,
        contact_proof: Proof = None,
    ) -> MemberUpdated | Refusal | None:
        """`ops.update`."""
        context = info.context
        outcome = await context.ops.update(
            context.call, member_id=member_id, purpose=purpose, changes=fields_of(changes), proof=proof_of(contact_proof)
        )
        if isinstance(outcome, model.Updated):
            return MemberUpdated(member_id=strawberry.ID(outcome.member_id), fields=[FieldKey(key) for key in outcome.fields])
        return refusal(outcome)
