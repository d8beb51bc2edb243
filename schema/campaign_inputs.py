"""Templates and campaigns as staff write them."""

from datetime import date, datetime

import strawberry

from policies import marketing
from schema.campaign_types import MessageClass, RewardTrigger, TemplateKind
from schema.scalars import PurposeKey
from service.campaigns import model


@strawberry.input(description="The words of a template (模板内容). A variable stands in them as `${name}`.")
class TemplateInput:
    """To `model.TemplateBody`."""

    title: str = strawberry.field(description="What staff call it (名称).")
    message_class: MessageClass = strawberry.field(description="What it is (信息类别).")
    channel: str = strawberry.field(description="The channel's key (渠道).")
    sender: str = strawberry.field(description="The registered sender's key (发送方).")
    text: str = strawberry.field(description="The words (正文).")
    subject: str | None = strawberry.field(default=None, description="The subject of a mail (主题); it begins with 广告 or AD.")
    html: str | None = strawberry.field(default=None, description="The words of a mail as HTML (HTML 正文).")
    variables: list[str] | None = strawberry.field(
        default=None, description="Each `${name}` of the words: a field, or `sender`, `contact`, `opt_out` (变量)."
    )
    vendor_template: str | None = strawberry.field(default=None, description="The vendor's own id of it (服务商模板编号).")
    kind: TemplateKind | None = strawberry.field(default=None, description="How WeChat lets it be used (订阅类型).")


@strawberry.input(description="Who a campaign is for (受众规则), by what is kept unsealed. Empty: every subscriber of the topic.")
class AudienceInput:
    """To `model.Audience`."""

    tiers: list[str] | None = strawberry.field(default=None, description="One of these tiers (会员等级).")
    tags: list[str] | None = strawberry.field(default=None, description="All of these tags (标签).")
    without_tags: list[str] | None = strawberry.field(default=None, description="None of these tags (排除的标签).")
    points_from: int | None = strawberry.field(default=None, description="This many points or more (积分下限，含).")
    points_below: int | None = strawberry.field(default=None, description="Fewer points than this (积分上限，不含).")
    joined_from: date | None = strawberry.field(default=None, description="Joined on this day or later (入会日期起，含).")
    joined_before: date | None = strawberry.field(default=None, description="Joined before this day (入会日期止，不含).")


@strawberry.input(description="All that is reviewed together (活动内容).")
class CampaignInput:
    """To `model.Content`."""

    title: str = strawberry.field(description="What staff call it (名称).")
    brand: str = strawberry.field(description="The brand's key (品牌): that of the template's sender.")
    channel: str = strawberry.field(description="The channel's key (渠道): that of the template.")
    topic: str | None = strawberry.field(default=None, description="The topic's key (主题); none for telling of an incident.")
    purpose: PurposeKey = strawberry.field(description="The purpose that it stands on (处理目的).")
    template_id: strawberry.ID = strawberry.field(description="The template (模板编号).")
    template_version: int = strawberry.field(description="Its version (模板版本).")
    audience: AudienceInput | None = strawberry.field(default=None, description="Who it is for (受众规则).")
    starts_at: datetime = strawberry.field(description="From when it may be sent (开始时间).")
    ends_at: datetime = strawberry.field(description="Until when; a year at most (结束时间).")
    reward: RewardTrigger | None = strawberry.field(default=None, description="What a gift is given for (赠送条件).")


def body_of(given: TemplateInput) -> model.TemplateBody:
    """The words as the service takes them."""
    return model.TemplateBody(
        title=given.title,
        message_class=marketing.MessageClass[given.message_class.name],
        channel=given.channel,
        sender=given.sender,
        text=given.text,
        subject=given.subject or "",
        html=given.html or "",
        variables=tuple(given.variables or ()),
        vendor_template=given.vendor_template or "",
        kind=model.TemplateKind[given.kind.name] if given.kind else model.TemplateKind.PLAIN,
    )


def content_of(given: CampaignInput) -> model.Content:
    """The content as the service takes it; the service itself puts the template's digest there."""
    return model.Content(
        title=given.title,
        brand=given.brand,
        channel=given.channel,
        topic=given.topic or "",
        purpose=given.purpose,
        template_id=given.template_id,
        template_version=given.template_version,
        template_digest="",
        audience=_audience(given.audience),
        starts_at=given.starts_at,
        ends_at=given.ends_at,
        reward=model.RewardTrigger[given.reward.name] if given.reward else model.RewardTrigger.NONE,
    )


def _audience(given: AudienceInput | None) -> model.Audience:
    if given is None:
        return model.Audience()
    return model.Audience(
        tiers=tuple(given.tiers or ()),
        tags=tuple(given.tags or ()),
        without_tags=tuple(given.without_tags or ()),
        points_from=given.points_from,
        points_below=given.points_below,
        joined_from=given.joined_from,
        joined_before=given.joined_before,
    )
