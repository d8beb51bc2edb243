"""AL-07: what was active at each date, kept for good, and the difference between two dates gives the later one again."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from policies.catalogue import load
from policies.terms import RecipientRole
from service.oversight import commands, queries, register, store
from service.oversight.model import Activities, Difference
from tests.factories import a_call
from tests.policy_folder import edit, set_key, shipped
from tests.service.oversight.house import seen_to, under

AT = "query ($at: DateTime!) { processingRegister(at: $at) { digest responsible activities { purpose basis record } } }"


def applied(before: Activities, changes: tuple[Difference, ...]) -> dict[str, dict[str, Any]]:
    """What `before` becomes by the differences, as a reader works it out: the register of the later moment, whole."""
    result = {key: dict(activity) for key, activity in before.items()}
    for change in changes:
        if change.after is None:
            result.pop(change.purpose, None)
            continue
        kept = result.get(change.purpose, {}) if change.before is not None else {}
        gone = set(change.before or ()) - set(change.after)
        result[change.purpose] = {key: value for key, value in kept.items() if key not in gone} | dict(change.after)
    return result


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """The policy with another person in charge, and one purpose with a shorter retention and one role less."""
    folder = shipped(tmp_path)
    edit(folder, "controller.toml", "个人信息保护负责人 · ", "首席隐私官 · ")
    set_key(folder, "purposes.toml", "purposes.membership_benefits.retention_months", 24)
    set_key(folder, "purposes.toml", "purposes.membership_benefits.roles", ["store_clerk"])
    return folder


@pytest.mark.obligation("AL-07")
async def test_the_difference_between_two_dates_makes_of_the_earlier_register_the_later_one(running, config, clock, changed):
    first = clock()
    await seen_to(running)
    clock.advance(days=100)
    async with under(config, changed, clock) as later:
        second = clock()
        call = a_call("compliance_officer")
        found = await later.operations.register_diff(call, since=first, until=second)
        assert (found.before.digest, found.after.digest) == (running.catalogue.digest, load(changed).digest)
        assert found.before.activities == register.activities(running.catalogue)
        assert applied(found.before.activities, found.differences) == found.after.activities == register.activities(load(changed))
        assert {change.purpose for change in found.differences} == set(running.catalogue.purposes)
        parts = {change.purpose: set(change.after) for change in found.differences}
        assert parts.pop("membership_benefits") == {"responsible", "retentionMonths", "roles"}
        assert all(differing == {"responsible"} for differing in parts.values())


@pytest.mark.obligation("AL-07")
async def test_each_date_shows_what_was_active_then_also_when_a_policy_comes_back(running, config, clock, changed):
    before = clock()
    clock.advance(days=1)
    await seen_to(running)
    first = clock()
    clock.advance(days=1)
    async with under(config, changed, clock):
        second = clock()
    clock.advance(days=1)
    await seen_to(running)
    third = clock()
    clock.advance(days=3 * 366)
    digests = [
        getattr(await queries.register_at(running.database.read, at), "digest", None)
        for at in (before, first, second, third, clock())
    ]
    own = running.catalogue.digest
    assert digests == [None, own, load(changed).digest, own, own]


@pytest.mark.obligation("AL-07")
async def test_the_register_is_asked_for_by_the_moment_and_names_basis_and_whoever_is_in_charge(running, ask, clock):
    await seen_to(running)
    answer = await ask(AT, role="auditor", variables={"at": clock().isoformat()})
    found = answer["data"]["processingRegister"]
    assert found["digest"] == running.catalogue.digest
    assert found["responsible"] == running.catalogue.controller.responsible_person
    bases = {one["purpose"]: one["basis"] for one in found["activities"]}
    assert bases == {key: purpose.basis.value for key, purpose in running.catalogue.purposes.items()}
    refused = await ask(AT, role="marketer", variables={"at": clock().isoformat()})
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.obligation("AL-07")
async def test_instances_that_start_at_once_write_one_version_and_no_harm(running, clock):
    body, digest = register.body(running.catalogue), running.catalogue.digest
    import asyncio

    await asyncio.gather(*(commands.serve_under(running.database, digest, body, now=clock()) for _ in range(4)))
    clock.advance(days=1)
    await commands.serve_under(running.database, digest, body, now=clock())
    assert [found[1] for found in await store.served(running.database.read)] == [digest]


@pytest.mark.obligation("AL-07")
def test_differences_tell_what_is_new_gone_and_changed_and_nothing_else():
    before = {"a": {"x": 1, "y": 2}, "b": {"x": 1}, "c": {"x": 1}}
    after = {"a": {"x": 1, "z": 3}, "c": {"x": 1}, "d": {"x": 9}}
    changes = register.differences(before, after)
    assert [(one.purpose, one.before, one.after) for one in changes] == [
        ("a", {"y": 2}, {"z": 3}),
        ("b", {"x": 1}, None),
        ("d", None, {"x": 9}),
    ]
    assert applied(before, changes) == after


@pytest.mark.obligation("AL-07")
def test_each_case_of_pipl_55_is_told_of_the_activities_that_are_one(catalogue):
    def triggers(key, role=None, **changes):
        recipients = {} if role is None else {"r": replace(catalogue.recipients["example_courier"], key="r", role=role)}
        purpose = replace(catalogue.purposes[key], recipients=tuple(recipients), **changes)
        changed = replace(catalogue, purposes={key: purpose}, recipients=recipients)
        return [told[:5] for told in register.activities(changed)[key]["triggers"]]

    assert triggers("membership_benefits") == []
    assert triggers("membership_benefits", of_children=True) == triggers("skin_profile", automated_decision=False) == ["55(1)"]
    assert triggers("membership_benefits", automated_decision=True) == ["55(2)"]
    assert triggers("membership_benefits", RecipientRole.ENTRUSTED) == ["55(3)"]
    assert triggers("membership_benefits", RecipientRole.OVERSEAS) == ["55(3)", "55(4)"]


@pytest.mark.obligation("AL-07")
async def test_whoever_gets_data_is_in_the_register_recipients_and_senders_alike_and_a_new_one_is_a_difference(tmp_path):
    was = load(shipped(tmp_path / "was"))
    before = register.activities(was)
    sms = before["marketing_sms"]
    assert [one["key"] for one in sms["recipients"]] == ["example_sms_gateway"]
    assert {(one["key"], one["vendor"]) for one in sms["senders"]} == {("living_sms", "aliyun"), ("beauty_sms", "tencent")}
    assert {key for one in before.values() for key in (sender["key"] for sender in one["senders"])} == set(was.senders)
    assert [one["key"] for one in before["order_fulfilment"]["senders"]] == ["living_sms_service"], "it has no mail address"
    assert before["self_access"]["senders"] == [], "what is sent to nobody is given to no sender"
    folder = shipped(tmp_path / "now")
    edit(folder, "marketing.toml", 'vendor = "tencent"', 'vendor = "aliyun"')
    changes = register.differences(before, register.activities(load(folder)))
    assert [(change.purpose, set(change.after or ())) for change in changes] == [("marketing_sms", {"senders"})]
