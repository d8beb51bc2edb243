"""The verbs over templates: a new one, a new version. What was written never changes."""

from service.campaigns import queries, rules, store
from service.campaigns.model import CampaignRejected, Checked, Template, TemplateBody, template_digest
from service.unit import Unit


async def create(unit: Unit, body: TemplateBody) -> Checked | CampaignRejected:
    """A new template. Raises BadInput for words that have no form."""
    return await _add(unit, unit.new_id(), 1, body)


async def revise(unit: Unit, template_id: str, body: TemplateBody) -> Checked | CampaignRejected:
    """A further version; campaigns go on naming the one that they were approved with. The same words again are no new version."""
    found = await store.versions(unit.session, template_id)
    if not found:
        return rejected(unit, "TEMPLATE_NOT_FOUND")
    newest = found[0]
    if newest.digest == template_digest(body):
        return noted(unit, newest)
    if newest.body.message_class is not body.message_class:
        # What was reviewed as one class does not become another under the same name (MK-06).
        return rejected(unit, "MESSAGE_CLASS_FIXED")
    return await _add(unit, template_id, newest.version + 1, body)


async def _add(unit: Unit, template_id: str, version: int, body: TemplateBody) -> Checked | CampaignRejected:
    rules.form(body)
    problem = rules.template_problem(unit.catalogue, body)
    if problem:
        return rejected(unit, problem)
    made = Template(template_id, version, body, template_digest(body), unit.call.actor.name, unit.now)
    await store.add_template(unit.session, made)
    return noted(unit, made)


def noted(unit: Unit, found: Template) -> Checked:
    """Name a version in the entry, by what it is and not by what it says."""
    unit.draft.extra.update(template=found.template_id, version=found.version, digest=found.digest.hex())
    return queries.checked(unit.catalogue, found)


def rejected(unit: Unit, code: str) -> CampaignRejected:
    """An expected refusal, told to the entry."""
    unit.draft.deny(code)
    return CampaignRejected(code)
