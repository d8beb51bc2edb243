"""The smallest call of every root field that knows somebody, and what the log must say of it (AL-02)."""

from typing import Any

from tests.api import recorded
from tests.api.recorded import YES, Case
from tests.api.recorded_reviews import CAMPAIGNS
from tests.api.recorded_sending import SENDING

PUBLIC = {
    "processingRules": "{ processingRules { digest } }",
    "notice": "{ notice { version } }",
    "collectedDataList": "{ collectedDataList { __typename } }",
    "sharedDataList": "{ sharedDataList { __typename } }",
    "subscriptionTopics": "{ subscriptionTopics { key } }",
}
"""They tell everybody what is published, and know nobody: they leave no entry."""

SHIPPING: dict[str, Any] = {"role": "order_service", "purpose": "order_fulfilment", "basis": "CONTRACT"}
DUTY: dict[str, Any] = {"role": "member", "basis": "LEGAL_DUTY"}
SELF: dict[str, Any] = {"role": "member", "purpose": "self_access", "basis": "LEGAL_DUTY"}
CONSENT: dict[str, Any] = {"role": "member", "typ": "consent", "basis": "CONSENT"}
OFFICER: dict[str, Any] = {"role": "compliance_officer"}
SEEING_TO_IT: dict[str, Any] = {"role": "compliance_officer", "basis": "LEGAL_DUTY"}
PROOF: dict[str, Any] = {"role": "compliance_officer", "typ": "audit", "purpose": "audit", "basis": "LEGAL_DUTY"}
GUARDIAN: dict[str, Any] = {"role": "member", "basis": "LEGAL_DUTY", "who": "guardian"}
TASTE = {"purpose": "personalised_recommendation", "basis": "CONSENT"}

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
CASES = {
    **READING,
    **CONSENTS,
    **TELLING,
    **MINORS,
    **ANSWERING,
    **ACTING,
    **SUBSCRIBING,
    **CAMPAIGNS,
    **SENDING,
}
