"""Versions of the register, measures, reviews of access, accounts, counts of persons, tasks."""

import sqlalchemy as sa
from alembic import op

from migrations.ledger import refuse_changes
from service.db.types import Moment, key_text

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add only: an instance of the release before goes on writing while this runs."""
    op.create_table(
        "access_review",
        sa.Column("review_id", key_text(36), nullable=False),
        sa.Column("quarter", key_text(7), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", key_text(64), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("reviewed_by", key_text(80), nullable=False),
        sa.Column("reviewed_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("review_id", name="pk_access_review"),
    )
    op.create_table(
        "account",
        sa.Column("account", key_text(80), nullable=False),
        sa.Column("first_seen", Moment(), nullable=False),
        sa.Column("last_seen", Moment(), nullable=False),
        sa.Column("enabled_at", Moment(), nullable=True),
        sa.Column("disabled_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("account", name="pk_account"),
    )
    op.create_index("ix_account_disabled_at", "account", ["disabled_at"], unique=False)
    op.create_table(
        "account_event",
        sa.Column("account", key_text(80), nullable=False),
        sa.Column("event_id", key_text(36), nullable=False),
        sa.Column("step", key_text(10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", key_text(80), nullable=False),
        sa.Column("recorded_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("account", "event_id", name="pk_account_event"),
    )
    op.create_table(
        "control_record",
        sa.Column("control_id", key_text(36), nullable=False),
        sa.Column("kind", key_text(40), nullable=False),
        sa.Column("title", key_text(200), nullable=False),
        sa.Column("reference", key_text(200), nullable=False),
        sa.Column("digest", key_text(64), nullable=False),
        sa.Column("held_on", key_text(10), nullable=False),
        sa.Column("recorded_by", key_text(80), nullable=False),
        sa.Column("recorded_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("control_id", name="pk_control_record"),
    )
    op.create_index("ix_control_record_kind_recorded_at", "control_record", ["kind", "recorded_at"], unique=False)
    op.create_table(
        "duty",
        sa.Column("kind", key_text(40), nullable=False),
        sa.Column("occasion", key_text(80), nullable=False),
        sa.Column("duty_id", key_text(36), nullable=False),
        sa.Column("state", key_text(8), nullable=False),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("due_on", key_text(10), nullable=True),
        sa.Column("done_at", Moment(), nullable=True),
        sa.Column("done_by", key_text(80), nullable=False),
        sa.Column("reference", key_text(200), nullable=False),
        sa.PrimaryKeyConstraint("kind", "occasion", name="pk_duty"),
    )
    op.create_index("ix_duty_duty_id", "duty", ["duty_id"], unique=False)
    op.create_index("ix_duty_state_due_on", "duty", ["state", "due_on"], unique=False)
    op.create_table(
        "grant_use",
        sa.Column("account", key_text(80), nullable=False),
        sa.Column("role", key_text(60), nullable=False),
        sa.Column("what", key_text(10), nullable=False),
        sa.Column("name", key_text(60), nullable=False),
        sa.Column("last_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("account", "role", "what", "name", name="pk_grant_use"),
    )
    op.create_table(
        "oversight_mark",
        sa.Column("name", key_text(20), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_oversight_mark"),
    )
    op.create_table(
        "person_count",
        sa.Column("day", key_text(10), nullable=False),
        sa.Column("persons", sa.BigInteger(), nullable=False),
        sa.Column("counted_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_person_count"),
    )
    op.create_table(
        "register_served",
        sa.Column("at", Moment(), nullable=False),
        sa.Column("digest", key_text(64), nullable=False),
        sa.PrimaryKeyConstraint("at", "digest", name="pk_register_served"),
    )
    op.create_table(
        "register_version",
        sa.Column("digest", key_text(64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_register_version"),
    )
    for table in ("access_review", "account_event", "control_record", "person_count", "register_served", "register_version"):
        refuse_changes(table)
