"""Segments of the log that were archived, and pruned; on PostgreSQL the log's entries in partitions."""

import sqlalchemy as sa
from alembic import op

from migrations import partitions
from service.db.types import Moment, key_text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """An instance of the release before goes on writing while this runs."""
    partitions.index_subjects()
    op.create_table(
        "audit_segment",
        sa.Column("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("first_ts", key_text(27), nullable=False),
        sa.Column("last_ts", key_text(27), nullable=False),
        sa.Column("uri", key_text(500), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("archived_at", Moment(), nullable=False),
        sa.Column("pruned_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("n", name="pk_audit_segment"),
    )
    if op.get_bind().dialect.name == "sqlite":
        partitions.let_pruned_go_on_sqlite()
    else:
        partitions.divide()
