"""Ask a member: what this screen may put to them, written down as asked (NC-11).

Every question counts, also one that nobody looked at: the pause before the next is counted from it.
"""

from collections.abc import Sequence

from policies.terms import ConsentState
from service.consent import ledger, store, writing
from service.consent.asks import Asked, Asking, Initiator, NotAsked, Question, Questions, weigh
from service.consent.model import CaptureChannel, ConsentStanding
from service.members import age
from service.members.commands import by_guardian
from service.members.model import MemberNotFound, Row
from service.suppression import store as suppressions
from service.unit import Unit
from service.values import MemberId

Standings = dict[str, tuple[ConsentStanding, bytes]]


async def ask(
    unit: Unit, *, member_id: MemberId, purposes: Sequence[str], channel: CaptureChannel, initiator: Initiator
) -> Questions | MemberNotFound:
    """The questions for these purposes, each recorded as put to the member now; and for the others why not."""
    row = await writing.known(unit, member_id)
    if row is None:
        return writing.refused(unit, MemberNotFound())
    standings = await store.standings(unit.session, member_id)
    unasked = await _unasked(unit, member_id, channel)
    member, asking = await _asked(unit, row, standings, unasked=unasked), Asking(channel, initiator, unit.now)
    weighed = [weigh(unit.catalogue, key, member, asking) for key in dict.fromkeys(purposes)]
    found = Questions(
        tuple(each for each in weighed if isinstance(each, Question)),
        tuple(each for each in weighed if isinstance(each, NotAsked)),
    )
    for question in found.questions:
        await _put(unit, member_id, question, asking, standings)
    if found.questions:
        for mark in unasked or ():
            await suppressions.note_asked(unit.session, channel.value, mark, now=unit.now)
    _told(unit, found)
    return found


async def _unasked(unit: Unit, member_id: MemberId, channel: CaptureChannel) -> frozenset[bytes] | None:
    """The member's addresses that were never asked over a channel where one asks once; None where one of them was (SMS31 18).

    It hangs on the address, not on the member: whoever leaves and joins again with the same number has been asked.
    """
    if channel.value not in unit.catalogue.consent.ask_once:
        return frozenset()
    declared = unit.catalogue.channels.get(channel.value.lower())
    held = await suppressions.marks_of(unit.session, member_id, {declared.address} if declared else ())
    before = await suppressions.asked(unit.session, member_id, channel.value)
    return None if before else frozenset(mark for _, mark, _ in held)


async def _asked(unit: Unit, row: Row, standings: Standings, *, unasked: frozenset[bytes] | None) -> Asked:
    assert row.wrapped is not None
    keys = unit.vault.member_keys(row.member_id, row.generation, row.wrapped)
    return Asked(
        status=row.status,
        minority=age.noted(unit, keys, row),
        standings={key: standing for key, (standing, _) in standings.items()},
        asks=await store.asks(unit.session, row.member_id),
        by_guardian=by_guardian(unit.call, row.member_id),
        address_asked=unasked is None,
    )


async def _put(unit: Unit, member_id: MemberId, question: Question, asking: Asking, standings: Standings) -> None:
    """Into the ledger of asking; and where nothing was ever said, the state says that it was asked."""
    purpose, version = question.purpose, question.notice_version
    await store.add_ask(
        unit.session,
        member_id,
        ask_id=unit.new_id(),
        purpose=purpose.key,
        channel=asking.channel.value,
        initiator=asking.initiator.value,
        notice_version=version,
        asked_at=unit.now,
    )
    if purpose.key in standings:
        return
    happened = writing.happening(
        unit,
        member_id,
        purpose,
        ConsentState.REQUESTED,
        standing=ConsentStanding(purpose.key, ConsentState.NEVER_ASKED),
        previous=ledger.GENESIS,
        channel=asking.channel,
        evidence=None,
        role="system",
        source={"initiator": asking.initiator.value, "notice": version},
    )
    await writing.append(unit, happened, first=True)


def _told(unit: Unit, found: Questions) -> None:
    """What the entry says: which questions were put. Where none was, it was refused for the first reason."""
    if found.questions:
        unit.draft.extra["purposes"] = [question.purpose.key for question in found.questions]
    elif found.not_now:
        unit.draft.deny(found.not_now[0].reason.value)
