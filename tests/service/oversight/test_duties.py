"""SE-10, SE-11: numbers of persons bring tasks and alerts; the rules take the number as an argument, the counter is counted by itself."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from policies import duties as rules
from policies.catalogue import PolicyProblem
from policies.clock import is_working_day
from policies.duties import DutyKind
from policies.loading.files import snapshot
from policies.publishing import publication
from policies.terms import MemberStatus
from service.members import store as members
from service.oversight import commands, store
from service.oversight.model import Persons
from tests.policy_folder import draft, edit, shipped
from tests.service.oversight.house import seen_to, under, upkeep

DUTIES = "{ duties { kind law occasion dueOn overdue doneAt doneBy reference dutyId title { zh en } } }"
ALERTS = "{ complianceAlerts { code open count limit named } }"
NDR = {DutyKind.NDR30_OFFICER, DutyKind.NDR30_RULES, DutyKind.NDR30_RISKS, DutyKind.NDR30_COMPLAINTS, DutyKind.NDR32_DISPOSAL}


async def counted(running, persons: int) -> None:
    """As if so many had been counted today."""
    async with running.database.write() as transaction:
        day = running.clock().date()
        await store.add_count(transaction, Persons(day, persons), now=running.clock())
        await transaction.commit()


async def listed(ask, *kinds: str) -> list[dict]:
    found = (await ask(DUTIES, role="compliance_officer"))["data"]["duties"]
    return [one for one in found if not kinds or one["kind"] in kinds]


def working_days(opened: date, due_on: str) -> int:
    """How many there are after the day of the occasion up to the last day, which is one of them."""
    due = date.fromisoformat(due_on)
    assert is_working_day(due)
    return sum(is_working_day(opened + timedelta(days=number)) for number in range(1, (due - opened).days + 1))


async def alerts(ask) -> dict[str, bool]:
    """Which of them are open."""
    return {one["code"]: one["open"] for one in (await ask(ALERTS, role="compliance_officer"))["data"]["complianceAlerts"]}


@pytest.mark.obligation("SE-10")
@pytest.mark.parametrize(("persons", "kinds"), [(999_999, set()), (1_000_000, {DutyKind.OFFICER_FILING})])
def test_a_million_persons_bring_the_filing_and_one_less_does_not(persons, kinds):
    assert {due.kind for due in rules.opened(persons, date(2026, 11, 22))} == kinds


@pytest.mark.obligation("SE-10")
def test_the_filing_is_due_after_thirty_working_days_of_the_state_councils_calendar():
    (due,) = rules.opened(1_000_000, date(2026, 9, 29))
    assert working_days(date(2026, 9, 29), due.due_on.isoformat()) == 30
    assert due.due_on > date(2026, 11, 10), "the week of the national holiday does not count"


@pytest.mark.obligation("SE-11")
@pytest.mark.parametrize(
    ("persons", "codes"),
    [
        (7_999_999, {"PERSONS_1M"}),
        (8_000_000, {"PERSONS_1M", "PERSONS_10M_NEAR"}),
        (9_999_999, {"PERSONS_1M", "PERSONS_10M_NEAR"}),
        (10_000_000, {"PERSONS_1M", "PERSONS_10M_NEAR", "PERSONS_10M"}),
    ],
)
def test_the_alerts_come_at_eighty_and_at_a_hundred_percent_of_ten_million(persons, codes):
    assert {threshold.code for threshold in rules.reached(persons)} == codes


@pytest.mark.obligation("SE-11")
async def test_ten_million_persons_bring_the_tasks_of_both_articles_and_an_alert(running, ask):
    await counted(running, 8_000_000)
    await upkeep(running).once()
    opened = await alerts(ask)
    assert (opened["PERSONS_10M_NEAR"], opened["PERSONS_10M"]) == (True, False)
    assert not await listed(ask, *NDR) and len(await listed(ask, "TEN_MILLION_NEAR")) == 1
    running.clock.advance(days=1)
    await counted(running, 10_000_000)
    await upkeep(running).once()
    found = await listed(ask, *NDR)
    assert {one["kind"] for one in found} == NDR
    assert all(one["dueOn"] is None and "网络数据安全管理条例 3" in one["law"] for one in found)
    assert [one["dueOn"] for one in await listed(ask, "BIENNIAL_AUDIT")] == ["2028-11-23"]
    alert = next(
        one for one in (await ask(ALERTS, role="compliance_officer"))["data"]["complianceAlerts"] if one["code"] == "PERSONS_10M"
    )
    assert alert == {
        "code": "PERSONS_10M",
        "open": True,
        "count": 10_000_000,
        "limit": 10_000_000,
        "named": "网络数据安全管理条例 28",
    }


@pytest.mark.obligation("SE-10")
async def test_when_the_job_runs_on_the_day_of_the_million_a_task_is_open_once_and_due_thirty_working_days_later(
    running, ask, clock
):
    await counted(running, 999_999)
    await upkeep(running).once()
    assert not await listed(ask, "OFFICER_FILING") and not (await alerts(ask))["PERSONS_1M"]
    clock.advance(days=1)
    await counted(running, 1_000_000)
    assert (await alerts(ask))["PERSONS_1M"]
    clock.advance(days=1)
    await counted(running, 1_000_009)
    clock.advance(days=2)
    await upkeep(running).once()
    await upkeep(running).once()
    (found,) = await listed(ask, "OFFICER_FILING")
    assert working_days(date(2026, 11, 23), found["dueOn"]) == 30, "counted from the day of the million, not from the job's"
    assert found["overdue"] is False and found["doneAt"] is None


@pytest.mark.obligation("SE-10")
async def test_the_counter_counts_each_person_once_and_nobody_who_was_erased(running, clock):
    def of(number: int) -> members.model.Row:
        status = MemberStatus.ERASED if number < 7 else MemberStatus.RESTRICTED if number < 9 else MemberStatus.ACTIVE
        return members.model.Row(f"m{number:06d}", status, 1, b"", None, {}, 1)

    async with running.database.write() as transaction:
        await transaction.bulk(members.ADD_MEMBERS, [members.values(of(number), now=clock()) for number in range(500)])
        await transaction.commit()
    await upkeep(running).once()
    assert await store.newest_count(running.database.read) == Persons(date(2026, 11, 22), 493)
    async with running.database.write() as transaction:
        await transaction.bulk(members.ADD_MEMBERS, [members.values(of(501), now=clock())])
        await transaction.commit()
    await upkeep(running).once()
    assert (await store.newest_count(running.database.read)).persons == 493, "once a day"
    clock.advance(days=1)
    await upkeep(running).once()
    assert (await store.newest_count(running.database.read)).persons == 494


@pytest.mark.obligation("SE-10")
async def test_another_person_in_charge_is_filed_within_thirty_working_days_by_whoever_had_to_file(
    running, config, clock, ask, tmp_path
):
    await seen_to(running)
    folder = shipped(tmp_path)
    edit(folder, "controller.toml", "个人信息保护负责人 · ", "首席隐私官 · ")
    clock.advance(days=1)
    async with under(config, folder, clock) as other:
        assert not await listed(ask, "OFFICER_CHANGE"), "who need not file has nothing to file anew"
        clock.advance(days=1)
        await counted(other, 1_000_000)
        await upkeep(other).once()
        await upkeep(other).once()
    (found,) = await listed(ask, "OFFICER_CHANGE")
    assert working_days(date(2026, 11, 23), found["dueOn"]) == 30


@pytest.mark.obligation("SE-10")
def test_with_a_million_persons_a_notice_is_published_only_with_the_person_in_charge_and_a_contact(tmp_path: Path):
    folder = shipped(tmp_path)
    draft(folder, "2026-12", effective_at="2026-12-01T00:00:00+08:00")
    assert publication(snapshot(folder), "2026-12", persons=1_000_000).notice.version == "2026-12"
    for missing in ("个人信息保护负责人", "privacy@retail.example.com"):
        other = shipped(tmp_path / missing[:3])
        draft(other, "2026-12", effective_at="2026-12-01T00:00:00+08:00")
        path = other / "notices/2026-12/zh-CN.md"
        path.write_text(path.read_text("utf-8").replace(missing, "").replace("400-000-0000", ""), "utf-8")
        assert publication(snapshot(other), "2026-12", persons=999_999).notice.version == "2026-12"
        with pytest.raises(PolicyProblem) as problem:
            publication(snapshot(other), "2026-12", persons=1_000_000)
        assert [(one.code, one.key) for one in problem.value.problems] == [("OFFICER_CONTACT_MISSING", "zh-CN")]


async def test_a_task_is_closed_once_by_a_person_with_a_reference_and_overdue_while_its_day_is_past(running, ask, clock):
    await upkeep(running).once()
    review = (await listed(ask, "ACCESS_REVIEW"))[0]
    assert (review["occasion"], review["dueOn"]) == ("2026-Q4", "2027-01-01")
    clock.advance(days=41)
    assert (await listed(ask, "ACCESS_REVIEW"))[0]["overdue"] is True
    done = 'mutation ($id: ID!) { completeDuty(dutyId: $id, reference: "OA-1") { doneBy overdue } }'
    answer = await ask(done, role="compliance_officer", variables={"id": review["dutyId"]})
    assert answer["data"]["completeDuty"] == {"doneBy": "staff:compliance_officer@development", "overdue": False}
    again = await ask(done, role="compliance_officer", variables={"id": review["dutyId"]})
    assert again["errors"][0]["extensions"]["code"] == "BAD_INPUT"
    assert (await ask(done, role="auditor", variables={"id": review["dutyId"]}))["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_two_instances_that_do_a_round_at_once_open_each_task_once(running, ask):
    import asyncio

    await counted(running, 10_000_000)
    await asyncio.gather(upkeep(running).once(), upkeep(running).once())
    found = await listed(ask)
    assert len({(one["kind"], one["occasion"]) for one in found}) == len(found) == 10
    assert await commands.wanted(running.database, now=running.clock()) == []
