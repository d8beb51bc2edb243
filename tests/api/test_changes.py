"""Joining, updating, answering and taking back through GraphQL, on the real application and both databases."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from policies.terms import Catalogue
from service.app import Parts
from tests.api import minimal
from tests.api.front_end import SHIP, entries, evidence_of
from tests.conftest import StillClock
from tests.factories import a_member, a_profile
from tests.plugins import canary

Ask = Callable[..., Any]


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
            'mutation { withdrawConsent(purpose: "birthday_gift", channel: WEB) { __typename ... on ConsentsRecorded { standings { state } } } }',
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
        await ask(
            'mutation { withdrawConsent(purpose: "marketing_sms", channel: WEB) { __typename } }', role="member", member_id=own
        )
        query = "query ($at: DateTime) { consents(at: $at) { purpose state } }"

        async def state(at: str | None) -> str:
            answer = await ask(query, role="member", member_id=own, variables={"at": at})
            return {item["purpose"]: item["state"] for item in answer["data"]["consents"]}["marketing_sms"]

        assert (await state(before), await state(None)) == ("GIVEN", "WITHDRAWN")

    @pytest.mark.obligation("NC-08")
    async def test_the_history_can_be_checked_by_whoever_reads_it(self, running: Parts, ask: Ask) -> None:
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
          a: withdrawConsent(purpose: "marketing_sms", channel: WEB) { __typename }
          b: withdrawConsent(memberId: "019a0000-0000-7000-8000-000000000001", purpose: "marketing_email", channel: WEB) { __typename }
          c: withdrawConsent(purpose: "marketing_email", channel: WEB) { __typename } }"""
        answer = await ask(query, role="member", member_id=own)
        assert answer["data"] == {"a": {"__typename": "ConsentsRecorded"}, "b": None, "c": {"__typename": "ConsentsRecorded"}}
        assert [(error["path"], error["extensions"]["code"]) for error in answer["errors"]] == [(["b"], "FORBIDDEN")]
        assert [entry["dec"] for entry in await entries(running, "withdrawConsent")] == ["allow", "deny", "allow"]


@pytest.mark.obligation("AL-05")
async def test_an_auditor_changes_nothing_and_sees_no_value(running: Parts, ask: Ask) -> None:
    from schema.root import served

    assert served.mutation_type is not None
    member_id = await a_member(running)
    mutations = served.mutation_type.fields.keys()
    assert {"joinMember", "updateMember", "recordConsents", "withdrawConsent", "withdrawAll", "reveal"} <= mutations
    for name in mutations:
        answer = await ask(f"mutation {{ {minimal.call(name, served.mutation_type, member_id)} }}", role="auditor")
        assert answer["data"] == {name: None}, name
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN", name
    denied = [entry for entry in await entries(running) if entry["act"]["role"] == ["auditor"]]
    assert [entry["dec"] for entry in denied] == ["deny"] * len(mutations)
    read = await ask(SHIP, role="auditor", variables={"id": member_id})
    assert (read["data"]["member"]["phone"], read["data"]["member"]["withheld"][0]["reason"]) == (None, "ROLE_NOT_ALLOWED")
