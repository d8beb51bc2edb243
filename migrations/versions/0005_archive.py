"""Segments of the log that were archived, and pruned."""

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add only: an instance of the release before goes on writing while this runs."""
