"""The verbs over campaigns: drafted, submitted, returned or approved by somebody else, ended (promise 9).

Each takes the campaign's lock first and leaves one step in the archive, with the whole of what stood then.
"""

from dataclasses import replace

from policies.marketing import MessageClass
from service.campaigns import linting, queries, rules, store
from service.campaigns.model import (
    Campaign,
    CampaignRejected,
    CampaignState,
    CampaignStep,
    Content,
    Step,
    Template,
    TemplateNoncompliant,
    campaign_digest,
)
from service.campaigns.templates import rejected
from service.errors import Forbidden
from service.unit import Unit
from service.values import ActorKind

Outcome = store.Found | CampaignRejected | TemplateNoncompliant

_OPEN = frozenset({CampaignState.DRAFT, CampaignState.RETURNED})
_AUTHORS = frozenset({CampaignStep.CREATED, CampaignStep.REVISED, CampaignStep.SUBMITTED})


async def create(unit: Unit, content: Content) -> Outcome:
    """A draft. `content.template_digest` is put there by the template that it names."""
    weighed = await _weighed(unit, content)
    if isinstance(weighed, CampaignRejected):
        return weighed
    content, words = weighed
    made = Campaign(
        unit.new_id(), 1, CampaignState.DRAFT, content, campaign_digest(content), None, unit.call.actor.name, unit.now, unit.now
    )
    await store.add(unit.session, made)
    return await _stepped(unit, made, words, CampaignStep.CREATED)


async def revise(unit: Unit, found: store.Found, content: Content, *, version: int) -> Outcome:
    """Another content. Whatever was approved is approved no longer, and the review begins anew; the same content again changes nothing."""
    held, _ = found
    if queries.over(held, unit.now):
        return rejected(unit, "CAMPAIGN_STATE")
    weighed = await _weighed(unit, content)
    if isinstance(weighed, CampaignRejected):
        return weighed
    content, words = weighed
    digest = campaign_digest(content)
    if digest == held.digest:
        return found
    if version != held.version:
        return rejected(unit, "CAMPAIGN_CHANGED")
    changed = replace(held, state=CampaignState.DRAFT, content=content, digest=digest, approved_digest=None)
    return await _moved(unit, changed, words, CampaignStep.REVISED)


async def submit(unit: Unit, found: store.Found) -> Outcome:
    """Lay a draft before a reviewer; words that break a rule are not."""
    held, words = found
    if held.state is CampaignState.SUBMITTED:
        return found
    if held.state not in _OPEN:
        return rejected(unit, "CAMPAIGN_STATE")
    return _objected(unit, held, words) or await _moved(
        unit, replace(held, state=CampaignState.SUBMITTED), words, CampaignStep.SUBMITTED
    )


async def approve(unit: Unit, found: store.Found, digest: str) -> Outcome:
    """Approve exactly what the reviewer saw. Raises Forbidden for whoever is not a person: a machine reviews nothing.

    OWN_CAMPAIGN for everybody who wrote a word of it, under whatever role or token. CAMPAIGN_CHANGED where it is not what they saw.
    """
    held, words = found
    if unit.call.actor.kind is not ActorKind.STAFF:
        raise Forbidden
    if await _own(unit, held, words):
        return rejected(unit, "OWN_CAMPAIGN")
    if digest != held.digest.hex():
        return rejected(unit, "CAMPAIGN_CHANGED")
    if held.approved:
        return found
    if held.state is not CampaignState.SUBMITTED:
        return rejected(unit, "CAMPAIGN_STATE")
    approved = replace(held, state=CampaignState.APPROVED, approved_digest=held.digest)
    return _objected(unit, held, words) or await _moved(unit, approved, words, CampaignStep.APPROVED)


async def send_back(unit: Unit, found: store.Found, comment: str) -> Outcome:
    """Return a submitted campaign to its author, or take an approval back: nothing more of it is sent from here on."""
    held, words = found
    said = comment.strip()
    if problem := rules.comment_problem(said):
        return rejected(unit, problem)
    if held.state not in {CampaignState.SUBMITTED, CampaignState.APPROVED}:
        return rejected(unit, "CAMPAIGN_STATE")
    returned = replace(held, state=CampaignState.RETURNED, approved_digest=None)
    return await _moved(unit, returned, words, CampaignStep.RETURNED, comment=said)


async def end(unit: Unit, found: store.Found) -> Outcome:
    """Stop a campaign for good. It stays in the archive. Twice is as good as once."""
    held, words = found
    if held.state is CampaignState.ENDED:
        return found
    ended = replace(held, state=CampaignState.ENDED, approved_digest=None)
    return await _moved(unit, ended, words, CampaignStep.ENDED)


async def _weighed(unit: Unit, content: Content) -> tuple[Content, Template] | CampaignRejected:
    """The content with the digest of the words that it names, or why it cannot be kept."""
    rules.titled(content.title)
    words = await store.version_of(unit.session, content.template_id, content.template_version)
    if words is None:
        return rejected(unit, "TEMPLATE_NOT_FOUND")
    content = replace(content, template_digest=words.digest.hex())
    problem = _problem(unit, content, words)
    return rejected(unit, problem) if problem else (content, words)


def _problem(unit: Unit, content: Content, words: Template) -> str:
    problem = rules.template_problem(unit.catalogue, words.body) or rules.content_problem(unit.catalogue, content, words.body)
    return problem or ("" if rules.in_time(content, unit.now) else "WINDOW_INVALID")


def _objected(unit: Unit, held: Campaign, words: Template) -> CampaignRejected | TemplateNoncompliant | None:
    """Whatever the policy in force has against it now: it may have changed since the draft."""
    if problem := _problem(unit, held.content, words):
        return rejected(unit, problem)
    found = linting.objections(unit.catalogue, words.body)
    if not found:
        return None
    unit.draft.deny("TEMPLATE_NONCOMPLIANT")
    unit.draft.extra["objections"] = sorted({str(objection.code) for objection in found})
    return TemplateNoncompliant(found)


async def _own(unit: Unit, held: Campaign, words: Template) -> bool:
    """Whether the caller wrote any of it: the campaign at any time, or any version of its template that led to this one."""
    steps = await store.history(unit.session, held.campaign_id)
    versions = await store.versions(unit.session, words.template_id)
    authors = {held.author, *(step.actor for step in steps if step.step in _AUTHORS)}
    return rules.wrote(unit.call.actor.name, {*authors, *(one.author for one in versions if one.version <= words.version)})


async def _moved(unit: Unit, found: Campaign, words: Template, step: CampaignStep, *, comment: str = "") -> store.Found:
    moved = replace(found, version=found.version + 1, updated_at=unit.now)
    await store.change(unit.session, moved)
    return await _stepped(unit, moved, words, step, comment=comment)


async def _stepped(unit: Unit, found: Campaign, words: Template, step: CampaignStep, *, comment: str = "") -> store.Found:
    kept = Step(found.version, step, unit.call.actor.name, comment, found.content, words.body, found.digest, unit.now)
    await store.record(unit.session, found.campaign_id, unit.new_id(), kept)
    unit.draft.extra.update(campaign=found.campaign_id, digest=found.digest.hex(), step=step.value)
    return found, words


def acts(message_class: MessageClass) -> tuple[str, ...]:
    """Which acts let somebody write such a message: of an incident, those who answer for telling, and nobody from marketing."""
    return ("notice.oversee",) if message_class is MessageClass.BREACH else ("campaign.write",)
