"""AL-02, by the contract itself: each root field that touches a member leaves one entry, with everything that an entry must say."""

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx2
import pytest
from graphql import GraphQLSchema, build_schema

from schema import print_schema
from service.app import Parts
from tests.api.front_end import entries
from tests.api.recorded import Ask, Case, Given, possible
from tests.api.recorded_cases import CASES, PUBLIC
from tests.factories import a_member


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
    running: Parts, client: httpx2.AsyncClient, ask: Ask, token: Callable[..., str], name: str
) -> None:
    case = CASES[name]
    given = await possible(running, ask, case)
    before = await entries(running)
    answer = await _posted(client, case, token(case.role, member_id=given[case.who] if case.role == "member" else None), given)
    entry, *more = (await entries(running))[len(before) :]
    assert more == []
    assert {key: entry.get(key) for key in ("op", "typ", "dec", "cnt")} == {
        "op": name,
        "typ": case.typ,
        "dec": "allow",
        "cnt": case.count,
    }
    assert (entry.get("pur", ""), entry.get("bas", "")) == (case.purpose, case.basis)
    assert tuple(entry.get("fld", ())) == case.fields
    assert entry["req"] == answer.headers["x-request-id"] != ""
    assert {key: entry["x"][key] for key in case.further} == case.further
    assert entry["pol"] == running.catalogue.digest
    assert datetime.fromisoformat(entry["ts"]) == running.clock()
    _assert_that_it_says_who(entry, case)


def _assert_that_it_says_who(entry: dict[str, Any], case: Case) -> None:
    """The caller by account, or as a member by the pseudonym of the one concerned; the role; the address under a key."""
    subjects = entry.get("sub", [])
    assert len(subjects) == (case.count or 0 if case.subjects is None else case.subjects)
    assert all(subject.startswith("p1:") for subject in subjects)
    act = entry["act"]
    if case.role == "member":
        assert act["k"] == "member"
        assert act["id"].startswith("p1:")
        assert (act["id"] in subjects) == (case.who == "id"), "a guardian is named as themselves, never as the child"
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


async def _posted(client: httpx2.AsyncClient, case: Case, bearer: str, given: Given) -> httpx2.Response:
    """The answer, which has no error and, of a mutation, the outcome that was wanted."""
    body = {"query": case.query, "variables": case.variables(given)}
    answer = await client.post("/graphql", json=body, headers={"authorization": f"Bearer {bearer}"})
    assert "errors" not in answer.json()
    (found,) = answer.json()["data"].values()
    assert found is not None
    assert not case.outcome or found["__typename"] == case.outcome
    return answer
