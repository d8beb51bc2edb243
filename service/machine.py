"""What only the outermost layer takes from this machine, and hands to all others as an argument."""

from datetime import UTC, datetime


def now() -> datetime:
    """Its clock, in UTC."""
    return datetime.now(UTC)
