"""What a member is still to be told, how many have not been, and under which exemptions."""

from policies.terms import MemberStatus
from service.errors import BadInput
from service.members import store as members
from service.members.age import noted
from service.members.model import Row
from service.notices import model, store
from service.unit import Reader, Unit
from service.values import MemberId

MOST_TO_INFORM = 500


async def pending(unit: Unit, member_id: MemberId) -> tuple[model.Pending, ...] | None:
    """Computed from what was told; a publication writes nothing anywhere. None: no such member."""
    row = await members.row(unit.session, member_id)
    if row is None or row.wrapped is None or row.status is MemberStatus.ERASED:
        unit.draft.deny("NOT_FOUND")
        unit.draft.count = 0
        return None
    kinds = _kinds(unit, row)
    told = [fact.version for fact in await store.told(unit.session, member_id)]
    return model.pending(unit.catalogue, told, kinds, unit.now)


def _kinds(unit: Unit, row: Row) -> tuple[str, ...]:
    """For a child there is a notice to the guardian, too; and for one whose age cannot be told, who may be a child (PIPL 31)."""
    assert row.wrapped is not None
    keys = unit.vault.member_keys(row.member_id, row.generation, row.wrapped)
    unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    unit.draft.count = 1
    found = noted(unit, keys, row)
    return (model.GENERAL, model.CHILD) if found is not None and found.under_guardian else (model.GENERAL,)


async def to_inform(unit: Unit, exemption_id: str) -> list[MemberId]:
    """Who was admitted under an exemption and is still to be informed: ids, each named in the entry."""
    found = await store.to_inform(unit.session, exemption_id, most=MOST_TO_INFORM)
    for member_id, generation, wrapped in found:
        if wrapped is not None:
            keys = unit.vault.member_keys(member_id, generation, wrapped)
            unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    unit.draft.count = len(found)
    return [member_id for member_id, _, _ in found]


async def untold(reader: Reader, version: str) -> int:
    """How many members have been told neither this version nor a later one. Raises BadInput for a version that is not published.

    Of a CHILD notice: members under guardianship, the guardian's to be told; who has grown up since is still among them.
    """
    notice = reader.catalogue.notices.get(version)
    if notice is None:
        raise BadInput("version: not published")
    versions = model.at_least(reader.catalogue, notice)
    return await store.untold(reader.session, versions, children=notice.kind == model.CHILD)
