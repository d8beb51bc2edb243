"""Who an address from outside belongs to, and how they get into the entry."""

from policies.terms import LookupKind
from service.errors import BadInput
from service.inbound import store
from service.members import store as members
from service.unit import Unit
from service.values import MemberId
from service.vault.normalise import normalise


async def holder(unit: Unit, field: str, value: str) -> MemberId | None:
    """Whose address it is; None for nobody's, for what is no address, and for one that several share: a text is sealed for one."""
    spec = unit.catalogue.fields[field]
    try:
        digest = unit.vault.lookup(field, normalise(spec.normaliser, value))
    except BadInput:
        return None
    generation = unit.vault.lookup_generation
    if spec.lookup is LookupKind.IDENTITY:
        return await members.holder_of(unit.session, field, digest, generation=generation)
    found = await store.holders(unit.session, field, digest, generation=generation)
    return found[0] if len(found) == 1 else None


async def named(unit: Unit, member_id: MemberId) -> None:
    """Lock the member's row, and put the pseudonym into the entry."""
    row = await members.row(unit.session, member_id, lock=True)
    if row is not None and row.wrapped is not None:
        keys = unit.vault.member_keys(member_id, row.generation, row.wrapped)
        unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))


def settled(unit: Unit) -> None:
    """Each member once, however many steps named them: an entry tells of members and not of steps."""
    unit.draft.subjects[:] = dict.fromkeys(unit.draft.subjects)
    unit.draft.count = len(unit.draft.subjects)
