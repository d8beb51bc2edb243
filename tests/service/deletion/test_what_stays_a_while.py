"""A policy under which the birthday is held for the birthday gift alone, and one whose provider knows members by their region."""

from pathlib import Path

import pytest

from service.app import open_worker
from service.config import Config
from service.work.model import State
from tests.api.front_end import entries
from tests.factories import a_call, a_member, a_profile
from tests.policy_folder import drop_key, publish, set_key, shipped

MINE = """{ me { phone birthday region } }"""
WITHDRAW = """
mutation($purpose: PurposeKey!) { withdrawConsent(purpose: $purpose, channel: MINI_PROGRAM) {
  ... on ConsentsRecorded { standings { state propagation } } } }"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """The shipped one, edited by an officer and published anew."""
    folder = shipped(tmp_path)
    drop_key(folder, "purposes.toml", "purposes.account_service.fields.birthday")
    set_key(folder, "recipients.toml", "recipients.example_sms_gateway.known_by", "region")
    set_key(folder, "purposes.toml", "purposes.analytics.recipients", ["example_sms_gateway"])
    set_key(folder, "purposes.toml", "purposes.analytics.pia", "PIA-2026-12")
    set_key(folder, "purposes.toml", "purposes.analytics.version", 2)
    publish(folder, "2026-11", effective_at="2026-11-01T00:00:00+08:00")
    return folder


@pytest.fixture
def config(database_url: str, tmp_path: Path, policy: Path) -> Config:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return Config(home=home, database_url=database_url, policies=policy)


@pytest.fixture
def me(ask):
    async def run(member_id):
        return (await ask(MINE, role="member", member_id=member_id))["data"]["me"]

    return run


async def work(running) -> int:
    async with open_worker(running) as worker:
        return await worker.once()


async def withdraw(ask, member_id, purpose):
    answer = await ask(WITHDRAW, role="member", member_id=member_id, variables={"purpose": purpose})
    (standing,) = answer["data"]["withdrawConsent"]["standings"]
    assert standing["state"] == "WITHDRAWN"
    return standing["propagation"]


@pytest.mark.obligation("WD-04")
async def test_a_birthday_held_for_the_gift_alone_is_deleted_and_the_phone_stays(running, ask, me):
    member_id = await a_member(running, a_profile(birthday="1990-07-14"), yes=["birthday_gift"])
    await withdraw(ask, member_id, "birthday_gift")
    await work(running)
    found = await me(member_id)
    assert found["birthday"] is None and found["phone"] is not None
    (entry,) = await entries(running, "deleteFields")
    assert (entry["typ"], entry["fld"]) == ("erase", ["birthday"])


async def test_a_birthday_that_protects_a_minor_stays_until_it_no_longer_does(running, ask, me, clock):
    member_id = await a_member(running, a_profile(birthday="2011-12-24"), yes=["birthday_gift"])
    await withdraw(ask, member_id, "birthday_gift")
    await work(running)
    assert (await me(member_id))["birthday"] == "2011-12-24"
    clock.advance(days=3 * 365 + 45)
    await work(running)
    assert (await me(member_id))["birthday"] is None


async def test_what_a_recipient_has_yet_to_be_told_by_stays_until_it_has_been(running, ask, me, clock):
    member_id = await a_member(running, yes=["analytics"])
    myself = a_call("member", member_id=member_id)
    await running.operations.update(myself, member_id=None, purpose="self_access", changes={"region": "上海"})
    assert await withdraw(ask, member_id, "analytics") == "PROPAGATING"
    await work(running)
    assert (await me(member_id))["region"] == "上海"
    operations, officer = running.operations, a_call("compliance_officer")
    waiting = await operations.propagations(
        officer, purpose="legal_duty", state=State.WAITING, overdue=False, first=9, after=None
    )
    await operations.acknowledge_propagation(officer, member_id=member_id, job_id=waiting[0].job.job_id)
    clock.advance(days=2)
    await work(running)
    assert (await me(member_id))["region"] is None
