"""From a pseudonym back to a member: every living member's name of that month is made and compared. Nobody else can be found."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence

from service.approvals import commands as approvals
from service.approvals.model import about_of
from service.inspection import store
from service.inspection.model import Resolved
from service.unit import Unit
from service.values import MemberId
from service.vault.vault import MemberKeys

RESOLVE = "audit.resolve"
_PAGE = 500


def what(subject: str, month: str) -> str:
    """What another person allows, in words: `askApproval(kind: "audit.resolve", what: …)`."""
    return f"{subject} {month}"


async def resolve(unit: Unit, *, subject: str, month: str) -> Resolved:
    """Whom a pseudonym of a month stands for. Raises Refused (APPROVAL_REQUIRED) unless another person allowed exactly this."""
    approval = await approvals.use(unit, kind=RESOLVE, about=about_of(RESOLVE, what(subject, month)))
    unit.draft.count = 0
    async for member_id, keys in living(unit):
        if unit.vault.pseudonym_at(keys, month) == subject:
            # Under this month's name: the one that was resolved would join two months.
            unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
            unit.draft.count = 1
            return Resolved(member_id, approval)
    return Resolved(None, approval)


async def living(unit: Unit) -> AsyncIterator[tuple[MemberId, MemberKeys]]:
    """Every member whose secret is still there. It takes some seconds for a million, and lets others go on meanwhile."""
    after = ""
    while page := await store.secrets(unit.session, after, _PAGE):
        for row in page:
            yield row.member_id, unit.vault.member_keys(*row)
        after = page[-1].member_id
        await asyncio.sleep(0)


async def named(unit: Unit, subjects: Collection[str], months: Sequence[str]) -> dict[str, tuple[MemberId, str]]:
    """For each of these pseudonyms of some months, whose it is, and that member's pseudonym of this month."""
    found: dict[str, tuple[MemberId, str]] = {}
    async for member_id, keys in living(unit):
        names = {unit.vault.pseudonym_at(keys, month) for month in months}.intersection(subjects)
        if names:
            now = unit.vault.pseudonym(keys, unit.now)
            found |= dict.fromkeys(names, (member_id, now))
        if len(found) == len(subjects):
            break
    return found
