"""A child under fourteen: nothing is done with them before a guardian has answered, and nobody but the guardian can (PIPL 31)."""

from datetime import UTC, datetime, timedelta

import pytest

from service.members import store as members
from tests.api.front_end import entries
from tests.factories import a_profile
from tests.service.minors.family import (
    CHILD,
    GIFT,
    UPDATE,
    WARD,
    WITHDRAW,
    YOUTH,
    answer,
    code_of,
    end,
    family,
    last,
    link,
    read,
    someone,
    verify,
)

REFUSED = {"GUARDIAN_CONSENT_REQUIRED"}


@pytest.mark.obligation("SM-05")
async def test_a_childs_own_consent_is_none_and_a_service_cannot_give_it_either(running, ask):
    child = await someone(running, CHILD)
    for role in ("member", "mini_program"):
        of = None if role == "member" else child
        told = await answer(running, ask, child, of=of, role=role)
        assert told == {"__typename": "GuardianConsentRequired", "code": "GUARDIAN_CONSENT_REQUIRED"}
    assert (await read(ask, child, GIFT, "mini_program"))[1] == REFUSED


@pytest.mark.obligation("SM-05")
async def test_nothing_of_a_child_is_read_before_the_guardian_has_answered_and_then_what_they_allowed(running, ask):
    child, guardian = await family(running, ask)
    assert (await read(ask, child, "order_fulfilment", "order_service"))[1] == REFUSED
    told = await answer(running, ask, guardian, of=child)
    assert told["standings"][0]["state"] == "GIVEN"
    found, withheld = await read(ask, child, "order_fulfilment", "order_service")
    assert found["phone"] and not withheld
    assert not (await read(ask, child, GIFT, "mini_program"))[1]


@pytest.mark.obligation("SM-05")
async def test_the_ledger_and_the_log_name_the_guardian_who_answered(running, ask):
    child, guardian = await family(running, ask)
    await answer(running, ask, guardian, of=child)
    history = "query ($id: ID) { consentHistory(memberId: $id) { record } }"
    told = await ask(history, role="member", member_id=guardian, variables={"id": child})
    (event,) = told["data"]["consentHistory"]
    assert f'"entityId":"{guardian}"' in event["record"] and '"entityRole":"guardian"' in event["record"]
    receipt = "query ($id: ID!) { consentReceipt(eventId: $id) { __typename } }"
    (standing,) = (await answer(running, ask, guardian, of=child))["standings"]
    for who, seen in ((guardian, True), (child, True), (await someone(running), False)):
        told = await ask(receipt, role="member", member_id=who, variables={"id": standing["eventId"]})
        assert (told["data"]["consentReceipt"] is not None) is seen
    entry = await last(running, "recordConsents")
    row = await members.row(running.database.read, guardian)
    keys = running.vault.member_keys(guardian, row.generation, row.wrapped)
    assert entry["act"]["id"] == running.vault.pseudonym(keys, running.clock()) and entry["sub"] != [entry["act"]["id"]]
    assert entry["x"]["band"] == "child"


@pytest.mark.obligation("SM-05", "SM-06")
async def test_the_guardian_must_have_been_shown_the_rules_for_children(running, ask):
    child, guardian = await family(running, ask)
    told = await answer(running, ask, guardian, of=child, kind="GENERAL")
    assert told["code"] == "NOTICE_NOT_PRESENTED"
    assert (await read(ask, child, "order_fulfilment", "order_service"))[1] == REFUSED


@pytest.mark.obligation("SM-05")
async def test_a_stranger_an_unverified_and_a_former_guardian_are_forbidden_and_recorded(running, ask):
    child, guardian = await family(running, ask)
    stranger, hopeful = await someone(running, "1980-01-01"), await someone(running, "1981-01-01")
    await link(ask, child, hopeful)
    await end(ask, child, guardian)
    for who in (stranger, hopeful, guardian):
        assert await answer(running, ask, who, of=child) == "FORBIDDEN"
        for query in (
            WARD,
            "query ($child: ID) { consents(memberId: $child) { purpose } }",
            "query ($child: ID) { consentHistory(memberId: $child) { id } }",
            "mutation ($child: ID!) { requestForChild(memberId: $child, kind: VIEW) { requestId } }",
            "query ($child: ID) { guardianRequests(memberId: $child) { requestId } }",
        ):
            assert code_of(await ask(query, role="member", member_id=who, variables={"child": child})) == "FORBIDDEN"
        for query in (WITHDRAW, UPDATE):
            given = {"member": child, "changes": {"region": "杭州"}}
            assert code_of(await ask(query, role="member", member_id=who, variables=given)) == "FORBIDDEN"
    forbidden = [entry for entry in await entries(running) if entry.get("rsn") == "FORBIDDEN"]
    assert len(forbidden) == 3 * 8 and all(entry["act"]["id"].startswith("p1:") for entry in forbidden)


