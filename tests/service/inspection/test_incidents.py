"""After a leak: what one token, account, address or request has read, of whom, to the field; and names only with two persons (BR-02)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.app import Parts
from service.errors import BadInput, Forbidden, LogBroken, Refused
from service.inspection import searching
from service.inspection.incidents import Leak
from service.inspection.model import Scope
from service.values import Call, utc_text
from tests.api.front_end import entries
from tests.factories import a_call, a_member
from tests.service.audit.logs import Administrator
from tests.service.audit.logs import entries as logged
from tests.service.inspection.records import OFFICER, erased, read, stilled

BEGIN, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC)


def with_token(token: str, role: str = "customer_service_agent", address: str = "192.0.2.7") -> Call:
    call = a_call(role)
    return replace(call, actor=replace(call.actor, token=token), address=address)


async def scope(running: Parts, *, names: bool = False, first: int = 100, after: str | None = None, **leak: Any) -> Scope:
    given = Leak(**({"since": BEGIN, "until": END} | leak))
    return await running.operations.incident_scope(OFFICER, given, names=names, first=first, after=after)


@pytest.fixture
async def people(running: Parts, clock: Any) -> list[str]:
    """Three members: the leaked token read two of them, one in two months; another token of the same account read the third."""
    members = [await a_member(running) for _ in range(3)]
    for member in members[:2]:
        await read(running, member, call=with_token("leaked"))
    await read(running, members[2], call=with_token("sound", address="192.0.2.8"))
    clock.advance(days=31)
    await read(running, members[0], call=with_token("leaked"))
    return members


@pytest.mark.obligation("BR-02")
async def test_a_leaked_token_in_a_window_lists_every_member_and_field_that_it_read(running: Parts, people: list[str]) -> None:
    found = await scope(running, token="leaked")
    assert (found.entries, found.members, found.unattributed) == (3, 2, 0)
    assert found.fields == {"name": 3, "phone": 3}
    assert sum(found.sensitivities.values()) >= 2
    assert set(found.categories.values()) == {2}
    assert sorted(one.entries for one in found.affected) == [1, 2], "one person's months stand together"
    assert {tuple(sorted(one.fields)) for one in found.affected} == {("name", "phone")}
    assert {one.member_id for one in found.affected} == {None}
    (both,) = (one for one in found.affected if one.entries == 2)
    assert (both.since[:10], both.until[:10]) == ("2026-11-22", "2026-12-23"), "from the first of them to the last"
    one_day = await scope(running, token="leaked", until=BEGIN + timedelta(days=30))
    assert (one_day.entries, one_day.members) == (2, 2)


@pytest.mark.obligation("BR-02")
async def test_an_account_an_address_and_a_request_are_asked_for_alike(running: Parts, people: list[str]) -> None:
    assert (await scope(running, account="customer_service_agent-1")).members == 3
    assert (await scope(running, address="192.0.2.8")).members == 1
    assert (await scope(running, request="req-1")).members == 3
    assert (await scope(running, token="nobody's")).members == 0


@pytest.mark.obligation("BR-02")
@pytest.mark.parametrize(
    "leak", [{"token": "leaked"}, {"address": "192.0.2.7"}, {"account": "customer_service_agent-1"}, {"request": "req-1"}]
)
async def test_the_window_holds_its_first_moment_and_nothing_before_it_or_from_its_end_on(
    running: Parts, clock: Any, leak: dict[str, Any]
) -> None:
    members = [await a_member(running) for _ in range(4)]
    clock.advance(hours=1)
    begin = clock()
    for member, after in zip(members, (-1, 0, 59, 60), strict=True):
        clock.now = begin + timedelta(seconds=after)
        await read(running, member, call=with_token("leaked"))
    found = await scope(running, since=begin, until=begin + timedelta(seconds=60), **leak)
    assert (found.entries, found.members, found.fields) == (2, 2, {"name": 2, "phone": 2})
    moments = sorted((one.since, one.until) for one in found.affected)
    assert moments == [(utc_text(moment), utc_text(moment)) for moment in (begin, begin + timedelta(seconds=59))]


@pytest.mark.obligation("BR-02")
async def test_the_token_that_a_front_end_sends_is_the_one_that_is_found(
    running: Parts, ask: Callable[..., Any], token: Callable[..., str]
) -> None:
    member = await a_member(running)
    query = 'query ($id: ID!) { member(id: $id, purpose: "customer_service") { phone } }'
    await ask(query, role="customer_service_agent", variables={"id": member})
    entry = (await entries(running, "member"))[-1]
    assert len(entry["act"]["tok"]) == 24


@pytest.mark.obligation("BR-02")
async def test_members_are_named_only_when_another_person_has_allowed_it(running: Parts, people: list[str]) -> None:
    with pytest.raises(Refused, match="APPROVAL_REQUIRED"):
        await scope(running, token="leaked", names=True)
    what = (await scope(running, token="leaked")).what
    asked = await running.operations.ask_approval(OFFICER, kind="incident.names", what=what, reason="令牌泄露", hours=24)
    second = replace(OFFICER, actor=replace(OFFICER.actor, name="second"))
    await running.operations.decide_approval(second, approval_id=asked.approval_id, allow=True)
    found = await scope(running, token="leaked", names=True)
    assert {one.member_id for one in found.affected} == set(people[:2])
    for other in ({"token": "sound"}, {"token": "leaked", "until": END + timedelta(seconds=1)}):
        with pytest.raises(Refused, match="APPROVAL_REQUIRED"):
            await scope(running, names=True, **other)


@pytest.mark.obligation("BR-02")
async def test_what_was_refused_was_not_read_and_an_entry_that_was_altered_is_told(
    running: Parts, people: list[str], database_url: str
) -> None:
    thief = with_token("leaked", role="marketer")
    await running.operations.member(thief, member_id=people[2], purpose="customer_service", fields=("phone",))
    first, *_, refused = await entries(running, "member")
    assert refused["dec"] == "deny"
    assert (refused["typ"], refused["act"]["tok"]) == ("access", first["act"]["tok"])
    before = await scope(running, token="leaked")
    assert (before.entries, before.members, before.broken) == (3, 2, ())
    await stilled(running)
    index = next(at for at, one in enumerate(await logged(running.database)) if one.get("op") == "member")
    Administrator(database_url).run("UPDATE audit_entry SET leaf = ? WHERE idx = ?", given=(bytes(32), index))
    assert (await scope(running, token="leaked")).broken == (index,)


async def test_an_erased_member_is_counted_and_named_by_nobody(running: Parts, people: list[str]) -> None:
    await erased(running, people[1])
    found = await scope(running, token="leaked")
    assert (found.entries, found.members, found.unattributed) == (3, 1, 1)


async def test_the_members_come_in_pages(running: Parts, people: list[str]) -> None:
    first = await scope(running, account="customer_service_agent-1", first=2)
    rest = await scope(running, account="customer_service_agent-1", first=2, after=first.end)
    assert len({one.subject for one in (*first.affected, *rest.affected)}) == 3
    assert rest.end is None


@pytest.mark.parametrize("leak", [{}, {"token": "a", "account": "b"}, {"token": "a", "until": BEGIN}, {"token": "a", "first": 0}])
async def test_a_question_that_is_none_is_refused(running: Parts, leak: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        await scope(running, **leak)


@pytest.mark.parametrize("role", ["customer_service_agent", "marketer", "order_service"])
async def test_only_those_who_oversee_may_ask(running: Parts, role: str) -> None:
    with pytest.raises(Forbidden):
        await running.operations.incident_scope(
            a_call(role), Leak(since=BEGIN, until=END, token="x"), names=False, first=1, after=None
        )


async def test_an_auditor_sees_numbers_and_never_names(running: Parts, people: list[str]) -> None:
    leak = Leak(since=BEGIN, until=END, token="leaked")
    found = await running.operations.incident_scope(a_call("auditor"), leak, names=False, first=10, after=None)
    assert found.members == 2
    with pytest.raises(Forbidden):
        await running.operations.incident_scope(a_call("auditor"), leak, names=True, first=10, after=None)


@pytest.mark.obligation("BR-02")
async def test_a_log_that_is_the_second_by_its_name_began_with_its_first_entry(running: Parts, database_url: str) -> None:
    """Whatever that says of itself; and where somebody made something else of it, nobody is told that there was nothing before."""
    await a_member(running)
    session, origin = running.database.read, running.vault.origin
    log, first = await searching.look(session, origin), (await logged(running.database))[0]
    assert await searching.begun(session, log, origin) is None
    assert await searching.begun(session, log, f"{origin}/2") == datetime.fromisoformat(first["ts"])
    running.publisher.state.breaker = "stopped for this test: its patrol would find it first"
    Administrator(database_url).run("UPDATE audit_entry SET entry = leaf WHERE idx = 0")
    with pytest.raises(LogBroken):
        await searching.begun(session, log, f"{origin}/2")
