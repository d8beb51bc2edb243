"""Take consents back: no reason, no proof, one call, for one purpose or for all of them (PIPL 15). Twice is as good as once.

What was done before stays lawful and stays in the ledger; nothing is asked in return (WD-02, WD-06).
"""

from collections.abc import Mapping

from policies.terms import Basis, ConsentState, Purpose
from service.consent import ledger, rules, store, writing
from service.consent.model import CaptureChannel, ConsentsRecorded, ConsentStanding, NothingToWithdraw
from service.members.model import MemberNotFound
from service.unit import Unit
from service.values import MemberId

Standings = Mapping[str, tuple[ConsentStanding, bytes]]


async def withdraw(
    unit: Unit, *, member_id: MemberId, purpose: str, channel: CaptureChannel
) -> ConsentsRecorded | NothingToWithdraw | MemberNotFound:
    """Take one consent back."""
    declared = unit.catalogue.purposes.get(purpose)
    if await writing.known(unit, member_id) is None:
        return writing.refused(unit, MemberNotFound())
    if declared is None or declared.basis is not Basis.CONSENT:
        return writing.refused(unit, NothingToWithdraw(purpose if declared else ""))
    standings = await store.standings(unit.session, member_id)
    changed = await _end(unit, member_id, [declared], standings, ConsentState.WITHDRAWN, channel=channel)
    if changed:
        return ConsentsRecorded(changed)
    return ConsentsRecorded((standings.get(purpose, (ConsentStanding(purpose, ConsentState.NEVER_ASKED), b""))[0],))


async def withdraw_all(unit: Unit, *, member_id: MemberId, channel: CaptureChannel) -> ConsentsRecorded | MemberNotFound:
    """Take back every consent that stands; the outcome lists what changed by it, which is nothing the second time."""
    if await writing.known(unit, member_id) is None:
        return writing.refused(unit, MemberNotFound())
    standings = await store.standings(unit.session, member_id)
    declared = [unit.catalogue.purposes[key] for key in standings if key in unit.catalogue.purposes]
    changed = await _end(unit, member_id, declared, standings, ConsentState.WITHDRAWN, channel=channel)
    unit.draft.extra["purposes"] = [standing.purpose for standing in changed]
    return ConsentsRecorded(changed)


async def take_back(
    unit: Unit, *, member_id: MemberId, purposes: list[Purpose], channel: CaptureChannel, source: Mapping[str, str]
) -> tuple[ConsentStanding, ...]:
    """Take these consents back for a member whose lock the caller holds; what changed by it. `source` says how they said so."""
    standings = await store.standings(unit.session, member_id)
    changed = await _end(unit, member_id, purposes, standings, ConsentState.WITHDRAWN, channel=channel, source=source)
    if changed:
        unit.draft.extra["purposes"] = [standing.purpose for standing in changed]
    return changed


async def invalidate(
    unit: Unit, *, member_id: MemberId, purposes: list[Purpose], channel: CaptureChannel, source: Mapping[str, str]
) -> tuple[ConsentStanding, ...]:
    """End consents that have lost their ground, though nobody took them back. `source` says what did it."""
    standings = await store.standings(unit.session, member_id)
    return await _end(
        unit, member_id, purposes, standings, ConsentState.INVALIDATED, channel=channel, role="system", source=source
    )


async def _end(
    unit: Unit,
    member_id: MemberId,
    purposes: list[Purpose],
    standings: Standings,
    state: ConsentState,
    *,
    channel: CaptureChannel,
    role: str = "",
    source: Mapping[str, str] | None = None,
) -> tuple[ConsentStanding, ...]:
    """One event for each of these consents that stands."""
    ended = []
    for purpose in purposes:
        standing, previous = standings.get(purpose.key, (ConsentStanding(purpose.key, ConsentState.NEVER_ASKED), ledger.GENESIS))
        if not rules.withdrawable(standing.state):
            continue
        happened = writing.happening(
            unit,
            member_id,
            purpose,
            state,
            standing=standing,
            previous=previous,
            channel=channel,
            evidence=None,
            role=role,
            source=source,
        )
        ended.append(await writing.append(unit, happened, first=False))
    return tuple(ended)
