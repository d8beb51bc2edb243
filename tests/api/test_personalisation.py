"""The personalisation switch as members and front ends see it (PIPL 24): off is off for every machine, and nothing else is touched."""

import pytest

from policies.terms import ConsentState
from service.consent.model import ConsentsRecorded, Decision
from tests.factories import a_call, a_member, a_profile, evidence
from tests.service.intake.looking import entries

TASTE, SKIN, SMS = "personalised_recommendation", "skin_profile", "marketing_sms"
PERSONAL = {"tags", "region", "interests", "points", "tier", "gender", "skin_type"}
MINE = "{ myPersonalisation { on since purposes { key state used reason title { zh } logic { zh en } } } }"
SET = """mutation Set($on: Boolean!, $evidence: EvidenceInput) {
  setPersonalisation(on: $on, channel: MINI_PROGRAM, evidence: $evidence) {
    __typename ... on Personalisation { on purposes { key state used reason } } ... on Refusal { code zh } } }"""
RECOMMEND = """query Recommend($id: ID!, $purpose: PurposeKey!) { member(id: $id, purpose: $purpose) {
  id tier region tags interests: attribute(key: "interests") { texts } withheld { field reason } } }"""
LIST = "query List($purpose: PurposeKey!) { members(purpose: $purpose, first: 50) { nodes { id } } }"


def shown(running, **more):
    """What a mini-program sends along."""
    notice = running.catalogue.notice_in_force(running.clock())
    return {
        "noticeVersion": notice.version,
        "language": "zh-CN",
        "presentedAt": running.clock().isoformat(),
        "expression": "BUTTON",
        "screen": "mini/personal",
        "channel": "MINI_PROGRAM",
        **more,
    }


async def a_taster(running, **more) -> str:
    """A member of whom the recommender knows everything."""
    profile = a_profile(region="广东省深圳市", interests=["旅行"], tier="金卡", tags=["home_living"], **more)
    return await a_member(running, profile, yes=[TASTE, SMS])


async def yes_to_skin_advice(running, member_id) -> None:
    """A separate consent, on a screen of its own."""
    proof = evidence(running.catalogue, running.clock(), purpose=SKIN)
    answered = await running.operations.record_consents(
        a_call("member", member_id=member_id), member_id=None, decisions=[Decision(SKIN, True)], evidence=proof
    )
    assert isinstance(answered, ConsentsRecorded), answered


async def turned(ask, member_id, *, on, proof=None):
    answer = await ask(SET, role="member", member_id=member_id, variables={"on": on, "evidence": proof})
    return answer["data"]["setPersonalisation"]


async def recommended(ask, member_id, purpose=TASTE):
    answer = await ask(RECOMMEND, role="recommender", variables={"id": member_id, "purpose": purpose})
    return answer["data"]["member"]


async def listed(ask, purpose):
    answer = await ask(LIST, role="recommender", variables={"purpose": purpose})
    return {node["id"] for node in answer["data"]["members"]["nodes"]}


async def disclosed(running, purposes):
    """Every field that any entry says was disclosed for these purposes."""
    found = [entry for entry in await entries(running) if entry.get("pur") in purposes and entry["typ"] == "access"]
    return {field for entry in found for field in entry.get("fld", ())}


@pytest.mark.obligation("AD-01")
async def test_switched_off_no_machine_reads_anything_of_the_member_and_still_has_an_answer_to_work_with(ask, running):
    member_id = await a_taster(running)
    await yes_to_skin_advice(running, member_id)
    assert (await turned(ask, member_id, on=False))["on"] is False

    for purpose in (TASTE, SKIN):
        profile = await recommended(ask, member_id, purpose)
        assert profile["id"] == member_id, "generic content needs an answer, and no error"
        assert all(profile[key] is None for key in ("tier", "region", "tags", "interests"))
        reasons = {w["field"]: w["reason"] for w in profile["withheld"]}
        assert {"tier", "region", "tags", "interests"} <= reasons.keys()
        assert set(reasons.values()) <= {"PERSONALISATION_OFF", "FIELD_NOT_IN_PURPOSE"}
        assert await listed(ask, purpose) == set()
    assert await disclosed(running, {TASTE, SKIN}) == set()


