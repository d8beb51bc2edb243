"""Readings counted by category, and alarms."""

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add only: an instance of the release before goes on writing while this runs."""
