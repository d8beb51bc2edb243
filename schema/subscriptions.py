"""Subscriptions: what a member receives, saying yes, saying no, what a mini-program reports, what an address said."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from policies import marketing, naming
from schema.arguments import Evidenced, IdempotencyKey, MemberOrMe, MemberRef, Purpose, PurposeUnlessMe
from schema.consent_inputs import evidence_of
from schema.context import Info
from schema.enums import PrivacyEvent, SubscriptionState, SuppressionCause, SuppressionState, TemplateResult
from schema.fields import field
from schema.outcomes import (
    ConsentRejected,
    GuardianConsentRequired,
    MemberNotFound,
    NoticeNotPresented,
    NoticeStale,
    Refusal,
    SeparateConsentRequired,
    SubscriptionRejected,
    refusal,
)
from schema.rules import Title
from schema.scalars import FieldKey
from service.subscriptions import model, reports
from service.suppression import model as suppression


@strawberry.type(
    description="What a member can subscribe to (订阅主题), in the words and numbers that have to be shown (SMS31 18)."
)
class SubscriptionTopic:
    """Read from `marketing.Topic`."""

    key: str = strawberry.field(description="The topic's key (主题代码).")
    title: naming.Title = strawberry.field(graphql_type=Title, description="Its name: the type (类型).")
    description: naming.Title = strawberry.field(graphql_type=Title, description="What it brings (内容说明).")
    monthly: int = strawberry.field(description="At most so many messages a calendar month (频次).")
    months: int = strawberry.field(description="For so many months, then it has to be asked for anew (期限).")


@strawberry.type(description="One subscription of a member (订阅).")
class Subscription:
    """From `model.Shown`."""

    channel: str = strawberry.field(description="The channel (渠道).")
    topic: str | None = strawberry.field(description="The topic (主题); null: the channel as a whole was refused.")
    brand: str | None = strawberry.field(description="The brand (品牌); null: all of them.")
    state: model.SubscriptionState = strawberry.field(graphql_type=SubscriptionState, description="Where it stands (状态).")
    since: datetime = strawberry.field(description="Since when (起始时间).")
    expires_at: datetime | None = strawberry.field(description="When it runs out (到期时间).")
    monthly: int | None = strawberry.field(description="The most messages a month that the member was told of (所承诺的频次).")
    suppressed: bool = strawberry.field(
        description="Whether nothing goes out all the same, because the address said no (是否拒收)."
    )


@strawberry.type(description="The subscription stands, or waits for its address (订阅结果).")
class Subscribed:
    """From `model.Subscribed`."""

    subscription: Subscription = strawberry.field(description="As it stands now (订阅).")
    confirmation: str | None = strawberry.field(
        description="What the message to the address has to carry (确认链接内容), told to the service that writes it and to nobody else."
    )


@strawberry.type(description="It is off (已退订): at once, and for every brand of the controller.")
class Unsubscribed:
    """From `model.Left`."""

    channels: list[str] = strawberry.field(description="The channels that it is about (渠道).")
    again: bool = strawberry.field(description="Whether it was off before (此前已退订).")


@strawberry.type(description="How many messages of one template may be sent (微信订阅消息剩余次数).")
class TemplateQuota:
    """Read from `reports.QuotaLeft`."""

    template: str = strawberry.field(description="The template's id (模板编号).")
    balance: int = strawberry.field(description="So many (剩余次数).")


@strawberry.type(description="The dialog is on record (已记录): a count, and no consent to marketing.")
class WechatSubscriptionRecorded:
    """From `reports.QuotasRecorded`."""

    quotas: Sequence[reports.QuotaLeft] = strawberry.field(
        graphql_type=list[TemplateQuota], description="Of exactly the templates that were reported (剩余次数)."
    )


@strawberry.type(description="WeChat's privacy dialog is on record (已记录): evidence, and no consent to anything here.")
class PrivacyAuthorizationRecorded:
    """From `reports.PrivacyRecorded`."""

    event: reports.PrivacyEvent = strawberry.field(graphql_type=PrivacyEvent, description="What it said (结果).")


@strawberry.type(description="What one address said on one channel (拒收记录).")
class Suppression:
    """From `suppression.Suppression`."""

    channel: str = strawberry.field(description="The channel (渠道).")
    state: suppression.SuppressionState = strawberry.field(
        graphql_type=SuppressionState, description="Whether anything may go there (状态)."
    )
    reason: SuppressionCause = strawberry.field(description="Why not (原因).")
    since: datetime = strawberry.field(description="Since when (起始时间).")


@strawberry.input(
    description="What a member subscribes to, with what they were told of it (订阅请求). Nothing is given in return."
)
class SubscribeInput:
    """Becomes a `model.Wish`."""

    channel: str = strawberry.field(description="The channel (渠道).")
    topic: str = strawberry.field(description="The topic (主题).")
    brand: str = strawberry.field(description="The brand (品牌).")
    monthly: int = strawberry.field(description="The most messages a month, as the screen said (所展示的频次).")
    months: int = strawberry.field(description="For how many months, as the screen said (所展示的期限).")


@strawberry.input(description="One template and what the member said to it (模板授权结果).")
class TemplateResultInput:
    """Becomes a `reports.Reported`."""

    template: str = strawberry.field(description="The template's id (模板编号).")
    result: TemplateResult = strawberry.field(description="What WeChat told (结果).")


@strawberry.input(description="What WeChat's privacy dialog said (微信隐私授权弹窗).")
class PrivacyDialogInput:
    """Becomes the arguments of `reports.privacy`."""

    appid: str = strawberry.field(description="The mini-program's (小程序 appid).")
    contract_name: str = strawberry.field(description="privacyContractName (隐私保护指引名称).")
    event: PrivacyEvent = strawberry.field(description="What became of it (结果).")
    at: datetime = strawberry.field(description="When (时间).")


SubscribeResult = Annotated[
    Subscribed
    | SubscriptionRejected
    | NoticeNotPresented
    | NoticeStale
    | GuardianConsentRequired
    | SeparateConsentRequired
    | ConsentRejected
    | MemberNotFound,
    strawberry.union("SubscribeResult", description="The subscription, or what is missing (订阅结果)."),
]
ConfirmSubscriptionResult = Annotated[
    Subscribed | SubscriptionRejected | MemberNotFound,
    strawberry.union("ConfirmSubscriptionResult", description="The subscription, or why it was not confirmed (确认结果)."),
]
UnsubscribeResult = Annotated[
    Unsubscribed | SubscriptionRejected | MemberNotFound,
    strawberry.union("UnsubscribeResult", description="What is off (退订结果)."),
]
ReportWechatSubscriptionResult = Annotated[
    WechatSubscriptionRecorded | MemberNotFound,
    strawberry.union("ReportWechatSubscriptionResult", description="The counts, or no such member (记录结果)."),
]
ReportPrivacyAuthorizationResult = Annotated[
    PrivacyAuthorizationRecorded | MemberNotFound,
    strawberry.union("ReportPrivacyAuthorizationResult", description="That it is on record, or no such member (记录结果)."),
]
OneChannel = Annotated[str, strawberry.argument(description="The channel (渠道).")]


@strawberry.type
class SubscriptionQuery:
    """Reading subscriptions and suppressions."""

    @field(
        "What members can subscribe to (订阅主题), with the type, frequency and period to show. No token is needed.",
        shows=list[SubscriptionTopic],
    )
    def subscription_topics(self, info: Info) -> Sequence[marketing.Topic]:
        """The policy's own."""
        return list(info.context.catalogue.topics.values())

    @field("Everything that a member subscribed to or refused (订阅状态).")
    async def subscriptions(
        self, info: Info, member_id: MemberOrMe = None, purpose: PurposeUnlessMe = None
    ) -> list[Subscription] | None:
        """`ops.subscriptions`."""
        found = await info.context.ops.subscriptions(info.context.call, member_id=member_id, purpose=purpose)
        return None if found is None else [_subscription(each) for each in found]

    @field("What one address said, by channel (拒收查询). It is found by its value alone; there is no list.")
    async def suppressions(
        self,
        info: Info,
        contact_field: Annotated[FieldKey, strawberry.argument(description="The field, such as `phone` (字段).")],
        value: Annotated[str, strawberry.argument(description="The address (联系方式). It is not recorded.")],
        purpose: Purpose,
    ) -> list[Suppression] | None:
        """`ops.suppressions`."""
        found = await info.context.ops.suppressions(info.context.call, field=contact_field, value=value, purpose=purpose)
        return [
            Suppression(channel=each.channel, state=each.state, reason=SuppressionCause[each.reason], since=each.since)
            for each in found
        ]


