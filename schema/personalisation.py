"""Personalisation: the switch, how machines decide, the tags."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from policies import naming, terms
from schema.arguments import Evidenced, MemberOrMe, MemberRef, Purpose
from schema.consent_inputs import evidence_of
from schema.context import Info
from schema.enums import CaptureChannel, ConsentState, TagSource, WithheldReason
from schema.fields import field
from schema.outcomes import (
    ConsentNeeded,
    ConsentRejected,
    FieldNotInPurpose,
    GuardianConsentRequired,
    MemberNotFound,
    NoticeNotPresented,
    NoticeStale,
    PersonalisationOff,
    Refusal,
    SeparateConsentRequired,
    TagUnknown,
    refusal,
)
from schema.rules import PurposeTitle, Title
from schema.scalars import PurposeKey
from service.consent.model import CaptureChannel as Channel
from service.errors import BadInput
from service.members.tags.model import Source
from service.personalisation import model

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


@strawberry.type(
    description="One purpose that decides automatically (自动化决策目的, PIPL 24), and what it does with this member."
)
class ExplainedPurpose:
    """Read from `model.ExplainedPurpose`."""

    key: PurposeKey = strawberry.field(description="The purpose's key (目的).")
    title: naming.Title = strawberry.field(graphql_type=Title, description="Its name (名称).")
    logic: naming.Title | None = strawberry.field(
        graphql_type=Title | None, description="Its basic principle and main mechanism (基本原理和主要运行机制)."
    )
    state: terms.ConsentState | None = strawberry.field(
        graphql_type=ConsentState | None, description="Where its consent stands (同意状态); null where it rests on none."
    )
    used: bool = strawberry.field(description="Whether it may use this member's data now (目前是否使用).")
    reason: terms.Reason | None = strawberry.field(
        graphql_type=WithheldReason | None, description="Why it may not (不使用的原因); null where it may."
    )


@strawberry.type(description="Personalisation as the member has it (个性化).")
class Personalisation:
    """From `model.Personalisation`."""

    on: bool | None = strawberry.field(
        description="Whether it is on (是否开启). Off: no purpose that decides automatically uses this member. null: never touched."
    )
    since: datetime | None = strawberry.field(description="Since when (起始时间), where a consent turned it on or off.")
    purposes: Sequence[model.ExplainedPurpose] = strawberry.field(
        graphql_type=list[ExplainedPurpose], description="Every purpose that decides automatically (全部自动化决策目的)."
    )


@strawberry.type(description="One tag on the member (标签), once for each source that gave it.")
class MyTag:
    """Read from `model.MyTag`."""

    tag: str = strawberry.field(description="The tag's key in the vocabulary (标签代码).")
    title: naming.Title = strawberry.field(graphql_type=Title, description="Its name (名称).")
    meaning: naming.Title = strawberry.field(graphql_type=Title, description="What it says (含义).")
    source: Source | None = strawberry.field(
        graphql_type=TagSource | None, description="Where it came from (来源); null where that was not kept."
    )
    recorded_at: datetime | None = strawberry.field(description="When it was recorded (记录时间).")
    used_for: Sequence[terms.Purpose] = strawberry.field(
        graphql_type=list[PurposeTitle], description="The purposes that read tags (用于哪些目的)."
    )


@strawberry.input(description="One tag that a service found to fit (衍生标签).")
class TagInput:
    """Becomes a `model.DerivedTag`."""

    tag: str = strawberry.field(description="The tag's key in the vocabulary (标签代码); no other word is taken.")
    source_digest: str = strawberry.field(
        description="SHA-256, in hex, of the data that it follows from (来源数据摘要): the same data, the same digest."
    )


@strawberry.type(description="The tags of this source stand anew (标签已更新).")
class TagsRecorded:
    """From `model.TagsRecorded`."""

    member_id: strawberry.ID = strawberry.field(description="The member's id (会员编号).")
    tags: list[str] = strawberry.field(description="All tags of the member now (现有标签).")
    blocked: list[str] = strawberry.field(
        description="Left out: the member deleted these while the data was the same (会员已删除，不再生成)."
    )


@strawberry.type(description="The tags that are gone (已删除的标签).")
class TagsDeleted:
    """From `model.TagsDeleted`."""

    tags: list[str] = strawberry.field(description="Their keys (标签代码); none where there was nothing to delete.")


SetPersonalisationResult = Annotated[
    Personalisation
    | NoticeNotPresented
    | NoticeStale
    | GuardianConsentRequired
    | SeparateConsentRequired
    | ConsentRejected
    | MemberNotFound,
    strawberry.union("SetPersonalisationResult", description="How it stands now, or what is missing (设置结果)."),
]
RecordTagsResult = Annotated[
    TagsRecorded | TagUnknown | FieldNotInPurpose | ConsentNeeded | PersonalisationOff | MemberNotFound,
    strawberry.union("RecordTagsResult", description="The member's tags, or why there are none (记录结果)."),
]
DeleteTagsResult = Annotated[
    TagsDeleted | MemberNotFound, strawberry.union("DeleteTagsResult", description="What is gone (删除结果).")
]


@strawberry.type
class PersonalisationQuery:
    """What the member sees of it."""

    @field(
        "The signed-in member's personalisation (我的个性化): where the switch stands, and how each machine decides.",
        shows=Personalisation | None,
    )
    async def my_personalisation(self, info: Info) -> model.Personalisation | None:
        """`ops.my_personalisation`."""
        return await info.context.ops.my_personalisation(info.context.call)

    @field("The signed-in member's tags (我的标签), and where each came from.", shows=list[MyTag] | None)
    async def my_tags(self, info: Info) -> Sequence[model.MyTag] | None:
        """`ops.my_tags`."""
        return await info.context.ops.my_tags(info.context.call)


@strawberry.type
class PersonalisationMutation:
    """The switch and the tags."""

    @field(
        "Turn personalisation on, with the evidence of a consent, or off, with none (开启或关闭个性化, PIPL 24). Channels keep theirs.",
        shows=SetPersonalisationResult | None,
    )
    async def set_personalisation(
        self,
        info: Info,
        on: Annotated[bool, strawberry.argument(description="Whether it shall be on (是否开启).")],
        channel: Annotated[CaptureChannel, strawberry.argument(description="Where it was said (渠道).")],
        evidence: Evidenced = None,
        member_id: MemberOrMe = None,
    ) -> Personalisation | Refusal | None:
        """`ops.set_personalisation`."""
        context = info.context
        outcome = await context.ops.set_personalisation(
            context.call, member_id=member_id, on=on, channel=Channel[channel.name], evidence=evidence_of(evidence)
        )
        if isinstance(outcome, model.Personalisation):
            return Personalisation(on=outcome.on, since=outcome.since, purposes=outcome.purposes)
        return refusal(outcome)

    @field(
        "Put a service's tags from one source in the place of those from before (记录衍生标签). An empty list takes them away.",
        shows=RecordTagsResult | None,
    )
    async def record_tags(
        self,
        info: Info,
        member_id: MemberRef,
        purpose: Purpose,
        source: Annotated[TagSource, strawberry.argument(description="What they follow from (来源).")],
        tags: Annotated[list[TagInput], strawberry.argument(description="All that follows from it now (标签).")],
    ) -> TagsRecorded | Refusal | None:
        """`ops.record_tags`."""
        context = info.context
        outcome = await context.ops.record_tags(
            context.call,
            member_id=member_id,
            purpose=purpose,
            source=Source[source.name],
            tags=tuple(_derived(tag) for tag in tags),
        )
        if isinstance(outcome, model.TagsRecorded):
            return TagsRecorded(
                member_id=strawberry.ID(outcome.member_id), tags=list(outcome.tags), blocked=list(outcome.blocked)
            )
        return refusal(outcome)

    @field("Delete one tag (删除标签). It does not come back from the same data.", shows=DeleteTagsResult | None)
    async def delete_tag(
        self,
        info: Info,
        tag: Annotated[str, strawberry.argument(description="The tag's key (标签代码), as `myTags` gives it.")],
        member_id: MemberOrMe = None,
    ) -> TagsDeleted | Refusal | None:
        """`ops.delete_tags`."""
        return _deleted(await info.context.ops.delete_tags(info.context.call, member_id=member_id, tag=tag))

    @field("Delete every tag (删除全部标签). None comes back from the same data.", shows=DeleteTagsResult | None)
    async def delete_all_tags(self, info: Info, member_id: MemberOrMe = None) -> TagsDeleted | Refusal | None:
        """`ops.delete_tags`."""
        return _deleted(await info.context.ops.delete_tags(info.context.call, member_id=member_id, tag=None))


def _derived(given: TagInput) -> model.DerivedTag:
    """Raises BadInput for what is no SHA-256 in hex."""
    if not _SHA256.fullmatch(given.source_digest):
        raise BadInput("sourceDigest: SHA-256 in lower-case hex")
    return model.DerivedTag(given.tag, bytes.fromhex(given.source_digest))


def _deleted(outcome: object) -> TagsDeleted | Refusal:
    return TagsDeleted(tags=list(outcome.tags)) if isinstance(outcome, model.TagsDeleted) else refusal(outcome)
