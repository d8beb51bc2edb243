"""Campaigns (营销活动): written, reviewed by somebody else, archived (promise 9)."""

from collections.abc import Sequence
from typing import Annotated

import strawberry

from schema import campaign_types as types
from schema.campaign_inputs import CampaignInput, TemplateInput, body_of, content_of
from schema.campaign_types import Campaign, CampaignDossier, CampaignState, CheckedTemplate
from schema.context import Info
from schema.fields import field
from schema.outcomes import CampaignRejected, Refusal, TemplateNoncompliant, refusal
from service.campaigns import model

FIRST = 20
Found = Sequence[tuple[model.Campaign, model.Template]]

TemplateResult = Annotated[
    CheckedTemplate | CampaignRejected,
    strawberry.union("MessageTemplateResult", description="The version that was kept, or why none was (模板办理结果)."),
]
CampaignResult = Annotated[
    Campaign | CampaignRejected | TemplateNoncompliant,
    strawberry.union("CampaignResult", description="The campaign, or why it is as it was (活动办理结果)."),
]
CampaignRef = Annotated[strawberry.ID, strawberry.argument(description="The campaign's id (活动编号).")]
TemplateRef = Annotated[strawberry.ID, strawberry.argument(description="The template's id (模板编号).")]
Words = Annotated[TemplateInput, strawberry.argument(description="The words (模板内容).")]
Content = Annotated[CampaignInput, strawberry.argument(description="The content (活动内容).")]
First = Annotated[int | None, strawberry.argument(description="How many, 50 at most (数量).")]
After = Annotated[strawberry.ID | None, strawberry.argument(description="The id of the last one seen (从此编号之后).")]


@strawberry.type
class CampaignQuery:
    """Looking at what is sent, and at the archive."""

    @field("A campaign with every step that was taken (活动及其存档); null where there is none.")
    async def campaign(self, info: Info, id: CampaignRef) -> CampaignDossier | None:  # noqa: A002 - the contract's name
        """`ops.campaign`."""
        found = await info.context.ops.campaign(info.context.call, campaign_id=id)
        if found is None:
            return None
        return CampaignDossier(
            campaign=types.campaign(found.campaign, found.template),
            history=[types.step(step) for step in found.history],
            counts=found.counts,
        )

    @field("Campaigns that stand somewhere (各状态的活动), such as those that wait for their review; the oldest first.")
    async def campaigns(
        self,
        info: Info,
        state: Annotated[CampaignState, strawberry.argument(description="Where they stand (状态).")],
        first: First = FIRST,
        after: After = None,
    ) -> list[Campaign] | None:
        """`ops.campaigns`."""
        most = FIRST if first is None else first
        wanted = model.CampaignState[state.name]
        return _listed(await info.context.ops.campaigns(info.context.call, state=wanted, first=most, after=after))

    @field("Campaigns that are over (活动档案), the oldest first. They stay, and none of them changes.")
    async def campaign_archive(self, info: Info, first: First = FIRST, after: After = None) -> list[Campaign] | None:
        """`ops.campaign_archive`."""
        most = FIRST if first is None else first
        return _listed(await info.context.ops.campaign_archive(info.context.call, first=most, after=after))

    @field("One version of a template (消息模板), with what a submission would be refused for; null where there is none.")
    async def message_template(
        self,
        info: Info,
        id: TemplateRef,  # noqa: A002 - the contract's name
        version: Annotated[int | None, strawberry.argument(description="The version (版本); left out: the newest.")] = None,
    ) -> CheckedTemplate | None:
        """`ops.message_template`."""
        found = await info.context.ops.message_template(info.context.call, template_id=id, version=version)
        return None if found is None else _checked(found)

    @field(
        "How many members a campaign is for now (受众估计): a number, without those who did not say yes to its purpose. Only for who may "
        "state that purpose; null where there is no such campaign."
    )
    async def audience_estimate(
        self,
        info: Info,
        campaign_id: CampaignRef,
    ) -> int | None:
        """`ops.audience_estimate`."""
        return await info.context.ops.audience_estimate(info.context.call, campaign_id=campaign_id)


