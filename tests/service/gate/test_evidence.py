"""What one decision rests on, through GraphQL: for what was sent, for what was refused, and for what somebody touched."""

import json

import pytest

from service.gate.model import Outcome
from tests.factories import a_member
from tests.service.audit.logs import Administrator
from tests.service.gate.made import campaign, decide, one, subscriber
from tests.vectors.test_merkle import climbed_as_rfc_9162_says

ASK = """query ($send: ID!) { sendEvidence(sendId: $send, purpose: "audit") { whole code findings { part holding code } allowed reasons
  memberId campaignId restsOn policyInForce event { id purpose state } notice { permalink sha256 } templateText
  approval { actor digest } entryId entryIndex leafHash inclusion { size root path } outcomes { outcome code } } }"""
DECIDE = """mutation ($campaign: ID!, $members: [ID!]) { decideSends(campaignId: $campaign, members: $members) { __typename
  ... on SendDecisions { decisions { memberId sendId allowed reasons token expiresAt nextSlot } pageInfo { hasNextPage endCursor } }
  ... on Refusal { code } } }"""


async def shown(ask, send_id: str):
    answer = await ask(ASK, role="compliance_officer", variables={"send": send_id})
    assert "errors" not in answer, answer
    return answer["data"]["sendEvidence"]


@pytest.mark.obligation("LB-09", "MK-09")
async def test_a_sent_message_is_proven_from_the_words_that_were_shown_to_the_log(running, ask) -> None:
    """listmonk #934, #1198: nobody can say who received what."""
    member_id, campaign_id = await subscriber(running), await campaign(running)
    answer = await ask(DECIDE, role="marketing_engine", variables={"campaign": campaign_id, "members": [member_id]})
    (decision,) = answer["data"]["decideSends"]["decisions"]
    assert decision["allowed"]
    found = await shown(ask, decision["sendId"])
    assert found["whole"], found["findings"]
    assert {one["holding"] for one in found["findings"]} <= {"HOLDS", "NOT_NEEDED"}
    assert (found["event"]["purpose"], found["event"]["state"]) == ("marketing_sms", "GIVEN")
    assert found["notice"]["permalink"]
    assert found["approval"]["actor"] == "reviewer-1"
    assert found["templateText"].startswith("【示例生活】")
    assert json.loads(found["restsOn"])["policy"] == running.catalogue.digest
    proven, leaf = found["inclusion"], bytes.fromhex(found["leafHash"])
    path = [bytes.fromhex(each) for each in proven["path"]]
    assert climbed_as_rfc_9162_says(found["entryIndex"], proven["size"], leaf, path).hex() == proven["root"]


@pytest.mark.obligation("MK-09")
async def test_a_refused_message_has_its_evidence_too(running, ask) -> None:
    member_id = await a_member(running, no=("marketing_sms",))
    decision = await one(running, await campaign(running), member_id)
    found = await shown(ask, decision.send_id)
    assert (found["whole"], found["allowed"]) == (True, False)
    assert found["reasons"] == ["CONSENT_REQUIRED", "NOT_SUBSCRIBED"]
    assert found["event"]["state"] == "REFUSED"


@pytest.mark.obligation("LB-09")
@pytest.mark.parametrize("change", ["allowed = 0", "reasons = 'SUPPRESSED'", "evidence = replace(evidence, 'GIVEN', 'RENEWED')"])
async def test_a_decision_that_somebody_changed_does_not_pass_for_what_was_logged(
    running, ask, database_url: str, change: str
) -> None:
    """Also where it is another decision of the same call that was changed."""
    first, second = await decide(running, await campaign(running), *[await subscriber(running) for _ in range(2)])
    assert (await shown(ask, first.send_id))["whole"]
    Administrator(database_url).run(f"UPDATE send_decision SET {change} WHERE send_id = ?", given=(second.send_id,))
    for decision in (first, second):
        found = await shown(ask, decision.send_id)
        assert not found["whole"]
        assert found["code"] == "EVIDENCE_BROKEN"
        assert {"part": "DECISIONS", "holding": "BROKEN", "code": "DECISIONS_ALTERED"} in found["findings"]


async def test_an_unknown_decision_is_nobodys(running, ask) -> None:
    assert await shown(ask, "019a0000-0000-7000-8000-00000000ffff") is None


async def test_outcomes_are_reported_and_shown(running, ask) -> None:
    decision = await one(running, await campaign(running), await subscriber(running))
    said = {"sendId": decision.send_id, "memberId": decision.member_id, "token": decision.token, "outcome": "SENT", "code": "OK"}
    query = """mutation ($said: [OutcomeReport!]!) { recordOutcomes(outcomes: $said) { results { accepted recorded code } } }"""
    for recorded in (True, False):
        answer = await ask(query, role="marketing_engine", variables={"said": [said]})
        assert answer["data"]["recordOutcomes"]["results"] == [{"accepted": True, "recorded": recorded, "code": None}]
    assert (await shown(ask, decision.send_id))["outcomes"] == [{"outcome": Outcome.SENT.value, "code": "OK"}]
    answer = await ask(query, role="marketing_engine", variables={"said": [said | {"code": "no such number 138 0013 8000"}]})
    assert answer["errors"][0]["extensions"]["code"] == "BAD_INPUT"
