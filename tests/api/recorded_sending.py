"""The calls of the gate, for `recorded_cases.py`."""

from tests.api import recorded
from tests.api.recorded import Case

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
        query='query ($send: ID!) { sendEvidence(sendId: $send, purpose: "audit") { whole } }',
        before=recorded.a_send,
        role="compliance_officer",
        typ="audit",
        purpose="audit",
        basis="LEGAL_DUTY",
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