@pytest.mark.obligation("AD-01")
async def test_before_it_was_switched_off_the_same_reads_show_in_the_access_record(ask, running):
    member_id = await a_taster(running)
    profile = await recommended(ask, member_id)
    assert (profile["tier"], profile["tags"]) == ("金卡", ["home_living"])
    assert await listed(ask, TASTE) == {member_id}
    assert {"tier", "region", "interests", "tags"} <= await disclosed(running, {TASTE})


@pytest.mark.obligation("AD-01")
async def test_a_purpose_with_a_consent_of_its_own_is_off_with_the_switch_and_on_again_with_it(ask, running, clock):
    member_id = await a_taster(running)
    neighbour = await a_taster(running)
    for each in (member_id, neighbour):
        await yes_to_skin_advice(running, each)
    assert await listed(ask, SKIN) == {member_id, neighbour}
    off = await turned(ask, member_id, on=False)
    assert {p["key"]: (p["state"], p["used"], p["reason"]) for p in off["purposes"]}[SKIN] == (
        "GIVEN",
        False,
        "PERSONALISATION_OFF",
    )
    assert await listed(ask, SKIN) == {neighbour}
    clock.advance(minutes=1)
    on = await turned(ask, member_id, on=True, proof=shown(running))
    assert on["on"] is True
    assert {p["key"]: p["used"] for p in on["purposes"]}[SKIN] is True
    assert await listed(ask, SKIN) == {member_id, neighbour}


@pytest.mark.obligation("AD-01")
async def test_a_list_leaves_out_in_the_database_whoever_switched_it_off(ask, running):
    """One who is left out afterwards would make pages short: here the page is full though most have switched it off."""
    members = [await a_taster(running) for _ in range(4)]
    for each in members:
        await yes_to_skin_advice(running, each)
    for each in members[:3]:
        await turned(ask, each, on=False)
    page = 'query { members(purpose: "skin_profile", first: 1) { nodes { id } pageInfo { hasNextPage } } }'
    found = (await ask(page, role="recommender"))["data"]["members"]
    assert [node["id"] for node in found["nodes"]] == members[3:]
    assert found["pageInfo"]["hasNextPage"] is False


@pytest.mark.obligation("AD-01")
async def test_switching_it_off_takes_the_consent_back_and_leaves_the_channels_as_they_are(ask, running):
    member_id = await a_taster(running)
    off = await turned(ask, member_id, on=False)
    assert {p["key"]: p["state"] for p in off["purposes"]}[TASTE] == "WITHDRAWN"
    consents = await ask("{ consents { purpose state } }", role="member", member_id=member_id)
    states = {found["purpose"]: found["state"] for found in consents["data"]["consents"]}
    assert (states[TASTE], states[SMS]) == ("WITHDRAWN", "GIVEN")


async def test_whoever_never_said_yes_can_switch_it_off_too_and_is_in_no_list_then(ask, running):
    member_id = await a_member(running)
    assert (await ask(MINE, role="member", member_id=member_id))["data"]["myPersonalisation"]["on"] is None
    assert (await turned(ask, member_id, on=False))["on"] is False
    await yes_to_skin_advice(running, member_id)
    assert await listed(ask, SKIN) == set()
    assert (await recommended(ask, member_id, SKIN))["withheld"][0]["reason"] in {"PERSONALISATION_OFF", "FIELD_NOT_IN_PURPOSE"}


async def test_switching_it_on_is_a_consent_and_needs_what_proves_one(ask, running):
    member_id = await a_member(running)
    assert (await turned(ask, member_id, on=True))["code"] == "NOTICE_NOT_PRESENTED"
    assert (await turned(ask, member_id, on=True, proof=shown(running, box="TICKED")))["code"] == "PRETICKED"
    wrong = shown(running, wordsDigest="0" * 64)
    assert (await turned(ask, member_id, on=True, proof=wrong))["code"] == "WORDS_UNKNOWN"
    assert (await ask(MINE, role="member", member_id=member_id))["data"]["myPersonalisation"]["on"] is None
    on = await turned(ask, member_id, on=True, proof=shown(running))
    assert {p["key"]: p["state"] for p in on["purposes"]}[TASTE] == "GIVEN"


