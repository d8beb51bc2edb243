"""The record leaves the house: checkpoints, anchors, and what two persons allow."""

import sqlalchemy as sa
from alembic import op

from migrations.ledger import refuse_changes
from service.db.types import Moment, key_text

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add only: an instance of the release before goes on writing while this runs."""
    op.create_table(
        "approval",
        sa.Column("approval_id", key_text(36), nullable=False),
        sa.Column("kind", key_text(40), nullable=False),
        sa.Column("about", sa.LargeBinary(), nullable=False),
        sa.Column("what", key_text(200), nullable=False),
        sa.Column("reason", key_text(200), nullable=False),
        sa.Column("asked_by", key_text(80), nullable=False),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.Column("decision", key_text(12), nullable=False),
        sa.Column("decided_by", key_text(80), nullable=False),
        sa.Column("decided_at", Moment(), nullable=True),
        sa.Column("until", Moment(), nullable=False),
        sa.Column("used_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("approval_id", name="pk_approval"),
    )
    op.create_index("ix_approval_until", "approval", ["until"], unique=False)
    op.create_table(
        "audit_anchor",
        sa.Column("size", _BIG, autoincrement=False, nullable=False),
        sa.Column("kind", key_text(20), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("size", "kind", "at", name="pk_audit_anchor"),
    )
    op.create_table(
        "audit_checkpoint",
        sa.Column("size", _BIG, autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_at", Moment(), nullable=False),
        sa.Column("witnessed_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("size", name="pk_audit_checkpoint"),
    )
    op.create_table(
        "audit_position",
        sa.Column("log_id", key_text(255), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", name="pk_audit_position"),
    )
    refuse_changes("audit_anchor")
