"""What a search of the record needs."""

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add only: an instance of the release before goes on writing while this runs."""
