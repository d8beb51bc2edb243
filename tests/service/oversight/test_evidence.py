"""SE-01: each of the six items of PIPL 51 shown by what the deployment is now; what is not there is missing, and says what to do."""

import re
import tomllib
from dataclasses import replace
from datetime import timedelta
from math import inf

import pytest

from policies.catalogue import SHIPPED
from service.audit.journal import Ack
from service.checkpoints.model import Published
from service.oversight import store as oversight
from service.oversight.evidence import Facts, measures
from service.oversight.model import Artefact, ControlKind, Law, Standing
from tests.factories import a_call, a_member
from tests.policy_folder import edit, shipped
from tests.service.audit.logs import Administrator
from tests.service.inspection.records import signed
from tests.service.oversight.house import seen_to, under

EVIDENCE = "{ controlEvidence(law: PIPL51) { item standing artefacts { code value standing todo { zh en } } } }"
RECORD = """mutation ($kind: ControlKind!, $on: Date!) {
  recordControl(kind: $kind, title: "制度文件", heldOn: $on, reference: "OA-2026-17") { controlId } }"""


async def found(running) -> dict[str, dict[str, object]]:
    """Every artefact by its code."""
    measures = await running.operations.control_evidence(a_call("compliance_officer"), law=Law.PIPL51)
    assert [measure.item for measure in measures] == ["51(1)", "51(2)", "51(3)", "51(4)", "51(5)", "51(6)"]
    return {one.code: one for measure in measures for one in measure.artefacts}


@pytest.mark.obligation("SE-01")
async def test_each_of_the_six_items_has_live_artefacts_and_what_is_missing_says_what_to_do(running, ask):
    answer = (await ask(EVIDENCE, role="compliance_officer"))["data"]["controlEvidence"]
    assert [measure["item"] for measure in answer] == ["51(1)", "51(2)", "51(3)", "51(4)", "51(5)", "51(6)"]
    for measure in answer:
        assert measure["artefacts"]
        missing = [one for one in measure["artefacts"] if one["standing"] == "MISSING"]
        assert measure["standing"] == ("MISSING" if missing else "PRESENT")
        assert all(one["todo"]["zh"] and one["todo"]["en"] and not one["value"] for one in missing)
        assert all(one["value"] and one["todo"] is None for one in measure["artefacts"] if one not in missing)
    codes = {one["code"] for measure in answer for one in measure["artefacts"] if one["standing"] == "MISSING"}
    assert {kind.value for kind in ControlKind} - {"SUPERVISION", "COMPLIANCE_AUDIT"} <= codes
    assert {"POLICY_SERVED_SINCE", "ACCESS_REVIEW", "CHECKPOINT", "COSIGNED", "MASTER_KEY"} <= codes


@pytest.mark.obligation("SE-01")
async def test_the_artefacts_are_of_this_deployment_and_change_with_it(running, config, clock, tmp_path):
    before = await found(running)
    assert before["POLICY_DIGEST"].value == running.catalogue.digest
    assert before["CIPHER_SUITE"].value == "AES256_GCM"
    assert int(before["FIELDS_CLASSIFIED"].value) == len(running.catalogue.fields)
    assert {code for code in before if code.startswith("KEY_")} >= {"KEY_MEMBERS", "KEY_RECEIPT", "KEY_HEAD"}
    assert before["KEY_MEMBERS"].value == "1 2026-11-22T02:00:00.000000Z", "its generation, and when it was made"
    await a_member(running)
    folder = shipped(tmp_path)
    edit(folder, "roles.toml", 'may = ["tag.record", "minor.presume"]', 'may = ["tag.record"]')
    async with under(config, folder, clock) as other:
        after = await found(other)
    assert after["POLICY_DIGEST"].value != before["POLICY_DIGEST"].value
    assert after["ROLES_MATRIX"].value != before["ROLES_MATRIX"].value
    assert int(after["LOG_ENTRIES"].value) > int(before["LOG_ENTRIES"].value or 0)
    assert after["POLICY_SERVED_SINCE"].standing is Standing.PRESENT


@pytest.mark.obligation("SE-01")
@pytest.mark.parametrize("kind", ["INTERNAL_RULES", "TRAINING", "INCIDENT_PLAN", "INCIDENT_DRILL", "BACKUP_RESTORE"])
async def test_what_only_people_can_do_is_there_once_they_have_recorded_it_and_for_as_long_as_it_holds(running, ask, clock, kind):
    assert (await found(running))[kind].standing is Standing.MISSING
    answer = await ask(RECORD, role="compliance_officer", variables={"kind": kind, "on": "2026-11-20"})
    assert answer["data"]["recordControl"]["controlId"]
    one = (await found(running))[kind]
    assert (one.standing, one.value) == (Standing.PRESENT, "制度文件 OA-2026-17 2026-11-20")
    await ask(RECORD, role="compliance_officer", variables={"kind": kind, "on": "2025-10-01"})
    clock.advance(days=364)
    assert (await found(running))[kind].value == one.value, "a year and a day after; what was held before it does not count"
    clock.advance(days=1)
    later = (await found(running))[kind].standing
    assert later is (Standing.PRESENT if kind in {"INTERNAL_RULES", "INCIDENT_PLAN"} else Standing.MISSING)


