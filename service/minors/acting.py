"""A guardian who acts for a child: found out in the unit, by one statement, and only where a member names somebody else.

The attacker is a member who knows another's id. Without a verified link they are refused, and the entry says who tried.
"""

from policies.decide import Minority
from policies.terms import MemberStatus
from service.desk import Desk
from service.errors import Forbidden
from service.members import age
from service.members.model import Row
from service.minors import store
from service.unit import Unit
from service.values import ActorKind, MemberId


class WardDesk(Desk):
    """The base of a feature's operations that a guardian may call for a child."""

    async def whom(self, unit: Unit, member_id: MemberId | None) -> MemberId:
        """Whom it is about: as `target`; or the child, where the member who calls is its verified guardian. Raises Forbidden."""
        actor = unit.call.actor
        if actor.kind is not ActorKind.MEMBER or member_id in {None, actor.member_id}:
            return self.target(unit.call, member_id)
        return await self.ward_of(unit, member_id or "")

    async def ward_of(self, unit: Unit, member_id: MemberId) -> MemberId:
        """The child for whom the calling member must answer now. Raises Forbidden for everybody else."""
        child, minority = await minor_of(unit, self.known_form(member_id))
        if minority is None or not minority.under_guardian:
            raise Forbidden
        return child.member_id


async def minor_of(unit: Unit, member_id: MemberId) -> tuple[Row, Minority | None]:
    """The member whose verified guardian calls, with their age. Raises Forbidden for everybody else."""
    actor = unit.call.actor
    if actor.kind is not ActorKind.MEMBER or actor.member_id is None:
        raise Forbidden
    guardian, child = await store.standing_in(unit.session, guardian_id=actor.member_id, child_id=member_id)
    if guardian is None or not fit(unit, guardian):
        raise Forbidden
    if child is None or child.wrapped is None:
        raise Forbidden
    return child, age.minority(unit, unit.vault.member_keys(child.member_id, child.generation, child.wrapped), child)


def fit(unit: Unit, guardian: Row) -> bool:
    """Whether a member can answer for somebody else: there, adult and free to act. The entry names them, whatever comes of it."""
    if guardian.wrapped is None:
        return False
    keys = unit.vault.member_keys(guardian.member_id, guardian.generation, guardian.wrapped)
    named = unit.vault.pseudonym(keys, unit.now)
    if unit.call.actor.member_id == guardian.member_id:
        unit.draft.actor = named
    else:
        unit.draft.subjects.append(named)
        unit.draft.count = len(unit.draft.subjects)
    minority = age.minority(unit, keys, guardian)
    return (minority is None or minority.grown) and guardian.status in {MemberStatus.ACTIVE, MemberStatus.GUARDIAN_PENDING}
