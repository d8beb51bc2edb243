"""Members through GraphQL, on the real application and both databases."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from policies.terms import Catalogue
from service.app import Parts
from service.db.statement import Prepared
from service.db.tables import audit_entry
from tests.api.conftest import code
from tests.conftest import StillClock
from tests.factories import a_member, a_profile
from tests.plugins import canary

Ask = Callable[..., Any]
SHIP = """query Ship($id: ID!) { member(id: $id, purpose: "order_fulfilment") {
  id name phone email birthday withheld { field reason purpose remedy { operation notice } } masked } }"""
ENTRIES = Prepared(select(audit_entry.c.entry).order_by(audit_entry.c.idx))


async def entries(running: Parts, operation: str = "") -> list[dict[str, Any]]:
    """What the audit log says of an operation, or of all of them."""
    rows = await running.database.read.rows(ENTRIES)
    found = [json.loads(raw) for (raw,) in rows]
    return [entry for entry in found if entry.get("op") and operation in {"", entry["op"]}]


def evidence_of(running: Parts, **more: Any) -> dict[str, Any]:
    """The evidence of a front end that did it right."""
    now = running.clock()
    notice = running.catalogue.notice_in_force(now)
    assert notice is not None
    right = {
        "noticeVersion": notice.version,
        "language": "zh-CN",
        "presentedAt": (now - timedelta(seconds=30)).isoformat(),
        "expression": "TAP_UNTICKED_BOX",
        "box": "UNTICKED",
        "screen": "mini/join",
        "channel": "MINI_PROGRAM",
    }
    return right | more


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


class TestJoining:
    """joinMember."""

    JOIN = """mutation ($fields: MemberFieldsInput!, $decisions: [DecisionInput!], $evidence: EvidenceInput, $key: String) {
      joinMember(purpose: "account_service", fields: $fields, decisions: $decisions, evidence: $evidence, idempotencyKey: $key) {
        __typename ... on MemberJoined { memberId status again } ... on Refusal { code message zh }
        ... on NoticeNotPresented { current } ... on NoticeStale { presented current } ... on ContactTaken { field }
        ... on FieldNotInPurpose { purpose fields } ... on FieldRejected { field rule } ... on ConsentRejected { purpose } } }"""

    async def join(self, ask: Ask, running: Parts, **variables: Any) -> Any:
        given = {"fields": {"phone": canary.value("phone")}, "evidence": evidence_of(running), **variables}
        return (await ask(self.JOIN, role="mini_program", variables=given))["data"]["joinMember"]

    @pytest.mark.obligation("LB-03")
    async def test_a_phone_number_is_enough(self, running: Parts, ask: Ask) -> None:
        joined = await self.join(ask, running)
        assert (joined["__typename"], joined["status"], joined["again"]) == ("MemberJoined", "ACTIVE", False)

    @pytest.mark.obligation("NC-04")
    async def test_nothing_is_collected_before_the_notice_was_shown(self, running: Parts, ask: Ask) -> None:
        refused = await self.join(ask, running, evidence=None)
        assert (refused["__typename"], refused["code"]) == ("NoticeNotPresented", "NOTICE_NOT_PRESENTED")
        assert refused["current"] == evidence_of(running)["noticeVersion"]
        assert refused["message"]
        assert refused["zh"]

    @pytest.mark.obligation("NC-05")
    async def test_a_box_that_was_ticked_beforehand_proves_nothing(self, running: Parts, ask: Ask) -> None:
        refused = await self.join(
            ask,
            running,
            decisions=[{"purpose": "marketing_sms", "granted": True}],
            evidence=evidence_of(running, box="TICKED"),
        )
        assert (refused["__typename"], refused["code"]) == ("ConsentRejected", "PRETICKED")

    @pytest.mark.obligation("LB-02")
    async def test_a_field_outside_the_purpose_is_refused_by_name_and_nothing_is_stored(
        self, running: Parts, ask: Ask, catalogue: Catalogue
    ) -> None:
        outside = next(
            key for key in ("skin_type", "notes", "interests") if key not in catalogue.purposes["account_service"].fields
        )
        fields = {"phone": canary.value("phone"), "attributes": [{"key": outside, "text": canary.value("address")}]}
        refused = await self.join(ask, running, fields=fields)
        assert refused["__typename"] == "FieldNotInPurpose"
        assert refused["fields"] == [outside]
        again = await self.join(ask, running, fields={"phone": fields["phone"]})
        assert again["__typename"] == "MemberJoined"

    async def test_somebody_elses_phone_is_taken_and_not_repeated(self, running: Parts, ask: Ask) -> None:
        profile = a_profile()
        await a_member(running, profile)
        refused = await self.join(ask, running, fields={"phone": profile["phone"]})
        assert (refused["__typename"], refused["field"]) == ("ContactTaken", "phone")
        assert str(profile["phone"]) not in json.dumps(refused)

    async def test_the_same_key_joins_once(self, running: Parts, ask: Ask) -> None:
        fields = {"phone": canary.value("phone")}
        first = await self.join(ask, running, fields=fields, key="k-1")
        second = await self.join(ask, running, fields=fields, key="k-1")
        assert (second["memberId"], second["again"]) == (first["memberId"], True)
        other = {"fields": {"phone": canary.value("phone")}, "evidence": evidence_of(running), "key": "k-1"}
        answer = await ask(self.JOIN, role="mini_program", variables=other)
        assert answer["errors"][0]["extensions"]["code"] == "CONFLICT"
        assert answer["data"] == {"joinMember": None}

    async def test_a_member_under_fourteen_waits_for_a_guardian(self, running: Parts, ask: Ask, clock: StillClock) -> None:
        young = (clock() - timedelta(days=13 * 365)).date().isoformat()
        joined = await self.join(ask, running, fields={"phone": canary.value("phone"), "birthday": young})
        assert joined["status"] == "GUARDIAN_PENDING"

    async def test_a_field_that_is_given_twice_is_refused(self, running: Parts, ask: Ask) -> None:
        fields = {"phone": canary.value("phone"), "attributes": [{"key": "phone", "text": canary.value("phone")}]}
        answer = await ask(self.JOIN, role="mini_program", variables={"fields": fields, "evidence": evidence_of(running)})
        assert answer["errors"][0]["extensions"]["code"] == "BAD_INPUT"


class TestUpdating:
    """updateMember."""

    UPDATE = """mutation ($id: ID, $changes: MemberFieldsInput!) {
      updateMember(memberId: $id, purpose: "self_access", changes: $changes) {
        __typename ... on MemberUpdated { memberId fields } ... on Refusal { code } ... on FieldRejected { field rule } } }"""

    async def test_a_value_is_changed_another_removed_and_the_rest_left_alone(self, running: Parts, ask: Ask) -> None:
        profile = a_profile(birthday="1990-07-14")
        own = await a_member(running, profile)
        changes = {"name": canary.value("name"), "email": None}
        done = await ask(self.UPDATE, role="member", member_id=own, variables={"changes": changes})
        assert done["data"]["updateMember"] == {"__typename": "MemberUpdated", "memberId": own, "fields": ["email", "name"]}
        seen = await ask("{ me { name email birthday phone } }", role="member", member_id=own)
        assert seen["data"]["me"] == {"name": changes["name"], "email": None, "birthday": "1990-07-14", "phone": profile["phone"]}

    async def test_a_value_that_breaks_its_rule_is_rejected_without_being_repeated(self, running: Parts, ask: Ask) -> None:
        own = await a_member(running)
        value = canary.value("address") * 40
        done = await ask(self.UPDATE, role="member", member_id=own, variables={"changes": {"address": value}})
        assert done["data"]["updateMember"]["__typename"] == "FieldRejected"
        assert value not in json.dumps(done, ensure_ascii=False)


class TestConsents:
    """recordConsents, withdrawConsent, consents, consentHistory."""

    RECORD = """mutation ($decisions: [DecisionInput!]!, $evidence: EvidenceInput) {
      recordConsents(decisions: $decisions, evidence: $evidence) {
        __typename ... on ConsentsRecorded { standings { purpose state since expiresAt noticeVersion eventId } } ... on Refusal { code } } }"""
    READ = """query ($id: ID!) { member(id: $id, purpose: "birthday_gift") {
      birthday withheld { field reason remedy { operation notice } } } }"""

    @pytest.mark.obligation("WD-01")
    async def test_consent_read_withdraw_withheld(self, running: Parts, ask: Ask) -> None:
        member_id = await a_member(running, a_profile(birthday="1990-07-14"))

        async def read() -> Any:
            return (await ask(self.READ, role="marketer", variables={"id": member_id}))["data"]["member"]

        notice = evidence_of(running)["noticeVersion"]
        remedy = {"operation": "recordConsents", "notice": notice}
        assert (await read())["withheld"] == [{"field": "birthday", "reason": "CONSENT_REQUIRED", "remedy": remedy}]
        variables = {"decisions": [{"purpose": "birthday_gift", "granted": True}], "evidence": evidence_of(running)}
        said = await ask(self.RECORD, role="member", member_id=member_id, variables=variables)
        (standing,) = said["data"]["recordConsents"]["standings"]
        assert (standing["purpose"], standing["state"], standing["noticeVersion"]) == ("birthday_gift", "GIVEN", notice)
        assert (await read()) == {"birthday": "1990-07-14", "withheld": []}
        back = await ask(
            'mutation { withdrawConsent(purpose: "birthday_gift") { __typename ... on ConsentsRecorded { standings { state } } } }',
            role="member",
            member_id=member_id,
        )
        assert back["data"]["withdrawConsent"]["standings"] == [{"state": "WITHDRAWN"}]
        assert (await read())["withheld"] == [{"field": "birthday", "reason": "CONSENT_WITHDRAWN", "remedy": remedy}]

    @pytest.mark.obligation("NC-06")
    async def test_what_was_not_answered_is_not_consented(self, running: Parts, ask: Ask, catalogue: Catalogue) -> None:
        own = await a_member(running, yes=["marketing_sms"], no=["marketing_email"])
        answer = await ask("{ consents { purpose state since eventId } }", role="member", member_id=own)
        states = {standing["purpose"]: standing["state"] for standing in answer["data"]["consents"]}
        assert states.pop("marketing_sms") == "GIVEN"
        assert states.pop("marketing_email") == "REFUSED"
        assert set(states.values()) == {"NEVER_ASKED"}
        assert len(states) + 2 == len([p for p in catalogue.purposes.values() if p.basis.value == "CONSENT"])

    @pytest.mark.obligation("WD-02")
    async def test_the_past_can_be_asked_for(self, running: Parts, ask: Ask, clock: StillClock) -> None:
        own = await a_member(running, yes=["marketing_sms"])
        before = clock().isoformat()
        clock.advance(days=2)
        await ask('mutation { withdrawConsent(purpose: "marketing_sms") { __typename } }', role="member", member_id=own)
        query = "query ($at: DateTime) { consents(at: $at) { purpose state } }"

        async def state(at: str | None) -> str:
            answer = await ask(query, role="member", member_id=own, variables={"at": at})
            return {item["purpose"]: item["state"] for item in answer["data"]["consents"]}["marketing_sms"]

        assert (await state(before), await state(None)) == ("GIVEN", "WITHDRAWN")

    @pytest.mark.obligation("NC-08")
    async def test_the_history_can_be_checked_by_whoever_reads_it(self, running: Parts, ask: Ask) -> None:
        import hashlib

        own = await a_member(running, yes=["marketing_sms"])
        await ask(
            'mutation { withdrawConsent(purpose: "marketing_sms", channel: STORE) { __typename } }', role="member", member_id=own
        )
        answer = await ask(
            "{ consentHistory { id purpose state recordedAt record previousHash hash } }", role="member", member_id=own
        )
        first, second = answer["data"]["consentHistory"]
        for event in (first, second):
            assert hashlib.sha256(b"menshen/consent-event/v1\0" + event["record"].encode()).hexdigest() == event["hash"]
            assert json.loads(event["record"])["recordId"] == event["id"]
        assert (first["state"], second["state"]) == ("GIVEN", "WITHDRAWN")
        assert (first["previousHash"], second["previousHash"]) == ("0" * 64, first["hash"])
        assert json.loads(second["record"])["eventState"] == "WITHDRAWN"

    async def test_several_mutations_are_units_of_their_own_in_their_order(self, running: Parts, ask: Ask) -> None:
        own = await a_member(running, yes=["marketing_sms", "marketing_email"])
        query = """mutation {
          a: withdrawConsent(purpose: "marketing_sms") { __typename }
          b: withdrawConsent(memberId: "019a0000-0000-7000-8000-000000000001", purpose: "marketing_email") { __typename }
          c: withdrawConsent(purpose: "marketing_email") { __typename } }"""
        answer = await ask(query, role="member", member_id=own)
        assert answer["data"] == {"a": {"__typename": "ConsentsRecorded"}, "b": None, "c": {"__typename": "ConsentsRecorded"}}
        assert [(error["path"], error["extensions"]["code"]) for error in answer["errors"]] == [(["b"], "FORBIDDEN")]
        assert [entry["dec"] for entry in await entries(running, "withdrawConsent")] == ["allow", "deny", "allow"]


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


@pytest.mark.obligation("AL-05")
async def test_an_auditor_changes_nothing_and_sees_no_value(running: Parts, ask: Ask) -> None:
    member_id = await a_member(running)
    variables = {"id": member_id, "evidence": evidence_of(running)}
    mutations = {
        "joinMember": 'joinMember(purpose: "account_service", fields: { phone: "1" }, evidence: $evidence) { __typename }',
        "updateMember": 'updateMember(memberId: $id, purpose: "account_service", changes: { region: "x" }) { __typename }',
        "recordConsents": 'recordConsents(memberId: $id, decisions: [{ purpose: "marketing_sms", granted: true }], evidence: $evidence) { __typename }',
        "withdrawConsent": 'withdrawConsent(memberId: $id, purpose: "marketing_sms") { __typename }',
        "reveal": 'reveal(memberId: $id, purpose: "customer_service", field: "phone", reason: "audit") { __typename }',
    }
    from schema.root import schema

    assert schema._schema.mutation_type is not None
    assert mutations.keys() == schema._schema.mutation_type.fields.keys()
    for name, call in mutations.items():
        types = {"$id": "$id: ID!", "$evidence": "$evidence: EvidenceInput!"}
        used = {key: text for key, text in types.items() if key in call}
        answer = await ask(
            f"mutation ({', '.join(used.values())}) {{ {call} }}",
            role="auditor",
            variables={key[1:]: variables[key[1:]] for key in used},
        )
        assert answer["data"] == {name: None}
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    denied = [entry for entry in await entries(running) if entry["act"]["role"] == ["auditor"]]
    assert [entry["dec"] for entry in denied] == ["deny"] * 5
    read = await ask(SHIP, role="auditor", variables={"id": member_id})
    assert (read["data"]["member"]["phone"], read["data"]["member"]["withheld"][0]["reason"]) == (None, "ROLE_NOT_ALLOWED")


class TestWithoutToken:
    """What anybody may read."""

    @pytest.mark.obligation("LB-06")
    async def test_the_rules_are_public_and_are_those_that_decide(self, ask: Ask, catalogue: Catalogue) -> None:
        answer = await ask("""{ processingRules { digest controller { legalName { zh en } contactEmail responsiblePerson storageLocation { zh } }
          purposes { key basis purposeClass title { zh en } method { zh } categories { zh } retentionMonths consentMonths separateConsent
            automatedDecision channel noticeSection recipients { name { zh } role contact region }
            fields { key shape sensitivity retentionMonths category title { zh } } } } }""")
        rules = answer["data"]["processingRules"]
        assert rules["digest"] == catalogue.digest
        assert rules["controller"]["legalName"]["zh"] == catalogue.controller.legal_name.zh
        assert [purpose["key"] for purpose in rules["purposes"]] == list(catalogue.purposes)
        for told, meant in zip(rules["purposes"], catalogue.purposes.values(), strict=True):
            assert told["basis"] == meant.basis.value
            assert {field["key"]: field["shape"].lower() for field in told["fields"]} == {
                k: s.value for k, s in meant.fields.items()
            }
            assert told["method"]["zh"]
            assert told["categories"] or not meant.fields
            assert len(told["recipients"]) == len(meant.recipients)

    async def test_the_notice_in_force_can_be_read_and_checked(self, ask: Ask, running: Parts, clock: StillClock) -> None:
        import hashlib

        answer = await ask("{ notice { version language languages effectiveAt text digest sections } }")
        notice = answer["data"]["notice"]
        meant = running.catalogue.notice_in_force(clock())
        assert meant is not None
        assert (notice["version"], notice["language"]) == (meant.version, "zh-CN")
        assert hashlib.sha256(notice["text"].encode()).hexdigest() == notice["digest"] == meant.digests["zh-CN"]
        assert notice["effectiveAt"].endswith("Z")

    @pytest.mark.parametrize("arguments", ['(version: "1999-01")', '(language: "tlh")', '(version: "../../etc/passwd")'])
    async def test_a_notice_that_is_not_there_is_null(self, ask: Ask, arguments: str) -> None:
        assert await ask(f"{{ notice{arguments} {{ text }} }}") == {"data": {"notice": None}}

    async def test_null_arguments_are_those_left_out(self, ask: Ask) -> None:
        query = "query ($v: String, $l: String) { notice(version: $v, language: $l) { language } }"
        assert (await ask(query, variables={"v": None, "l": None}))["data"]["notice"] == {"language": "zh-CN"}


async def test_many_front_ends_at_once_get_each_their_own_answer(running: Parts, ask: Ask) -> None:
    profiles = [a_profile() for _ in range(6)]
    members = [await a_member(running, profile) for profile in profiles]
    answers = await asyncio.gather(*(ask(SHIP, role="order_service", variables={"id": members[n % 6]}) for n in range(30)))
    assert [answer["data"]["member"]["name"] for answer in answers] == [profiles[n % 6]["name"] for n in range(30)]
    requests = [entry["req"] for entry in await entries(running, "member")]
    assert len(requests) == len(set(requests)) == 30
