"""The verbs over children and guardians that need no consent: be taken for a child; ask to be a guardian, be verified, leave."""

from collections.abc import Iterable
from dataclasses import replace

from policies.decide import Minority
from policies.terms import MemberStatus
from service.members import age
from service.members import store as members
from service.members.model import MemberNotFound, Row
from service.minors import store
from service.minors.acting import fit
from service.minors.model import Link, LinkState, Method, MinorPresumed, MinorsRejected
from service.unit import Unit
from service.values import ActorKind, MemberId

LinkOutcome = Link | MinorsRejected | MemberNotFound


async def presume(unit: Unit, *, member_id: MemberId) -> MinorPresumed | MemberNotFound:
    """Take a member for a child, whatever birthday was told (PIPL 31): a guardian has to answer for them from now on. It ends when a
    service that has checked it writes the birthday.
    """
    row = await members.row(unit.session, member_id, lock=True)
    if row is None or row.wrapped is None:
        unit.draft.deny("MEMBER_NOT_FOUND")
        return MemberNotFound()
    minority = named(unit, row)
    if minority is None or not minority.under_guardian:
        status = MemberStatus.GUARDIAN_PENDING if row.status is MemberStatus.ACTIVE else row.status
        await store.mark(unit.session, replace(row, status=status, minor=True, guarded=False, presumed=True), now=unit.now)
    return MinorPresumed(member_id)


async def request(unit: Unit, *, member_id: MemberId) -> LinkOutcome:
    """The calling member says that they are this child's guardian. It opens nothing before it is verified.

    An adult, somebody erased and nobody at all look alike (SE-05).
    """
    guardian = await _guardian(unit, unit.call.actor.member_id or "")
    if guardian is None:
        return rejected(unit, "GUARDIAN_UNFIT")
    child = await _child(unit, member_id)
    if child is None or child.member_id == guardian.member_id:
        unit.draft.deny("MEMBER_NOT_FOUND")
        return MemberNotFound()
    held = await _link(unit, member_id, guardian.member_id)
    if held is not None and held.state is not LinkState.ENDED:
        return held
    wanted = Link(member_id, guardian.member_id, LinkState.PENDING, None, unit.now)
    await store.put(unit.session, wanted, first=held is None)
    return wanted


async def verify(unit: Unit, *, member_id: MemberId, guardian_id: MemberId, method: Method) -> LinkOutcome:
    """A service has found out that this is the child's guardian, and says how."""
    child = await _child(unit, member_id)
    if child is None:
        unit.draft.deny("MEMBER_NOT_FOUND")
        return MemberNotFound()
    if await _guardian(unit, guardian_id) is None:
        return rejected(unit, "GUARDIAN_UNFIT")
    held = await _link(unit, member_id, guardian_id)
    if held is None or held.state is LinkState.ENDED:
        return rejected(unit, "LINK_NOT_FOUND")
    unit.draft.extra["method"] = method.value
    if held.state is LinkState.VERIFIED:
        return held
    verified = replace(held, state=LinkState.VERIFIED, method=method, verified_at=unit.now)
    await store.put(unit.session, verified, first=False)
    return verified


async def end(unit: Unit, *, member_id: MemberId, guardian_id: MemberId) -> LinkOutcome:
    """Somebody is this child's guardian no longer. With the last one, the child waits for a guardian again.

    Whoever names a child that is not theirs learns nothing of it.
    """
    held = await _link(unit, member_id, guardian_id)
    if held is None or held.state is LinkState.ENDED:
        return rejected(unit, "LINK_NOT_FOUND")
    child = await members.row(unit.session, member_id, lock=True)
    if child is not None:
        named(unit, child)
    guardian = await members.row(unit.session, guardian_id)
    if guardian is not None:
        fit(unit, guardian)
    return await _ended(unit, held, child)


async def leave(unit: Unit, member_id: MemberId) -> tuple[MemberId, ...]:
    """A member goes: nobody is their guardian any longer, and they are nobody's. Whose guardian they were."""
    for link in await store.links(unit.session, member_id):
        if link.state is not LinkState.ENDED:
            await store.put(unit.session, _as_ended(unit, link), first=False)
    held = [link for link in await store.wards(unit.session, member_id) if link.state is not LinkState.ENDED]
    for link in held:
        child = await members.row(unit.session, link.member_id, lock=True)
        if child is not None:
            named(unit, child)
        await _ended(unit, link, child)
    return tuple(link.member_id for link in held)


def named(unit: Unit, row: Row) -> Minority | None:
    """Name this member in the entry; how old they are."""
    if row.wrapped is None:
        return None
    keys = unit.vault.member_keys(row.member_id, row.generation, row.wrapped)
    unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    unit.draft.count = len(unit.draft.subjects)
    return age.noted(unit, keys, row)


async def named_all(unit: Unit, member_ids: Iterable[MemberId]) -> None:
    """Name each of these members in the entry, once, who is still there."""
    for member_id in sorted(set(member_ids)):
        row = await members.row(unit.session, member_id)
        if row is not None and row.wrapped is not None:
            keys = unit.vault.member_keys(row.member_id, row.generation, row.wrapped)
            unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    unit.draft.count = len(unit.draft.subjects)


def rejected(unit: Unit, code: str) -> MinorsRejected:
    """An expected refusal, told to the entry."""
    unit.draft.deny(code)
    unit.draft.count = 0
    return MinorsRejected(code)


async def _ended(unit: Unit, link: Link, child: Row | None) -> Link:
    """Write the end, and take the mark off a child that no verified guardian is left for."""
    ended = _as_ended(unit, link)
    await store.put(unit.session, ended, first=False)
    others = await store.links(unit.session, link.member_id)
    if child is None or not child.guarded or any(other.state is LinkState.VERIFIED for other in others):
        return ended
    active = child.status is MemberStatus.ACTIVE
    waiting = replace(child, guarded=False, status=MemberStatus.GUARDIAN_PENDING if active else child.status)
    await store.mark(unit.session, waiting, now=unit.now)
    return ended


def _as_ended(unit: Unit, link: Link) -> Link:
    return replace(link, state=LinkState.ENDED, ended_at=unit.now)


async def _guardian(unit: Unit, guardian_id: MemberId) -> Row | None:
    """A member who can answer for another: adult, there, and findable by an identity that a service has proven."""
    row = await members.row(unit.session, guardian_id)
    if row is None or not fit(unit, row):
        return None
    return row if await store.has_identity(unit.session, guardian_id) else None


async def _child(unit: Unit, member_id: MemberId) -> Row | None:
    """A child for whom a guardian has to answer, locked."""
    row = await members.row(unit.session, member_id, lock=True)
    if row is None or row.minor is False:
        return None
    minority = named(unit, row)
    if minority is not None and minority.under_guardian:
        return row
    # An adult is not named in an entry that a stranger brought about by guessing.
    if unit.call.actor.kind is ActorKind.MEMBER:
        unit.draft.subjects.clear()
        unit.draft.count = 0
    return None


async def _link(unit: Unit, member_id: MemberId, guardian_id: MemberId) -> Link | None:
    held = await store.links(unit.session, member_id)
    return next((link for link in held if link.guardian_id == guardian_id), None)