async def test_a_guardian_sees_and_corrects_the_child_and_takes_back_what_they_gave(running, ask):
    profile = a_profile(birthday=CHILD)
    child, guardian = await family(running, ask)
    seen = await ask(WARD, role="member", member_id=guardian, variables={"child": child})
    assert seen["data"]["ward"]["birthday"] == CHILD and seen["data"]["ward"]["withheld"] == []
    changed = await ask(
        UPDATE, role="member", member_id=guardian, variables={"member": child, "changes": {"name": profile["name"]}}
    )
    assert changed["data"]["updateMember"]["__typename"] == "MemberUpdated"
    again = await ask(WARD, role="member", member_id=guardian, variables={"child": child})
    assert again["data"]["ward"]["name"] == profile["name"]
    await answer(running, ask, guardian, of=child)
    back = await ask(WITHDRAW, role="member", member_id=guardian, variables={"member": child})
    assert back["data"]["withdrawConsent"]["standings"] == [{"state": "WITHDRAWN"}]


async def test_a_guardian_cannot_make_the_child_older_nor_take_an_identity(running, ask):
    child, guardian = await family(running, ask)
    for changes in ({"birthday": "1990-01-01"}, {"birthday": None}, {"phone": "+8613912345678"}):
        given = {"member": child, "changes": changes}
        told = await ask(UPDATE, role="member", member_id=guardian, variables=given)
        assert told["data"]["updateMember"]["__typename"] == "FieldRejected", changes


@pytest.mark.obligation("SM-05")
async def test_without_a_guardian_the_child_waits_again_and_the_next_one_does_not_revive_old_consents(running, ask):
    child, guardian = await family(running, ask)
    await answer(running, ask, guardian, of=child)
    assert (await end(ask, child, guardian))["state"] == "ENDED"
    assert (await read(ask, child, "order_fulfilment", "order_service"))[1] == REFUSED
    assert await answer(running, ask, child) == {"__typename": "GuardianConsentRequired", "code": "GUARDIAN_CONSENT_REQUIRED"}
    other = await someone(running, "1985-01-01")
    await link(ask, child, other)
    await verify(ask, child, other)
    await answer(running, ask, other, of=child, purpose="marketing_sms", granted=False)
    assert (await read(ask, child, "order_fulfilment", "order_service"))[0]["phone"]
    states = "query ($id: ID) { consents(memberId: $id) { purpose state } }"
    told = await ask(states, role="member", member_id=other, variables={"id": child})
    found = {item["purpose"]: item["state"] for item in told["data"]["consents"]}
    assert (found[GIFT], found["marketing_sms"]) == ("INVALIDATED", "REFUSED")


async def test_of_two_guardians_one_can_go_and_the_child_stays(running, ask):
    child, guardian = await family(running, ask)
    other = await someone(running, "1985-01-01")
    await link(ask, child, other)
    await verify(ask, child, other)
    await answer(running, ask, guardian, of=child)
    await end(ask, child, guardian)
    assert (await read(ask, child, "order_fulfilment", "order_service"))[0]["phone"]


async def test_a_guardian_who_is_erased_leaves_the_child_waiting(running, ask):
    child, guardian = await family(running, ask)
    await answer(running, ask, guardian, of=child)
    from tests.factories import a_call

    assert await running.operations.erase(a_call("compliance_officer"), member_id=guardian)
    assert (await read(ask, child, "order_fulfilment", "order_service"))[1] == REFUSED


async def test_only_an_adult_becomes_a_guardian_and_only_of_a_child(running, ask):
    child, youth, adult = await someone(running, CHILD), await someone(running, YOUTH), await someone(running)
    assert (await link(ask, child, youth))["code"] == "GUARDIAN_UNFIT"
    assert (await link(ask, child, child))["code"] == "GUARDIAN_UNFIT"
    nobody = "019a0000-0000-7000-8000-000000000009"
    for who in (youth, adult, nobody, "x"):
        assert (await link(ask, who, adult))["code"] == "MEMBER_NOT_FOUND", who
    assert (await verify(ask, child, adult))["code"] == "LINK_NOT_FOUND"
    assert (await end(ask, child, adult))["code"] == "LINK_NOT_FOUND"


async def test_a_guardian_cannot_verify_themselves(running, ask):
    child, adult = await someone(running, CHILD), await someone(running)
    await link(ask, child, adult)
    from tests.service.minors.family import VERIFY

    told = await ask(VERIFY, role="member", member_id=adult, variables={"child": child, "guardian": adult})
    assert code_of(told) == "FORBIDDEN"
    assert await answer(running, ask, adult, of=child) == "FORBIDDEN"


