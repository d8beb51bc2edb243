"""AL-02, by the contract itself: each root field that touches a member leaves one entry, with everything that an entry must say."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx2
import pytest
from graphql import GraphQLSchema, build_schema

from schema import print_schema
from service.app import Parts
from tests.api.front_end import entries, evidence_of
from tests.factories import a_member, a_profile
from tests.plugins import canary

PUBLIC = {"processingRules": "{ processingRules { digest } }", "notice": "{ notice { version } }"}
"""They tell everybody what is published, and know nobody: they leave no entry."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One call that is answered, and what its entry says of it. `given` are the variables that it takes."""

    query: str
    role: str
    typ: str = "access"
    purpose: str = ""
    basis: str = ""
    fields: tuple[str, ...] = ()
    further: dict[str, Any] = field(default_factory=dict)
    given: tuple[str, ...] = ("id",)
    count: int = 1
    outcome: str = ""


SHIPPING: dict[str, Any] = {"role": "order_service", "purpose": "order_fulfilment", "basis": "CONTRACT"}
SELF: dict[str, Any] = {"role": "member", "purpose": "self_access", "basis": "LEGAL_DUTY", "given": ()}
CASES = {
    "member": Case(
        query='query ($id: ID!) { member(id: $id, purpose: "order_fulfilment") { name phone } }',
        fields=("name", "phone"),
        **SHIPPING,
    ),
    "memberByContact": Case(
        query="""query ($phone: String!) {
          memberByContact(field: "phone", value: $phone, purpose: "order_fulfilment") { name } }""",
        fields=("name",),
        given=("phone",),
        **SHIPPING,
    ),
    "members": Case(
        query='{ members(purpose: "order_fulfilment", first: 3) { nodes { phone } } }',
        fields=("phone",),
        given=(),
        count=2,
        **SHIPPING,
    ),
    "me": Case(query="{ me { name email } }", fields=("name", "email"), **SELF),
    "consents": Case(query="{ consents { state } }", **SELF),
    "consentHistory": Case(query="{ consentHistory { id } }", **SELF),
    "joinMember": Case(
        query="""mutation ($new: String!, $evidence: EvidenceInput) {
          joinMember(purpose: "account_service", fields: { phone: $new }, evidence: $evidence) { __typename } }""",
        role="mini_program",
        typ="change",
        purpose="account_service",
        basis="CONTRACT",
        fields=("phone",),
        given=("new", "evidence"),
        outcome="MemberJoined",
    ),
    "updateMember": Case(
        query="""mutation { updateMember(purpose: "self_access", changes: { region: "上海" }) { __typename } }""",
        typ="change",
        fields=("region",),
        outcome="MemberUpdated",
        **SELF,
    ),
    "recordConsents": Case(
        query="""mutation ($evidence: EvidenceInput) {
          recordConsents(decisions: [{ purpose: "marketing_sms", granted: true }], evidence: $evidence) { __typename } }""",
        role="member",
        typ="consent",
        basis="CONSENT",
        further={"x": {"purposes": ["marketing_sms"]}},
        given=("evidence",),
        outcome="ConsentsRecorded",
    ),
    "withdrawConsent": Case(
        query='mutation { withdrawConsent(purpose: "birthday_gift", channel: WEB) { __typename } }',
        role="member",
        typ="consent",
        purpose="birthday_gift",
        basis="CONSENT",
        given=(),
        outcome="ConsentsRecorded",
    ),
    "reveal": Case(
        query="""mutation ($id: ID!) {
          reveal(memberId: $id, purpose: "customer_service", field: "phone", reason: "parcel is lost") { __typename } }""",
        role="customer_service_agent",
        purpose="customer_service",
        basis="CONTRACT",
        fields=("phone",),
        outcome="Revealed",
    ),
}


def root_fields(schema: GraphQLSchema) -> set[str]:
    """Everything that can be asked and done."""
    assert schema.query_type is not None
    assert schema.mutation_type is not None
    return {*schema.query_type.fields, *schema.mutation_type.fields}


def test_every_root_field_of_the_contract_has_a_case_or_is_public() -> None:
    assert root_fields(build_schema(print_schema.text())) == {*CASES, *PUBLIC}


