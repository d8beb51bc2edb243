"""Who may answer for a child, and what follows once they have (PIPL 31)."""

from collections.abc import Mapping
from dataclasses import replace

from policies.decide import Minority
from policies.terms import MemberStatus
from service.consent import store, withdrawing
from service.consent.model import CaptureChannel, ConsentStanding
from service.members import age
from service.members import store as members
from service.members.commands import by_guardian
from service.members.model import Row
from service.minors import store as minors
from service.unit import Unit
from service.values import MemberId

Standings = Mapping[str, tuple[ConsentStanding, bytes]]
_CHANNEL = CaptureChannel.MINI_PROGRAM


def minority_of(unit: Unit, row: Row) -> Minority | None:
    """How the law protects this member by their age, at this moment; None for an adult."""
    if row.minor is False or row.wrapped is None:
        return None
    return age.minority(unit, unit.vault.member_keys(row.member_id, row.generation, row.wrapped), row)


def answers_alone(unit: Unit, row: Row, minority: Minority | None) -> bool:
    """Whether this caller's answer is one: a child's own is none, and no service speaks for its guardian. Whoever has grown out of
    waiting for a guardian answers by themselves.
    """
    child = minority.under_guardian if minority is not None else row.status is MemberStatus.GUARDIAN_PENDING
    return not child or by_guardian(unit.call, row.member_id)


async def left_alone(unit: Unit, member_id: MemberId) -> None:
    """A guardian has gone. What guardians said yes to loses its ground with the last of them: otherwise it would come to life with the
    child's fourteenth birthday, though that guardian was perhaps none.
    """
    row = await members.row(unit.session, member_id, lock=True)
    minority = minority_of(unit, row) if row is not None else None
    if row is None or row.guarded or minority is None or not minority.under_guardian:
        return
    kept = await store.standings(unit.session, member_id)
    theirs = [
        unit.catalogue.purposes[key] for key, (each, _) in kept.items() if each.by_guardian and key in unit.catalogue.purposes
    ]
    source = {"cause": "GUARDIAN_LEFT"}
    await withdrawing.invalidate(unit, member_id=member_id, purposes=theirs, channel=_CHANNEL, source=source)
    if len(set(unit.draft.subjects)) > 1:
        # An entry names one consent of its one subject; the events stand in it all the same.
        unit.draft.consent = ""


async def answered(unit: Unit, row: Row, before: Standings, *, decided: frozenset[str]) -> None:
    """Somebody has answered who may: a child's guardian, or the one who has grown out of waiting for one. `decided`: the purposes to
    which they said yes or no.

    What an earlier guardian said yes to does not come to life with the next one: that link has ended, perhaps because it was none.
    """
    minority = minority_of(unit, row)
    guarded = minority is not None and minority.under_guardian
    status = MemberStatus.ACTIVE if row.status is MemberStatus.GUARDIAN_PENDING else row.status
    if not decided or (status, guarded) == (row.status, row.guarded):
        return
    await minors.mark(unit.session, replace(row, status=status, guarded=guarded), now=unit.now)
    if guarded and not row.guarded:
        earlier = [unit.catalogue.purposes[key] for key in before if key not in decided and key in unit.catalogue.purposes]
        source = {"cause": "GUARDIAN_CHANGED"}
        await withdrawing.invalidate(unit, member_id=row.member_id, purposes=earlier, channel=_CHANNEL, source=source)
