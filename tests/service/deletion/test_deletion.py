"""Withdrawal deletes what was held under that consent alone, and nothing else (WD-04)."""

import pytest
from sqlalchemy import select

from policies.keeping import consent_only, told_of_the_end, unfounded
from service.app import open_worker
from service.consent.rules import words_digest
from service.db.statement import Prepared
from service.db.tables import job, member
from tests.api.front_end import entries, evidence_of
from tests.factories import a_call, a_member, a_profile

ANSWER = """
mutation($decisions: [DecisionInput!]!, $evidence: EvidenceInput) {
  recordConsents(decisions: $decisions, evidence: $evidence) {
    __typename ... on ConsentsRecorded { standings { state } } ... on Refusal { code } } }"""
WITHDRAW = """
mutation($purpose: PurposeKey!) { withdrawConsent(purpose: $purpose, channel: MINI_PROGRAM) {
  ... on ConsentsRecorded { standings { state } } } }"""
UPDATE = """
mutation($purpose: PurposeKey!, $changes: MemberFieldsInput!) { updateMember(purpose: $purpose, changes: $changes) {
  __typename ... on Refusal { code } } }"""
ME = """{ me { phone birthday gender region tier
  skin: attribute(key: "skin_type") { text } interests: attribute(key: "interests") { texts } } }"""


@pytest.fixture
def work(running):
    """`await work()`: everything that is due now is done."""

    async def once() -> int:
        async with open_worker(running) as worker:
            return await worker.once()

    return once


@pytest.fixture
def grant(ask, running):
    """`await grant(member_id, purpose)`: the member says yes on a screen of its own."""

    async def run(member_id, purpose):
        told = running.catalogue.notices["2026-10"].scopes[purpose]
        shown = evidence_of(running, screenPurposeCount=1, wordsDigest=words_digest(told, "zh-CN"))
        variables = {"decisions": [{"purpose": purpose, "granted": True}], "evidence": shown}
        answer = await ask(ANSWER, role="member", member_id=member_id, variables=variables)
        assert answer["data"]["recordConsents"]["__typename"] == "ConsentsRecorded", answer

    return run


@pytest.fixture
def withdraw(ask):
    async def run(member_id, purpose):
        answer = await ask(WITHDRAW, role="member", member_id=member_id, variables={"purpose": purpose})
        assert answer.get("data", {}).get("withdrawConsent") == {"standings": [{"state": "WITHDRAWN"}]}, answer

    return run


@pytest.fixture
def me(ask):
    async def run(member_id):
        found = (await ask(ME, role="member", member_id=member_id))["data"]["me"]
        return {key: value.popitem()[1] if isinstance(value, dict) else value for key, value in found.items()}

    return run


async def told(ask, member_id, **fields):
    """The member tells the shop more."""
    named = {"skin_type": "text", "interests": "texts"}
    more = [{"key": key, named[key]: fields.pop(key)} for key in list(fields) if key in named]
    variables = {"purpose": "self_access", "changes": {**fields, "attributes": more}}
    answer = await ask(UPDATE, role="member", member_id=member_id, variables=variables)
    assert answer.get("data", {}).get("updateMember") == {"__typename": "MemberUpdated"}, answer


@pytest.mark.obligation("WD-04")
async def test_what_was_held_under_the_consent_alone_is_deleted_and_what_a_contract_needs_stays(
    ask, running, grant, withdraw, me, work
):
    profile = a_profile(birthday="1990-07-14")
    member_id = await a_member(running, profile)
    await grant(member_id, "skin_profile")
    await told(ask, member_id, skin_type="敏感肌")
    assert (await me(member_id))["skin"] == "敏感肌"
    before = (await running.database.read.rows(Prepared(select(member.c.sealed, member.c.sensitive))))[0]

    await withdraw(member_id, "skin_profile")
    await work()

    left = await me(member_id)
    assert left["skin"] is None and (left["phone"], left["birthday"]) == (profile["phone"], "1990-07-14")
    after = (await running.database.read.rows(Prepared(select(member.c.sealed, member.c.sensitive))))[0]
    assert len(after[0]) < len(before[0]) and (before[1], after[1]) == (1, 0)
    (entry,) = await entries(running, "deleteFields")
    assert (entry["typ"], entry["fld"], entry["pur"], entry["bas"]) == ("erase", ["skin_type"], "skin_profile", "LEGAL_DUTY")
    assert len(entry["sub"]) == 1 and entry["act"]["k"] == "system"


async def test_a_yes_given_again_before_the_deletion_keeps_the_data(ask, running, clock, grant, withdraw, me, work):
    member_id = await a_member(running)
    await grant(member_id, "skin_profile")
    await told(ask, member_id, skin_type="干性")
    await withdraw(member_id, "skin_profile")
    clock.advance(minutes=1)
    await grant(member_id, "skin_profile")
    await work()
    assert (await me(member_id))["skin"] == "干性"
    (entry,) = await entries(running, "deleteFields")
    assert (entry["dec"], entry["cnt"], "fld" in entry) == ("allow", 0, False)


