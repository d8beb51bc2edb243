"""What marketers and reviewers do, each through GraphQL; and the same as people whose names are told apart."""

from collections.abc import Sequence
from datetime import timedelta

from service.values import Actor, ActorKind, Call

CHECKED = "template { templateId version digest } objections { code place word article explanation { zh en } }"
CAMPAIGN = "campaignId version state digest approved author content { title brand topic templateVersion reward }"
REFUSED = (
    "... on Refusal { code message zh } ... on TemplateNoncompliant { objections { code place article explanation { zh en } } }"
)
TEMPLATE_SAID = f"{{ __typename ... on CheckedTemplate {{ {CHECKED} }} ... on Refusal {{ code zh }} }}"
CAMPAIGN_SAID = f"{{ __typename ... on Campaign {{ {CAMPAIGN} }} {REFUSED} }}"
CREATE_TEMPLATE = f"mutation ($words: TemplateInput!) {{ createTemplate(words: $words) {TEMPLATE_SAID} }}"
REVISE_TEMPLATE = f"""mutation ($template: ID!, $words: TemplateInput!) {{
  reviseTemplate(templateId: $template, words: $words) {TEMPLATE_SAID} }}"""
CREATE = f"mutation ($content: CampaignInput!) {{ createCampaign(content: $content) {CAMPAIGN_SAID} }}"
REVISE = f"""mutation ($id: ID!, $version: Int!, $content: CampaignInput!) {{
  reviseCampaign(campaignId: $id, version: $version, content: $content) {CAMPAIGN_SAID} }}"""
SUBMIT = f"mutation ($id: ID!) {{ submitCampaign(campaignId: $id) {CAMPAIGN_SAID} }}"
APPROVE = f"mutation ($id: ID!, $digest: String!) {{ approveCampaign(campaignId: $id, digest: $digest) {CAMPAIGN_SAID} }}"
RETURN = f"mutation ($id: ID!, $comment: String!) {{ returnCampaign(campaignId: $id, comment: $comment) {CAMPAIGN_SAID} }}"
END = f"mutation ($id: ID!) {{ endCampaign(campaignId: $id) {CAMPAIGN_SAID} }}"
LOOK = f"""query ($id: ID!) {{ campaign(id: $id) {{ campaign {{ {CAMPAIGN} template {{ text }} }}
  history {{ step actor comment digest recordedAt text sender subject content {{ title endsAt audience {{ tags }} }} }}
  counts {{ outcome count }} }} }}"""
SMS = "【示例生活】秋季新品已到店，欢迎选购。拒收请回复R"


def words(**more):
    """A commercial text message that breaks no rule."""
    given = {"title": "秋季新品", "messageClass": "COMMERCIAL", "channel": "sms", "sender": "living_sms", "text": SMS}
    return given | more


def mail(**more):
    """A commercial mail that breaks no rule."""
    said = "${sender}：秋季新品已到店。联系我们：${contact}。退订：${opt_out}"
    given = {"channel": "email", "sender": "living_email", "subject": "广告：秋季新品", "text": said}
    return words(variables=["sender", "contact", "opt_out"], **(given | more))


def content(running, template, version=1, **more):
    """A week of it, for everybody, from now on."""
    now = running.clock()
    given = {
        "title": "秋季上新",
        "brand": "living",
        "channel": "sms",
        "topic": "news",
        "purpose": "marketing_sms",
        "templateId": template,
        "templateVersion": version,
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(days=7)).isoformat(),
    }
    return given | more


async def answer(ask, query, role="marketer", **variables):
    """What was answered, or the error's extensions."""
    found = await ask(query, role=role, variables=variables)
    if found.get("errors"):
        return found["errors"][0]["extensions"]
    (told,) = found["data"].values()
    return told


async def a_template(ask, role="marketer", **more):
    """A template that was kept; its id."""
    kept = await answer(ask, CREATE_TEMPLATE, role, words=words(**more))
    return kept["template"]["templateId"]


async def a_draft(running, ask, **more):
    """A campaign of a template of its own."""
    return await answer(ask, CREATE, content=content(running, await a_template(ask), **more))


async def submitted(running, ask, **more):
    """The same, laid before a reviewer."""
    draft = await a_draft(running, ask, **more)
    return await answer(ask, SUBMIT, id=draft["campaignId"])


async def approved(running, ask, **more):
    """The same, approved by a reviewer."""
    found = await submitted(running, ask, **more)
    return await answer(ask, APPROVE, "campaign_reviewer", id=found["campaignId"], digest=found["digest"])


def by(name: str, *roles: str, purposes: Sequence[str] | None = None, request: str = "req-1") -> Call:
    """A request by one person, in these roles."""
    narrowed = frozenset(purposes) if purposes is not None else None
    return Call(Actor(ActorKind.STAFF, name, frozenset(roles), narrowed), request, "192.0.2.7")