@pytest.mark.obligation("SE-01")
async def test_a_checkpoint_counts_while_it_is_fresh_and_a_cosignature_when_there_is_one(running, clock):
    await found(running)
    await running.publisher.reached(1, Ack.SIGNED)
    assert re.fullmatch(r"\d+ [0-9a-f]{64} 2026-11-22T02:00:00.000000Z", (await found(running))["CHECKPOINT"].value)
    signed = clock()
    # On facts: beside a running publisher no checkpoint is the newest for long.
    given = {"served_since": None, "controls": (), "review": None, "accounts": (), "keys": (), "entries": 7, "health": "ok"}
    point = Published(7, b"\x07" * 32, "", signed, signed)
    facts = Facts(catalogue=running.catalogue, now=signed, checkpoint=point, **given)
    assert shown(facts)["CHECKPOINT"].value.startswith("7 0707")
    assert shown(facts)["COSIGNED"].standing is Standing.PRESENT
    hour = timedelta(hours=1)
    assert shown(replace(facts, now=signed + hour))["CHECKPOINT"].standing is Standing.PRESENT
    assert shown(replace(facts, now=signed + hour + timedelta(seconds=1)))["CHECKPOINT"].standing is Standing.MISSING
    assert shown(replace(facts, health="broken"))["LOG_WRITABLE"].standing is Standing.MISSING
    assert shown(replace(facts, checkpoint=replace(point, witnessed_at=None)))["COSIGNED"].standing is Standing.MISSING


@pytest.mark.obligation("SE-01")
async def test_every_number_is_counted_in_the_policys_files_the_log_and_the_keyring(running, config, database_url):
    await a_member(running)
    await found(running)
    await seen_to(running)
    fields = tomllib.loads((SHIPPED / "fields.toml").read_text("utf-8"))["fields"].values()
    purposes = tomllib.loads((SHIPPED / "purposes.toml").read_text("utf-8"))["purposes"].values()
    Administrator(database_url).run(
        "INSERT INTO keyring (key_id, use, generation, state, wrapped, kms_uri, created_at)"
        " SELECT 'next', use, 2, state, wrapped, kms_uri, created_at FROM keyring WHERE use = 'receipt'"
    )
    told = {code: one.value for code, one in (await found(running)).items()}
    assert int(told["FIELDS_SENSITIVE"]) == sum(field["sensitivity"] == "SENSITIVE" for field in fields)
    assert int(told["FIELDS_SEALED"]) == sum(field["sealed"] for field in fields)
    assert int(told["GRANTS_MASKED"]) == sum(list(purpose["fields"].values()).count("masked") for purpose in purposes)
    seen = await oversight.accounts(running.database.read)
    assert (int(told["ACCOUNTS_SEEN"]), told["ACCOUNTS_DISABLED"]) == (len(seen), "0")
    assert len(seen) > 1
    assert told["KEY_RECEIPT"] == "2 2026-11-22T02:00:00.000000Z"
    disabled = [replace(seen[0], disabled_at=running.clock()), *seen[1:]]
    given = {"served_since": None, "controls": (), "review": None, "keys": (), "entries": 0, "health": "ok", "checkpoint": None}
    facts = shown(Facts(catalogue=running.catalogue, now=running.clock(), accounts=disabled, **given))
    assert (facts["ACCOUNTS_DISABLED"].value, facts["LOG_ENTRIES"].standing) == ("1", Standing.MISSING), "nothing is no evidence"


def shown(facts: Facts) -> dict[str, Artefact]:
    """Every artefact of these facts by its code."""
    return {one.code: one for measure in measures(facts) for one in measure.artefacts}


@pytest.mark.obligation("SE-01")
async def test_a_review_of_access_shows_the_measure_for_one_quarter(running, ask, clock):
    await seen_to(running)
    query = "{ accessReview { digest } }"
    seen = (await ask(query, role="compliance_officer"))["data"]["accessReview"]["digest"]
    sign = f'mutation {{ signAccessReview(digest: "{seen}") {{ quarter }} }}'
    assert (await ask(sign, role="compliance_officer"))["data"]["signAccessReview"]
    clock.advance(days=92)
    one = (await found(running))["ACCESS_REVIEW"]
    assert (one.standing, one.value) == (Standing.PRESENT, f"2026-Q4 {seen} 2026-11-22T02:00:00.000000Z")
    clock.advance(seconds=1)
    assert (await found(running))["ACCESS_REVIEW"].standing is Standing.MISSING
    seen = (await ask(query, role="compliance_officer"))["data"]["accessReview"]["digest"]
    await ask(f'mutation {{ signAccessReview(digest: "{seen}") {{ quarter }} }}', role="compliance_officer")
    assert (await found(running))["ACCESS_REVIEW"].value == f"2027-Q1 {seen} 2027-02-22T02:00:01.000000Z"


