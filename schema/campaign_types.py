"""Templates and campaigns as GraphQL shows and takes them."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import Enum

import strawberry
from strawberry import enum_value as value

from policies import lint, naming
from policies import marketing as words
from schema.rules import Title
from schema.scalars import PurposeKey
from service.campaigns import model


@strawberry.enum(description="What a message is (信息类别, MK-06). It is reviewed with the words.")
class MessageClass(Enum):
    """Names of `policies.marketing.MessageClass`."""

    COMMERCIAL = value("COMMERCIAL", description="Introduces goods, services or offers. 介绍、推销商品、服务或者商业机会。")
    SERVICE = value("SERVICE", description="What the member asked for, without any promotion. 会员要求的服务消息，不含促销。")
    BREACH = value("BREACH", description="Tells of an incident; compliance alone writes it (PIPL 57). 个人信息安全事件告知。")


@strawberry.enum(description="How WeChat lets a template be used (微信订阅消息类型, WX-05).")
class TemplateKind(Enum):
    """Names of `model.TemplateKind`."""

    PLAIN = value("PLAIN", description="The channel has no such rule. 该渠道无此要求。")
    ONE_TIME = value("ONE_TIME", description="One acceptance, one message. 一次性订阅。")
    LONG_TERM = value("LONG_TERM", description="Not for retail: refused when submitted. 长期订阅，零售不得使用。")


@strawberry.enum(description="Where a campaign stands (活动状态). Only an approved one is sent.")
class CampaignState(Enum):
    """Names of `model.CampaignState`."""

    DRAFT = value("DRAFT", description="Being written. 起草中。")
    SUBMITTED = value("SUBMITTED", description="Waits for its review. 待复核。")
    RETURNED = value("RETURNED", description="Sent back to its author. 已退回。")
    APPROVED = value("APPROVED", description="Approved as it stands. 已批准。")
    ENDED = value("ENDED", description="Over for good; it stays in the archive. 已结束并存档。")


@strawberry.enum(description="What was done with a campaign (活动步骤).")
class CampaignStep(Enum):
    """Names of `model.CampaignStep`."""

    CREATED = value("CREATED", description="Drafted. 起草。")
    REVISED = value("REVISED", description="Changed; any approval was void from here on. 修改，原批准失效。")
    SUBMITTED = value("SUBMITTED", description="Laid before a reviewer. 提交复核。")
    RETURNED = value("RETURNED", description="Sent back with a comment. 退回并说明理由。")
    APPROVED = value("APPROVED", description="Approved by somebody else than its authors. 由他人批准。")
    ENDED = value("ENDED", description="Ended. 结束。")


@strawberry.enum(description="For what a campaign's gift or voucher is given (赠送条件).")
class RewardTrigger(Enum):
    """Names of `model.RewardTrigger`."""

    NONE = value("NONE", description="Nothing is given. 无赠送。")
    PURCHASE = value("PURCHASE", description="For a purchase. 购买。")
    BIRTHDAY = value("BIRTHDAY", description="For a birthday. 生日。")
    VISIT = value("VISIT", description="For coming to the shop. 到店。")
    SUBSCRIBE = value("SUBSCRIBE", description="For subscribing: always refused (WX-06). 订阅：一律不予受理。")


@strawberry.type(description="One thing that may not be so in a message (审查意见), with the article that it rests on.")
class Objection:
    """Read from `lint.Objection`."""

    code: str = strawberry.field(description="A stable code (代码).")
    place: str = strawberry.field(description="The part of the template (位置), such as `text`.")
    word: str = strawberry.field(description="What was found there (违规内容); empty where something is missing.")
    article: str = strawberry.field(description="The article that it rests on (依据).")
    explanation: naming.Title = strawberry.field(graphql_type=Title, description="What to do (说明).")


@strawberry.type(description="One version of a template (消息模板). It never changes: an edit is another version.")
class MessageTemplate:
    """From `model.Template`."""

    template_id: strawberry.ID = strawberry.field(description="The template's id (模板编号).")
    version: int = strawberry.field(description="The version, from 1 (版本).")
    title: str = strawberry.field(description="What staff call it (名称).")
    message_class: words.MessageClass = strawberry.field(graphql_type=MessageClass, description="What it is (信息类别).")
    channel: str = strawberry.field(description="The channel's key (渠道).")
    sender: str = strawberry.field(description="The registered sender's key (发送方).")
    subject: str = strawberry.field(description="The subject of a mail; else empty (主题).")
    text: str = strawberry.field(description="The words (正文).")
    html: str = strawberry.field(description="The words of a mail as HTML; else empty (HTML 正文).")
    variables: list[str] = strawberry.field(description="What is filled in: fields of the catalogue and slots (变量).")
    vendor_template: str = strawberry.field(description="The vendor's own id of it; empty where none is needed (服务商模板编号).")
    kind: model.TemplateKind = strawberry.field(graphql_type=TemplateKind, description="How WeChat lets it be used (订阅类型).")
    digest: str = strawberry.field(description="SHA-256 over all of it, in hex (摘要).")
    author: str = strawberry.field(description="Who wrote this version (起草人账号).")
    created_at: datetime = strawberry.field(description="When (起草时间).")


@strawberry.type(description="A template with what a submission would be refused for (模板及审查意见).")
class CheckedTemplate:
    """From `model.Checked`."""

    template: MessageTemplate = strawberry.field(description="The version (模板).")
    objections: Sequence[lint.Objection] = strawberry.field(
        graphql_type=list[Objection], description="What speaks against it under the policy in force; none: nothing (审查意见)."
    )


@strawberry.type(description="Who a campaign is for (受众规则). Empty: every subscriber of the topic.")
class CampaignAudience:
    """Read from `model.Audience`."""

    tiers: list[str] = strawberry.field(description="One of these tiers (会员等级).")
    tags: list[str] = strawberry.field(description="All of these tags (标签): then a machine picks, and PIPL 24 applies.")
    without_tags: list[str] = strawberry.field(description="None of these tags (排除的标签).")
    points_from: int | None = strawberry.field(description="This many points or more (积分下限，含).")
    points_below: int | None = strawberry.field(description="Fewer points than this (积分上限，不含).")
    joined_from: date | None = strawberry.field(description="Joined on this day or later (入会日期起，含).")
    joined_before: date | None = strawberry.field(description="Joined before this day (入会日期止，不含).")


@strawberry.type(description="All that is reviewed together (活动内容): a change of any of it voids the approval.")
class CampaignContent:
    """From `model.Content`."""

    title: str = strawberry.field(description="What staff call it (名称).")
    brand: str = strawberry.field(description="The brand's key (品牌).")
    channel: str = strawberry.field(description="The channel's key (渠道).")
    topic: str = strawberry.field(description="The topic's key (主题); empty for telling of an incident.")
    purpose: PurposeKey = strawberry.field(description="The purpose that it stands on (处理目的).")
    template_id: strawberry.ID = strawberry.field(description="The template (模板编号).")
    template_version: int = strawberry.field(description="Its version (模板版本).")
    audience: CampaignAudience = strawberry.field(description="Who it is for (受众规则).")
    starts_at: datetime = strawberry.field(description="From when it may be sent (开始时间).")
    ends_at: datetime = strawberry.field(description="Until when (结束时间).")
    reward: model.RewardTrigger = strawberry.field(graphql_type=RewardTrigger, description="What a gift is given for (赠送条件).")


@strawberry.type(description="A campaign (营销活动).")
class Campaign:
    """From `model.Campaign`."""

    campaign_id: strawberry.ID = strawberry.field(description="Its id (活动编号).")
    version: int = strawberry.field(description="How often it was touched (版本): a revision names the one that it began from.")
    state: model.CampaignState = strawberry.field(graphql_type=CampaignState, description="Where it stands (状态).")
    digest: str = strawberry.field(description="SHA-256 over content and words, in hex: what an approval names (摘要).")
    approved: bool = strawberry.field(description="Whether exactly this was approved (是否已批准现有内容).")
    author: str = strawberry.field(description="Who began it (起草人账号).")
    created_at: datetime = strawberry.field(description="When (起草时间).")
    updated_at: datetime = strawberry.field(description="When it was touched last (更新时间).")
    content: CampaignContent = strawberry.field(description="What is reviewed (内容).")
    template: MessageTemplate = strawberry.field(description="The words that it sends (模板).")


@strawberry.type(description="One step of a campaign, with all that stood then (活动存档, 互联网广告管理办法): it cannot change.")
class ArchivedStep:
    """From `model.Step`."""

    step: model.CampaignStep = strawberry.field(graphql_type=CampaignStep, description="What was done (步骤).")
    actor: str = strawberry.field(description="Who did it (操作人账号).")
    comment: str = strawberry.field(description="What they said (意见).")
    recorded_at: datetime = strawberry.field(description="When (时间).")
    digest: str = strawberry.field(description="SHA-256 over content and words, in hex (摘要).")
    content: CampaignContent = strawberry.field(description="The content as it was (内容).")
    text: str = strawberry.field(description="The words as they were (正文).")
    subject: str = strawberry.field(description="The subject as it was (主题).")
    html: str = strawberry.field(description="The HTML as it was (HTML 正文).")
    sender: str = strawberry.field(description="The sender's key as it was (发送方).")


@strawberry.type(description="How many decisions of a campaign came to one end (计数).")
class CampaignCount:
    """Read from `model.OutcomeCount`."""

    outcome: str = strawberry.field(description="DENIED, ALLOWED where nothing more is known, else what became of it (结果).")
    count: int = strawberry.field(description="How many (数量).")


@strawberry.type(description="A campaign with its archive (活动及其存档).")
class CampaignDossier:
    """From `model.Dossier`."""

    campaign: Campaign = strawberry.field(description="The campaign as it stands (活动).")
    history: list[ArchivedStep] = strawberry.field(description="Every step, oldest first (存档).")
    counts: Sequence[model.OutcomeCount] = strawberry.field(
        graphql_type=list[CampaignCount], description="What became of its messages (发送统计)."
    )


def template(found: model.Template) -> MessageTemplate:
    """One version."""
    body = found.body
    return MessageTemplate(
        template_id=strawberry.ID(found.template_id),
        version=found.version,
        title=body.title,
        message_class=body.message_class,
        channel=body.channel,
        sender=body.sender,
        subject=body.subject,
        text=body.text,
        html=body.html,
        variables=list(body.variables),
        vendor_template=body.vendor_template,
        kind=body.kind,
        digest=found.digest.hex(),
        author=found.author,
        created_at=found.created_at,
    )


def content(found: model.Content) -> CampaignContent:
    """What is reviewed."""
    rule = found.audience
    return CampaignContent(
        title=found.title,
        brand=found.brand,
        channel=found.channel,
        topic=found.topic,
        purpose=PurposeKey(found.purpose),
        template_id=strawberry.ID(found.template_id),
        template_version=found.template_version,
        audience=CampaignAudience(
            tiers=list(rule.tiers),
            tags=list(rule.tags),
            without_tags=list(rule.without_tags),
            points_from=rule.points_from,
            points_below=rule.points_below,
            joined_from=rule.joined_from,
            joined_before=rule.joined_before,
        ),
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        reward=found.reward,
    )


def campaign(found: model.Campaign, used: model.Template) -> Campaign:
    """A campaign with its words."""
    return Campaign(
        campaign_id=strawberry.ID(found.campaign_id),
        version=found.version,
        state=found.state,
        digest=found.digest.hex(),
        approved=found.approved,
        author=found.author,
        created_at=found.created_at,
        updated_at=found.updated_at,
        content=content(found.content),
        template=template(used),
    )


def step(found: model.Step) -> ArchivedStep:
    """One step."""
    return ArchivedStep(
        step=found.step,
        actor=found.actor,
        comment=found.comment,
        recorded_at=found.recorded_at,
        digest=found.digest.hex(),
        content=content(found.content),
        text=found.words.text,
        subject=found.words.subject,
        html=found.words.html,
        sender=found.words.sender,
    )
