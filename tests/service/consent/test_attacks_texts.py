"""What somebody tried with texts that databases, terminals and readers choke on."""

import orjson
import pytest

from tests.factories import a_member
from tests.service.consent.screens import SMS, WITHDRAW

STRANGE = ["a\x00b", "\x00", "x" * 20_000, "'; --", "9" * 400]


@pytest.mark.parametrize("strange", STRANGE)
@pytest.mark.parametrize(
    ("query", "role"),
    [
        ('query ($s: ID) { propagations(purpose: "audit", after: $s) { __typename } }', "compliance_officer"),
        ("mutation ($s: ID!, $m: ID!) { acknowledgePropagation(memberId: $m, id: $s) { __typename } }", "compliance_officer"),
        ("mutation ($s: ID!, $m: ID!) { acknowledgePropagation(memberId: $s, id: $m) { __typename } }", "compliance_officer"),
        ('query ($s: ID!) { consentReceipt(eventId: $s, purpose: "audit") { jws } }', "compliance_officer"),
        ('query ($s: ID!) { evidence(entryId: $s, purpose: "audit") { whole } }', "compliance_officer"),
        (
            'query ($s: String, $m: ID!) { memberEvidence(memberId: $m, purpose: "audit", after: $s) { end } }',
            "compliance_officer",
        ),
        ('query ($s: ID) { staleConsents(of: "marketing_sms", purpose: "audit", after: $s) { memberId } }', "compliance_officer"),
        ("query ($s: PurposeKey!) { consentOverview(of: $s) { stale } }", "compliance_officer"),
        ("query ($s: String!) { untoldCount(version: $s) }", "compliance_officer"),
        (
            "mutation ($s: String!, $m: ID!) { decideGuardianRequest(memberId: $m, requestId: $m, accept: false, reason: $s) { __typename } }",
            "compliance_officer",
        ),
        (
            'mutation ($s: ID!, $m: ID!) { decideGuardianRequest(memberId: $m, requestId: $s, accept: false, reason: "no") { __typename } }',
            "compliance_officer",
        ),
        ('mutation ($s: String!) { acknowledgeNotice(version: $s, language: "zh-CN", channel: WEB) { __typename } }', "member"),
        ("mutation ($s: String!) { deleteTag(tag: $s) { __typename } }", "member"),
        ("query ($s: ID!) { guardianLinks(memberId: $s) { state } }", "mini_program"),
    ],
)
async def test_strange_texts_are_the_callers_fault_wherever_they_stand(ask, running, query, role, strange):
    member_id = await a_member(running, yes=[SMS])
    variables = {"s": strange, "m": member_id}
    told = await ask(query, role=role, member_id=member_id if role == "member" else None, variables=variables)
    codes = {error.get("extensions", {}).get("code") for error in told.get("errors", [])}
    assert not codes & {"INTERNAL", "STORE_UNAVAILABLE", "GRAPHQL_VALIDATION_FAILED"}, told
    assert strange[:100] not in orjson.dumps(told.get("errors", [])).decode()
    again = await ask(WITHDRAW, role="member", member_id=member_id, variables={"purpose": SMS})
    assert again["data"]["withdrawConsent"]["standings"][0]["state"] == "WITHDRAWN", "the instance lives on"
