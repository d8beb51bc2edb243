"""Changed notices are told: only what changed, to whoever has not been told, and the reading is recorded."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.app import Parts
from service.config import Config
from service.notices import store
from tests.conftest import StillClock
from tests.counted import Counted
from tests.factories import a_call, a_member, a_profile
from tests.plugins import canary
from tests.policy_folder import draft, edit, publish, shipped

Ask = Callable[..., Any]
SECOND, THIRD = "2026-12", "2027-01"
PENDING = """query ($m: ID, $p: PurposeKey, $l: String = "zh-CN") { pendingNotices(memberId: $m, purpose: $p, language: $l) {
  version kind language known permalink digest changes { section text } } }"""
READ = """mutation ($v: String!, $l: String = "zh-CN", $m: ID) {
  acknowledgeNotice(version: $v, language: $l, channel: MINI_PROGRAM, memberId: $m) {
    __typename ... on NoticeAcknowledged { version kind language toldAt again } ... on Refusal { code zh } } }"""
COUNT = "query ($v: String!) { untoldCount(version: $v) }"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped policy with two notices to come: December changes the phone number, January what happens at expiry."""
    folder = shipped(tmp_path)
    _next(
        folder, SECOND, "2026-10", "2026-12-01T00:00:00+08:00", ("400-000-0000", "400-000-0001"), ("400-000-0000", "400-000-0001")
    )
    zh, en = (
        ("到期后我们删除信息", "到期后我们当天删除信息"),
        ("We delete the data and destroy", "On that day we delete the data and destroy"),
    )
    _next(folder, THIRD, SECOND, "2027-01-01T00:00:00+08:00", zh, en)
    return folder


def _next(folder: Path, version: str, old: str, at: str, zh: tuple[str, str], en: tuple[str, str]) -> None:
    draft(folder, version, effective_at=at, supersedes=old)
    edit(folder, f"notices/{version}/zh-CN.md", *zh)
    edit(folder, f"notices/{version}/en.md", *en)
    publish(folder, version, effective_at=at)


