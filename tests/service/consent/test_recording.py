"""Separate consent, not now, and what the record of an answer holds (NC-07, NC-08, SM-03)."""

import hashlib
import json

import pytest

from tests.api.front_end import entries, evidence_of
from tests.service.consent.screens import GIFT, PARTNER, RECORD, SKIN, SMS, alone, join, questions, say, standing

HISTORY = "{ consentHistory { id purpose state record } }"


@pytest.mark.obligation("NC-07")
@pytest.mark.parametrize("purpose", [PARTNER, SKIN, "baby_care"])
async def test_what_the_law_lists_is_asked_alone_or_it_is_no_consent(ask, running, purpose):
    member_id = await join(ask, running)
    right = alone(running, purpose)
    two_on_screen = {**right, "screenPurposeCount": 2}
    uncounted = {key: said for key, said in right.items() if key != "screenPurposeCount"}
    for evidence in (two_on_screen, uncounted, {**right, "screenPurposeCount": 0}):
        refused = await say(ask, running, member_id, evidence=evidence, **{purpose: True})
        assert (refused["code"], refused["purpose"]) == ("SEPARATE_CONSENT_REQUIRED", purpose)
    together = await say(ask, running, member_id, evidence=right, **{purpose: True, SMS: True})
    assert together["code"] == "SEPARATE_CONSENT_REQUIRED"
    assert (await standing(ask, member_id, purpose))["state"] == (await standing(ask, member_id, SMS))["state"] == "NEVER_ASKED"
    assert (await say(ask, running, member_id, evidence=right, **{purpose: True}))["__typename"] == "ConsentsRecorded"


@pytest.mark.obligation("SM-03")
async def test_a_text_without_the_impact_is_not_the_published_one_and_proves_nothing(ask, running):
    member_id = await join(ask, running)
    declared = running.catalogue.purposes[SKIN]
    words = declared.scopes[declared.version].words["zh-CN"]
    assert declared.impact is not None and declared.impact.zh in words
    cut = "\n".join(line for line in words.split("\n") if declared.impact.zh not in line)
    english = declared.scopes[declared.version].words["en"]
    for shown in (cut, english, ""):
        digest = hashlib.sha256(shown.encode()).hexdigest() if shown else None
        refused = await say(ask, running, member_id, evidence={**alone(running, SKIN), "wordsDigest": digest}, skin_profile=True)
        assert refused["code"] == "SEPARATE_CONSENT_REQUIRED"
    assert (await say(ask, running, member_id, evidence=alone(running, SKIN), skin_profile=True))[
        "__typename"
    ] == "ConsentsRecorded"
    (event,) = (await ask(HISTORY, role="member", member_id=member_id))["data"]["consentHistory"]
    assert json.loads(event["record"])["wordsSha256"] == hashlib.sha256(words.encode()).hexdigest()


@pytest.mark.obligation("NC-07", "NC-08")
async def test_words_that_are_not_the_published_ones_count_for_no_purpose(ask, running):
    member_id = await join(ask, running)
    refused = await say(ask, running, member_id, evidence=evidence_of(running, wordsDigest="0" * 64), birthday_gift=True)
    assert refused["code"] == "WORDS_UNKNOWN" and refused["zh"]


@pytest.mark.obligation("NC-11")
async def test_not_now_is_neither_yes_nor_no_and_takes_nothing_back(ask, running):
    member_id = await join(ask, running)
    assert (await say(ask, running, member_id, birthday_gift=None))["standings"][0]["state"] == "DEFERRED"
    await say(ask, running, member_id, birthday_gift=True)
    assert (await say(ask, running, member_id, birthday_gift=None))["standings"][0]["state"] == "GIVEN"
    await say(ask, running, member_id, birthday_gift=False)
    assert (await say(ask, running, member_id, birthday_gift=None))["standings"][0]["state"] == "WITHDRAWN"


@pytest.mark.obligation("NC-05", "NC-08")
async def test_a_ticked_box_is_reported_and_refused_and_a_no_over_it_is_taken(ask, running):
    member_id = await join(ask, running)
    ticked = evidence_of(running, box="TICKED")
    assert (await say(ask, running, member_id, evidence=ticked, birthday_gift=True))["code"] == "PRETICKED"
    assert (await say(ask, running, member_id, evidence=ticked, birthday_gift=False))["standings"][0]["state"] == "REFUSED"


@pytest.mark.obligation("NC-08")
async def test_the_record_says_who_from_where_how_and_in_which_words_without_a_value(ask, running):
    member_id = await join(ask, running)
    await questions(ask, member_id, GIFT)
    await say(ask, running, member_id, evidence=alone(running, GIFT), birthday_gift=True)
    asked, given = (await ask(HISTORY, role="member", member_id=member_id))["data"]["consentHistory"]
    assert (
        json.loads(asked["record"]).items()
        >= {"entityRole": "system", "source": {"initiator": "SYSTEM", "notice": "2026-10"}}.items()
    )
    record = json.loads(given["record"])
    assert record["entityRole"] == "self" and record["purposeVersion"] == 1 and record["screenPurposeCount"] == 1
    assert len(bytes.fromhex(record["entityAddress"])) == 12, "a keyed digest: the address itself is nowhere"
    assert "127.0.0.1" not in given["record"] and record["previousEventHash"] != "0" * 64


@pytest.mark.obligation("NC-08")
async def test_the_same_address_has_another_digest_in_another_month(ask, running, clock):
    member_id = await join(ask, running)
    digests = []
    for days in (0, 1, 30):
        clock.advance(days=days)
        await say(ask, running, member_id, birthday_gift=True)
        newest = (await ask(HISTORY, role="member", member_id=member_id))["data"]["consentHistory"][-1]
        digests.append(json.loads(newest["record"])["entityAddress"])
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.obligation("NC-08")
@pytest.mark.parametrize("gap", ["noticeVersion", "language", "presentedAt", "expression", "screen", "channel"])
async def test_without_a_mandatory_part_there_is_no_record(ask, running, gap):
    member_id = await join(ask, running)
    evidence = {key: said for key, said in evidence_of(running).items() if key != gap}
    variables = {"decisions": [{"purpose": GIFT, "granted": True}], "evidence": evidence}
    answer = await ask(RECORD, role="member", member_id=member_id, variables=variables)
    assert answer["errors"][0]["extensions"]["code"] == "VARIABLES_INVALID"
    assert (await standing(ask, member_id, GIFT))["state"] == "NEVER_ASKED"
    assert await entries(running, "recordConsents") == []
