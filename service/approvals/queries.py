"""What waits for a second person, and what became of it."""

from collections.abc import Sequence

from service.approvals import store
from service.approvals.model import Approval
from service.errors import BadInput
from service.unit import Unit

PAGE_LIMIT = 100


async def listed(unit: Unit, *, waiting: bool, first: int, after: str) -> Sequence[Approval]:
    """The next ones, the oldest first. Raises BadInput (PAGE_SIZE_TOO_LARGE)."""
    if not 1 <= first <= PAGE_LIMIT:
        raise BadInput(f"first: between 1 and {PAGE_LIMIT}", code="PAGE_SIZE_TOO_LARGE")
    found = await store.listed(unit.session, waiting=waiting, now=unit.now, after=after, size=first)
    unit.draft.count = len(found)
    return found
