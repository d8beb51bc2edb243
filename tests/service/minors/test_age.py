"""What changes at midnight in Shanghai, and what a policy with other ages does."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.config import Config
from service.members import store as members
from tests.factories import a_member, a_profile
from tests.policy_folder import publish, set_key, shipped
from tests.service.minors.family import UPDATE, YOUTH, answer, family, read, someone

RECOMMENDATION = "personalised_recommendation"
GROWN_UP = datetime(2026, 11, 22, 16, tzinfo=UTC)
"""00:00 of 23 November 2026 in Shanghai."""
LIST = """{ members(purpose: "personalised_recommendation", first: 50) { nodes { id region } } }"""
CONTACT = """query ($phone: String!) {
  memberByContact(field: "phone", value: $phone, purpose: "personalised_recommendation") { region } }"""
ONE = """query ($id: ID!) { member(id: $id, purpose: "personalised_recommendation") {
  region withheld { reason } } }"""


@pytest.fixture
def config(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Config:
    """A policy whose recommendation knows the phone, so that members are found by it; and with the bands that a test asks for."""
    folder = shipped(tmp_path)
    set_key(folder, "purposes.toml", f"purposes.{RECOMMENDATION}.fields.phone", "plain")
    set_key(folder, "purposes.toml", f"purposes.{RECOMMENDATION}.version", 2)
    for edit in getattr(request, "param", ()):
        edit(folder)
    publish(folder, "2026-11", effective_at="2026-11-01T00:00:00+08:00")
    publish(folder, "2026-11-child", effective_at="2026-11-01T00:00:00+08:00", kind="CHILD")
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return Config(home=home, database_url=database_url, policies=folder)


@pytest.mark.obligation("SM-07")
async def test_no_machine_markets_to_a_seventeen_year_old_whatever_was_consented_until_their_birthday(running, ask, clock):
    profile = a_profile(birthday="2008-11-23", region="杭州")
    youth = await a_member(running, profile, yes=[RECOMMENDATION])

    async def ways() -> tuple[Any, Any, Any]:
        one = (await ask(ONE, role="recommender", variables={"id": youth}))["data"]["member"]
        by_phone = (await ask(CONTACT, role="recommender", variables={"phone": profile["phone"]}))["data"]["memberByContact"]
        return one, by_phone, (await ask(LIST, role="recommender"))["data"]["members"]["nodes"]

    clock.now = GROWN_UP - timedelta(microseconds=1)
    one, by_phone, listed = await ways()
    assert one == {"region": None, "withheld": [{"reason": "MINOR_ADM_MARKETING_FORBIDDEN"}]}
    assert by_phone is None and listed == []
    clock.now = GROWN_UP
    one, by_phone, listed = await ways()
    assert one == {"region": "杭州", "withheld": []}
    assert by_phone == {"region": "杭州"} and listed == [{"id": youth, "region": "杭州"}]


async def test_what_no_machine_decides_is_open_to_a_consenting_sixteen_year_old(running, ask):
    youth = await someone(running, YOUTH)
    await answer(running, ask, youth, kind="GENERAL", purpose="birthday_gift")
    found = await ask(
        'query ($id: ID!) { member(id: $id, purpose: "birthday_gift") { birthday } }',
        role="mini_program",
        variables={"id": youth},
    )
    assert found["data"]["member"]["birthday"] == YOUTH


def three_bands(folder: Path) -> None:
    """14, 16 and 18: guardians answer until sixteen."""
    from tests.policy_folder import add_table

    title = {"zh": "十四至十五周岁", "en": "14 and 15"}
    band = {"until": 16, "guardian": True, "automated_marketing": False, "staff_approval": True}
    add_table(folder, "consent.toml", "age_bands.teen", title=title, **band)


Three: Callable[[Path], None] = three_bands


@pytest.mark.obligation("SM-12")
@pytest.mark.parametrize("config", [(three_bands,)], indirect=True)
async def test_other_ages_in_the_policy_apply_without_a_change_of_code(running, ask, clock):
    fifteen, guardian = await family(running, ask, "2011-05-05")
    assert (await answer(running, ask, fifteen))["code"] == "GUARDIAN_CONSENT_REQUIRED"
    assert (await read(ask, fifteen, "order_fulfilment", "order_service"))[1] == {"GUARDIAN_CONSENT_REQUIRED"}
    assert (await answer(running, ask, guardian, of=fifteen))["__typename"] == "ConsentsRecorded"
    assert (await read(ask, fifteen, "order_fulfilment", "order_service"))[0]["phone"]
    sixteen = await someone(running, YOUTH)
    assert (await answer(running, ask, sixteen, kind="GENERAL"))["__typename"] == "ConsentsRecorded"


@pytest.mark.obligation("SM-12")
async def test_whoever_was_free_under_the_old_ages_is_protected_by_the_new_ones_at_once(running, config, ask, clock):
    """The attacker is time: a row that says ACTIVE, and a consent that was self-given, from before the policy changed."""
    from service.app import parts
    from service.consent.model import ConsentNeeded
    from tests.factories import a_call

    fifteen = await someone(running, "2011-05-05")
    assert (await answer(running, ask, fifteen, kind="GENERAL"))["__typename"] == "ConsentsRecorded"
    assert (await read(ask, fifteen, "order_fulfilment", "order_service"))[0]["phone"]
    assert config.policies is not None
    three_bands(config.policies)
    await running.journal.close()
    async with parts(config, clock=clock) as later:
        for purpose, role in (("order_fulfilment", "order_service"), ("birthday_gift", "mini_program")):
            found = await later.operations.member(a_call(role), member_id=fifteen, purpose=purpose, fields=["phone", "tier"])
            assert "GUARDIAN_CONSENT_REQUIRED" in {item.reason for item in found.withheld} and found.values == {}
        outcome = await later.operations.update(
            a_call(), member_id=fifteen, purpose="birthday_gift", changes={"birthday": "2011-05-06"}
        )
        assert isinstance(outcome, ConsentNeeded) and outcome.reason == "GUARDIAN_CONSENT_REQUIRED"


async def test_a_member_of_whom_nobody_noted_the_age_is_told_by_the_birthday(running, ask):
    """As after a policy that protects longer: the marks are taken away, and every birthday is looked at until it is written anew."""
    from sqlalchemy import update

    from service.db.statement import Prepared
    from service.db.tables import member

    youth, adult, silent = await someone(running, YOUTH), await someone(running, "1990-01-01"), await someone(running)
    for who in (youth, adult, silent):
        await answer(running, ask, who, kind="GENERAL", purpose=RECOMMENDATION)
    async with running.database.write() as transaction:
        await transaction.run(Prepared(update(member).values(minor=None)), {})
        await transaction.commit()
    assert (await members.row(running.database.read, adult)).minor is None
    assert (await read(ask, youth, RECOMMENDATION, "recommender"))[1] >= {"MINOR_ADM_MARKETING_FORBIDDEN"}
    for who in (adult, silent):
        assert (await read(ask, who, RECOMMENDATION, "recommender"))[0]["phone"]


async def test_a_minor_whose_birthday_cannot_be_read_is_closed(running, ask):
    """The attacker is a database administrator who takes the birthday out of the row: nobody becomes an adult by it."""
    from dataclasses import replace

    youth = await someone(running, YOUTH)
    row = await members.row(running.database.read, youth)
    keys = running.vault.member_keys(youth, row.generation, row.wrapped)
    async with running.database.write() as transaction:
        stripped = replace(row, sealed=running.vault.reseal(keys, row.sealed, {"birthday": None}))
        assert await members.change(transaction, stripped, now=running.clock())
        await transaction.commit()
    assert (await read(ask, youth, "order_fulfilment", "order_service"))[1] == {"GUARDIAN_CONSENT_REQUIRED"}
    assert (await answer(running, ask, youth, kind="GENERAL"))["code"] == "GUARDIAN_CONSENT_REQUIRED"


async def test_whoever_has_grown_up_changes_and_takes_away_their_birthday_and_is_no_minor_by_it(running, ask, clock):
    """Nobody stays locked in as a child: the mark goes with the birthday, and only an adult's can go."""
    youth = await someone(running, "2008-11-23")
    changes = {"changes": {"birthday": None}}
    clock.now = GROWN_UP - timedelta(microseconds=1)
    refused = await ask(UPDATE, role="member", member_id=youth, variables=changes)
    assert refused["data"]["updateMember"]["__typename"] == "FieldRejected"
    clock.now = GROWN_UP
    told = await ask(UPDATE, role="member", member_id=youth, variables={"changes": {"birthday": "2008-11-22"}})
    assert told["data"]["updateMember"]["__typename"] == "MemberUpdated"
    told = await ask(UPDATE, role="member", member_id=youth, variables=changes)
    assert told["data"]["updateMember"]["__typename"] == "MemberUpdated"
    assert (await members.row(running.database.read, youth)).minor is False
    assert (await read(ask, youth, "order_fulfilment", "order_service"))[0]["phone"]


async def test_a_service_that_checked_it_corrects_a_childs_birthday_and_the_guardian_goes_on(running, ask):
    child, guardian = await family(running, ask)
    await answer(running, ask, guardian, of=child)
    correct = """mutation ($id: ID, $day: Date!) {
      updateMember(memberId: $id, purpose: "account_service", changes: {birthday: $day}) { __typename } }"""
    for day, status in (("2016-06-06", "ACTIVE"), ("2010-06-06", "ACTIVE"), ("2016-06-06", "GUARDIAN_PENDING")):
        told = await ask(correct, role="mini_program", variables={"id": child, "day": day})
        assert told["data"]["updateMember"]["__typename"] == "MemberUpdated"
        assert (await members.row(running.database.read, child)).status.value == status
