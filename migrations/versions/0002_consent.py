"""Consent that stands up in court: scopes and guardians in the standing, asking, notices told, minors, tags, jobs."""

import sqlalchemy as sa
from alembic import op

from migrations.ledger import refuse_changes
from service.db.types import Moment, key_text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add only: an instance of the release before goes on writing while this runs."""
    op.create_table(
        "consent_ask",
        sa.Column("member_id", key_text(36), nullable=False),
        sa.Column("ask_id", key_text(36), nullable=False),
        sa.Column("purpose", key_text(60), nullable=False),
        sa.Column("channel", key_text(20), nullable=False),
        sa.Column("initiator", key_text(10), nullable=False),
        sa.Column("notice_version", key_text(40), nullable=False),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "ask_id", name="pk_consent_ask"),
    )
    op.create_table(
        "guardian_link",
        sa.Column("member_id", key_text(36), nullable=False),
        sa.Column("guardian_id", key_text(36), nullable=False),
        sa.Column("state", key_text(10), nullable=False),
        sa.Column("method", key_text(30), nullable=True),
        sa.Column("requested_at", Moment(), nullable=False),
        sa.Column("verified_at", Moment(), nullable=True),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("member_id", "guardian_id", name="pk_guardian_link"),
    )
    op.create_index("ix_guardian_link_guardian_id", "guardian_link", ["guardian_id"], unique=False)
    op.create_table(
        "guardian_request",
        sa.Column("member_id", key_text(36), nullable=False),
        sa.Column("request_id", key_text(36), nullable=False),
        sa.Column("guardian_id", key_text(36), nullable=False),
        sa.Column("kind", key_text(20), nullable=False),
        sa.Column("state", key_text(10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("due_on", key_text(10), nullable=False),
        sa.Column("decided_at", Moment(), nullable=True),
        sa.Column("decided_by", key_text(80), nullable=True),
        sa.PrimaryKeyConstraint("member_id", "request_id", name="pk_guardian_request"),
    )
    op.create_index("ix_guardian_request_state_due_on", "guardian_request", ["state", "due_on"], unique=False)
    op.create_table(
        "job",
        sa.Column("member_id", key_text(36), nullable=False),
        sa.Column("job_id", key_text(36), nullable=False),
        sa.Column("kind", key_text(30), nullable=False),
        sa.Column("purpose", key_text(60), nullable=False),
        sa.Column("recipient", key_text(40), nullable=False),
        sa.Column("event_id", key_text(36), nullable=False),
        sa.Column("state", key_text(20), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("outcome", key_text(40), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("member_id", "job_id", name="pk_job"),
    )
    op.create_index("ix_job_member_id_event_id", "job", ["member_id", "event_id"], unique=False)
    op.create_index("ix_job_state_due_at", "job", ["state", "due_at"], unique=False)
    op.create_table(
        "member_tag",
        sa.Column("member_id", key_text(36), nullable=False),
        sa.Column("tag", key_text(40), nullable=False),
        sa.Column("source", key_text(40), nullable=False),
        sa.Column("source_digest", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "tag", "source", name="pk_member_tag"),
    )
    op.create_table(
        "member_tag_refused",
        sa.Column("member_id", key_text(36), nullable=False),
        sa.Column("tag", key_text(40), nullable=False),
        sa.Column("source_digest", sa.LargeBinary(), nullable=False),
        sa.Column("refused_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "tag", "source_digest", name="pk_member_tag_refused"),
    )
    op.create_table(
        "minor_approval",
        sa.Column("member_id", key_text(36), nullable=False),
        sa.Column("approval_id", key_text(36), nullable=False),
        sa.Column("staff", key_text(80), nullable=False),
        sa.Column("approver", key_text(80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "approval_id", name="pk_minor_approval"),
    )
    op.create_table(
        "notice_exemption",
        sa.Column("exemption_id", key_text(36), nullable=False),
        sa.Column("ground", key_text(20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("approver", key_text(80), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("closed_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("exemption_id", name="pk_notice_exemption"),
    )
    op.create_table(
        "notice_told",
        sa.Column("member_id", key_text(36), nullable=False),
        sa.Column("told_id", key_text(36), nullable=False),
        sa.Column("kind", key_text(10), nullable=False),
        sa.Column("version", key_text(40), nullable=False),
        sa.Column("language", key_text(10), nullable=False),
        sa.Column("channel", key_text(20), nullable=False),
        sa.Column("told_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "told_id", name="pk_notice_told"),
    )
    op.create_table(
        "notice_untold",
        sa.Column("member_id", key_text(36), nullable=False),
        sa.Column("exemption_id", key_text(36), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("told_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("member_id", "exemption_id", name="pk_notice_untold"),
    )
    op.create_index("ix_notice_untold_exemption_id_told_at", "notice_untold", ["exemption_id", "told_at"], unique=False)
    op.create_index("ix_consent_event_event_id", "consent_event", ["event_id"], unique=False)
    op.add_column("consent_standing", sa.Column("scope", sa.Integer(), nullable=True))
    op.add_column("consent_standing", sa.Column("by_guardian", sa.SmallInteger(), nullable=True))
    op.add_column("member", sa.Column("minor", sa.SmallInteger(), nullable=True))
    op.add_column("member", sa.Column("sensitive", sa.SmallInteger(), nullable=True))
    op.add_column("member", sa.Column("personalisation", sa.SmallInteger(), nullable=True))
    op.create_index("ix_member_minor_member_id", "member", ["minor", "member_id"], unique=False)
    op.create_index("ix_member_sensitive_member_id", "member", ["sensitive", "member_id"], unique=False)
    op.add_column("member_lookup", sa.Column("proven_at", Moment(), nullable=True))

    for table in ("consent_ask", "notice_told", "minor_approval"):
        refuse_changes(table)
