"""The calls of campaigns, for `recorded_cases.py`."""

from typing import Any

from tests.api import recorded_campaigns as campaigns
from tests.api.recorded import Case

WRITING: dict[str, Any] = {"role": "marketer", "typ": "change", "count": None, "subjects": 0}
REVIEWING: dict[str, Any] = WRITING | {"role": "campaign_reviewer"}
LOOKING: dict[str, Any] = {"role": "campaign_reviewer", "count": None, "subjects": 0}
CAMPAIGNS = {
    "campaign": Case(
        query="query ($campaign: ID!) { campaign(id: $campaign) { __typename } }", before=campaigns.drafted, **LOOKING
    ),
    "campaigns": Case(query="{ campaigns(state: DRAFT) { campaignId } }", before=campaigns.drafted, **LOOKING),
    "campaignArchive": Case(query="{ campaignArchive { campaignId } }", **LOOKING),
    "messageTemplate": Case(
        query="query ($template: ID!) { messageTemplate(id: $template) { __typename } }", before=campaigns.drafted, **LOOKING
    ),
    "audienceEstimate": Case(
        query="query ($campaign: ID!) { audienceEstimate(campaignId: $campaign) }",
        role="marketer",
        before=campaigns.drafted,
        purpose="marketing_sms",
        basis="CONSENT",
        count=0,
    ),
    "createTemplate": Case(
        query="mutation ($words: TemplateInput!) { createTemplate(words: $words) { __typename } }",
        before=campaigns.drafted,
        outcome="CheckedTemplate",
        **WRITING,
    ),
    "reviseTemplate": Case(
        query="""mutation ($template: ID!, $words: TemplateInput!) {
          reviseTemplate(templateId: $template, words: $words) { __typename } }""",
        before=campaigns.drafted,
        outcome="CheckedTemplate",
        **WRITING,
    ),
    "createCampaign": Case(
        query="mutation ($content: CampaignInput!) { createCampaign(content: $content) { __typename } }",
        before=campaigns.drafted,
        outcome="Campaign",
        **WRITING,
    ),
    "reviseCampaign": Case(
        query="""mutation ($campaign: ID!, $content: CampaignInput!) {
          reviseCampaign(campaignId: $campaign, version: 1, content: $content) { __typename } }""",
        before=campaigns.drafted,
        outcome="Campaign",
        further={"step": "REVISED"},
        **WRITING,
    ),
    "submitCampaign": Case(
        query="mutation ($campaign: ID!) { submitCampaign(campaignId: $campaign) { __typename } }",
        before=campaigns.drafted,
        outcome="Campaign",
        further={"step": "SUBMITTED"},
        **WRITING,
    ),
    "approveCampaign": Case(
        query="""mutation ($campaign: ID!, $digest: String!) {
          approveCampaign(campaignId: $campaign, digest: $digest) { __typename } }""",
        before=campaigns.submitted,
        outcome="Campaign",
        further={"step": "APPROVED"},
        **REVIEWING,
    ),
    "returnCampaign": Case(
        query="""mutation ($campaign: ID!) { returnCampaign(campaignId: $campaign, comment: "请写明门店") { __typename } }""",
        before=campaigns.submitted,
        outcome="Campaign",
        further={"step": "RETURNED"},
        **REVIEWING,
    ),
    "endCampaign": Case(
        query="mutation ($campaign: ID!) { endCampaign(campaignId: $campaign) { __typename } }",
        before=campaigns.drafted,
        outcome="Campaign",
        further={"step": "ENDED"},
        **WRITING,
    ),
}
