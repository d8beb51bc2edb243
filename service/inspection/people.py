"""A member's names in the record: one for each month, made with the member's own secret, and by nobody after it is destroyed."""

from datetime import datetime, timedelta

from service.audit import queries as log
from service.members import store as members
from service.unit import Unit
from service.values import MemberId
from service.vault.vault import MemberKeys

KEPT = timedelta(days=365 * 3)
IN_FLIGHT = timedelta(minutes=5)
"""A request that began before midnight may be written down in the month after."""


async def keys_of(unit: Unit, member_id: MemberId) -> MemberKeys | None:
    """None for nobody, and for somebody erased: no name in the log can be made for them any more."""
    row = await members.row(unit.session, member_id)
    if row is None or row.wrapped is None:
        return None
    return unit.vault.member_keys(row.member_id, row.generation, row.wrapped)


def names(unit: Unit, keys: MemberKeys, since: datetime | None, until: datetime | None) -> dict[str, str]:
    """The pseudonyms by month from one moment to the other; three years where nothing is said. Raises BadInput for more than 37 months."""
    end = min(until or unit.now, unit.now)
    start = max(since, unit.now - KEPT) if since else unit.now - KEPT
    return {month: unit.vault.pseudonym_at(keys, month) for month in log.months(min(start, end) - IN_FLIGHT, end)}