@pytest.fixture
def config(database_url: str, tmp_path: Path, folder: Path) -> Config:
    """An instance with this policy."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return Config(home=home, database_url=database_url, policies=folder, public_url="https://members.example.com/")


@pytest.fixture
def pending(ask: Ask) -> Callable[..., Any]:
    """What the member is still to be told."""

    async def run(member_id: str, **variables: object) -> list[dict[str, Any]]:
        answer = await ask(PENDING, role="member", member_id=member_id, variables=variables)
        found: list[dict[str, Any]] = answer["data"]["pendingNotices"]
        return found

    return run


@pytest.mark.obligation("NC-10")
async def test_a_member_who_opens_the_app_is_told_only_what_changed_and_reading_it_is_recorded(
    running: Parts, ask: Ask, pending: Callable[..., Any], clock: StillClock
) -> None:
    member_id = await a_member(running)
    assert await pending(member_id) == []
    clock.advance(days=10)

    (told,) = await pending(member_id)
    assert (told["version"], told["known"], told["kind"]) == (SECOND, "2026-10", "GENERAL")
    assert [change["section"] for change in told["changes"]] == ["contact"]
    assert "400-000-0001" in told["changes"][0]["text"]
    assert told["permalink"] == "https://members.example.com/notices/2026-12/zh-CN.md"
    assert told["digest"] == running.catalogue.notices[SECOND].digests["zh-CN"]

    read = await ask(READ, role="member", member_id=member_id, variables={"v": SECOND})
    assert read["data"]["acknowledgeNotice"]["toldAt"] == "2026-12-02T02:00:00Z"
    assert await pending(member_id) == []
    (row,) = [fact for fact in await store.told(running.database.read, member_id) if fact.version == SECOND]
    assert (row.kind, row.language, row.told_at) == ("GENERAL", "zh-CN", clock())


@pytest.mark.obligation("NC-10")
async def test_over_two_versions_a_member_is_told_once_of_everything_that_changed(
    running: Parts, pending: Callable[..., Any], clock: StillClock
) -> None:
    member_id = await a_member(running)
    clock.advance(days=50)

    (told,) = await pending(member_id, l="en")
    assert (told["version"], told["known"], told["language"]) == (THIRD, "2026-10", "en")
    assert [change["section"] for change in told["changes"]] == ["contact", "expiry"]
    assert "On that day" in told["changes"][1]["text"]


async def test_a_language_that_there_is_not_is_told_in_chinese(
    running: Parts, pending: Callable[..., Any], clock: StillClock
) -> None:
    member_id = await a_member(running)
    clock.advance(days=10)

    (told,) = await pending(member_id, l="tlh")
    assert (told["language"], told["permalink"][-8:]) == ("zh-CN", "zh-CN.md")


@pytest.mark.obligation("NC-10")
async def test_whoever_was_shown_the_notice_with_a_question_has_been_told(
    running: Parts, ask: Ask, pending: Callable[..., Any], clock: StillClock
) -> None:
    member_id = await a_member(running)
    clock.advance(days=10)
    answer = await ask(
        """mutation ($e: EvidenceInput) { recordConsents(decisions: [{purpose: "birthday_gift", granted: false}], evidence: $e) {
             __typename } }""",
        role="member",
        member_id=member_id,
        variables={
            "e": {
                "noticeVersion": SECOND,
                "language": "zh-CN",
                "presentedAt": clock().isoformat(),
                "expression": "BUTTON",
                "screen": "mini/consent",
                "channel": "MINI_PROGRAM",
            }
        },
    )

    assert answer["data"]["recordConsents"]["__typename"] == "ConsentsRecorded"
    assert await pending(member_id) == []


async def test_nothing_is_written_when_a_notice_comes_into_force(
    running: Parts, pending: Callable[..., Any], clock: StillClock
) -> None:
    ids = [await a_member(running) for _ in range(3)]
    before = [await store.told(running.database.read, member_id) for member_id in ids]
    clock.advance(days=50)

    assert [len(await pending(member_id)) for member_id in ids] == [1, 1, 1]
    assert [await store.told(running.database.read, member_id) for member_id in ids] == before


@pytest.mark.obligation("SM-06")
async def test_of_a_child_the_guardian_is_still_to_be_told_the_childrens_rules(
    running: Parts, ask: Ask, pending: Callable[..., Any]
) -> None:
    child = await a_member(running, {"phone": canary.value("phone"), "birthday": "2016-05-01"})

    (told,) = await pending(child)
    assert (told["version"], told["kind"], told["known"]) == ("2026-10-child", "CHILD", None)
    assert {"guardian", "officer", "refusal"} <= {change["section"] for change in told["changes"]}
    await ask(READ, role="mini_program", variables={"v": "2026-10-child", "m": child})
    assert await pending(child) == []


async def test_reading_twice_is_recorded_once(running: Parts, ask: Ask, clock: StillClock) -> None:
    member_id = await a_member(running)
    clock.advance(days=10)
    first = (await ask(READ, role="member", member_id=member_id, variables={"v": SECOND}))["data"]["acknowledgeNotice"]
    clock.advance(days=1)
    again = (await ask(READ, role="member", member_id=member_id, variables={"v": SECOND}))["data"]["acknowledgeNotice"]

    assert (first["again"], again["again"], again["toldAt"]) == (False, True, first["toldAt"])
    assert len(await store.told(running.database.read, member_id)) == 2


async def test_who_has_read_the_notice_to_come_is_not_told_again_when_it_comes(
    running: Parts, ask: Ask, pending: Callable[..., Any], clock: StillClock
) -> None:
    member_id = await a_member(running)
    await ask(READ, role="member", member_id=member_id, variables={"v": SECOND})
    clock.advance(days=10)

    assert await pending(member_id) == []


@pytest.mark.parametrize(
    ("version", "language", "code"),
    [("2020-01", "zh-CN", "NOTICE_UNKNOWN"), (SECOND, "tlh", "LANGUAGE_UNKNOWN"), ("2026-10", "zh-CN", "NOTICE_SUPERSEDED")],
)
async def test_what_informs_nobody_is_not_recorded(
    running: Parts, ask: Ask, clock: StillClock, version: str, language: str, code: str
) -> None:
    member_id = await a_member(running)
    clock.advance(days=10)
    answer = await ask(READ, role="member", member_id=member_id, variables={"v": version, "l": language})

    assert answer["data"]["acknowledgeNotice"]["code"] == code
    assert [fact.version for fact in await store.told(running.database.read, member_id)] == ["2026-10"]


async def test_a_member_reads_for_nobody_else(running: Parts, ask: Ask) -> None:
    mine, other = await a_member(running), await a_member(running)
    answer = await ask(READ, role="member", member_id=mine, variables={"v": SECOND, "m": other})
    looked = await ask(PENDING, role="member", member_id=mine, variables={"m": other})
    unstated = await ask(PENDING, role="mini_program", variables={"m": other})
    nobody = await ask(READ, role="mini_program", variables={"v": SECOND, "m": "1' OR 1=1"})

    assert answer["errors"][0]["extensions"]["code"] == looked["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert unstated["errors"][0]["extensions"]["code"] == "PURPOSE_UNKNOWN"
    assert nobody["data"]["acknowledgeNotice"]["code"] == "MEMBER_NOT_FOUND"
    assert (await ask(PENDING, role="mini_program", variables={"m": other, "p": "account_service"}))["data"] == {
        "pendingNotices": []
    }


@pytest.mark.obligation("NC-10")
async def test_compliance_sees_how_many_were_not_told_in_one_statement(running: Parts, ask: Ask, clock: StillClock) -> None:
    ids = [await a_member(running) for _ in range(4)]
    await running.operations.erase(a_call("compliance_officer"), member_id=ids[3])
    clock.advance(days=50)
    await ask(READ, role="member", member_id=ids[0], variables={"v": THIRD})
    counted = Counted(running.database)
    running.units.database = counted  # type: ignore[assignment]

    async def count(version: str) -> int | None:
        return (await ask(COUNT, role="compliance_officer", variables={"v": version}))["data"]["untoldCount"]

    assert (await count("2026-10"), await count(SECOND), await count(THIRD)) == (0, 2, 2)
    assert counted.statements == 3


async def test_of_the_childrens_rules_only_children_count(running: Parts, ask: Ask) -> None:
    await a_member(running, a_profile(birthday="1990-05-01"))
    child = await a_member(running, {"phone": canary.value("phone"), "birthday": "2016-05-01"})

    async def count() -> int | None:
        return (await ask(COUNT, role="compliance_officer", variables={"v": "2026-10-child"}))["data"]["untoldCount"]

    assert await count() == 1
    await ask(READ, role="mini_program", variables={"v": "2026-10-child", "m": child})
    assert await count() == 0


@pytest.mark.parametrize("role", ["marketer", "mini_program", "auditor", "customer_service_agent"])
async def test_only_compliance_counts(ask: Ask, role: str) -> None:
    answer = await ask(COUNT, role=role, variables={"v": SECOND})
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_version_that_is_not_published_cannot_be_counted(ask: Ask) -> None:
    answer = await ask(COUNT, role="compliance_officer", variables={"v": "1999-01"})
    assert answer["errors"][0]["extensions"]["code"] == "BAD_INPUT"
