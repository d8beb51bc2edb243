"""Questions about what is kept where: which entries a range means, and which are only in the archive."""

from dataclasses import dataclass
from datetime import datetime

from service.archive import store
from service.db.engine import Session
from service.errors import BadInput

Point = int | datetime | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A range as somebody named it: by index or by time, open at either side. `end` is not included."""

    first: Point = None
    end: Point = None

    @property
    def text(self) -> str:
        """The same in words: what an interrupted run is recognised by."""
        return f"{_word(self.first)}..{_word(self.end)}"


async def range_of(session: Session, asked: Asked) -> tuple[int, int | None]:
    """The indices that are meant; None for an end that is the log's. Raises BadInput for entries that are only in the archive."""
    here = await store.first_here(session)
    first = here if asked.first is None else await _index(session, asked.first, since=True)
    end = None if asked.end is None else await _index(session, asked.end, since=False)
    if first < here and not isinstance(asked.first, datetime):
        raise BadInput(f"--since: entries before {here} were archived and pruned; restore their segments, or begin at {here}")
    return max(first, here), end


async def _index(session: Session, point: int | datetime, *, since: bool) -> int:
    """A moment before everything is the first entry, one behind everything is the end."""
    if isinstance(point, int):
        return point
    if since:
        found = await store.first_since(session, point)
        return 2**62 if found is None else found
    found = await store.last_before(session, point)
    return 0 if found is None else found + 1


def _word(point: Point) -> str:
    return point.isoformat() if isinstance(point, datetime) else "" if point is None else str(point)