@pytest.mark.obligation("AL-02")
@pytest.mark.parametrize("name", CASES)
async def test_one_call_leaves_exactly_one_entry_with_all_its_parts(
    running: Parts, client: httpx2.AsyncClient, token: Callable[..., str], name: str
) -> None:
    case = CASES[name]
    profile = a_profile()
    member_id = await a_member(running, profile, yes=["birthday_gift"])
    await a_member(running)
    possible = {
        "id": member_id,
        "phone": profile["phone"],
        "new": canary.value("phone"),
        "evidence": evidence_of(running),
    }
    before = await entries(running)
    answer = await _posted(client, case, token(case.role, member_id=member_id if case.role == "member" else None), possible)
    entry, *more = (await entries(running))[len(before) :]
    assert more == []
    assert {key: entry.get(key) for key in ("op", "typ", "dec", "cnt")} == {
        "op": name,
        "typ": case.typ,
        "dec": "allow",
        "cnt": case.count,
    }
    assert (entry.get("pur", ""), entry["bas"]) == (case.purpose, case.basis)
    assert tuple(entry.get("fld", ())) == case.fields
    assert entry["req"] == answer.headers["x-request-id"] != ""
    assert {key: entry[key] for key in case.further} == case.further
    assert entry["pol"] == running.catalogue.digest
    assert datetime.fromisoformat(entry["ts"]) == running.clock()
    _assert_that_it_says_who(entry, case)


def _assert_that_it_says_who(entry: dict[str, Any], case: Case) -> None:
    """The caller by account, or as a member by the pseudonym of the one concerned; the role; the address under a key."""
    subjects = entry["sub"]
    assert len(subjects) == case.count
    assert all(subject.startswith("p1:") for subject in subjects)
    act = entry["act"]
    if case.role == "member":
        assert (act["k"], act["id"]) == ("member", subjects[0])
    else:
        assert act["k"] in {"staff", "service"}
        assert act["id"] == f"{case.role}@development"
    assert act["role"] == [case.role]
    assert re.fullmatch("[0-9a-f]{24}", act["ip"])


@pytest.mark.parametrize("name", PUBLIC)
async def test_what_is_public_leaves_no_entry(running: Parts, client: httpx2.AsyncClient, name: str) -> None:
    answer = await client.post("/graphql", json={"query": PUBLIC[name]})
    assert answer.json()["data"][name]
    assert await entries(running) == []


UNKNOWN = {
    "member": 'member(id: "019a0000-0000-7000-8000-000000000001", purpose: "order_fulfilment") { attribute(key: $key) { text } }',
    "memberByContact": """memberByContact(field: "phone", value: "13800138000", purpose: "order_fulfilment") {
        attribute(key: $key) { text } }""",
    "members": 'members(purpose: "order_fulfilment") { nodes { name attribute(key: $key) { text } } }',
    "me": "me { attribute(key: $key) { text } }",
    "reveal": """reveal(memberId: "019a0000-0000-7000-8000-000000000001", purpose: "customer_service", field: $key,
        reason: "parcel is lost") { __typename }""",
}


@pytest.mark.obligation("AL-02", "AL-04")
@pytest.mark.parametrize("key", ["shoe_size", "p13800138000"])
@pytest.mark.parametrize("name", UNKNOWN)
async def test_a_field_that_no_catalogue_has_is_refused_on_the_record_which_does_not_repeat_it(
    running: Parts, ask: Callable[..., Any], name: str, key: str
) -> None:
    case = CASES[name]
    kind = "mutation" if name == "reveal" else "query"
    member_id = await a_member(running) if case.role == "member" else None
    answer = await ask(
        f"{kind} ($key: FieldKey!) {{ {UNKNOWN[name]} }}", role=case.role, member_id=member_id, variables={"key": key}
    )
    assert answer["data"] == {name: None}
    assert answer["errors"][0]["extensions"]["code"] == "FIELD_UNKNOWN"
    (entry,) = await entries(running, name)
    assert (entry["typ"], entry["dec"], entry["rsn"], entry["pur"]) == ("access", "deny", "FIELD_UNKNOWN", case.purpose)
    assert not entry.keys() & {"fld", "wth", "x"}
    assert key not in json.dumps([answer, entry])


async def _posted(client: httpx2.AsyncClient, case: Case, bearer: str, possible: dict[str, Any]) -> httpx2.Response:
    """The answer, which has no error and, of a mutation, the outcome that was wanted."""
    body = {"query": case.query, "variables": {key: possible[key] for key in case.given}}
    answer = await client.post("/graphql", json=body, headers={"authorization": f"Bearer {bearer}"})
    assert "errors" not in answer.json()
    (found,) = answer.json()["data"].values()
    assert found
    assert not case.outcome or found["__typename"] == case.outcome
    return answer