@pytest.mark.obligation("SM-08")
async def test_a_child_whose_guardian_refused_everything_optional_uses_the_basic_functions(running, ask):
    child, guardian = await family(running, ask)
    optional = [key for key, purpose in running.catalogue.purposes.items() if purpose.basis.value == "CONSENT"]
    for key in optional:
        told = await answer(running, ask, guardian, of=child, purpose=key, granted=False)
        assert told["standings"][0]["state"] == "REFUSED"
    for purpose, role in (("order_fulfilment", "order_service"), ("account_service", "mini_program")):
        found, withheld = await read(ask, child, purpose, role)
        assert found["name"] and found["phone"] and not withheld
    assert (await ask("{ me { name phone withheld { reason } } }", role="member", member_id=child))["data"]["me"]["phone"]
    for key in optional:
        found, withheld = await read(ask, child, key, sorted(running.catalogue.purposes[key].roles)[0])
        assert (found["phone"], found["name"], found["tier"]) == (None, None, None)


@pytest.mark.obligation("SM-05")
async def test_from_the_fourteenth_birthday_on_their_own_answer_counts_and_the_guardians_no_longer(running, ask, clock):
    """Born on 23 November 2012: fourteen at 00:00 in Shanghai, which is 16:00 in UTC on the 22nd."""
    child, guardian = await family(running, ask, "2012-11-23")
    clock.now = datetime(2026, 11, 22, 16, tzinfo=UTC) - timedelta(microseconds=1)
    assert (await answer(running, ask, child))["code"] == "GUARDIAN_CONSENT_REQUIRED"
    assert (await read(ask, child, "order_fulfilment", "order_service"))[1] == REFUSED
    clock.advance(microseconds=1)
    assert (await read(ask, child, "order_fulfilment", "order_service"))[0]["phone"]
    assert await answer(running, ask, guardian, of=child) == "FORBIDDEN"
    told = await answer(running, ask, child, kind="GENERAL")
    assert told["standings"][0]["state"] == "GIVEN"
    assert (await members.row(running.database.read, child)).status.value == "ACTIVE"
    changed = await ask(UPDATE, role="member", member_id=child, variables={"changes": {"name": a_profile()["name"]}})
    assert changed["data"]["updateMember"]["__typename"] == "MemberUpdated"


@pytest.mark.obligation("SM-05", "SM-06")
async def test_what_there_is_to_answer_for_a_child_is_asked_of_the_guardian_with_the_rules_for_children(running, ask):
    child, guardian = await family(running, ask)
    query = """mutation ($id: ID) {
      consentsToAsk(memberId: $id, purposes: ["birthday_gift"], channel: MINI_PROGRAM, initiator: MEMBER) {
      ... on ConsentQuestions { questions { purpose noticeVersion } notNow { reason } } } }"""

    async def put(who, of):
        return (await ask(query, role="member", member_id=who, variables={"id": of}))["data"]["consentsToAsk"]

    assert (await put(child, None))["notNow"] == [{"reason": "GUARDIAN_CONSENT_REQUIRED"}]
    rules = running.catalogue.notice_in_force(running.clock(), "CHILD").version
    assert (await put(guardian, child))["questions"] == [{"purpose": GIFT, "noticeVersion": rules}]


async def test_what_there_is_to_be_told_of_a_child_is_told_to_the_guardian_and_to_no_stranger(running, ask):
    child, guardian = await family(running, ask)
    stranger = await someone(running)
    query = "query ($id: ID) { pendingNotices(memberId: $id) { version kind } }"
    told = await ask(query, role="member", member_id=guardian, variables={"id": child})
    rules = running.catalogue.notice_in_force(running.clock(), "CHILD").version
    assert (rules, "CHILD") in {(item["version"], item["kind"]) for item in told["data"]["pendingNotices"]}
    assert code_of(await ask(query, role="member", member_id=stranger, variables={"id": child})) == "FORBIDDEN"


@pytest.mark.obligation("SM-05", "SM-06")
async def test_what_is_withheld_of_a_child_names_the_childrens_rules_and_the_guardians_step(running, ask):
    child, guardian = await family(running, ask)
    query = """query ($id: ID!) { member(id: $id, purpose: "birthday_gift") {
      birthday withheld { reason remedy { operation ask notice purpose } } } }"""

    async def remedy():
        found = (await ask(query, role="mini_program", variables={"id": child}))["data"]["member"]
        (withheld,) = found["withheld"]
        return withheld["reason"], withheld["remedy"]

    rules = running.catalogue.notice_in_force(running.clock(), "CHILD").version
    said = {"ask": "consentsToAsk", "notice": rules, "purpose": GIFT}
    assert await remedy() == ("GUARDIAN_CONSENT_REQUIRED", {"operation": "requestGuardianLink", **said})
    await answer(running, ask, guardian, of=child, granted=False)
    assert await remedy() == ("CONSENT_REQUIRED", {"operation": "recordConsents", **said})
