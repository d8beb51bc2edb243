"""A child who is no member: what a parent tells of it is asked for as a guardian is asked (PIPL 31)."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from service.addresses import build
from service.app import issue_token, parts
from service.config import Config
from service.consent.model import Decision, NoticeNotPresented
from tests.factories import a_call, a_member, evidence
from tests.policy_folder import set_key, shipped
from tests.service.consent.screens import ASK, READ, alone, join, questions, say, standing
from tests.service.consent.test_assisting import at_the_till, confirmed

BABY, GENERAL, RULES = "baby_care", "2026-10", "2026-10-child"


async def remedy(ask, member_id):
    """Why the baby's birthday is withheld, and what is to be done about it."""
    told = await ask(
        READ.replace("phone", 'baby: attribute(key: "baby_birthday") { text } phone'),
        role="recommender",
        variables={"id": member_id, "purpose": BABY},
    )
    return next(each for each in told["data"]["member"]["withheld"] if each["field"] == "baby_birthday")


@pytest.mark.obligation("SM-06")
async def test_the_question_and_the_way_out_of_a_refusal_name_the_rules_for_guardians(ask, running):
    member_id = await join(ask, running)
    variables = {"purposes": [BABY, "skin_profile"], "channel": "MINI_PROGRAM", "initiator": "MEMBER", "member": member_id}
    told = (await ask(ASK, role="mini_program", variables=variables))["data"]["consentsToAsk"]["questions"]
    assert {each["purpose"]: each["noticeVersion"] for each in told} == {BABY: RULES, "skin_profile": GENERAL}
    withheld = await remedy(ask, member_id)
    assert (withheld["reason"], withheld["remedy"]["operation"]) == ("SEPARATE_CONSENT_REQUIRED", "recordConsents")
    assert withheld["remedy"]["notice"] == RULES


@pytest.mark.obligation("SM-05", "SM-06")
@pytest.mark.parametrize("role", ["member", "mini_program", "store_clerk"])
async def test_a_yes_under_the_general_notice_is_none_whoever_brings_it(ask, running, role):
    member_id = await join(ask, running)
    shown = alone(running, BABY, noticeVersion=GENERAL)
    if role == "store_clerk":
        assert (await confirmed(ask, running, member_id, evidence=shown, baby_care=True))["code"] == "NOTICE_NOT_PRESENTED"
        told = await at_the_till(ask, running, member_id, None, more=shown, baby_care=True)
    else:
        told = await say(ask, running, member_id, role=role, evidence=shown, baby_care=True)
    assert told["code"] == "NOTICE_NOT_PRESENTED"
    assert (await standing(ask, member_id, BABY))["state"] == "NEVER_ASKED"


@pytest.mark.obligation("SM-06")
async def test_the_front_end_is_told_which_rules_to_show(running):
    member_id = await a_member(running)
    shown = evidence(running.catalogue, running.clock(), purpose=BABY, notice_version=GENERAL)
    call = a_call("member", member_id=member_id)
    told = await running.operations.record_consents(call, member_id=None, decisions=[Decision(BABY, True)], evidence=shown)
    assert told == NoticeNotPresented(RULES)


@pytest.mark.obligation("SM-05")
@pytest.mark.parametrize("role", ["member", "mini_program", "store_clerk"])
async def test_a_yes_under_the_rules_for_guardians_names_the_parent_as_one(ask, running, role):
    member_id = await join(ask, running)
    shown = alone(running, BABY)
    if role == "store_clerk":
        shown |= {"channel": "STORE", "screen": "pos/consent"}
        act = (await confirmed(ask, running, member_id, evidence=shown, baby_care=True))["token"]
        await at_the_till(ask, running, member_id, act, more=shown, baby_care=True)
    else:
        await say(ask, running, member_id, role=role, evidence=shown, baby_care=True)
    found = await standing(ask, member_id, BABY)
    assert (found["state"], found["byGuardian"], found["noticeVersion"]) == ("GIVEN", True, RULES)
    (event,) = (await ask("{ consentHistory { record } }", role="member", member_id=member_id))["data"]["consentHistory"]
    record = json.loads(event["record"])
    assert (record["piiPrincipalId"], record["entityRole"], record["privacyNotice"]) == (member_id, "guardian", RULES)
    if role == "member":
        assert record["entityId"] == member_id


