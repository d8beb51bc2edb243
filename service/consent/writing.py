"""How an answer gets into the ledger: the member's row locked, the event chained, the standing moved, the entry told.

Whatever must happen with every event, whoever brought it about, happens in `append`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from policies.terms import ConsentState, MemberStatus, Purpose
from service.consent import ledger, rules, store
from service.consent.model import CaptureChannel, ConsentStanding, Decision, Evidence
from service.errors import outcome_code
from service.members import store as members_store
from service.members.model import Row
from service.unit import Unit
from service.values import MemberId

T = TypeVar("T")


async def known(unit: Unit, member_id: MemberId) -> Row | None:
    """The member's row, locked, with its pseudonym put into the entry; None when there is none or nothing of it can be opened."""
    row = await members_store.row(unit.session, member_id, lock=True)
    if row is None or row.wrapped is None or row.status is MemberStatus.ERASED:
        return None
    keys = unit.vault.member_keys(member_id, row.generation, row.wrapped)
    unit.draft.subjects.append(unit.vault.pseudonym(keys, unit.now))
    unit.draft.count = 1
    return row


async def answer(
    unit: Unit,
    member_id: MemberId,
    decisions: Sequence[Decision],
    evidence: Evidence,
    before: Mapping[str, tuple[ConsentStanding, bytes]],
) -> tuple[ConsentStanding, ...]:
    """Append one event for each answer, and give back where each purpose stands then."""
    reached = []
    for decision in decisions:
        purpose = unit.catalogue.purposes[decision.purpose]
        never = (ConsentStanding(decision.purpose, ConsentState.NEVER_ASKED), ledger.GENESIS)
        standing, previous = before.get(decision.purpose, never)
        if decision.granted is None and not rules.deferrable(standing.state):
            # 'Not now' takes nothing back and gives nothing: what was decided before goes on as it is.
            reached.append(standing)
            continue
        state = rules.next_state(standing.state, granted=decision.granted)
        happened = happening(
            unit, member_id, purpose, state, standing=standing, previous=previous, channel=evidence.channel, evidence=evidence
        )
        reached.append(await append(unit, happened, first=decision.purpose not in before))
    if decisions:
        unit.draft.extra["purposes"] = [decision.purpose for decision in decisions]
    return tuple(reached)


def happening(
    unit: Unit,
    member_id: MemberId,
    purpose: Purpose,
    state: ConsentState,
    *,
    standing: ConsentStanding,
    previous: bytes,
    channel: CaptureChannel,
    evidence: Evidence | None,
) -> ledger.Happening:
    """What the caller of this unit brought about, now."""
    return ledger.Happening(
        event_id=unit.new_id(),
        member_id=member_id,
        purpose=purpose,
        state=state,
        at=_after(unit.now, standing.since),
        actor=unit.call.actor,
        request_id=unit.call.request_id,
        channel=channel,
        evidence=evidence,
        previous_hash=previous,
    )


def _after(now: datetime, since: datetime | None) -> datetime:
    """The moment of an event: never before its forerunner, even when another instance's clock was ahead of ours."""
    return now if since is None or now > since else since + timedelta(microseconds=1)


async def append(unit: Unit, happened: ledger.Happening, *, first: bool) -> ConsentStanding:
    """Write one event, and move the standing it decides. `first`: there is no standing for this purpose yet."""
    event = ledger.make_event(unit.catalogue, happened)
    unit.draft.consent = event.event_id
    return await store.add(unit.session, happened.member_id, event, first=first)


def refused(unit: Unit, outcome: T) -> T:
    """An expected refusal: nothing is written but the entry that says so."""
    unit.draft.deny(outcome_code(outcome))
    return outcome
