"""The smallest call of every root field that knows somebody, and what the log must say of it (AL-02)."""

from tests.api import recorded
from tests.api.recorded import YES, Case
from tests.api.recorded_marketing import MARKETING
from tests.api.recorded_oversight import OVERSIGHT
from tests.api.recorded_record import RECORD
from tests.api.recorded_roles import CONSENT, DUTY, GUARDIAN, OFFICER, PROOF, SEEING_TO_IT, SELF, SHIPPING, TASTE

PUBLIC = {
    "processingRules": "{ processingRules { digest } }",
    "notice": "{ notice { version } }",
    "collectedDataList": "{ collectedDataList { __typename } }",
    "sharedDataList": "{ sharedDataList { __typename } }",
    "subscriptionTopics": "{ subscriptionTopics { key } }",
}
"""They tell everybody what is published, and know nobody: they leave no entry."""


READING = {
    "member": Case(
        query='query ($id: ID!) { member(id: $id, purpose: "order_fulfilment") { name phone } }',
        fields=("name", "phone"),
        **SHIPPING,
    ),
    "memberByContact": Case(
        query="""query ($phone: String!) {
          memberByContact(field: "phone", value: $phone, purpose: "order_fulfilment") { name } }""",
        fields=("name",),
        **SHIPPING,
    ),
    "members": Case(
        query='{ members(purpose: "order_fulfilment", first: 3) { nodes { phone } } }',
        fields=("phone",),
        count=2,
        **SHIPPING,
    ),
    "me": Case(query="{ me { name email } }", fields=("name", "email"), **SELF),
    "contacts": Case(query="{ contacts { __typename } }", fields=("email", "phone"), **SELF),
    "myPersonalisation": Case(query="{ myPersonalisation { on } }", **SELF),
    "myTags": Case(query="{ myTags { tag } }", before=recorded.a_tag, fields=("tags",), **SELF),
}
CONSENTS = {
    "consents": Case(query="{ consents { state } }", **SELF),
    "consentHistory": Case(query="{ consentHistory { id } }", **SELF),
    "consentReceipt": Case(
        query="query ($event: ID!) { consentReceipt(eventId: $event) { jws } }", before=recorded.an_event, **SELF
    ),
    "consentOverview": Case(
        query='{ consentOverview(of: "birthday_gift") { stale } }',
        purpose="birthday_gift",
        basis="CONSENT",
        count=None,
        **OFFICER,
    ),
    "staleConsents": Case(
        query='{ staleConsents(of: "birthday_gift", purpose: "legal_duty") { memberId } }',
        purpose="legal_duty",
        basis="LEGAL_DUTY",
        count=0,
        **OFFICER,
    ),
    "evidence": Case(
        query='query ($entry: ID!) { evidence(entryId: $entry, purpose: "audit") { whole } }',
        before=recorded.an_entry,
        subjects=1,
        **PROOF,
    ),
    "memberEvidence": Case(query='query ($id: ID!) { memberEvidence(memberId: $id, purpose: "audit") { end } }', **PROOF),
    "propagations": Case(
        query='{ propagations(purpose: "legal_duty") { id } }',
        purpose="legal_duty",
        basis="LEGAL_DUTY",
        before=recorded.a_propagation,
        **OFFICER,
    ),
}
TELLING = {
    "pendingNotices": Case(query="{ pendingNotices { version } }", **SELF),
    "untoldCount": Case(query='{ untoldCount(version: "2026-10") }', count=0, **OFFICER),
    "noticeExemptions": Case(query="{ noticeExemptions { id } }", before=recorded.an_exemption, subjects=0, **OFFICER),
    "membersToInform": Case(
        query="query ($exemption: ID!) { membersToInform(exemption: $exemption) }", before=recorded.one_to_inform, **SEEING_TO_IT
    ),
    "acknowledgeNotice": Case(
        query='mutation { acknowledgeNotice(version: "2026-10", channel: WEB) { __typename } }',
        typ="change",
        outcome="NoticeAcknowledged",
        **DUTY,
    ),
    "markInformed": Case(
        query='mutation ($id: ID!) { markInformed(memberId: $id, version: "2026-10", channel: SMS) { __typename } }',
        role="mini_program",
        typ="change",
        basis="LEGAL_DUTY",
        outcome="NoticeAcknowledged",
    ),
    "grantNoticeExemption": Case(
        query="""mutation ($soon: DateTime!) {
          grantNoticeExemption(ground: EMERGENCY, reason: "台风救援", expiresAt: $soon) { __typename } }""",
        typ="admin",
        outcome="NoticeExemption",
        count=None,
        **OFFICER,
    ),
    "closeNoticeExemption": Case(
        query="mutation ($exemption: ID!) { closeNoticeExemption(exemption: $exemption) { __typename } }",
        typ="admin",
        before=recorded.an_exemption,
        outcome="NoticeExemption",
        count=None,
        **OFFICER,
    ),
}
MINORS = {
    "ward": Case(
        query="query ($child: ID!) { ward(memberId: $child) { name } }",
        before=recorded.a_family,
        fields=("name",),
        **(SELF | GUARDIAN),
    ),
    "guardianLinks": Case(query="{ guardianLinks { state } }", before=recorded.a_family, **GUARDIAN),
    "guardianRequests": Case(query="{ guardianRequests { requestId } }", before=recorded.a_request, **SEEING_TO_IT),
    "minorsAuditPack": Case(query="{ minorsAuditPack(year: 2026) { year } }", typ="audit", count=0, **OFFICER),
    "complianceAlerts": Case(query="{ complianceAlerts { code } }", typ="audit", count=None, **OFFICER),
    "requestGuardianLink": Case(
        query="mutation ($child: ID!) { requestGuardianLink(memberId: $child) { __typename } }",
        typ="change",
        before=recorded.a_child,
        outcome="GuardianLink",
        **GUARDIAN,
    ),
    "presumeMinor": Case(
        query="mutation ($id: ID!) { presumeMinor(memberId: $id) { __typename } }",
        role="recommender",
        typ="change",
        basis="LEGAL_DUTY",
        outcome="MinorPresumed",
    ),
    "verifyGuardian": Case(
        query="""mutation ($child: ID!, $guardian: ID!) {
          verifyGuardian(memberId: $child, guardianId: $guardian, method: MOBILE_CODE) { __typename } }""",
        role="mini_program",
        typ="change",
        basis="LEGAL_DUTY",
        before=recorded.a_claim,
        count=2,
        outcome="GuardianLink",
    ),
    "endGuardianLink": Case(
        query="mutation ($child: ID!) { endGuardianLink(memberId: $child) { __typename } }",
        typ="change",
        before=recorded.a_family,
        outcome="GuardianLink",
        **GUARDIAN,
    ),
    "approveMinorAccess": Case(
        query="""mutation ($child: ID!, $soon: DateTime!) {
          approveMinorAccess(staff: "clerk-7", memberId: $child, reason: "家长来电核对订单", expiresAt: $soon) { __typename } }""",
        typ="change",
        before=recorded.a_family,
        outcome="MinorApproval",
        **SEEING_TO_IT,
    ),
    "requestForChild": Case(
        query="mutation ($child: ID!) { requestForChild(memberId: $child, kind: VIEW) { __typename } }",
        typ="change",
        before=recorded.a_family,
        outcome="GuardianRequest",
        **GUARDIAN,
    ),
    "decideGuardianRequest": Case(
        query="""mutation ($child: ID!, $request: ID!) {
          decideGuardianRequest(memberId: $child, requestId: $request, accept: true) { __typename } }""",
        typ="change",
        before=recorded.a_request,
        outcome="GuardianRequest",
        **SEEING_TO_IT,
    ),
}
ANSWERING = {
    "joinMember": Case(
        query="""mutation ($new: String!, $evidence: EvidenceInput) {
          joinMember(purpose: "account_service", fields: { phone: $new }, evidence: $evidence) { __typename } }""",
        role="mini_program",
        typ="change",
        purpose="account_service",
        basis="CONTRACT",
        fields=("phone",),
        outcome="MemberJoined",
    ),
    "updateMember": Case(
        query="""mutation { updateMember(purpose: "self_access", changes: { region: "上海" }) { __typename } }""",
        typ="change",
        fields=("region",),
        outcome="MemberUpdated",
        **SELF,
    ),
    "consentsToAsk": Case(
        query='mutation { consentsToAsk(purposes: ["marketing_email"], channel: WEB, initiator: MEMBER) { __typename } }',
        further={"purposes": ["marketing_email"]},
        outcome="ConsentQuestions",
        **CONSENT,
    ),
    "recordConsents": Case(
        query="""mutation ($evidence: EvidenceInput) {
          recordConsents(decisions: [{ purpose: "marketing_sms", granted: true }], evidence: $evidence) { __typename } }""",
        further={"purposes": ["marketing_sms"]},
        outcome="ConsentsRecorded",
        **CONSENT,
    ),
    "confirmConsents": Case(
        query="""mutation ($evidence: EvidenceInput) { confirmConsents(decisions: [{ purpose: "marketing_sms", granted: true }],
          evidence: $evidence, assistant: "clerk-7") { __typename } }""",
        further={"purposes": ["marketing_sms"]},
        outcome="MemberAct",
        **CONSENT,
    ),
    "withdrawConsent": Case(
        query='mutation { withdrawConsent(purpose: "birthday_gift", channel: WEB) { __typename } }',
        purpose="birthday_gift",
        outcome="ConsentsRecorded",
        **CONSENT,
    ),
    "withdrawAll": Case(
        query="mutation { withdrawAll(channel: WEB) { __typename } }",
        further={"purposes": YES},
        outcome="ConsentsRecorded",
        **CONSENT,
    ),
    "setPersonalisation": Case(
        query="mutation { setPersonalisation(on: false, channel: WEB) { __typename } }",
        outcome="Personalisation",
        **(CONSENT | TASTE),
    ),
}
ACTING = {
    "recordTags": Case(
        query="""mutation ($id: ID!) { recordTags(memberId: $id, purpose: "personalised_recommendation", source: PURCHASES, tags: []) {
          __typename } }""",
        role="recommender",
        typ="change",
        fields=("tags",),
        outcome="TagsRecorded",
        **TASTE,
    ),
    "deleteTag": Case(
        query='mutation { deleteTag(tag: "fragrance") { __typename } }',
        typ="change",
        before=recorded.a_tag,
        fields=("tags",),
        outcome="TagsDeleted",
        **DUTY,
    ),
    "deleteAllTags": Case(
        query="mutation { deleteAllTags { __typename } }",
        typ="change",
        before=recorded.a_tag,
        fields=("tags",),
        outcome="TagsDeleted",
        **DUTY,
    ),
    "reveal": Case(
        query="""mutation ($id: ID!) {
          reveal(memberId: $id, purpose: "customer_service", field: "phone", reason: "parcel is lost") { __typename } }""",
        role="customer_service_agent",
        purpose="customer_service",
        basis="CONTRACT",
        fields=("phone",),
        outcome="Revealed",
    ),
    "acknowledgePropagation": Case(
        query="""mutation ($id: ID!, $propagation: ID!) { acknowledgePropagation(memberId: $id, id: $propagation) { __typename } }""",
        typ="result",
        purpose="marketing_sms",
        before=recorded.a_propagation,
        outcome="PropagationAcknowledged",
        **SEEING_TO_IT,
    ),
}
CASES = {**READING, **CONSENTS, **TELLING, **MINORS, **ANSWERING, **ACTING, **MARKETING, **OVERSIGHT, **RECORD}