@pytest.mark.obligation("SM-06", "NC-06")
async def test_the_rules_for_guardians_carry_no_yes_to_what_is_the_members_own(ask, running):
    member_id = await join(ask, running)
    told = await say(ask, running, member_id, evidence=alone(running, "birthday_gift", noticeVersion=RULES), birthday_gift=True)
    assert told["code"] == "NOTICE_NOT_PRESENTED"
    both = await say(ask, running, member_id, evidence=alone(running, BABY), baby_care=True, birthday_gift=True)
    assert both["code"] == "SEPARATE_CONSENT_REQUIRED"


@pytest.mark.obligation("WD-02")
@pytest.mark.parametrize("notice", [GENERAL, RULES])
async def test_a_no_counts_on_whichever_sheet_it_is_given(ask, running, notice):
    member_id = await join(ask, running)
    await say(ask, running, member_id, evidence=alone(running, BABY), baby_care=True)
    running.clock.advance(minutes=1)
    told = await say(ask, running, member_id, evidence=alone(running, BABY, noticeVersion=notice), baby_care=False)
    assert told["standings"][0]["state"] == "WITHDRAWN"


@pytest.mark.obligation("SM-05")
@pytest.mark.parametrize("notice", [GENERAL, RULES])
async def test_nobody_joins_with_it(running, notice):
    shown = evidence(running.catalogue, running.clock(), purpose=BABY, notice_version=notice)
    told = await running.operations.join(
        a_call(),
        purpose="account_service",
        fields={"phone": "+8613800138000"},
        evidence=shown,
        decisions=[Decision(BABY, True)],
    )
    assert type(told).__name__ == ("SeparateConsentRequired" if notice == GENERAL else "NoticeNotPresented")


@pytest.mark.obligation("SM-05", "SM-06")
async def test_what_was_given_as_a_member_before_the_policy_said_that_it_is_of_a_child_opens_nothing(
    database_url: str, tmp_path: Path, clock, client_of
):
    folder = shipped(tmp_path)
    set_key(folder, "fields.toml", "categories.child.of_children", False)
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    async with parts(Config(home=home, database_url=database_url, policies=folder), clock=clock) as before:
        ask = client_of(before)
        member_id = await join(ask, before)
        told = await say(ask, before, member_id, evidence=alone(before, BABY, noticeVersion=GENERAL), baby_care=True)
        assert told["standings"][0]["state"] == "GIVEN"
        assert await listed(ask) == [member_id]
    clock.advance(minutes=1)
    async with parts(Config(home=home, database_url=database_url), clock=clock) as after:
        ask = client_of(after)
        assert (await remedy(ask, member_id))["reason"] == "SEPARATE_CONSENT_REQUIRED"
        assert await listed(ask) == []
        assert (await questions(ask, member_id, BABY, by="MEMBER"))[0] == [BABY], "it is not taken for given"
        assert (await say(ask, after, member_id, evidence=alone(after, BABY), baby_care=True))["standings"][0][
            "state"
        ] == "RENEWED"
        assert await listed(ask) == [member_id]


async def listed(ask):
    told = await ask(f'{{ members(purpose: "{BABY}", first: 10) {{ nodes {{ id }} }} }}', role="recommender")
    return [node["id"] for node in told["data"]["members"]["nodes"]]


@pytest.fixture
async def client_of():
    """`client_of(running)` asks that instance, as the fixture `ask` does."""
    import httpx2

    def made(running):
        transport = httpx2.ASGITransport(app=build(running))

        async def ask(query, *, role, member_id=None, variables=None):
            token = issue_token(running, role=role, member_id=member_id, lasts=timedelta(hours=1))
            async with httpx2.AsyncClient(transport=transport, base_url="http://menshen.test") as client:
                headers = {"authorization": f"Bearer {token}"}
                answer = await client.post("/graphql", json={"query": query, "variables": variables or {}}, headers=headers)
                return answer.json()

        return ask

    return made
