"""The marketing gate: suppressions, subscriptions, campaigns and their review, decisions, outcomes, what came in."""

import sqlalchemy as sa
from alembic import op

from migrations.ledger import refuse_changes
from service.db.types import Moment, key_text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add only: an instance of the release before goes on writing while this runs."""
    op.create_table(
        "address_asked",
        sa.Column("channel", key_text(20), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "mark", name="pk_address_asked"),
    )
    op.create_table(
        "campaign",
        sa.Column("campaign_id", key_text(36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", key_text(12), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("approved_digest", sa.LargeBinary(), nullable=True),
        sa.Column("author", key_text(80), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.Column("ends_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", name="pk_campaign"),
    )
    op.create_index("ix_campaign_state_campaign_id", "campaign", ["state", "campaign_id"], unique=False)
    op.create_table(
        "campaign_event",
        sa.Column("campaign_id", key_text(36), nullable=False),
        sa.Column("event_id", key_text(36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("step", key_text(12), nullable=False),
        sa.Column("actor", key_text(80), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "event_id", name="pk_campaign_event"),
    )
    op.create_table(
        "inbound",
        sa.Column("source", key_text(40), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("inbound_id", key_text(36), nullable=False),
        sa.Column("kind", key_text(40), nullable=False),
        sa.Column("member_id", key_text(36), nullable=False),
        sa.Column("state", key_text(12), nullable=False),
        sa.Column("outcome", key_text(40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("handled_by", key_text(80), nullable=False),
        sa.Column("handled_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("source", "digest", name="pk_inbound"),
    )
    op.create_index("ix_inbound_inbound_id", "inbound", ["inbound_id"], unique=False)
    op.create_index("ix_inbound_member_id", "inbound", ["member_id"], unique=False)
    op.create_index("ix_inbound_state_inbound_id", "inbound", ["state", "inbound_id"], unique=False)
    op.create_table(
        "letter",
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("day", key_text(10), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("letter_id", key_text(36), nullable=False),
        sa.Column("kind", key_text(12), nullable=False),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.Column("handed_at", Moment(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("mark", "day", "place", name="pk_letter"),
    )
    op.create_index("ix_letter_letter_id", "letter", ["letter_id"], unique=False)
    op.create_table(
        "quota",
        sa.Column("member_id", key_text(36), nullable=False),
        sa.Column("template", key_text(80), nullable=False),
        sa.Column("balance", sa.Integer(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "template", name="pk_quota"),
    )
    op.create_table(
        "quota_event",
        sa.Column("member_id", key_text(36), nullable=False),
        sa.Column("event_id", key_text(36), nullable=False),
        sa.Column("template", key_text(80), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("balance", sa.Integer(), nullable=False),
        sa.Column("reason", key_text(40), nullable=False),
        sa.Column("reference", key_text(80), nullable=False),
        sa.Column("recorded_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "event_id", name="pk_quota_event"),
    )
    op.create_table(
        "send_decision",
        sa.Column("member_id", key_text(36), nullable=False),
        sa.Column("send_id", key_text(36), nullable=False),
        sa.Column("batch", key_text(36), nullable=False),
        sa.Column("campaign_id", key_text(36), nullable=False),
        sa.Column("channel", key_text(20), nullable=False),
        sa.Column("allowed", sa.SmallInteger(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("decided_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("member_id", "send_id", name="pk_send_decision"),
    )
    op.create_index("ix_send_decision_batch_member_id", "send_decision", ["batch", "member_id"], unique=False)
    op.create_index(
        "ix_send_decision_campaign_id_allowed_member_id", "send_decision", ["campaign_id", "allowed", "member_id"], unique=False
    )
    op.create_index("ix_send_decision_send_id", "send_decision", ["send_id"], unique=False)
    op.create_table(
        "send_outcome",
        sa.Column("member_id", key_text(36), nullable=False),
        sa.Column("outcome_id", key_text(36), nullable=False),
        sa.Column("send_id", key_text(36), nullable=False),
        sa.Column("outcome", key_text(16), nullable=False),
        sa.Column("code", key_text(60), nullable=False),
        sa.Column("reference", key_text(120), nullable=False),
        sa.Column("recorded_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "outcome_id", name="pk_send_outcome"),
    )
    op.create_index("ix_send_outcome_member_id_send_id", "send_outcome", ["member_id", "send_id"], unique=False)
    op.create_index("ix_send_outcome_outcome_recorded_at", "send_outcome", ["outcome", "recorded_at"], unique=False)
    op.create_table(
        "send_record",
        sa.Column("member_id", key_text(36), nullable=False),
        sa.Column("record_id", key_text(36), nullable=False),
        sa.Column("send_id", key_text(36), nullable=False),
        sa.Column("sender", key_text(40), nullable=False),
        sa.Column("code", key_text(254), nullable=False),
        sa.Column("address_mark", sa.LargeBinary(), nullable=False),
        sa.Column("content_digest", sa.LargeBinary(), nullable=False),
        sa.Column("template_id", key_text(36), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("handed_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "record_id", name="pk_send_record"),
    )
    op.create_index("ix_send_record_member_id_send_id", "send_record", ["member_id", "send_id"], unique=False)
    op.create_table(
        "send_window",
        sa.Column("member_id", key_text(36), nullable=False),
        sa.Column("slots", sa.Text(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", name="pk_send_window"),
    )
    op.create_table(
        "subscription",
        sa.Column("member_id", key_text(36), nullable=False),
        sa.Column("channel", key_text(20), nullable=False),
        sa.Column("topic", key_text(40), nullable=False),
        sa.Column("brand", key_text(40), nullable=False),
        sa.Column("state", key_text(16), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("event_id", key_text(36), nullable=False),
        sa.Column("expires_at", Moment(), nullable=True),
        sa.Column("monthly", sa.Integer(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "channel", "topic", "brand", name="pk_subscription"),
    )
    op.create_index(
        "ix_subscription_channel_topic_brand_state_member_id",
        "subscription",
        ["channel", "topic", "brand", "state", "member_id"],
        unique=False,
    )
    op.create_table(
        "subscription_event",
        sa.Column("member_id", key_text(36), nullable=False),
        sa.Column("event_id", key_text(36), nullable=False),
        sa.Column("channel", key_text(20), nullable=False),
        sa.Column("topic", key_text(40), nullable=False),
        sa.Column("brand", key_text(40), nullable=False),
        sa.Column("state", key_text(16), nullable=False),
        sa.Column("way", key_text(40), nullable=False),
        sa.Column("recorded_at", Moment(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "event_id", name="pk_subscription_event"),
    )
    op.create_table(
        "suppression",
        sa.Column("channel", key_text(20), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("state", key_text(12), nullable=False),
        sa.Column("reason", key_text(40), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "mark", name="pk_suppression"),
    )
    op.create_table(
        "suppression_event",
        sa.Column("channel", key_text(20), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("event_id", key_text(36), nullable=False),
        sa.Column("state", key_text(12), nullable=False),
        sa.Column("reason", key_text(40), nullable=False),
        sa.Column("way", key_text(40), nullable=False),
        sa.Column("recorded_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "mark", "event_id", name="pk_suppression_event"),
    )
    op.create_table(
        "template",
        sa.Column("template_id", key_text(36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("author", key_text(80), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("template_id", "version", name="pk_template"),
    )
    op.add_column("member_lookup", sa.Column("mark", sa.LargeBinary(), nullable=True))

    for table in (
        "campaign_event",
        "quota_event",
        "send_decision",
        "send_outcome",
        "send_record",
        "subscription_event",
        "suppression_event",
        "template",
    ):
        refuse_changes(table)