@strawberry.type
class CampaignMutation:
    """Writing and reviewing."""

    @field("Keep a new template (新建模板). What a submission would be refused for comes with it.", shows=TemplateResult | None)
    async def create_template(self, info: Info, words: Words) -> CheckedTemplate | Refusal | None:
        """`ops.create_template`."""
        return _kept(await info.context.ops.create_template(info.context.call, body=body_of(words)))

    @field("Keep a further version of a template (修订模板); the ones before never change.", shows=TemplateResult | None)
    async def revise_template(self, info: Info, template_id: TemplateRef, words: Words) -> CheckedTemplate | Refusal | None:
        """`ops.revise_template`."""
        ops, call = info.context.ops, info.context.call
        return _kept(await ops.revise_template(call, template_id=template_id, body=body_of(words)))

    @field("Draft a campaign (起草活动).", shows=CampaignResult | None)
    async def create_campaign(self, info: Info, content: Content) -> Campaign | Refusal | None:
        """`ops.create_campaign`."""
        return _campaign(await info.context.ops.create_campaign(info.context.call, content=content_of(content)))

    @field("Change a campaign (修改活动). Whatever was approved is approved no longer.", shows=CampaignResult | None)
    async def revise_campaign(
        self,
        info: Info,
        campaign_id: CampaignRef,
        version: Annotated[int, strawberry.argument(description="The version that the change began from (所依据的版本).")],
        content: Content,
    ) -> Campaign | Refusal | None:
        """`ops.revise_campaign`."""
        ops, call = info.context.ops, info.context.call
        found = await ops.revise_campaign(call, campaign_id=campaign_id, version=version, content=content_of(content))
        return _campaign(found)

    @field("Lay a campaign before a reviewer (提交复核). Words that break a rule are refused.", shows=CampaignResult | None)
    async def submit_campaign(self, info: Info, campaign_id: CampaignRef) -> Campaign | Refusal | None:
        """`ops.submit_campaign`."""
        return _campaign(await info.context.ops.submit_campaign(info.context.call, campaign_id=campaign_id))

    @field(
        "Approve a campaign (批准活动), exactly as the reviewer saw it, by somebody who wrote none of it.",
        shows=CampaignResult | None,
    )
    async def approve_campaign(
        self,
        info: Info,
        campaign_id: CampaignRef,
        digest: Annotated[str, strawberry.argument(description="The digest of what the reviewer saw (所复核内容的摘要).")],
    ) -> Campaign | Refusal | None:
        """`ops.approve_campaign`."""
        ops, call = info.context.ops, info.context.call
        return _campaign(await ops.approve_campaign(call, campaign_id=campaign_id, digest=digest))

    @field("Send a campaign back with a comment (退回活动), or take its approval back.", shows=CampaignResult | None)
    async def return_campaign(
        self,
        info: Info,
        campaign_id: CampaignRef,
        comment: Annotated[str, strawberry.argument(description="Why (理由). It is kept as it is: no personal data in it.")],
    ) -> Campaign | Refusal | None:
        """`ops.return_campaign`."""
        ops, call = info.context.ops, info.context.call
        return _campaign(await ops.return_campaign(call, campaign_id=campaign_id, comment=comment))

    @field("End a campaign for good (结束活动). It stays in the archive.", shows=CampaignResult | None)
    async def end_campaign(self, info: Info, campaign_id: CampaignRef) -> Campaign | Refusal | None:
        """`ops.end_campaign`."""
        return _campaign(await info.context.ops.end_campaign(info.context.call, campaign_id=campaign_id))


def _campaign(outcome: object) -> Campaign | Refusal:
    return types.campaign(*outcome) if isinstance(outcome, tuple) else refusal(outcome)


def _kept(outcome: object) -> CheckedTemplate | Refusal:
    return _checked(outcome) if isinstance(outcome, model.Checked) else refusal(outcome)


def _checked(found: model.Checked) -> CheckedTemplate:
    return CheckedTemplate(template=types.template(found.template), objections=found.objections)


def _listed(found: Found) -> list[Campaign]:
    return [types.campaign(*one) for one in found]
