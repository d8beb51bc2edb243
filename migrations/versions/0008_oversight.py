"""Versions of the register, reviews and deadlines."""

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add only: an instance of the release before goes on writing while this runs."""
