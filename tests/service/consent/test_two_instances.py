"""Two instances on one database: the ledger keeps both answers, the later recorded one stands, and reads agree with it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from service.app import parts
from service.config import Config
from service.consent import ledger
from service.consent.model import CaptureChannel, ConsentsRecorded, Decision, NoticeNotPresented
from service.consent.rebuilding import rebuild
from tests.conftest import StillClock
from tests.factories import a_call, a_member, evidence

GIFT = "birthday_gift"


@pytest.fixture
async def two(postgresql_url, tmp_path):
    """Two instances, the second with a clock that is two seconds behind."""
    homes = [tmp_path / name for name in ("one", "two")]
    for home in homes:
        home.mkdir(mode=0o700)
    first = Config(home=homes[0], database_url=postgresql_url)
    second = Config(home=homes[1], database_url=postgresql_url, kms_uri=first.kms, signer=f"file:{homes[0] / 'log.key'}")
    clock, behind = StillClock(), StillClock()
    behind.advance(seconds=-2)
    async with parts(first, clock=clock) as one, parts(second, clock=behind) as other:
        yield one, other


async def grant(running, member_id):
    call = a_call("member", member_id=member_id)
    shown = evidence(running.catalogue, running.clock())
    return await running.operations.record_consents(call, member_id=None, decisions=[Decision(GIFT, True)], evidence=shown)


async def withdraw(running, member_id):
    call = a_call("member", member_id=member_id)
    return await running.operations.withdraw(call, member_id=None, purpose=GIFT, channel=CaptureChannel.WEB)


async def seen(running, member_id):
    """The state by the query, and whether a read is answered."""
    found = await running.operations.consents(a_call("member", member_id=member_id), member_id=None)
    profile = await running.operations.member(a_call("marketer"), member_id=member_id, purpose=GIFT, fields=["birthday"])
    return next(each.state for each in found if each.purpose == GIFT), not profile.withheld


@pytest.mark.obligation("WD-01", "WD-02")
async def test_of_a_grant_and_a_withdrawal_at_once_the_withdrawal_stands_and_the_ledger_says_what_came_when(two):
    """Each answer is written down in the order of the ledger; a yes that comes second was shown before the withdrawal, and is none."""
    one, other = two
    for turn in range(12):
        member_id = await a_member(one, yes=[GIFT])
        yes, no = (one, other) if turn % 2 else (other, one)
        given, _ = await asyncio.gather(grant(yes, member_id), withdraw(no, member_id))
        history = await one.operations.consent_history(a_call("member", member_id=member_id), member_id=None)
        kept = ["RENEWED", "WITHDRAWN"] if isinstance(given, ConsentsRecorded) else ["WITHDRAWN"]
        assert isinstance(given, ConsentsRecorded | NoticeNotPresented)
        assert [event.state for event in history[1:]] == kept
        moments = [event.recorded_at for event in history]
        assert moments == sorted(set(moments)), "no event is dated before the one that it follows"
        assert [event.previous_hash for event in history] == [ledger.GENESIS, *(event.hash for event in history[:-1])]
        last = history[-1].state
        for running in two:
            assert await seen(running, member_id) == (last, last in {"GIVEN", "RENEWED"})


@pytest.mark.obligation("WD-01")
async def test_many_answers_at_once_from_both_instances_leave_one_unbroken_chain(two):
    one, other = two
    member_id = await a_member(one)
    await asyncio.gather(*(act(running, member_id) for running in two for act in (grant, withdraw) * 4))
    history = await other.operations.consent_history(a_call("member", member_id=member_id), member_id=None)
    assert [event.previous_hash for event in history] == [ledger.GENESIS, *(event.hash for event in history[:-1])]
    found = await rebuild(other.units, a_call("compliance_officer"), repair=False, step=lambda _: None)
    assert (found.differing, found.broken) == ((), ())


@pytest.mark.obligation("WD-01")
async def test_a_withdrawal_on_one_instance_holds_at_once_on_the_other(two):
    one, other = two
    member_id = await a_member(one, {"phone": "+8613800138000", "birthday": "1990-01-01"}, yes=[GIFT])
    assert await seen(other, member_id) == ("GIVEN", True)
    await withdraw(one, member_id)
    assert await seen(other, member_id) == ("WITHDRAWN", False)


@pytest.mark.obligation("WD-01")
async def test_of_two_events_at_the_same_moment_the_withdrawal_stands_whatever_their_order(running):
    """The ledger may come from elsewhere: a backup merged, an import. In doubt the member has said no."""
    member_id = await a_member(running, yes=[GIFT])
    await withdraw(running, member_id)
    given, withdrawn = await running.operations.consent_history(a_call("member", member_id=member_id), member_id=None)
    late = given.recorded_at + timedelta(days=1)
    tie = [replace(event, recorded_at=late) for event in (given, withdrawn)]
    for history in (tie, tie[::-1]):
        assert ledger.latest(history, late)[GIFT].state == "WITHDRAWN"
        assert GIFT not in ledger.latest(history, late - timedelta(microseconds=1))
