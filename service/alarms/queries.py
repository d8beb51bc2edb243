"""What somebody has to see to, and what was seen to."""

from collections.abc import Sequence

from service.alarms import store
from service.alarms.model import Alarm
from service.errors import BadInput
from service.unit import Unit

PAGE_LIMIT = 100


async def listed(unit: Unit, *, live: bool, first: int, after: str) -> Sequence[Alarm]:
    """The next ones, the oldest first. Raises BadInput (PAGE_SIZE_TOO_LARGE)."""
    if not 1 <= first <= PAGE_LIMIT:
        raise BadInput(f"first: between 1 and {PAGE_LIMIT}", code="PAGE_SIZE_TOO_LARGE")
    found = await store.listed(unit.session, live=live, after=after, size=first)
    unit.draft.count = len(found)
    return found
