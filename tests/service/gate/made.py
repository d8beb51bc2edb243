"""A campaign that somebody approved, and members who want it: through the rooms' own doors."""

from dataclasses import replace
from datetime import timedelta

from service.app import Parts
from service.campaigns import store as campaigns
from service.campaigns.model import (
    Campaign,
    CampaignRejected,
    CampaignState,
    CampaignStep,
    Content,
    Step,
    Template,
    TemplateBody,
    campaign_digest,
    template_digest,
)
from service.gate.model import Decision, DecisionPage
from service.subscriptions import store as subscriptions
from service.subscriptions import writing
from service.subscriptions.model import SubscriptionState, Way
from service.unit import Unit
from service.values import new_id
from tests.factories import a_call, a_member
from tests.service.campaigns import made

ENGINE = a_call("marketing_engine")
BEAUTY = made.words(sender="beauty_sms", text="【示例美妆】秋季新品已到店，欢迎选购。客服4000000000，退订回T")
SLOTS = ("sender", "contact", "opt_out")
MAIL = made.words(
    channel="email", sender="living_email", subject="广告：秋季新品", text="${sender} ${contact} ${opt_out}", variables=SLOTS
)
WECHAT = made.words(
    channel="wechat",
    sender="living_wechat",
    vendor_template="T1",
    text="示例生活：秋季新品已到店，客服4000000000，点开卡片可退订",
)


async def campaign(parts: Parts, body: TemplateBody | None = None, *, approved: bool = True, **more: object) -> str:
    """An approved campaign of these words, over the next days; its id."""
    body = body or made.words()
    template_id, campaign_id = (new_id(parts.clock(), parts.chance) for _ in range(2))
    window = {"starts_at": parts.clock() - timedelta(hours=1), "ends_at": parts.clock() + timedelta(days=60)}
    content = made.content(body, template_id=template_id, **(window | more))
    found = Campaign(
        campaign_id,
        1,
        CampaignState.APPROVED if approved else CampaignState.DRAFT,
        content,
        campaign_digest(content),
        campaign_digest(content) if approved else None,
        "marketer-1",
        parts.clock(),
        parts.clock(),
    )

    async def work(unit: Unit) -> None:
        words = Template(template_id, 1, body, template_digest(body), "marketer-1", unit.now)
        await campaigns.add_template(unit.session, words)
        await campaigns.add(unit.session, found)
        if approved:
            await _step(unit, found, body)

    await changed(parts, work)
    return campaign_id


async def edited(parts: Parts, campaign_id: str, **more: object) -> Content:
    """The campaign with something changed, and nobody has approved that."""

    async def work(unit: Unit) -> Content:
        found = await campaigns.loaded(unit.session, campaign_id)
        assert found is not None
        content = replace(found[0].content, **more)
        await campaigns.change(unit.session, replace(found[0], content=content, digest=campaign_digest(content)))
        return content

    return await changed(parts, work)


async def _step(unit: Unit, found: Campaign, body: TemplateBody) -> None:
    step = Step(found.version, CampaignStep.APPROVED, "reviewer-1", "", found.content, body, found.digest, unit.now)
    await campaigns.record(unit.session, found.campaign_id, unit.new_id(), step)


async def subscriber(
    parts: Parts, fields: dict[str, object] | None = None, *, yes: tuple[str, ...] = ("marketing_sms",), **more: str
) -> str:
    """A member who said yes to marketing by text message, and wants the news of one brand."""
    member_id = await a_member(parts, fields, yes=yes)
    await subscribed(parts, member_id, **more)
    return member_id


async def subscribed(parts: Parts, member_id: str, *, channel: str = "sms", topic: str = "news", brand: str = "living") -> None:
    """One more subscription."""

    async def work(unit: Unit) -> None:
        kept = await subscriptions.standings(unit.session, member_id)
        key = (channel, topic, brand)
        await writing.append(unit, member_id, key, SubscriptionState.SUBSCRIBED, kept, way=Way.GRAPHQL)

    await changed(parts, work)


async def changed(parts: Parts, work):
    """One unit of the system's."""
    return await parts.units.change(a_call("compliance_officer"), parts.operations.draft("change", "prepare", ""), work)


async def decide(parts: Parts, campaign_id: str, *ids: str, call=ENGINE, **more) -> tuple[Decision, ...]:
    """The answers for these members."""
    found = await page(parts, campaign_id, members=list(ids) or None, call=call, **more)
    assert not isinstance(found, CampaignRejected)
    return found.decisions


async def page(parts: Parts, campaign_id: str, *, members=None, first: int = 1000, after=None, call=ENGINE) -> DecisionPage:
    """One call."""
    found = await parts.operations.decide_sends(call, campaign_id=campaign_id, members=members, first=first, after=after)
    assert isinstance(found, DecisionPage), found
    return found


async def one(parts: Parts, campaign_id: str, member_id: str) -> Decision:
    """The answer for one."""
    (found,) = await decide(parts, campaign_id, member_id)
    return found


def why(decision: Decision) -> list[str]:
    """The reasons' codes."""
    return [reason.value for reason in decision.reasons]


async def approved(parts: Parts, campaign_id: str) -> None:
    """Somebody approves the campaign as it stands now."""

    async def work(unit: Unit) -> None:
        found = await campaigns.loaded(unit.session, campaign_id)
        assert found is not None
        now = replace(found[0], version=found[0].version + 1, state=CampaignState.APPROVED, approved_digest=found[0].digest)
        await campaigns.change(unit.session, now)
        await _step(unit, now, found[1].body)

    await changed(parts, work)
