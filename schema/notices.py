"""Telling (告知): what a member is still to be told, that they were, and when nobody need be (PIPL 17(2), 18)."""

from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry
from strawberry import enum_value as value

from policies import terms
from schema.arguments import MemberOrMe, MemberRef, PurposeUnlessMe
from schema.context import Info
from schema.enums import CaptureChannel
from schema.fields import field
from schema.outcomes import (
    ExemptionRejected,
    ExemptionUnknown,
    InformMembersFirst,
    MemberNotFound,
    NoticeRejected,
    Refusal,
    refusal,
)
from schema.rules import LANGUAGE, NoticeChange, changes_in
from service.notices import model

Version = Annotated[str, strawberry.argument(description="The version (版本).")]
Language = Annotated[str | None, strawberry.argument(description="The language of the text (语言).")]
Channel = Annotated[CaptureChannel, strawberry.argument(description="Where it was shown (渠道).")]


@strawberry.enum(description="On which ground nobody need be told, or not yet (告知豁免的事由, PIPL 18).")
class ExemptionGround(Enum):
    """Names of `service.notices.model.Ground`."""

    SECRECY_BY_LAW = value(
        "SECRECY_BY_LAW", description="A law demands secrecy or says that nobody need be told. 法律规定保密或者不需要告知。"
    )
    EMERGENCY = value(
        "EMERGENCY", description="Life, health or property in an emergency: told promptly afterwards. 紧急情况，消除后及时告知。"
    )


@strawberry.type(
    description="A notice in force that the member is still to be told of (待告知), with the parts that are new to them."
)
class PendingNotice:
    """From `model.Pending`."""

    version: str = strawberry.field(description="The version (版本).")
    kind: str = strawberry.field(description="GENERAL, or CHILD for a child's guardian (种类).")
    language: str = strawberry.field(description="The language of the text (语言).")
    effective_at: datetime = strawberry.field(description="Since when it is in force (生效时间).")
    known: str | None = strawberry.field(description="The version that the member was told last; null for none (上次告知的版本).")
    changes: list[NoticeChange] = strawberry.field(
        description="Only what is new against that one (变更的部分); all of it for none."
    )
    permalink: str = strawberry.field(description="Where its whole text stays for ever (永久链接).")
    digest: str = strawberry.field(description="SHA-256 of the text's exact bytes, in hex (文本摘要).")


@strawberry.type(description="It is recorded that the member was told (已告知).")
class NoticeAcknowledged:
    """From `model.Told`."""

    version: str = strawberry.field(description="The version (版本).")
    kind: str = strawberry.field(description="GENERAL or CHILD (种类).")
    language: str = strawberry.field(description="The language in which it was shown (语言).")
    told_at: datetime = strawberry.field(description="When it was recorded (告知时间).")
    again: bool = strawberry.field(description="true: it had been recorded before (重复请求).")


@strawberry.type(description="Leave not to tell, or to tell later (告知豁免, PIPL 18).")
class NoticeExemption:
    """From `model.Exemption`."""

    id: strawberry.ID = strawberry.field(description="Its id (编号).")
    ground: str = strawberry.field(description="SECRECY_BY_LAW or EMERGENCY (事由).")
    reason: str = strawberry.field(description="The reason that was stated (理由).")
    approver: str = strawberry.field(description="Who granted it (批准人账号).")
    created_at: datetime = strawberry.field(description="When it was granted (批准时间).")
    expires_at: datetime = strawberry.field(description="Until when it holds (到期时间).")
    closed_at: datetime | None = strawberry.field(description="When it was closed; null while it is open (关闭时间).")
    members_to_inform: int = strawberry.field(description="How many members are still to be informed (待告知的会员数).")


AcknowledgeNoticeResult = Annotated[
    NoticeAcknowledged | NoticeRejected | MemberNotFound,
    strawberry.union("AcknowledgeNoticeResult", description="That it is recorded, or why not (告知记录结果)."),
]
GrantNoticeExemptionResult = Annotated[
    NoticeExemption | ExemptionRejected,
    strawberry.union("GrantNoticeExemptionResult", description="The exemption, or why there is none (豁免结果)."),
]
CloseNoticeExemptionResult = Annotated[
    NoticeExemption | ExemptionUnknown | InformMembersFirst,
    strawberry.union("CloseNoticeExemptionResult", description="The closed exemption, or why it stays open (关闭结果)."),
]


