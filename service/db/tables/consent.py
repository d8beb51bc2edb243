"""Consents and notices: what was asked, answered and told; guardians and approvals for minors."""

from sqlalchemy import Column, Index, Integer, LargeBinary, SmallInteger, Table, Text

from service.db.tables.base import metadata
from service.db.types import Moment, key_text

consent_event = Table(
    "consent_event",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("event_id", key_text(36), primary_key=True),
    Column("purpose", key_text(60), nullable=False),
    Column("state", key_text(20), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("notice_version", key_text(40)),
    Column("evidence", Text, nullable=False),
    Column("previous_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index(None, "event_id"),
    info={"kind": "ledger"},
)

# Derived from consent_event in the same transaction; `permits` is 1 exactly while the state is GIVEN or RENEWED, so that a list
# walks one index of those who said yes.
consent_standing = Table(
    "consent_standing",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("purpose", key_text(60), primary_key=True),
    Column("state", key_text(20), nullable=False),
    Column("permits", SmallInteger, nullable=False),
    Column("since", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("event_id", key_text(36), nullable=False),
    Column("notice_version", key_text(40)),
    Column("scope", Integer),
    Column("by_guardian", SmallInteger),
    Column("hash", LargeBinary, nullable=False),
    Index(None, "purpose", "permits", "member_id"),
    info={"kind": "member"},
)

# Every time a member was asked, on which channel and by whose wish: what the pause before the next question is counted from (NC-11).
consent_ask = Table(
    "consent_ask",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("ask_id", key_text(36), primary_key=True),
    Column("purpose", key_text(60), nullable=False),
    Column("channel", key_text(20), nullable=False),
    Column("initiator", key_text(10), nullable=False),
    Column("notice_version", key_text(40), nullable=False),
    Column("asked_at", Moment, nullable=False),
    info={"kind": "ledger"},
)

# Which version of a notice a member was shown, and when: what they are still to be told follows from it (NC-10).
notice_told = Table(
    "notice_told",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("told_id", key_text(36), primary_key=True),
    Column("kind", key_text(10), nullable=False),
    Column("version", key_text(40), nullable=False),
    Column("language", key_text(10), nullable=False),
    Column("channel", key_text(20), nullable=False),
    Column("told_at", Moment, nullable=False),
    info={"kind": "ledger"},
)

# PIPL 18: when nobody need be told, or not yet, on which ground and by whose leave. `reason` holds no personal data.
notice_exemption = Table(
    "notice_exemption",
    metadata,
    Column("exemption_id", key_text(36), primary_key=True),
    Column("ground", key_text(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("approver", key_text(80), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("closed_at", Moment),
    info={"kind": "reference"},
)

# Whom an exemption concerned; `told_at` is NULL until they were informed afterwards.
notice_untold = Table(
    "notice_untold",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("exemption_id", key_text(36), primary_key=True),
    Column("created_at", Moment, nullable=False),
    Column("told_at", Moment),
    Index(None, "exemption_id", "told_at"),
    info={"kind": "member"},
)

# Who may answer for a child. `member_id` is the child; `state` is PENDING, VERIFIED or ENDED.
guardian_link = Table(
    "guardian_link",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("guardian_id", key_text(36), primary_key=True),
    Column("state", key_text(10), nullable=False),
    Column("method", key_text(30)),
    Column("requested_at", Moment, nullable=False),
    Column("verified_at", Moment),
    Column("ended_at", Moment),
    Index(None, "guardian_id"),
    info={"kind": "member"},
)

# Leave for one member of staff to see one minor, for a reason, until a moment (MIN 36).
minor_approval = Table(
    "minor_approval",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("approval_id", key_text(36), primary_key=True),
    Column("staff", key_text(80), nullable=False),
    Column("approver", key_text(80), nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    info={"kind": "ledger"},
)

# What a guardian asked for a child (MIN 34), and what was answered.
guardian_request = Table(
    "guardian_request",
    metadata,
    Column("member_id", key_text(36), primary_key=True),
    Column("request_id", key_text(36), primary_key=True),
    Column("guardian_id", key_text(36), nullable=False),
    Column("kind", key_text(20), nullable=False),
    Column("state", key_text(10), nullable=False),
    Column("reason", Text),
    Column("created_at", Moment, nullable=False),
    Column("due_on", key_text(10), nullable=False),
    Column("decided_at", Moment),
    Column("decided_by", key_text(80)),
    Index(None, "state", "due_on"),
    info={"kind": "member"},
)
