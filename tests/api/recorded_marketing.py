"""The cases of marketing: what comes in, subscriptions, sending, campaigns."""

from typing import Any

from tests.api import recorded
from tests.api import recorded_campaigns as campaigns
from tests.api.recorded import Case
from tests.api.recorded_roles import CONSENT, DUTY, OFFICER, PROOF, SEEING_TO_IT, SELF

COMING_IN = {
    "inboundReplies": Case(query="{ inboundReplies { text } }", before=recorded.a_reply, **SEEING_TO_IT),
    "handleInbound": Case(
        query="mutation ($inbound: ID!) { handleInbound(id: $inbound, action: UNSUBSCRIBE) { __typename } }",
        typ="consent",
        before=recorded.a_reply,
        further={"outcome": "UNSUBSCRIBED"},
        outcome="InboundHandled",
        **SEEING_TO_IT,
    ),
    "recordComplaint": Case(
        query="""mutation ($phone: String!) {
          recordComplaint(channel: "sms", reference: "12321-1", address: $phone) { __typename } }""",
        typ="consent",
        further={"outcome": "UNSUBSCRIBED"},
        outcome="ComplaintRecorded",
        **SEEING_TO_IT,
    ),
}
SUBSCRIBING = {
    "subscriptions": Case(query="{ subscriptions { state } }", **SELF),
    "suppressions": Case(
        query="""query ($phone: String!) {
          suppressions(contactField: "phone", value: $phone, purpose: "legal_duty") { state } }""",
        purpose="legal_duty",
        basis="LEGAL_DUTY",
        fields=("phone",),
        subjects=0,
        before=recorded.a_no,
        **OFFICER,
    ),
    "subscribe": Case(
        query="""mutation ($evidence: EvidenceInput) {
          subscribe(input: { channel: "sms", topic: "news", brand: "living", monthly: 4, months: 24 }, evidence: $evidence) {
            __typename } }""",
        purpose="marketing_sms",
        further={"purposes": ["marketing_sms"]},
        outcome="Subscribed",
        **CONSENT,
    ),
    "confirmSubscription": Case(
        query="mutation ($token: String!) { confirmSubscription(token: $token) { __typename } }",
        role="mini_program",
        typ="consent",
        basis="LEGAL_DUTY",
        before=recorded.a_pending_subscription,
        outcome="Subscribed",
    ),
    "unsubscribe": Case(
        query='mutation { unsubscribe(channel: "sms") { __typename } }',
        purpose="marketing_sms",
        further={"way": "GRAPHQL", "left": ["sms"], "purposes": ["marketing_sms"]},
        outcome="Unsubscribed",
        **CONSENT,
    ),
    "unsubscribeAll": Case(
        query="mutation { unsubscribeAll { __typename } }",
        typ="consent",
        further={"way": "GRAPHQL", "left": ["email", "phone", "push", "sms", "wechat", "wecom"]},
        outcome="Unsubscribed",
        **DUTY,
    ),
    "unsubscribeForMember": Case(
        query='mutation ($id: ID!) { unsubscribeForMember(memberId: $id, reason: "来电要求退订") { __typename } }',
        role="customer_service_agent",
        typ="consent",
        basis="LEGAL_DUTY",
        further={"way": "STAFF"},
        outcome="Unsubscribed",
    ),
    "reportWechatSubscription": Case(
        query="""mutation { reportWechatSubscription(results: [{ template: "tmpl-1", result: ACCEPT }], dialog: "d-1") {
          __typename } }""",
        typ="change",
        further={"results": ["ACCEPT"]},
        outcome="WechatSubscriptionRecorded",
        **DUTY,
    ),
    "reportPrivacyAuthorization": Case(
        query="""mutation ($appid: String!, $at: DateTime!) { reportPrivacyAuthorization(dialog: { appid: $appid,
          contractName: "《示例生活小程序隐私保护指引》", event: AGREE, at: $at }) { __typename } }""",
        typ="change",
        further={"event": "AGREE"},
        before=recorded.a_dialog,
        outcome="PrivacyAuthorizationRecorded",
        **DUTY,
    ),
}
SENDING = {
    "decideSends": Case(
        query="""mutation ($campaign: ID!, $to: ID!) {
          decideSends(campaignId: $campaign, members: [$to]) { __typename } }""",
        role="marketing_engine",
        typ="change",
        purpose="marketing_sms",
        before=recorded.a_send,
        subjects=0,
        further={"channel": "sms", "allowed": 1},
        outcome="SendDecisions",
    ),
    "recordOutcomes": Case(
        query="""mutation ($to: ID!, $send: ID!, $token: String!) {
          recordOutcomes(outcomes: [{ sendId: $send, memberId: $to, token: $token, outcome: SENT }]) { __typename } }""",
        role="marketing_engine",
        typ="result",
        before=recorded.a_send,
        subjects=0,
        outcome="OutcomesRecorded",
    ),
    "sendEvidence": Case(
        query='query ($send: ID!) { sendEvidence(sendId: $send, purpose: "audit") { whole } }', before=recorded.a_send, **PROOF
    ),
    "queueSends": Case(
        query="""mutation ($decided: ID!, $to: ID!, $send: ID!, $token: String!) {
          queueSends(campaignId: $decided, sends: [{ memberId: $to, sendId: $send, token: $token }]) { __typename } }""",
        role="marketing_engine",
        typ="result",
        purpose="marketing_sms",
        before=recorded.a_send,
        subjects=0,
        outcome="SendsQueued",
    ),
    "failedSends": Case(
        query='{ failedSends(purpose: "audit") { id } }',
        before=recorded.a_failed_send,
        role="compliance_officer",
        purpose="audit",
        basis="LEGAL_DUTY",
    ),
    "sendRecord": Case(
        query='query ($to: ID!, $send: ID!) { sendRecord(memberId: $to, sendId: $send, purpose: "audit") { handed { code } } }',
        before=recorded.a_failed_send,
        role="compliance_officer",
        purpose="audit",
        basis="LEGAL_DUTY",
    ),
}
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
MARKETING = {**COMING_IN, **SUBSCRIBING, **SENDING, **CAMPAIGNS}