@strawberry.type
class SubscriptionMutation:
    """Saying yes and no."""

    @field(
        "Subscribe (订阅): the consent to the channel and the subscription in one act, proven by one screen.",
        shows=SubscribeResult | None,
    )
    async def subscribe(
        self,
        info: Info,
        input: Annotated[SubscribeInput, strawberry.argument(description="To what (订阅请求).")],  # noqa: A002
        evidence: Evidenced = None,
        member_id: MemberOrMe = None,
        idempotency_key: IdempotencyKey = None,
    ) -> Subscribed | Refusal | None:
        """`ops.subscribe`."""
        return _outcome(
            await info.context.ops.subscribe(
                info.context.call,
                member_id=member_id,
                wish=model.Wish(input.channel, input.topic, input.brand, input.monthly, input.months),
                evidence=evidence_of(evidence),
                idempotency_key=idempotency_key,
            )
        )

    @field("Confirm a subscription (确认订阅) with what its address was sent.", shows=ConfirmSubscriptionResult | None)
    async def confirm_subscription(
        self, info: Info, token: Annotated[str, strawberry.argument(description="From the message (确认链接内容).")]
    ) -> Subscribed | Refusal | None:
        """`ops.confirm_subscription`."""
        return _outcome(await info.context.ops.confirm_subscription(info.context.call, token=token))

    @field(
        "Unsubscribe (退订) from a channel, for every brand and at once; or from one topic of it.", shows=UnsubscribeResult | None
    )
    async def unsubscribe(
        self,
        info: Info,
        channel: OneChannel,
        topic: Annotated[str | None, strawberry.argument(description="The topic (主题); none: the channel.")] = None,
        brand: Annotated[
            str | None, strawberry.argument(description="Of a topic, this brand's alone (品牌); none: every brand's.")
        ] = None,
        member_id: MemberOrMe = None,
    ) -> Unsubscribed | Refusal | None:
        """`ops.unsubscribe`."""
        return _off(
            await info.context.ops.unsubscribe(info.context.call, member_id=member_id, channel=channel, topic=topic, brand=brand)
        )

    @field("Everything off (全部退订).", shows=UnsubscribeResult | None)
    async def unsubscribe_all(self, info: Info, member_id: MemberOrMe = None) -> Unsubscribed | Refusal | None:
        """`ops.unsubscribe_all`."""
        return _off(await info.context.ops.unsubscribe_all(info.context.call, member_id=member_id))

    @field("Staff pass a member's no on (代会员退订), and say how they know.", shows=UnsubscribeResult | None)
    async def unsubscribe_for_member(
        self,
        info: Info,
        member_id: MemberRef,
        reason: Annotated[str, strawberry.argument(description="How the member said so (理由). It is sealed.")],
        channel: Annotated[str | None, strawberry.argument(description="The channel (渠道); none: all of them.")] = None,
    ) -> Unsubscribed | Refusal | None:
        """`ops.unsubscribe_for_member`."""
        return _off(
            await info.context.ops.unsubscribe_for_member(info.context.call, member_id=member_id, channel=channel, reason=reason)
        )

    @field(
        "What wx.requestSubscribeMessage answered (微信订阅消息授权): each acceptance is one message.",
        shows=ReportWechatSubscriptionResult | None,
    )
    async def report_wechat_subscription(
        self,
        info: Info,
        results: Annotated[list[TemplateResultInput], strawberry.argument(description="By template, three at most (结果).")],
        dialog: Annotated[str, strawberry.argument(description="An id of the dialog: reported twice it counts once (弹窗编号).")],
        member_id: MemberOrMe = None,
    ) -> WechatSubscriptionRecorded | Refusal | None:
        """`ops.report_wechat_subscription`."""
        reported = [reports.Reported(each.template, reports.TemplateResult[each.result.name]) for each in results]
        outcome = await info.context.ops.report_wechat_subscription(
            info.context.call, member_id=member_id, reported=reported, reference=dialog
        )
        if isinstance(outcome, reports.QuotasRecorded):
            return WechatSubscriptionRecorded(quotas=outcome.quotas)
        return refusal(outcome)

    @field(
        "What WeChat's privacy dialog said (微信隐私授权): evidence; marketing stays as it is.",
        shows=ReportPrivacyAuthorizationResult | None,
    )
    async def report_privacy_authorization(
        self,
        info: Info,
        dialog: Annotated[PrivacyDialogInput, strawberry.argument(description="The dialog (弹窗).")],
        member_id: MemberOrMe = None,
    ) -> PrivacyAuthorizationRecorded | Refusal | None:
        """`ops.report_privacy_authorization`."""
        outcome = await info.context.ops.report_privacy_authorization(
            info.context.call,
            member_id=member_id,
            appid=dialog.appid,
            contract=dialog.contract_name,
            event=reports.PrivacyEvent[dialog.event.name],
            at=dialog.at,
        )
        if isinstance(outcome, reports.PrivacyRecorded):
            return PrivacyAuthorizationRecorded(event=outcome.event)
        return refusal(outcome)


def _subscription(found: model.Shown) -> Subscription:
    each = found.subscription
    return Subscription(
        channel=each.channel,
        topic=each.topic or None,
        brand=each.brand or None,
        state=each.state,
        since=each.since,
        expires_at=each.expires_at,
        monthly=each.monthly,
        suppressed=found.suppressed,
    )


def _outcome(outcome: object) -> Subscribed | Refusal:
    if isinstance(outcome, model.Subscribed):
        return Subscribed(subscription=_subscription(outcome.shown), confirmation=outcome.confirmation)
    return refusal(outcome)


def _off(outcome: object) -> Unsubscribed | Refusal:
    if isinstance(outcome, model.Left):
        return Unsubscribed(channels=list(outcome.channels), again=outcome.again)
    return refusal(outcome)
