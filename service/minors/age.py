"""The age band of a member at the moment of a decision (PIPL 31, MIN 24, 36).

A birthday is sealed like every value. It is opened here, and only for whoever was in a band when last written: an adult never becomes a
minor, so nobody else costs anything.
"""

from policies.decide import Minority, leave_to_tell_age, minority_of
from service.members.model import Row
from service.unit import Unit
from service.vault.vault import MemberKeys


def minority(unit: Unit, keys: MemberKeys, row: Row, *, approved: bool = False) -> Minority | None:
    """None for an adult. Raises SealBroken when the birthday does not open: then nothing is decided."""
    if not row.minor:
        return None
    permit = leave_to_tell_age(row.member_id, unit.catalogue)
    birthday = unit.vault.open(permit, keys, row.sealed).get(unit.catalogue.consent.age_field)
    return minority_of(birthday, unit.catalogue, unit.now, approved=approved)
