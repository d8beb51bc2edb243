"""Which acts of `roles.toml` an operation of the log needs, any of them: so it is known when an act was last used.

An operation that is not here needs a purpose and no act, or comes from outside without a role. A test holds this to the contract.
"""

from collections.abc import Mapping

_BY_ACT: Mapping[str, str] = {
    "alarm.handle": "acknowledgeAlarm closeAlarm plantMember plantedMembers",
    "alarm.read": "alarms",
    "alert.read": "complianceAlerts",
    "approval.ask": "askApproval askBulkReading",
    "approval.decide": "decideApproval approvals",
    "audit.export": "audit entries whoSaw inspectionExport",
    "audit.prune": "prune restore",
    "audit.resolve": "resolveSubject incidentScope",
    "audit.search": "search auditEntries show evidence memberEvidence",
    "audit.verify": "proof",
    "campaign.read": "campaign campaigns campaignArchive messageTemplate audienceEstimate",
    "campaign.review": "approveCampaign returnCampaign",
    "campaign.write": "createTemplate reviseTemplate createCampaign reviseCampaign submitCampaign endCampaign",
    "complaint.record": "recordComplaint",
    "consent.ask": "consentsToAsk",
    "consent.assist": "recordConsents withdrawConsent withdrawAll",
    "consent.read": "consents consentHistory contacts consentReceipt evidence memberEvidence pendingNotices myPersonalisation",
    "consent.record": "recordConsents confirmConsents withdrawConsent withdrawAll acknowledgeNotice markInformed setPersonalisation",
    "consent.review": "staleConsents consentOverview",
    "guardian.ask": "requestGuardianLink endGuardianLink guardianLinks ward requestForChild guardianRequests",
    "guardian.decide": "decideGuardianRequest guardianRequests",
    "guardian.verify": "verifyGuardian endGuardianLink guardianLinks",
    "inbound.handle": "handleInbound",
    "inbound.read": "inboundReplies",
    "member.import": "import",
    "member.join": "joinMember",
    "member.reveal": "reveal",
    "member.shred": "eraseMember",
    "member.update": "updateMember",
    "minor.approve": "approveMinorAccess",
    "minor.audit": "minorsAuditPack",
    "minor.presume": "presumeMinor",
    "notice.oversee": "untoldCount noticeExemptions membersToInform grantNoticeExemption closeNoticeExemption",
    "oversight.read": "incidentScope complianceAuditPack processingRegister registerDiff controlEvidence accessReview accounts duties",
    "oversight.record": "recordControl signAccessReview enableAccount completeDuty",
    "propagation.acknowledge": "acknowledgePropagation",
    "propagation.read": "propagations",
    "send.decide": "decideSends queueSends",
    "send.read": "sendEvidence failedSends sendRecord",
    "send.report": "recordOutcomes",
    "subscription.assist": "unsubscribeForMember",
    "subscription.read": "subscriptions",
    "subscription.record": "subscribe confirmSubscription unsubscribe unsubscribeAll reportWechatSubscription "
    "reportPrivacyAuthorization",
    "suppression.read": "suppressions",
    "tag.delete": "deleteTag deleteAllTags",
    "tag.record": "recordTags",
}
OPERATIONS: Mapping[str, tuple[str, ...]] = {act: tuple(names.split()) for act, names in _BY_ACT.items()}
"""By act."""
