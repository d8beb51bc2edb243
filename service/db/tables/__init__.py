"""Every table, once, a file for each part of the house. The migrations make them; a test compares the two, and holds the definitions to the
portability rules.

Portable to Citus, YugabyteDB and CockroachDB (docs/decisions/0004): the primary key of a member-owned table begins with
`member_id`, ids come from the service, nothing is unique across members but the lookup tables keyed by their digest, and there
are no sequences, enums or deferrable constraints. `info["kind"]` says what a table is: `member` (owned by one), `ledger` (the same, and
append-only: no UPDATE or DELETE is ever granted), `record` (append-only, and owned by no member), `lookup`, `log` (the audit record),
`reference` (small, everywhere).
"""

from service.db.tables.alarms import alarm, bait, tally, tally_operator
from service.db.tables.archive import audit_segment
from service.db.tables.base import metadata
from service.db.tables.consent import (
    consent_ask,
    consent_event,
    consent_standing,
    guardian_link,
    guardian_request,
    minor_approval,
    notice_exemption,
    notice_told,
    notice_untold,
)
from service.db.tables.log import (
    approval,
    audit_anchor,
    audit_block,
    audit_checkpoint,
    audit_entry,
    audit_head,
    audit_pending,
    audit_position,
    audit_posting,
    audit_subject,
    audit_tile,
)
from service.db.tables.marketing import (
    address_asked,
    campaign,
    campaign_event,
    inbound,
    letter,
    quota,
    quota_event,
    send_decision,
    send_outcome,
    send_record,
    send_window,
    subscription,
    subscription_event,
    suppression,
    suppression_event,
    template,
)
from service.db.tables.members import idempotency, member, member_lookup, member_secret, member_tag, member_tag_refused
from service.db.tables.oversight import (
    access_review,
    account,
    account_event,
    control_record,
    duty,
    grant_use,
    oversight_mark,
    person_count,
    register_served,
    register_version,
)
from service.db.tables.vault import keyring
from service.db.tables.work import import_run, job

APPEND_ONLY = (
    "consent_event",
    "consent_ask",
    "notice_told",
    "minor_approval",
    "subscription_event",
    "quota_event",
    "send_decision",
    "send_outcome",
    "send_record",
    "suppression_event",
    "template",
    "campaign_event",
    "audit_entry",
    "audit_subject",
    "audit_tile",
    "audit_anchor",
    "register_version",
    "register_served",
    "control_record",
    "access_review",
    "account_event",
    "person_count",
)
"""No row of these is ever changed or taken away: triggers refuse it on both databases, and the service's role has no
such grant.
"""

__all__ = [
    "APPEND_ONLY",
    "access_review",
    "account",
    "account_event",
    "address_asked",
    "alarm",
    "approval",
    "audit_anchor",
    "audit_block",
    "audit_checkpoint",
    "audit_entry",
    "audit_head",
    "audit_pending",
    "audit_position",
    "audit_posting",
    "audit_segment",
    "audit_subject",
    "audit_tile",
    "bait",
    "campaign",
    "campaign_event",
    "consent_ask",
    "consent_event",
    "consent_standing",
    "control_record",
    "duty",
    "grant_use",
    "guardian_link",
    "guardian_request",
    "idempotency",
    "import_run",
    "inbound",
    "job",
    "keyring",
    "letter",
    "member",
    "member_lookup",
    "member_secret",
    "member_tag",
    "member_tag_refused",
    "metadata",
    "minor_approval",
    "notice_exemption",
    "notice_told",
    "notice_untold",
    "oversight_mark",
    "person_count",
    "quota",
    "quota_event",
    "register_served",
    "register_version",
    "send_decision",
    "send_outcome",
    "send_record",
    "send_window",
    "subscription",
    "subscription_event",
    "suppression",
    "suppression_event",
    "tally",
    "tally_operator",
    "template",
]
