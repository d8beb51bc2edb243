"""What is kept follows from the ledger: rebuilt from any history it is the same, and where it is not, it is found and put right."""

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from typer.testing import CliRunner

from service.app import parts
from service.cli.consent import consent
from service.consent import ledger, store
from service.consent.asks import Initiator
from service.consent.model import CaptureChannel, ConsentsRecorded, Decision, NoticeNotPresented
from service.consent.rebuilding import rebuild
from service.consent.review import store as review
from service.db.statement import Prepared
from tests.api.front_end import entries
from tests.factories import a_call, a_member, evidence

PURPOSES = ("marketing_sms", "birthday_gift", "skin_profile")
SMS, GIFT, _ = PURPOSES
OFFICER = a_call("compliance_officer")

steps = st.tuples(
    st.sampled_from(["yes", "no", "not now", "withdraw", "all", "ask"]),
    st.sampled_from(PURPOSES),
    st.integers(-2, 40 * 86400),
)


async def play(running, member_id, step):
    what, purpose, seconds = step
    call = a_call("member", member_id=member_id)
    running.clock.advance(seconds=seconds)
    if what == "withdraw":
        await running.operations.withdraw(call, member_id=None, purpose=purpose, channel=CaptureChannel.WEB)
    elif what == "all":
        await running.operations.withdraw_all(call, member_id=None, channel=CaptureChannel.WEB)
    elif what == "ask":
        asked = {"purposes": [purpose], "channel": CaptureChannel.WEB, "initiator": Initiator.MEMBER}
        await running.operations.consents_to_ask(call, member_id=None, **asked)
    else:
        decision = Decision(purpose, {"yes": True, "no": False, "not now": None}[what])
        shown = evidence(running.catalogue, running.clock(), purpose=purpose)
        outcome = await running.operations.record_consents(call, member_id=None, decisions=[decision], evidence=shown)
        # A screen of half a minute ago says yes to nothing that was taken back since (decision 18): then nothing happened.
        assert isinstance(outcome, ConsentsRecorded | NoticeNotPresented), outcome


async def compared(running):
    """What a rebuild finds, without changing anything."""
    found = await rebuild(running.units, OFFICER, repair=False, step=lambda _: None)
    return found.differing, found.broken


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(steps, max_size=12))
def test_whatever_happened_a_rebuild_says_what_is_kept(config, clock, history):
    async def live():
        async with parts(config, clock=clock) as running:
            member_id = await a_member(running)
            for step in history:
                await play(running, member_id, step)
            newest = ledger.newest(await store.events(running.database.read, member_id))
            assert await review.kept(running.database.read, member_id) == review.derived(member_id, newest)
            assert await compared(running) == ((), ())

    asyncio.run(live())


async def tamper(running, statement):
    """What somebody with the database's password does."""
    async with running.database.write() as transaction:
        await transaction.run(Prepared(text(statement)))
        await transaction.commit()


@pytest.mark.parametrize(
    "slip",
    [
        "UPDATE consent_standing SET state = 'GIVEN', permits = 1 WHERE purpose = 'birthday_gift'",
        "UPDATE consent_standing SET expires_at = NULL",
        "UPDATE consent_standing SET scope = 9",
        "DELETE FROM consent_standing WHERE purpose = 'marketing_sms'",
    ],
)
async def test_a_standing_that_says_something_else_is_found_and_put_right(running, slip):
    whole, touched = await a_member(running), await a_member(running, yes=[SMS], no=[GIFT])
    await tamper(running, slip)
    assert await compared(running) == ((touched,), ())
    repaired = await rebuild(running.units, OFFICER, repair=True, step=lambda _: None)
    assert repaired.differing == (touched,) and whole not in repaired.differing
    assert await compared(running) == ((), ())
    states = {each.purpose: each.state for each in await running.operations.consents(OFFICER, member_id=touched, purpose="audit")}
    assert (states[SMS], states[GIFT]) == ("GIVEN", "REFUSED")
    entry = (await entries(running, "rebuildConsents"))[1]
    assert entry["x"] == {"broken": 0, "differing": 1, "repaired": True} and entry["cnt"] == 2


async def test_a_member_without_any_standing_left_gets_them_all_again(running):
    member_id = await a_member(running, yes=[SMS], no=[GIFT])
    await tamper(running, "DELETE FROM consent_standing")
    assert (await rebuild(running.units, OFFICER, repair=True, step=lambda _: None)).differing == (member_id,)
    assert set(await review.kept(running.database.read, member_id)) == {SMS, GIFT}


async def test_whoever_was_erased_gets_nothing_back(running):
    member_id = await a_member(running, yes=[SMS])
    await running.operations.erase(OFFICER, member_id=member_id)
    found = await rebuild(running.units, OFFICER, repair=True, step=lambda _: None)
    assert found.members == 0 and await review.kept(running.database.read, member_id) == {}


async def test_batches_cover_everybody_once_and_each_leaves_its_entry(running):
    for _ in range(5):
        await a_member(running, yes=[SMS])
    told = []
    found = await rebuild(running.units, OFFICER, repair=True, step=told.append, size=2)
    assert (found.members, told) == (5, [2, 2, 1])
    assert [entry["cnt"] for entry in await entries(running, "rebuildConsents")] == [2, 2, 1]


def test_the_command_compares_repairs_and_says_so(config, monkeypatch):
    monkeypatch.setenv("MENSHEN_HOME", str(config.home))
    monkeypatch.setenv("MENSHEN_DATABASE_URL", config.database_url)

    async def live():
        async with parts(config) as running:
            member_id = await a_member(running, yes=[SMS])
            await tamper(running, "UPDATE consent_standing SET permits = 0")
            return member_id

    member_id = asyncio.run(live())

    def run(*arguments):
        return CliRunner().invoke(consent, ["rebuild", *arguments])

    checked = run("--check", "--json")
    assert checked.exit_code == 1
    assert json.loads(checked.output) == {"members": 1, "differing": [member_id], "broken": [], "repaired": False}
    repaired = run()
    assert repaired.exit_code == 1 and "put right" in repaired.output
    done = run("--check")
    assert done.exit_code == 0 and "与账本一致" in done.output