@pytest.mark.obligation("SE-01")
async def test_of_two_records_of_one_day_the_later_counts(running, ask, clock):
    for reference in ("OA-1", "OA-2", "OA-3"):
        clock.advance(seconds=1)
        record = RECORD.replace("OA-2026-17", reference)
        assert (await ask(record, role="compliance_officer", variables={"kind": "TRAINING", "on": "2026-11-20"}))["data"]
    assert (await found(running))["TRAINING"].value == "制度文件 OA-3 2026-11-20"


@pytest.mark.parametrize(
    ("title", "held_on", "digest"),
    [
        ("找 13800138000", "2026-11-01", ""),
        ("=cmd()", "2026-11-01", ""),
        ("", "2026-11-01", ""),
        ("预案", "2027-01-01", ""),
        ("预案", "2026-11-01", "xyz"),
    ],
)
async def test_a_record_of_a_person_a_formula_or_the_future_is_refused(ask, title, held_on, digest):
    query = """mutation ($title: String!, $on: Date!, $digest: String!) {
      recordControl(kind: TRAINING, title: $title, heldOn: $on, digest: $digest) { controlId } }"""
    answer = await ask(query, role="compliance_officer", variables={"title": title, "on": held_on, "digest": digest})
    assert answer["errors"][0]["extensions"]["code"] == "BAD_INPUT"


async def test_the_auditor_sees_the_measures_and_records_none(ask):
    assert (await ask(EVIDENCE, role="auditor"))["data"]["controlEvidence"]
    answer = await ask(RECORD, role="auditor", variables={"kind": "TRAINING", "on": "2026-11-01"})
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.obligation("SE-01")
async def test_the_policy_counts_as_served_only_while_it_is_the_one_in_force(running, config, clock, tmp_path):
    await seen_to(running)
    assert (await found(running))["POLICY_SERVED_SINCE"].value == "2026-11-22T02:00:00.000000Z"
    folder = shipped(tmp_path)
    edit(folder, "roles.toml", 'may = ["tag.record", "minor.presume"]', 'may = ["tag.record"]')
    clock.advance(days=1)
    async with under(config, folder, clock) as other:
        assert (await found(other))["POLICY_SERVED_SINCE"].value == "2026-11-23T02:00:00.000000Z"
    assert (await found(running))["POLICY_SERVED_SINCE"].standing is Standing.MISSING


@pytest.mark.obligation("SE-01")
async def test_that_witnesses_cosigned_is_what_they_signed_and_not_what_a_row_says(running, database_url):
    await a_member(running)
    await signed(running)
    Administrator(database_url).run("UPDATE audit_checkpoint SET witnessed_at = signed_at")
    assert (await found(running))["COSIGNED"].standing is Standing.MISSING


@pytest.mark.obligation("SE-01")
async def test_that_there_is_a_checkpoint_is_what_our_key_signed_and_not_what_a_row_says(running, database_url):
    await a_member(running)
    await signed(running)
    Administrator(database_url).run("UPDATE audit_checkpoint SET root = ?", given=(bytes(32),))
    assert (await found(running))["CHECKPOINT"].standing is Standing.MISSING


async def keep_the_patrol_waiting(running) -> None:
    """It would find the harm as well, and then nothing is answered any more; until it comes by, the evidence has to say so."""
    patrol = running.publisher._patrol
    while patrol._due != inf:
        patrol._due = inf
        # A page that was under way sets the next one's time; the round in which this entry is signed began behind it.
        await found(running)
        await signed(running)


@pytest.mark.obligation("SE-01")
@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE audit_entry SET leaf = entry, entry = leaf WHERE idx = 1",
        "UPDATE audit_entry SET entry = (SELECT o.entry FROM audit_entry o WHERE o.idx = 1) WHERE idx = 2",
        "DELETE FROM audit_entry WHERE idx = 1",
        "UPDATE audit_entry SET (entry, leaf) = (SELECT o.entry, o.leaf FROM audit_entry o WHERE o.idx = 1) WHERE idx = 2",
    ],
)
async def test_a_log_that_does_not_read_back_is_missing_while_the_service_still_answers(running, database_url, harm):
    await a_member(running)
    await found(running)
    before = (await found(running))["LOG_WRITABLE"]
    await keep_the_patrol_waiting(running)
    assert (before.standing, before.value) == (Standing.PRESENT, "ok")
    Administrator(database_url).run(harm)
    after = (await found(running))["LOG_WRITABLE"]
    assert (after.standing, after.value) == (Standing.MISSING, "")
    assert after.todo is not None and "menshen audit verify" in after.todo.en
