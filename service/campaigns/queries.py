"""Looking at templates and campaigns. Nothing personal is in them; the estimate is a number."""

from collections.abc import Sequence
from datetime import datetime

from policies.terms import Basis, Catalogue, PurposeClass
from service.campaigns import linting, model, rules, store
from service.campaigns.model import Campaign, CampaignState, Checked, Content, Dossier, Template
from service.unit import Reader

MOST = 50
"""Campaigns on one page."""


def compliant(catalogue: Catalogue, campaign: Campaign, template: Template) -> bool:
    """Whether campaign and words break no rule of the policy in force now, whatever was in force when they were approved."""
    problem = rules.template_problem(catalogue, template.body) or rules.content_problem(
        catalogue, campaign.content, template.body
    )
    return not problem and not linting.objections(catalogue, template.body)


async def dossier(reader: Reader, campaign_id: str) -> Dossier | None:
    """A campaign, its words, every step and what became of its messages."""
    found = await store.loaded(reader.session, campaign_id)
    if found is None:
        return None
    history = await store.history(reader.session, campaign_id)
    return Dossier(*found, history, await store.counts(reader.session, campaign_id))


async def counts(reader: Reader, campaign_id: str) -> tuple[model.OutcomeCount, ...]:
    """What became of the campaign's messages."""
    return await store.counts(reader.session, campaign_id)


async def listed(reader: Reader, state: CampaignState, *, after: str, first: int) -> Sequence[store.Found]:
    """Campaigns that stand there, the oldest first."""
    return await store.in_state(reader.session, state, after=after, size=first)


async def archive(reader: Reader, *, after: str, first: int) -> Sequence[store.Found]:
    """Campaigns that are over, the oldest first; they stay (ADV-03)."""
    return await store.ended(reader.session, now=reader.now, after=after, size=first)


async def template(reader: Reader, template_id: str, version: int | None) -> Checked | None:
    """One version of a template, the newest where none is named, with what speaks against it today."""
    found = await store.versions(reader.session, template_id)
    chosen = next((one for one in found if version in {None, one.version}), None)
    return None if chosen is None else checked(reader.catalogue, chosen)


def checked(catalogue: Catalogue, found: Template) -> Checked:
    """A template with what speaks against it."""
    return Checked(found, linting.objections(catalogue, found.body))


async def estimate(reader: Reader, content: Content) -> int:
    """How many members a campaign is for at this moment; who has not said yes is not counted."""
    purpose = reader.catalogue.purposes[content.purpose]
    least = purpose.least_scope if purpose.basis is Basis.CONSENT else None
    subscribers = purpose.purpose_class is PurposeClass.COMMERCIAL
    return await store.covered(reader.session, content, least_scope=least, subscribers=subscribers, now=reader.now)


def over(found: Campaign, now: datetime) -> bool:
    """Whether nothing more can come of it."""
    return found.state is CampaignState.ENDED or found.content.ends_at <= now
