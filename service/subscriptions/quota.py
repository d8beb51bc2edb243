"""WeChat's one-time acceptances: each is one message and has no end (WX-04). WeChat tells nobody how many are left, so the count is here.

Whatever changes a balance is appended first; the same report twice counts once.
"""

from enum import StrEnum

from service.errors import BadInput
from service.subscriptions import store
from service.subscriptions.store import QuotaEvent
from service.unit import Unit
from service.values import MemberId

_MOST_REFERENCE = 80


class QuotaReason(StrEnum):
    """What became of the asking, or of an acceptance. The last four leave or set nothing to send by."""

    ACCEPTED = "ACCEPTED"
    SPENT = "SPENT"
    REJECTED = "REJECTED"
    BANNED = "BANNED"
    FILTERED = "FILTERED"
    EXHAUSTED = "EXHAUSTED"


async def accept(unit: Unit, member_id: MemberId, template: str, *, reference: str) -> int:
    """The member allowed one more message of this template; how many are left. `reference` names the tap: told twice it counts once."""
    return await _change(unit, member_id, template, 1, reason=QuotaReason.ACCEPTED, reference=reference)


async def spend(unit: Unit, member_id: MemberId, template: str, *, reference: str) -> int | None:
    """One message went out; how many are left. None, and nothing is written, where there was none to spend. `reference` is the sending."""
    if await store.counted(unit.session, member_id, template, reason=QuotaReason.SPENT.value, reference=reference):
        return await store.balance(unit.session, member_id, template)
    if not await store.balance(unit.session, member_id, template):
        return None
    return await _change(unit, member_id, template, -1, reason=QuotaReason.SPENT, reference=reference)


async def give_back(unit: Unit, member_id: MemberId, template: str, *, spent: str, reference: str) -> int | None:
    """The message of the sending `spent` did not go out. None, and nothing is written, where that had spent nothing: a failure is no
    acceptance.
    """
    if not await store.counted(unit.session, member_id, template, reason=QuotaReason.SPENT.value, reference=spent):
        return None
    return await accept(unit, member_id, template, reference=reference)


async def exhaust(
    unit: Unit, member_id: MemberId, template: str, *, reference: str, reason: QuotaReason = QuotaReason.EXHAUSTED
) -> int:
    """WeChat refused (43101), or the member turned it off there: whatever we counted, nothing is left. Recorded also where nothing was."""
    left = await store.balance(unit.session, member_id, template) or 0
    return await _change(unit, member_id, template, -left, reason=reason, reference=reference)


async def note(unit: Unit, member_id: MemberId, template: str, *, reason: QuotaReason, reference: str) -> int:
    """The member was asked and did not allow one (reject, ban, filter): recorded, and what they allowed before stays."""
    return await _change(unit, member_id, template, 0, reason=reason, reference=reference)


async def _change(unit: Unit, member_id: MemberId, template: str, change: int, *, reason: QuotaReason, reference: str) -> int:
    if not 0 < len(reference) <= _MOST_REFERENCE:
        raise BadInput(f"reference: 1 to {_MOST_REFERENCE} characters")
    before = await store.balance(unit.session, member_id, template)
    if await store.counted(unit.session, member_id, template, reason=reason.value, reference=reference):
        return before or 0
    left = (before or 0) + change
    event = QuotaEvent(unit.new_id(), template, change, left, reason.value, reference, unit.now)
    await store.add_quota(unit.session, member_id, event, first=before is None)
    return left
