"""What rooms look up in the log: what is asked for, all of it and nothing else, newest first."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.audit import queries
from service.audit.queries import Search
from service.audit.writer import Writer
from service.db.engine import Database
from service.errors import BadInput
from service.values import Actor, ActorKind, Call
from tests.conftest import StillClock
from tests.service.audit import logs
from tests.service.audit.logs import CLERK, Administrator, Begin

AUDITOR = Call(Actor(ActorKind.STAFF, "auditor-1", frozenset({"auditor"})), "r-audit")
LI = {month: logs.pseudonym() for month in ("2026-10", "2026-11")}


@pytest.fixture
async def journal(database: Database, home: Path, clock: StillClock, begin: Begin) -> AsyncIterator[Writer]:
    """A log with a little of everything, one entry a day from 29 October on."""
    writer = await begin(home, clock=clock)
    clock.now = datetime(2026, 10, 29, 2, 0, tzinfo=UTC)
    refused = logs.read(operation="refused", subjects=[LI["2026-11"]], purpose="marketing_sms")
    refused.deny("CONSENT_REQUIRED")
    for draft, call in (
        (logs.read(operation="october", subjects=[LI["2026-10"]]), CLERK),
        (logs.read(operation="somebody"), CLERK),
        (logs.read(operation="page", subjects=[logs.pseudonym(), LI["2026-10"], logs.pseudonym()]), AUDITOR),
        (logs.read(operation="november", subjects=[LI["2026-11"]]), CLERK),
        (refused, Call(Actor(ActorKind.SERVICE, "clerk-7", frozenset()), "r-2")),
    ):
        await writer.append(draft, call)
        clock.advance(days=1)
    yield writer
    await writer.close()


async def names(database: Database, journal: Writer, wanted: Search) -> list[str]:
    return [one.entry.get("op", "") for one in await queries.find(database.read, wanted)]


async def test_one_members_entries_are_found_over_the_months_by_their_pseudonyms(database: Database, journal: Writer) -> None:
    wanted = Search(subjects=tuple(LI.values()))
    assert await names(database, journal, wanted) == ["refused", "november", "page", "october"]
    assert await names(database, journal, Search(subjects=(LI["2026-10"],))) == ["page", "october"]
    assert await names(database, journal, Search(subjects=(logs.pseudonym(),))) == []


async def test_every_condition_narrows(database: Database, journal: Writer) -> None:
    day = datetime(2026, 10, 30, 2, 0, tzinfo=UTC)
    for wanted, expected in (
        (Search(actor="staff:clerk-7"), ["november", "somebody", "october"]),
        (Search(actor="clerk-7"), ["refused", "november", "somebody", "october"]),
        (Search(purpose="marketing_sms"), ["refused"]),
        (Search(denied=True), ["refused"]),
        (Search(since=day, actor="staff:clerk-7"), ["november", "somebody"]),
        (Search(until=day, actor="staff:clerk-7"), ["october"]),
        (Search(since=day, until=day + timedelta(seconds=1)), ["somebody"]),
        (Search(subjects=tuple(LI.values()), denied=True), ["refused"]),
        (Search(subjects=tuple(LI.values()), actor="auditor-1"), ["page"]),
    ):
        assert await names(database, journal, wanted) == expected


async def test_pages_follow_one_another_without_a_gap_or_a_repetition(database: Database, journal: Writer) -> None:
    seen: list[str] = []
    before = None
    while found := await queries.find(database.read, Search(actor="staff:clerk-7", most=2, before=before)):
        seen += [one.entry["op"] for one in found]
        before = found[-1].index
    assert seen == ["november", "somebody", "october"]


@pytest.mark.obligation("AL-03")
async def test_what_is_shown_comes_from_the_bytes_and_says_when_they_are_not_whole(
    database: Database, journal: Writer, administrator: Administrator
) -> None:
    ((raw,),) = administrator.run("SELECT entry FROM audit_entry WHERE idx = 1")
    forged = bytes(raw).replace(b"clerk-7", b"clerk-8")
    administrator.run("UPDATE audit_entry SET entry = ? WHERE idx = 1", given=(forged,))
    administrator.run("UPDATE audit_entry SET entry = ? WHERE idx = 2", given=(b"{}",))
    administrator.run("UPDATE audit_entry SET actor = 'staff:nobody' WHERE idx = 3")
    found = {one.index: one for one in await queries.find(database.read, Search())}
    assert (found[1].whole, found[1].entry["act"]["id"]) == (False, "clerk-8")
    assert (found[2].whole, found[2].entry) == (False, {})
    assert (found[3].whole, found[3].entry["act"]["id"]) == (True, "auditor-1")


async def test_a_search_has_its_limits(database: Database, journal: Writer) -> None:
    for wanted in (Search(most=0), Search(most=1001), Search(subjects=[logs.pseudonym()] * 38)):
        with pytest.raises(BadInput):
            await queries.find(database.read, wanted)


def test_the_months_of_three_years_are_thirty_seven_and_those_of_a_moment_one() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    months = queries.months(datetime(2023, 11, 30, 23, 59, tzinfo=UTC), now)
    assert (len(months), months[0], months[1], months[-1]) == (37, "2023-11", "2023-12", "2026-11")
    assert queries.months(now, now) == ["2026-11"]
    for since in (datetime(2023, 10, 31, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)):
        with pytest.raises(BadInput):
            queries.months(since, now)


def test_a_month_is_that_of_utc() -> None:
    china = datetime.fromisoformat("2026-11-01T07:59:59+08:00")
    assert queries.months(china, china) == ["2026-10"]
