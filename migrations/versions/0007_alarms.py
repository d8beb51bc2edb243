"""Readings counted by category, and alarms."""

import sqlalchemy as sa
from alembic import op

from service.db.types import Moment, key_text

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add only: an instance of the release before goes on writing while this runs."""
    op.create_table(
        "tally_operator",
        sa.Column("operator", key_text(80), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("operator", name="pk_tally_operator"),
    )
    op.create_table(
        "tally",
        sa.Column("operator", key_text(80), nullable=False),
        sa.Column("bulk", key_text(20), nullable=False),
        sa.Column("mark", key_text(32), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("operator", "bulk", "mark", name="pk_tally"),
    )
    op.create_index("ix_tally_at", "tally", ["at"], unique=False)
    op.create_table(
        "alarm",
        sa.Column("kind", key_text(40), nullable=False),
        sa.Column("about", key_text(160), nullable=False),
        sa.Column("slot", key_text(36), nullable=False),
        sa.Column("alarm_id", key_text(36), nullable=False),
        sa.Column("state", key_text(12), nullable=False),
        sa.Column("first_at", Moment(), nullable=False),
        sa.Column("last_at", Moment(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("handled_by", key_text(80), nullable=False),
        sa.Column("handled_at", Moment(), nullable=True),
        sa.Column("note", key_text(200), nullable=False),
        sa.Column("due_at", Moment(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("outcome", key_text(40), nullable=False),
        sa.Column("told_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("kind", "about", "slot", name="pk_alarm"),
    )
    op.create_index("ix_alarm_alarm_id", "alarm", ["alarm_id"], unique=False)
    op.create_index("ix_alarm_state_due_at", "alarm", ["state", "due_at"], unique=False)
    op.create_table(
        "bait",
        sa.Column("bait_id", key_text(36), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("added_by", key_text(80), nullable=False),
        sa.Column("added_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("bait_id", name="pk_bait"),
    )
