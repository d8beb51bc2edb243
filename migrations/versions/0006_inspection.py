"""What a search of the record needs: words and the entries that have them, block by block, and the request's id.

No row is filled in here: blocks that exist already are indexed from their bytes by the first instance that runs, and are searched entry by
entry until then.
"""

import sqlalchemy as sa
from alembic import op

from service.db.types import key_text

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add only: an instance of the release before goes on writing while this runs."""
    op.create_table(
        "audit_posting",
        sa.Column("term", key_text(100), nullable=False),
        sa.Column("block", _BIG, autoincrement=False, nullable=False),
        sa.Column("places", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("term", "block", name="pk_audit_posting"),
    )
    op.create_index("ix_audit_posting_block", "audit_posting", ["block"], unique=False)
    op.create_table(
        "audit_block",
        sa.Column("block", _BIG, autoincrement=False, nullable=False),
        sa.Column("low", key_text(27), nullable=False),
        sa.Column("high", key_text(27), nullable=False),
        sa.PrimaryKeyConstraint("block", name="pk_audit_block"),
    )
    op.create_index("ix_audit_entry_req", "audit_entry", ["req"], unique=False)