async def test_answering_the_question_and_taking_it_back_turn_the_same_switch(ask, running):
    member_id = await a_taster(running)
    mine = (await ask(MINE, role="member", member_id=member_id))["data"]["myPersonalisation"]
    assert mine["on"] is True and mine["since"] == "2026-11-22T02:00:00Z"
    running.clock.advance(days=1)
    withdraw = f'mutation {{ withdrawConsent(purpose: "{TASTE}", channel: WEB) {{ __typename }} }}'
    await ask(withdraw, role="member", member_id=member_id)
    mine = (await ask(MINE, role="member", member_id=member_id))["data"]["myPersonalisation"]
    assert mine["on"] is False and mine["since"].startswith("2026-11-23")


async def test_refusing_the_question_leaves_other_consents_to_automated_purposes_alone(ask, running):
    member_id = await a_member(running, no=[TASTE])
    await yes_to_skin_advice(running, member_id)
    assert await listed(ask, SKIN) == {member_id}


@pytest.mark.obligation("AD-04")
async def test_members_are_told_how_each_machine_decides(ask, running):
    member_id = await a_member(running)
    mine = (await ask(MINE, role="member", member_id=member_id))["data"]["myPersonalisation"]
    told = {purpose["key"]: purpose for purpose in mine["purposes"]}
    automated = {key for key, purpose in running.catalogue.purposes.items() if purpose.automated_decision}
    assert told.keys() == automated and TASTE in automated
    for key, purpose in told.items():
        declared = running.catalogue.purposes[key].logic
        assert purpose["logic"] == {"zh": declared.zh, "en": declared.en}
    assert "不影响价格" in told[TASTE]["logic"]["zh"]


@pytest.mark.obligation("AD-04")
async def test_anybody_can_read_how_each_machine_decides_without_a_token(ask, running):
    answer = await ask("{ processingRules { purposes { key automatedDecision logic { zh en } } } }")
    told = {
        purpose["key"]: purpose["logic"]
        for purpose in answer["data"]["processingRules"]["purposes"]
        if purpose["automatedDecision"]
    }
    automated = {key: purpose.logic for key, purpose in running.catalogue.purposes.items() if purpose.automated_decision}
    assert told == {key: {"zh": logic.zh, "en": logic.en} for key, logic in automated.items()} and TASTE in told


async def test_only_members_see_their_own_and_staff_turn_nobodys_switch(ask, running):
    member_id = await a_taster(running)
    seen = await ask(MINE, role="mini_program")
    assert seen["errors"][0]["extensions"]["code"] == "ROLE_NOT_ALLOWED"
    staff = await ask(
        f'mutation {{ setPersonalisation(on: false, channel: STORE, memberId: "{member_id}") {{ __typename }} }}', role="marketer"
    )
    assert staff["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    nobody = "018f0000-0000-7000-8000-000000000000"
    absent = await ask(
        f'mutation {{ setPersonalisation(on: false, channel: WEB, memberId: "{nobody}") {{ ... on Refusal {{ code }} }} }}',
        role="mini_program",
    )
    assert absent["data"]["setPersonalisation"] == {"code": "MEMBER_NOT_FOUND"}
    assert (await ask(MINE, role="member", member_id=member_id))["data"]["myPersonalisation"]["on"] is True


async def test_each_call_leaves_one_entry_that_names_purpose_and_member(ask, running):
    member_id = await a_taster(running)
    before = len(await entries(running))
    await turned(ask, member_id, on=False)
    await ask(MINE, role="member", member_id=member_id)
    switched, looked = (await entries(running))[before:]
    assert (switched["op"], switched["pur"], switched["bas"], switched["typ"]) == (
        "setPersonalisation",
        TASTE,
        "CONSENT",
        "consent",
    )
    assert (looked["op"], looked["pur"]) == ("myPersonalisation", running.catalogue.self_purpose)
    assert len(switched["sub"]) == len(looked["sub"]) == 1


async def test_the_ledger_says_the_same_as_the_switch(running):
    member_id = await a_taster(running)
    found = await running.operations.consents(a_call("member", member_id=member_id), member_id=None)
    mine = await running.operations.my_personalisation(a_call("member", member_id=member_id))
    assert mine.on is True
    assert {s.purpose: s.state for s in found}[TASTE] is ConsentState.GIVEN