async def test_what_another_consent_still_covers_stays_until_that_one_ends_too(ask, running, grant, withdraw, me, work):
    member_id = await a_member(running)
    for purpose in ("analytics", "personalised_recommendation"):
        await grant(member_id, purpose)
    await told(ask, member_id, gender="女", region="上海", interests=["香氛"])
    await withdraw(member_id, "personalised_recommendation")
    await work()
    found = await me(member_id)
    assert (found["gender"], found["region"], found["interests"]) == ("女", "上海", None)
    await withdraw(member_id, "analytics")
    await work()
    found = await me(member_id)
    assert (found["gender"], found["region"], found["phone"] is None) == (None, None, False)


async def test_a_consent_that_runs_out_deletes_as_one_that_is_taken_back(ask, running, grant, me, work, clock):
    member_id = await a_member(running)
    await grant(member_id, "skin_profile")
    await told(ask, member_id, skin_type="油性")
    clock.advance(days=364)
    await work()
    assert (await me(member_id))["skin"] == "油性"
    clock.advance(days=3)
    await work()
    assert (await me(member_id))["skin"] is None


async def test_a_consent_that_was_renewed_in_time_keeps_the_data_past_the_first_end(ask, running, grant, me, work, clock):
    member_id = await a_member(running)
    await grant(member_id, "skin_profile")
    await told(ask, member_id, skin_type="油性")
    clock.advance(days=200)
    await grant(member_id, "skin_profile")
    clock.advance(days=200)
    await work()
    assert (await me(member_id))["skin"] == "油性"
    clock.advance(days=200)
    await work()
    assert (await me(member_id))["skin"] is None


async def test_where_a_contract_keeps_all_of_it_nothing_is_queued(ask, running, grant, withdraw, me):
    member_id = await a_member(running, a_profile(birthday="1990-07-14"))
    await grant(member_id, "birthday_gift")
    await withdraw(member_id, "birthday_gift")
    assert await running.database.read.rows(Prepared(select(job.c.kind))) == []
    assert (await me(member_id))["birthday"] == "1990-07-14"


async def test_an_update_that_comes_after_the_withdrawal_brings_nothing_back(ask, running, grant, withdraw, work):
    member_id = await a_member(running)
    await grant(member_id, "skin_profile")
    await withdraw(member_id, "skin_profile")
    outcome = await running.operations.update(
        a_call(), member_id=member_id, purpose="skin_profile", changes={"skin_type": "干性"}
    )
    assert type(outcome).__name__ == "ConsentNeeded"


async def test_a_member_who_was_erased_meanwhile_is_left_alone(running, grant, withdraw, work, clock):
    member_id = await a_member(running)
    await grant(member_id, "skin_profile")
    await withdraw(member_id, "skin_profile")
    await running.operations.erase(a_call("compliance_officer"), member_id=member_id)
    clock.advance(days=400)
    await work()
    assert await running.database.read.rows(Prepared(select(job.c.outcome))) == [("ERASED",)] * 2


async def test_the_former_words_of_a_decision_cannot_delete_twice(ask, running, grant, withdraw, me, work):
    """The same job again, as after a kill between the deletion's commit and the worker's hearing of it: it finds nothing to do."""
    member_id = await a_member(running)
    await grant(member_id, "skin_profile")
    await withdraw(member_id, "skin_profile")
    await work()
    assert await work() == 0
    assert len(await entries(running, "deleteFields")) == 1


# --- the pure rules ----------------------------------------------------------------------------------------------------------------


def test_nothing_that_a_contract_or_a_duty_keeps_is_ever_unfounded(catalogue):
    lasting = [p for p in catalogue.purposes.values() if p.basis != "CONSENT" and p.retention_months and not p.self_service]
    kept = {key for purpose in lasting for key in purpose.fields}
    assert {"phone", "name", "birthday", "tier"} <= kept
    for purpose in catalogue.purposes.values():
        assert not unfounded(purpose, catalogue, {}) & kept


def test_what_a_consent_alone_keeps_goes_with_the_last_consent_that_has_it(catalogue):
    recommendation = catalogue.purposes["personalised_recommendation"]
    assert consent_only(recommendation, catalogue) == {"interests", "gender", "region", "tags"}
    assert unfounded(recommendation, catalogue, {"analytics": 1}) == {"interests", "tags"}
    assert unfounded(recommendation, catalogue, {recommendation.key: 1}) == frozenset()
    assert unfounded(recommendation, catalogue, {"nobody": 1}) == {"interests", "gender", "region", "tags"}


def test_only_recipients_who_know_the_member_by_what_they_were_given_are_told(catalogue):
    named = {key: [r.key for r in told_of_the_end(p, catalogue)] for key, p in catalogue.purposes.items() if p.recipients}
    assert named == {
        "order_fulfilment": [],
        "marketing_sms": ["example_sms_gateway"],
        "marketing_email": ["example_mail_service"],
        "marketing_wechat": ["wechat_delivery"],
        "marketing_wecom": [],
        "marketing_push": ["wechat_delivery"],
        "marketing_phone": ["example_call_centre"],
        "partner_sharing": ["example_coffee"],
    }
