"""Exceptions from telling are explicit: granted by compliance, for a time, and whoever was not told is told before they end."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from service.app import Parts
from service.members import store as members
from service.notices import store
from tests.conftest import StillClock
from tests.factories import a_call
from tests.plugins import canary

Ask = Callable[..., Any]
REASON = "台风救援期间先行登记"
GRANT = """mutation ($g: ExemptionGround!, $r: String!, $e: DateTime!) { grantNoticeExemption(ground: $g, reason: $r, expiresAt: $e) {
  __typename ... on NoticeExemption { id ground reason approver createdAt expiresAt closedAt membersToInform } ... on Refusal { code zh } } }"""
CLOSE = """mutation ($x: ID!) { closeNoticeExemption(exemption: $x) {
  __typename ... on NoticeExemption { closedAt membersToInform } ... on InformMembersFirst { code count zh } ... on Refusal { code } } }"""
JOIN = """mutation ($f: MemberFieldsInput!, $x: ID, $d: [DecisionInput!], $k: String) {
  joinMember(purpose: "account_service", fields: $f, exemption: $x, decisions: $d, idempotencyKey: $k) {
    __typename ... on MemberJoined { memberId again } ... on Refusal { code } } }"""
INFORM = """mutation ($m: ID!) { markInformed(memberId: $m, version: "2026-10", channel: SMS) {
  __typename ... on NoticeAcknowledged { again } ... on Refusal { code } } }"""
READ = """mutation { acknowledgeNotice(version: "2026-10", channel: MINI_PROGRAM) { __typename } }"""
LIST = "{ noticeExemptions { id ground membersToInform closedAt } }"
WAITING = "query ($x: ID!) { membersToInform(exemption: $x) }"


@pytest.fixture
def grant(ask: Ask, clock: StillClock) -> Callable[..., Any]:
    """An exemption, by compliance."""

    async def run(ground: str = "EMERGENCY", *, role: str = "compliance_officer", days: float = 7, reason: str = REASON) -> Any:
        until = (clock() + timedelta(days=days)).isoformat()
        answer = await ask(GRANT, role=role, variables={"g": ground, "r": reason, "e": until})
        return answer["errors"][0]["extensions"] if "errors" in answer else answer["data"]["grantNoticeExemption"]

    return run


@pytest.fixture
def join(ask: Ask) -> Callable[..., Any]:
    """Somebody without evidence, under an exemption."""

    async def run(exemption: str | None, **more: object) -> Any:
        given = {"f": {"phone": canary.value("phone")}, "x": exemption, **more}
        return (await ask(JOIN, role="mini_program", variables=given))["data"]["joinMember"]

    return run


@pytest.fixture
def close(ask: Ask) -> Callable[..., Any]:
    """Try to end it."""

    async def run(exemption: str) -> Any:
        return (await ask(CLOSE, role="compliance_officer", variables={"x": exemption}))["data"]["closeNoticeExemption"]

    return run


@pytest.mark.obligation("NC-13")
async def test_an_emergency_is_not_closed_while_somebody_is_still_to_be_informed(
    ask: Ask, grant: Any, join: Any, close: Any
) -> None:
    exemption = await grant()
    assert (exemption["ground"], exemption["reason"], exemption["approver"]) == (
        "EMERGENCY",
        REASON,
        "compliance_officer@development",
    )
    first, second = await join(exemption["id"]), await join(exemption["id"])
    waiting = await ask(WAITING, role="compliance_officer", variables={"x": exemption["id"]})
    assert waiting["data"]["membersToInform"] == sorted([first["memberId"], second["memberId"]])
    refused = await close(exemption["id"])
    assert (refused["code"], refused["count"]) == ("INFORM_MEMBERS_FIRST", 2)

    await ask(READ, role="member", member_id=first["memberId"])
    assert (await close(exemption["id"]))["count"] == 1
    listed = (await ask(LIST, role="compliance_officer"))["data"]["noticeExemptions"]
    assert listed == [{"id": exemption["id"], "ground": "EMERGENCY", "membersToInform": 1, "closedAt": None}]

    await ask(INFORM, role="mini_program", variables={"m": second["memberId"]})
    assert (await close(exemption["id"]))["closedAt"] is not None
    assert (await close(exemption["id"]))["__typename"] == "NoticeExemption"
    assert (await join(exemption["id"]))["code"] == "NOTICE_NOT_PRESENTED"


@pytest.mark.obligation("NC-13")
async def test_whoever_was_admitted_in_an_emergency_is_still_to_be_told_everything(ask: Ask, grant: Any, join: Any) -> None:
    member_id = (await join((await grant())["id"]))["memberId"]
    answer = await ask("{ pendingNotices { version known changes { section } } }", role="member", member_id=member_id)

    (told,) = answer["data"]["pendingNotices"]
    assert (told["version"], told["known"]) == ("2026-10", None)
    assert len(told["changes"]) > 30


@pytest.mark.obligation("NC-13", "NC-04")
@pytest.mark.parametrize("how", ["none", "unknown", "no id", "expired", "secrecy", "with a yes"])
async def test_nobody_is_admitted_untold_without_an_emergency_that_holds(
    running: Parts, grant: Any, join: Any, clock: StillClock, how: str
) -> None:
    exemption: str | None = (await grant("SECRECY_BY_LAW" if how == "secrecy" else "EMERGENCY"))["id"]
    given: dict[str, object] = {"d": [{"purpose": "birthday_gift", "granted": True}]} if how == "with a yes" else {}
    if how == "expired":
        clock.advance(days=7)
    named = {"none": None, "unknown": "019a0000-0000-7000-8000-000000000000", "no id": "x\0y"}.get(how, exemption)

    assert (await join(named, **given))["code"] == "NOTICE_NOT_PRESENTED"
    assert await members.count(running.database.read) == 0


async def test_a_retry_under_an_exemption_admits_nobody_twice(running: Parts, ask: Ask, grant: Any) -> None:
    given = {"f": {"phone": canary.value("phone")}, "x": (await grant())["id"], "k": "once"}
    first = (await ask(JOIN, role="mini_program", variables=given))["data"]["joinMember"]
    again = (await ask(JOIN, role="mini_program", variables=given))["data"]["joinMember"]

    assert (first["memberId"], first["again"], again["again"]) == (again["memberId"], False, True)
    assert await members.count(running.database.read) == 1


@pytest.mark.obligation("NC-13")
@pytest.mark.parametrize("role", ["marketer", "mini_program", "auditor", "customer_service_agent", "store_clerk"])
async def test_only_compliance_grants_closes_and_sees_exemptions(ask: Ask, grant: Any, role: str) -> None:
    exemption = (await grant())["id"]
    assert (await grant(role=role))["code"] == "FORBIDDEN"
    for query in (CLOSE, WAITING):
        assert (await ask(query, role=role, variables={"x": exemption}))["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (await ask(LIST, role=role))["errors"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize(
    ("ground", "days", "reason", "code"),
    [
        ("EMERGENCY", -1, REASON, "EXPIRY_PAST"),
        ("EMERGENCY", 0, REASON, "EXPIRY_PAST"),
        ("EMERGENCY", 30.1, REASON, "EXPIRY_TOO_LATE"),
        ("SECRECY_BY_LAW", 367, REASON, "EXPIRY_TOO_LATE"),
        ("EMERGENCY", 7, "  急 ", "REASON_REQUIRED"),
        ("EMERGENCY", 7, "急" * 501, "BAD_INPUT"),
    ],
)
async def test_an_exemption_has_an_end_and_a_reason(grant: Any, ground: str, days: float, reason: str, code: str) -> None:
    assert (await grant(ground, days=days, reason=reason))["code"] == code


async def test_a_reason_holds_nobodys_data(grant: Any) -> None:
    assert (await grant(reason=f"登记 {canary.value('phone')}"))["code"] == "BAD_INPUT"


async def test_members_and_staff_do_not_inform_by_saying_so(ask: Ask, grant: Any, join: Any) -> None:
    member_id = (await join((await grant())["id"]))["memberId"]
    for role, as_member in (("member", member_id), ("customer_service_agent", None)):
        answer = await ask(INFORM, role=role, member_id=as_member, variables={"m": member_id})
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_an_erased_member_keeps_no_exemption_open(running: Parts, grant: Any, join: Any, close: Any) -> None:
    exemption = await grant()
    member_id = (await join(exemption["id"]))["memberId"]
    await running.operations.erase(a_call("compliance_officer"), member_id=member_id)

    assert (await close(exemption["id"]))["__typename"] == "NoticeExemption"


async def test_whoever_is_admitted_while_it_is_being_closed_is_not_forgotten(
    running: Parts, grant: Any, join: Any, close: Any
) -> None:
    for _ in range(5):
        exemption = (await grant())["id"]
        joined, closed = await asyncio.gather(join(exemption), close(exemption))
        admitted = joined["__typename"] == "MemberJoined"
        owed = await store.owed(running.database.read, exemption)

        assert owed == int(admitted)
        assert (closed["__typename"] == "InformMembersFirst") is admitted