@strawberry.type
class NoticeQuery:
    """What is still to be told."""

    @field("The notices in force that a member is still to be told of (待告知), newest text, only the changed parts.")
    async def pending_notices(
        self,
        info: Info,
        member_id: MemberOrMe = None,
        purpose: PurposeUnlessMe = None,
        language: Language = LANGUAGE,
    ) -> list[PendingNotice] | None:
        """`ops.pending_notices`."""
        context = info.context
        found = await context.ops.pending_notices(context.call, member_id=member_id, purpose=purpose)
        return None if found is None else [_pending(one, language or LANGUAGE, context.public_url) for one in found]

    @field("How many members have been told neither this version nor a later one (未告知人数); for compliance.")
    async def untold_count(self, info: Info, version: Version) -> int | None:
        """`ops.untold_count`."""
        return await info.context.ops.untold_count(info.context.call, version=version)

    @field("Every exemption from telling (告知豁免), the newest first; for compliance.")
    async def notice_exemptions(self, info: Info) -> list[NoticeExemption] | None:
        """`ops.exemptions`."""
        return [_exemption(one) for one in await info.context.ops.exemptions(info.context.call)]

    @field("The first 500 members who are still to be informed under an exemption (待告知的会员), by id; for compliance.")
    async def members_to_inform(
        self, info: Info, exemption: Annotated[strawberry.ID, strawberry.argument(description="The exemption (豁免编号).")]
    ) -> list[strawberry.ID] | None:
        """`ops.members_to_inform`."""
        found = await info.context.ops.members_to_inform(info.context.call, exemption_id=exemption)
        return [strawberry.ID(member_id) for member_id in found]


@strawberry.type
class NoticeMutation:
    """Telling, and leave not to."""

    @field(
        "Record that the member has read a notice (确认已阅读): the one in force, or one that is to come.",
        shows=AcknowledgeNoticeResult | None,
    )
    async def acknowledge_notice(
        self, info: Info, version: Version, channel: Channel, language: Language = LANGUAGE, member_id: MemberOrMe = None
    ) -> NoticeAcknowledged | Refusal | None:
        """`ops.acknowledge_notice`."""
        ops, call = info.context.ops, info.context.call
        return _told(
            await ops.acknowledge_notice(
                call, member_id=member_id, version=version, language=language or LANGUAGE, channel=channel.name
            )
        )

    @field(
        "Record that a service delivered a notice to a member (已送达), by message or post; services only.",
        shows=AcknowledgeNoticeResult | None,
    )
    async def mark_informed(
        self, info: Info, member_id: MemberRef, version: Version, channel: Channel, language: Language = LANGUAGE
    ) -> NoticeAcknowledged | Refusal | None:
        """`ops.mark_informed`."""
        ops, call = info.context.ops, info.context.call
        return _told(
            await ops.mark_informed(
                call, member_id=member_id, version=version, language=language or LANGUAGE, channel=channel.name
            )
        )

    @field("Give leave not to tell, or to tell later (批准告知豁免, PIPL 18).", shows=GrantNoticeExemptionResult | None)
    async def grant_notice_exemption(
        self,
        info: Info,
        ground: Annotated[ExemptionGround, strawberry.argument(description="The ground (事由).")],
        reason: Annotated[str, strawberry.argument(description="Why, without anybody's personal data (理由).")],
        expires_at: Annotated[
            datetime, strawberry.argument(description="Until when: 30 days at most in an emergency, else a year (到期时间).")
        ],
    ) -> NoticeExemption | Refusal | None:
        """`ops.grant_exemption`."""
        outcome = await info.context.ops.grant_exemption(
            info.context.call, ground=model.Ground[ground.name], reason=reason, expires_at=expires_at
        )
        return _exemption(outcome) if isinstance(outcome, model.Exemption) else refusal(outcome)

    @field(
        "End an exemption (关闭豁免); not before everybody who was admitted under it has been informed.",
        shows=CloseNoticeExemptionResult | None,
    )
    async def close_notice_exemption(
        self, info: Info, exemption: Annotated[strawberry.ID, strawberry.argument(description="The exemption (豁免编号).")]
    ) -> NoticeExemption | Refusal | None:
        """`ops.close_exemption`."""
        outcome = await info.context.ops.close_exemption(info.context.call, exemption_id=exemption)
        return _exemption(outcome) if isinstance(outcome, model.Exemption) else refusal(outcome)


def _told(outcome: object) -> NoticeAcknowledged | Refusal:
    if not isinstance(outcome, model.Told):
        return refusal(outcome)
    return NoticeAcknowledged(
        version=outcome.version, kind=outcome.kind, language=outcome.language, told_at=outcome.told_at, again=outcome.again
    )


def _pending(found: model.Pending, language: str, public_url: str) -> PendingNotice:
    notice: terms.Notice = found.notice
    shown = language if language in notice.digests else LANGUAGE
    return PendingNotice(
        version=notice.version,
        kind=notice.kind,
        language=shown,
        effective_at=notice.effective_at,
        known=found.known,
        changes=changes_in(found.changes, shown),
        permalink=model.permalink(public_url, notice.version, shown),
        digest=notice.digests[shown],
    )


def _exemption(found: model.Exemption) -> NoticeExemption:
    return NoticeExemption(
        id=strawberry.ID(found.exemption_id),
        ground=found.ground,
        reason=found.reason,
        approver=found.approver,
        created_at=found.created_at,
        expires_at=found.expires_at,
        closed_at=found.closed_at,
        members_to_inform=found.untold,
    )
