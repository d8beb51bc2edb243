"""Who may search the record, and what a search leaves behind."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from service.app import Parts
from service.audit.entry import Draft
from service.audit.index.indexer import Indexer
from service.errors import BadInput, Forbidden, LogBroken
from service.inspection import queries
from service.inspection.model import Filter, Page
from service.inspection.searching import Patience
from service.unit import Unit
from tests.api.front_end import entries
from tests.factories import a_call, a_member
from tests.service.audit.logs import Administrator
from tests.service.inspection.records import erased, read

AUDITOR = a_call("auditor")


async def searched(running: Parts, wanted: Filter | None = None, member: str | None = None, **more: Any) -> Page | None:
    given = {"first": 100, "after": None} | more
    return await running.operations.audit_entries(AUDITOR, wanted or Filter(), member_id=member, **given)


async def found(running: Parts, wanted: Filter | None = None, member: str | None = None) -> list[str]:
    page = await searched(running, wanted, member)
    assert page is not None
    return [line.entry.get("op", line.entry["typ"]) for line in page.lines]


@pytest.mark.obligation("AL-05")
async def test_whoever_reads_the_record_is_in_it_with_what_they_looked_for(running: Parts) -> None:
    member = await a_member(running)
    await read(running, member)
    wanted = Filter(actor="clerk-7", decision="deny", purpose="13800138000", role="store_clerk", request="r-1")
    await searched(running, wanted, member)
    last = (await entries(running, "auditEntries"))[-1]
    assert (last["typ"], last["act"]["id"], last["cnt"]) == ("audit", "auditor-1", 0)
    assert last["x"] == {"actor": "clerk-7", "decision": "deny", "role": "store_clerk", "request": "r-1"}
    assert last["sub"] == (await entries(running, "member"))[-1]["sub"], "this month's alone: several would join the months"


@pytest.mark.obligation("AL-05")
async def test_nothing_is_shown_when_the_reading_cannot_be_recorded(running: Parts, database_url: str) -> None:
    Administrator(database_url).run("UPDATE audit_head SET mac = root")
    with pytest.raises(LogBroken):
        await searched(running)


@pytest.mark.obligation("AL-05")
async def test_an_auditor_sees_who_read_what_and_no_value(running: Parts, ask: Callable[..., Any]) -> None:
    member = await a_member(running)
    await read(running, member)
    query = """query ($id: ID!) { auditEntries(where: { memberId: $id, field: "phone", entryKind: "access" }) { nodes {
      index status archived leafHash id at kind operation actorKind actor roles purpose purposeTitle { zh en } basis
      basisTitle { zh en } fields { key title { zh } } withheld { key } decision reason campaign request count subjects }
      pageInfo { hasNextPage endCursor } } }"""
    answer = await ask(query, role="auditor", variables={"id": member})
    (node,) = answer["data"]["auditEntries"]["nodes"]
    assert (node["actor"], node["roles"]) == ("customer_service_agent-1", ["customer_service_agent"])
    assert node["status"] in {"PENDING", "PROVEN"}
    assert node["purposeTitle"]["zh"]
    assert node["basisTitle"] == {"zh": "订立、履行合同所必需", "en": "needed for a contract with the individual"}
    assert [one["key"] for one in node["fields"]] == ["name", "phone"]
    assert all(one["title"]["zh"] for one in node["fields"])
    profile = await running.operations.member(
        a_call("order_service"), member_id=member, purpose="order_fulfilment", fields=("name", "phone")
    )
    assert profile is not None
    assert profile.values["phone"]
    assert [value for value in profile.values.values() if str(value) in str(answer)] == []


@pytest.mark.obligation("AL-05")
@pytest.mark.parametrize("role", ["member", "customer_service_agent", "marketer", "order_service", "mini_program"])
async def test_nobody_else_may_search(running: Parts, role: str) -> None:
    member = await a_member(running)
    call = a_call(role, member_id=member if role == "member" else None)
    with pytest.raises(Forbidden):
        await running.operations.audit_entries(call, Filter(), member_id=None, first=10, after=None)
    last = (await entries(running, "auditEntries"))[-1]
    assert (last["dec"], last["rsn"]) == ("deny", "FORBIDDEN")


async def test_a_members_entries_are_found_in_every_month(running: Parts, clock: Any) -> None:
    member = await a_member(running)
    for _ in range(3):
        await read(running, member)
        clock.advance(days=31)
    assert await found(running, Filter(operation="member"), member) == ["member"] * 3
    assert await found(running, Filter(operation="member", since=clock() - timedelta(days=40)), member) == ["member"]
    assert await found(running, Filter(field="phone", typ="access"), member) == ["member"] * 3


async def test_pages_follow_one_another_without_a_gap_or_a_repetition(running: Parts) -> None:
    for _ in range(7):
        await a_member(running)
    await Indexer(database=running.database, authority=running.journal.authority).once()
    operation = (await entries(running))[-1]["op"]
    seen: list[int] = []
    after = None
    while page := await searched(running, Filter(operation=operation), first=3, after=after):
        seen += [line.index for line in page.lines]
        after = page.end
        if not page.has_next:
            break
    assert len(seen) == 7
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize(("first", "after"), [(0, None), (1001, None), (10, "x"), (10, "-1"), (10, "9" * 30), (10, "１")])
async def test_a_page_that_nobody_gave_out_is_refused(running: Parts, first: int, after: str | None) -> None:
    with pytest.raises(BadInput):
        await searched(running, first=first, after=after)


@pytest.mark.obligation("AL-04")
async def test_after_an_erasure_nobody_finds_the_member_and_the_log_is_the_same(running: Parts, database_url: str) -> None:
    member = await a_member(running)
    await read(running, member)
    administrator = Administrator(database_url)
    before = administrator.run("SELECT idx, entry FROM audit_entry ORDER BY idx")
    await erased(running, member)
    assert administrator.run("SELECT idx, entry FROM audit_entry ORDER BY idx")[: len(before)] == before
    assert await searched(running, member=member) is None
    own = await running.operations.my_access_log(
        a_call("member", member_id=member), first=10, after=None, since=None, until=None, field=""
    )
    assert own is None
    stored = str(administrator.run("SELECT entry FROM audit_entry") + administrator.run("SELECT sub FROM audit_subject"))
    stored += str(administrator.run("SELECT term FROM audit_posting"))
    assert member not in stored


async def test_a_page_that_looked_long_enough_ends_and_the_next_goes_on_from_there(running: Parts) -> None:
    member = await a_member(running)
    for _ in range(3):
        await read(running, member)

    async def page(after: str | None) -> Page:
        async def work(unit: Unit) -> Page | None:
            patience, wanted = Patience(left=1), Filter(reason="NOWHERE")
            return await queries.entries(
                unit, running.units.trust, wanted, member_id=member, first=9, after=after, patience=patience
            )

        made = await running.units.disclose(AUDITOR, Draft(typ="audit", operation="auditEntries"), work)
        assert made is not None
        return made

    short = await page(None)
    assert (short.lines, short.has_next) == ((), True) and short.end is not None
    last = await page(short.end)
    assert (last.lines, last.has_next, last.end) == ((), False, None)
