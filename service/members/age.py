"""The age band of a member at the moment of a decision (PIPL 31, MIN 24, 36).

A birthday is sealed like every value. It is opened here, and only for whoever was in a band when last written: an adult never becomes a
minor, so nobody else costs anything (docs/decisions/0014).
"""

from policies.decide import Minority, leave_to_tell_age, minority_of, presumed_child
from service.members.model import Row
from service.unit import Unit
from service.vault.vault import MemberKeys

BAND = "band"
"""Under this key an entry of the log says in which age band its member was; by that, minors are counted each year (MIN 37)."""

BANDS = "bands"
"""Under this key the entry of a list says how many of each band were in it: `child:2`."""


def minority(unit: Unit, keys: MemberKeys, row: Row) -> Minority | None:
    """None for an adult. Raises SealBroken when the birthday does not open: then nothing is decided."""
    if row.minor is False:
        return None
    if row.presumed:
        return presumed_child(unit.catalogue, guarded=row.guarded)
    permit = leave_to_tell_age(row.member_id, unit.catalogue)
    birthday = unit.vault.open(permit, keys, row.sealed).get(unit.catalogue.consent.age_field)
    if row.minor is None and birthday is None:
        return None
    return minority_of(birthday, unit.catalogue, unit.now, guarded=row.guarded)


def note(unit: Unit, found: Minority | None) -> None:
    """Let the entry say in which band its member is."""
    if found is not None and found.band is not None:
        unit.draft.extra[BAND] = found.band.key


def noted(unit: Unit, keys: MemberKeys, row: Row) -> Minority | None:
    """The member's band at this moment, told to the entry."""
    found = minority(unit, keys, row)
    note(unit, found)
    return found
