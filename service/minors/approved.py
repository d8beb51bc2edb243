"""Whether a member of staff may look at a minor now: found out for what cannot be masked (MIN 36)."""

from policies.decide import Standing, shielded
from policies.terms import Reason
from service.errors import Refused
from service.members import age
from service.members.model import Row
from service.minors import store
from service.unit import Unit
from service.values import ActorKind
from service.vault.vault import MemberKeys


async def approved(unit: Unit, keys: MemberKeys, row: Row) -> None:
    """Raises Refused (APPROVAL_REQUIRED) where staff look at a minor without an approval; the entry names the one that they have."""
    minority = age.noted(unit, keys, row)
    if minority is None or unit.call.actor.kind is not ActorKind.STAFF:
        return
    found = await store.approvals(unit.session, staff=unit.call.actor.name, first=row.member_id, last=row.member_id, now=unit.now)
    approval = found.get(row.member_id, "")
    if shielded(Standing(row.member_id, row.status, minority=minority, approval=approval)):
        raise Refused(Reason.APPROVAL_REQUIRED.value)
    if approval:
        unit.draft.extra["approval"] = approval
