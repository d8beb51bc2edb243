"""How an answer gets into the ledger: the member's row locked, the event chained, the standing moved, the entry told.

Whatever must happen with every event, whoever brought it about, happens in `append`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar, cast

from policies.terms import PERMITTING, ConsentState, MemberStatus, Purpose
from service.consent import ledger, rules, store
from service.consent.model import CaptureChannel, ConsentStanding, Decision, Evidence
from service.errors import outcome_code
from service.members import age
from service.members import store as members_store
from service.members.model import Row
from service.members.tags.writing import switched
from service.notices import commands as telling
from service.propagation.commands import follow
from service.suppression import commands as suppressions
from service.unit import Unit
from service.values import Actor, ActorKind, MemberId, utc_text

T = TypeVar("T")
_ADDRESS = "menshen/consent-address/v1\0"
_ADDRESS_BYTES = 12


async def known(unit: Unit, member_id: MemberId) -> Row | None:
    """The member's row, locked, with its pseudonym put into the entry; None when there is none or nothing of it can be opened."""
    row = await members_store.row(unit.session, member_id, lock=True)
    if row is None or row.wrapped is None or row.status is MemberStatus.ERASED:
        return None
    keys = unit.vault.member_keys(member_id, row.generation, row.wrapped)
    pseudonym = unit.vault.pseudonym(keys, unit.now)
    if pseudonym not in unit.draft.subjects:
        unit.draft.subjects.append(pseudonym)
    unit.draft.count = 1
    age.noted(unit, keys, row)
    return row


async def answer(
    unit: Unit,
    member_id: MemberId,
    decisions: Sequence[Decision],
    evidence: Evidence,
    before: Mapping[str, tuple[ConsentStanding, bytes]],
    *,
    source: Mapping[str, str] | None = None,
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
            unit,
            member_id,
            purpose,
            state,
            standing=standing,
            previous=previous,
            channel=evidence.channel,
            evidence=evidence,
            source=source,
        )
        reached.append(await append(unit, happened, first=decision.purpose not in before))
        if state in PERMITTING:
            await _lift(unit, member_id, purpose, evidence)
    if decisions:
        unit.draft.extra["purposes"] = [decision.purpose for decision in decisions]
    await telling.tell(unit, member_id, version=evidence.notice_version, language=evidence.language, channel=evidence.channel)
    return tuple(reached)


async def _lift(unit: Unit, member_id: MemberId, purpose: Purpose, evidence: Evidence) -> None:
    """A no to the channel that is older than the screen of this yes ends, where the address is provably the member's (RD-06).

    Not by what staff pass on or a file brings; and where the channel takes two steps, not before the address has confirmed.
    """
    channel = unit.catalogue.channels.get(purpose.channel or "")
    own = unit.call.actor.kind in {ActorKind.MEMBER, ActorKind.SERVICE}
    if channel is not None and own and channel.opt_in == "single":
        await suppressions.lift_for(unit, member_id, channel, acted_at=evidence.presented_at, way="CONSENT")


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
    role: str = "",
    source: Mapping[str, str] | None = None,
) -> ledger.Happening:
    """What the caller of this unit brought about, now. `role`: in which they did, where it is not told by who they are."""
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
        source=source,
        role=role or _role(unit.call.actor, member_id),
        address=_address(unit),
    )


def _role(actor: Actor, member_id: MemberId) -> str:
    """Staff pass on what the member did before them; another member answers as a guardian; all others speak for the member's self."""
    if actor.kind is ActorKind.STAFF:
        return "assisted"
    return "guardian" if actor.kind is ActorKind.MEMBER and actor.member_id != member_id else "self"


def _address(unit: Unit) -> str:
    """From where it came, as a keyed digest of the month, so that two months cannot be put together (NC-08)."""
    address = unit.call.address
    message = f"{_ADDRESS}{utc_text(unit.now)[:7]}\0{address}".encode()
    return unit.vault.mac("address", message)[:_ADDRESS_BYTES].hex() if address else ""


def _after(now: datetime, since: datetime | None) -> datetime:
    """The moment of an event: never before its forerunner, even when another instance's clock was ahead of ours."""
    return now if since is None or now > since else since + timedelta(microseconds=1)


async def append(unit: Unit, happened: ledger.Happening, *, first: bool) -> ConsentStanding:
    """Write one event, and move the standing it decides. `first`: there is no standing for this purpose yet."""
    event = ledger.make_event(unit.catalogue, happened)
    unit.draft.consent = event.event_id
    # The log keeps what the ledger says: whoever rewrites an event together with its hash has not rewritten the tree (LB-09).
    unit.draft.extra["events"] = [*cast("list[str]", unit.draft.extra.get("events", [])), event.hash.hex()]
    await _switch(unit, happened)
    standing = await store.add(unit.session, happened.member_id, event, first=first)
    told = await follow(
        unit, happened.member_id, happened.purpose, event.state, event_id=event.event_id, expires_at=event.expires_at, first=first
    )
    return replace(standing, propagation=told)


async def _switch(unit: Unit, happened: ledger.Happening) -> None:
    """The member's personalisation switch follows the consent to the purpose that it stands for (PIPL 24)."""
    if happened.purpose.personalisation and happened.state in rules.SWITCHES:
        await switched(unit, happened.member_id, on=rules.SWITCHES[happened.state])


def refused(unit: Unit, outcome: T) -> T:
    """An expected refusal: nothing is written but the entry that says so."""
    unit.draft.deny(outcome_code(outcome))
    return outcome
