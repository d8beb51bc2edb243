"""Reading members through GraphQL, on the real application and both databases."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from policies.terms import Catalogue
from service.app import Parts
from tests.api.conftest import code
from tests.api.front_end import SHIP, entries
from tests.factories import a_member, a_profile
from tests.plugins import canary

Ask = Callable[..., Any]


@pytest.mark.obligation("LB-02")
async def test_the_first_query_of_the_product_page_answers_as_it_says(running: Parts, ask: Ask) -> None:
    profile = a_profile()
    member_id = await a_member(running, profile)
    answer = await ask(SHIP, role="order_service", variables={"id": member_id})
    outside = {"reason": "FIELD_NOT_IN_PURPOSE", "purpose": "order_fulfilment", "remedy": None}
    assert answer == {
        "data": {
            "member": {
                "id": member_id,
                "name": profile["name"],
                "phone": profile["phone"],
                "email": None,
                "birthday": None,
                "withheld": [{"field": "email", **outside}, {"field": "birthday", **outside}],
                "masked": [],
            }
        }
    }
    (entry,) = await entries(running, "member")
    assert (entry["fld"], entry["wth"]) == (["name", "phone"], ["email", "birthday"])


async def test_what_is_not_selected_is_neither_opened_nor_recorded(running: Parts, ask: Ask) -> None:
    member_id = await a_member(running)
    query = 'query ($id: ID!, $all: Boolean!) { member(id: $id, purpose: "order_fulfilment") { phone name @include(if: $all) } }'
    await ask(query, role="order_service", variables={"id": member_id, "all": False})
    await ask(query, role="order_service", variables={"id": member_id, "all": True})
    assert [entry["fld"] for entry in await entries(running, "member")] == [["phone"], ["phone", "name"]]


async def test_twelve_aliases_are_twelve_units_each_with_its_entry(running: Parts, ask: Ask) -> None:
    members = [await a_member(running) for _ in range(3)]
    fields = " ".join(f'a{n}: member(id: "{members[n % 3]}", purpose: "order_fulfilment") {{ id name }}' for n in range(12))
    answer = await ask(f"{{ {fields} }}", role="order_service")
    assert "errors" not in answer
    assert [answer["data"][f"a{n}"]["id"] for n in range(12)] == [members[n % 3] for n in range(12)]
    assert len(await entries(running, "member")) == 12


async def test_every_root_field_is_decided_on_its_own(running: Parts, ask: Ask) -> None:
    member_id = await a_member(running)
    query = f"""{{
      good: member(id: "{member_id}", purpose: "order_fulfilment") {{ phone }}
      bad: member(id: "{member_id}", purpose: "crm_analytics") {{ phone }}
      other: member(id: "{member_id}", purpose: "marketing_sms") {{ phone withheld {{ reason }} }}
    }}"""
    answer = await ask(query, role="order_service")
    assert answer["data"]["good"]["phone"]
    assert answer["data"]["bad"] is None
    assert answer["data"]["other"] == {"phone": None, "withheld": [{"reason": "ROLE_NOT_ALLOWED"}]}
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["bad"], "PURPOSE_UNKNOWN")
    assert sorted(entry["dec"] for entry in await entries(running, "member")) == ["allow", "deny", "deny"]


@pytest.mark.obligation("LB-01")
@pytest.mark.parametrize("purpose", ["crm_analytics", "legitimate_interest"])
async def test_an_undeclared_purpose_is_refused_with_a_request_id_and_no_value(
    running: Parts, client: httpx2.AsyncClient, token: Callable[..., str], purpose: str
) -> None:
    member_id = await a_member(running)
    query = f'{{ member(id: "{member_id}", purpose: "{purpose}") {{ phone }} }}'
    answer = await client.post("/graphql", json={"query": query}, headers={"authorization": f"Bearer {token('marketer')}"})
    assert (answer.status_code, code(answer)) == (200, "PURPOSE_UNKNOWN")
    assert answer.json()["data"] == {"member": None}
    (entry,) = await entries(running, "member")
    assert (entry["dec"], entry["rsn"]) == ("deny", "PURPOSE_UNKNOWN")
    assert entry["req"] == answer.headers["x-request-id"]


@pytest.mark.obligation("SE-05")
async def test_absent_not_permitted_and_ambiguous_look_alike_to_whoever_looks_by_contact(running: Parts, ask: Ask) -> None:
    profile = a_profile()
    await a_member(running, profile)
    query = """query ($phone: String!, $purpose: PurposeKey!) {
      memberByContact(field: "phone", value: $phone, purpose: $purpose) { id name } }"""

    async def look(role: str, purpose: str, phone: object) -> Any:
        return await ask(query, role=role, variables={"phone": phone, "purpose": purpose})

    found = await look("customer_service_agent", "customer_service", profile["phone"])
    assert found["data"]["memberByContact"]["name"]
    absent = await look("customer_service_agent", "customer_service", canary.value("phone"))
    not_permitted = await look("store_clerk", "customer_service", profile["phone"])
    no_consent = await look("marketer", "marketing_sms", profile["phone"])
    assert absent == not_permitted == no_consent == {"data": {"memberByContact": None}}


async def test_a_member_reads_themselves_and_nobody_else(running: Parts, ask: Ask) -> None:
    profile = a_profile(birthday="1990-07-14")
    own, other = await a_member(running, profile), await a_member(running)
    answer = await ask("{ me { id name birthday withheld { field } } }", role="member", member_id=own)
    assert answer["data"]["me"] == {"id": own, "name": profile["name"], "birthday": "1990-07-14", "withheld": []}
    for query in (
        f'{{ member(id: "{other}", purpose: "self_access") {{ name }} }}',
        '{ members(purpose: "self_access") { nodes { id } } }',
        f'{{ consents(memberId: "{other}") {{ purpose }} }}',
        f'{{ consentHistory(memberId: "{other}") {{ id }} }}',
    ):
        refused = await ask(query, role="member", member_id=own)
        assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert set(refused["data"].values()) == {None}


class TestPages:
    """Relay connections with keyset cursors."""

    PAGE = """query ($first: Int, $after: String, $purpose: PurposeKey!) {
      members(purpose: $purpose, first: $first, after: $after) {
        edges { cursor node { id } } nodes { id name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""

    async def page(self, ask: Ask, purpose: str = "order_fulfilment", **variables: Any) -> Any:
        role = {"order_fulfilment": "order_service", "marketing_sms": "marketer"}[purpose]
        return await ask(self.PAGE, role=role, variables={"purpose": purpose, **variables})

    async def test_walking_forward_meets_everybody_once(self, running: Parts, ask: Ask) -> None:
        members = sorted([await a_member(running) for _ in range(5)])
        seen, after = [], None
        for _ in range(3):
            found = (await self.page(ask, first=2, after=after))["data"]["members"]
            seen += [node["id"] for node in found["nodes"]]
            assert [edge["node"]["id"] for edge in found["edges"]] == [node["id"] for node in found["nodes"]]
            assert found["edges"][-1]["cursor"] == found["pageInfo"]["endCursor"]
            after = found["pageInfo"]["endCursor"]
        assert seen == members
        assert found["pageInfo"]["hasNextPage"] is False
        assert found["pageInfo"]["hasPreviousPage"] is False

    async def test_a_cursor_leads_on_from_any_member(self, running: Parts, ask: Ask) -> None:
        members = sorted([await a_member(running) for _ in range(3)])
        found = (await self.page(ask))["data"]["members"]
        after_first = await self.page(ask, after=found["edges"][0]["cursor"])
        assert [node["id"] for node in after_first["data"]["members"]["nodes"]] == members[1:]

    async def test_who_has_not_consented_is_absent(self, running: Parts, ask: Ask) -> None:
        yes = await a_member(running, yes=["marketing_sms"])
        await a_member(running, no=["marketing_sms"])
        found = (await self.page(ask, "marketing_sms"))["data"]["members"]
        assert [node["id"] for node in found["nodes"]] == [yes]

    @pytest.mark.obligation("SE-06")
    @pytest.mark.parametrize("first", [0, -1, 101, 10_000])
    async def test_a_page_that_is_too_large_is_refused_and_never_cut(self, ask: Ask, first: int) -> None:
        answer = await self.page(ask, first=first)
        (error,) = answer["errors"]
        assert error["extensions"]["code"] == "PAGE_SIZE_TOO_LARGE"
        assert "100" in error["message"]
        assert answer["data"] == {"members": None}

    async def test_a_cursor_of_another_list_or_with_a_byte_changed_is_refused(self, running: Parts, ask: Ask) -> None:
        await a_member(running, yes=["marketing_sms"])
        cursor = (await self.page(ask))["data"]["members"]["pageInfo"]["endCursor"]
        changed = cursor[:-3] + ("A" if cursor[-3] != "A" else "B") + cursor[-2:]
        for purpose, after in [
            ("marketing_sms", cursor),
            ("order_fulfilment", changed),
            ("order_fulfilment", ""),
            ("order_fulfilment", "门神"),
            ("order_fulfilment", cursor + "="),
            ("order_fulfilment", "x" * 5000),
        ]:
            answer = await self.page(ask, purpose, after=after)
            assert [error["extensions"]["code"] for error in answer["errors"]] == ["CURSOR_INVALID"]

    async def test_a_purpose_that_the_role_may_not_state_is_an_error_and_not_an_empty_page(self, ask: Ask) -> None:
        answer = await ask(self.PAGE, role="store_clerk", variables={"purpose": "marketing_sms"})
        assert answer["errors"][0]["extensions"]["code"] == "ROLE_NOT_ALLOWED"


class TestRevealing:
    """reveal."""

    REVEAL = """mutation ($id: ID!, $field: FieldKey!, $reason: String!, $purpose: PurposeKey!) {
      reveal(memberId: $id, purpose: $purpose, field: $field, reason: $reason) {
        __typename ... on Revealed { memberId attribute { key text texts masked } } ... on Withheld { field reason } ... on Refusal { code } } }"""

    async def test_a_masked_value_is_shown_whole_for_a_reason(self, running: Parts, ask: Ask, catalogue: Catalogue) -> None:
        profile = a_profile()
        member_id = await a_member(running, profile)
        purpose = catalogue.purposes["customer_service"]
        field = next(key for key in ("phone", "name", "email") if key in purpose.fields and purpose.fields[key].value == "masked")
        seen = await ask(
            f'query ($id: ID!) {{ member(id: $id, purpose: "customer_service") {{ {field} masked }} }}',
            role="customer_service_agent",
            variables={"id": member_id},
        )
        assert seen["data"]["member"]["masked"] == [field]
        assert seen["data"]["member"][field] != profile[field]
        variables = {"id": member_id, "field": field, "purpose": "customer_service", "reason": "会员来电核对"}
        shown = await ask(self.REVEAL, role="customer_service_agent", variables=variables)
        assert shown["data"]["reveal"]["attribute"] == {"key": field, "text": profile[field], "texts": None, "masked": False}
        refused = await ask(self.REVEAL, role="customer_service_agent", variables={**variables, "reason": " "})
        assert refused["errors"][0]["extensions"]["code"] == "REASON_REQUIRED"
        outside = await ask(self.REVEAL, role="customer_service_agent", variables={**variables, "field": "skin_type"})
        assert outside["data"]["reveal"] == {"__typename": "Withheld", "field": "skin_type", "reason": "FIELD_NOT_IN_PURPOSE"}
        nobody = {**variables, "id": "019a0000-0000-7000-8000-000000000001"}
        missing = await ask(self.REVEAL, role="customer_service_agent", variables=nobody)
        assert missing["data"]["reveal"] == {"__typename": "MemberNotFound", "code": "MEMBER_NOT_FOUND"}


async def test_many_front_ends_at_once_get_each_their_own_answer(running: Parts, ask: Ask) -> None:
    profiles = [a_profile() for _ in range(6)]
    members = [await a_member(running, profile) for profile in profiles]
    answers = await asyncio.gather(*(ask(SHIP, role="order_service", variables={"id": members[n % 6]}) for n in range(30)))
    assert [answer["data"]["member"]["name"] for answer in answers] == [profiles[n % 6]["name"] for n in range(30)]
    requests = [entry["req"] for entry in await entries(running, "member")]
    assert len(requests) == len(set(requests)) == 30
