"""Arguments that more than one field takes, each described once."""

from typing import Annotated

import strawberry

from schema.consent_inputs import ContactProofInput, DecisionInput, EvidenceInput
from schema.scalars import FieldKey, PurposeKey

Purpose = Annotated[
    PurposeKey, strawberry.argument(description="The declared purpose (处理目的) for which this is done. No purpose, no data.")
]
MemberRef = Annotated[strawberry.ID, strawberry.argument(description="The member's id (会员编号).")]
MemberOrMe = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="The member's id (会员编号); left out by a member, who is always meant."),
]
PurposeUnlessMe = Annotated[
    PurposeKey | None,
    strawberry.argument(description="The declared purpose (处理目的); left out by a member, who reads their own."),
]
Key = Annotated[FieldKey, strawberry.argument(description="The key of a field of the catalogue (字段).")]
Evidenced = Annotated[
    EvidenceInput | None,
    strawberry.argument(description="What proves that the notice was shown and how the member answered (同意证据)."),
]
Proof = Annotated[
    ContactProofInput | None,
    strawberry.argument(description="That the contact given here was proven to be the member's (联系方式核验结果)."),
]
Decisions = Annotated[list[DecisionInput], strawberry.argument(description="One answer a purpose (逐项决定).")]
OptionalDecisions = Annotated[
    list[DecisionInput] | None,
    strawberry.argument(description="One answer a purpose (逐项决定); what is not answered stays not asked."),
]
IdempotencyKey = Annotated[
    str | None,
    strawberry.argument(
        description="A key of the caller's own (幂等键): the same request with the same key is carried out once."
    ),
]
