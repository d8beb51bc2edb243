"""A wide question after a leak is bounded in work, and is never answered in part: the windows that it names are together the whole."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from service.app import Parts
from service.audit.entry import Draft
from service.audit.index.terms import BLOCK
from service.errors import BadInput
from service.inspection import incidents, searching
from service.inspection.incidents import Bounds, Leak
from service.inspection.model import Filter, Scope
from service.inspection.searching import Patience
from service.unit import Unit
from service.values import utc_text
from tests.conftest import START, StillClock
from tests.counted import Counted
from tests.factories import a_call, a_member
from tests.service.audit.logs import Administrator
from tests.service.inspection.records import OFFICER, read
from tests.service.inspection.test_incidents import with_token

BEGIN, END = START - timedelta(days=1), START + timedelta(days=40)
BATCH, BATCHES = 64, 10


async def asked(running: Parts, bounds: Bounds, since: datetime = BEGIN, until: datetime = END, **by: str) -> Scope:
    leak = Leak(since=since, until=until, **by)

    async def work(unit: Unit) -> Scope:
        return await incidents.scope(unit, leak, names=False, first=1000, after=None, bounds=bounds)

    return await running.units.disclose(OFFICER, Draft(typ="audit", operation="incidentScope"), work)


def told(refusal: BadInput) -> datetime:
    """From when on to ask first."""
    assert refusal.code == "WINDOW_TOO_WIDE"
    return datetime.fromisoformat(refusal.detail.split()[3])


async def windows(running: Parts, bounds: Bounds, **by: str) -> AsyncIterator[Scope]:
    """As somebody asks who does what the refusals say."""
    waiting = [(BEGIN, END)]
    while waiting:
        since, until = waiting.pop()
        try:
            yield await asked(running, bounds, since, until, **by)
        except BadInput as refusal:
            moment = told(refusal)
            waiting += [(since, moment), (moment, until)]


@pytest.fixture
async def busy(running: Parts, clock: StillClock) -> Parts:
    """A log in which one account did half, with one token, over some hours."""
    calls = with_token("leaked"), a_call("store_clerk")
    for _ in range(BATCHES):
        drafts = [Draft(typ="access", operation="member", fields=("name",)) for _ in range(BATCH)]
        await asyncio.gather(*(running.journal.append(draft, calls[at % 2]) for at, draft in enumerate(drafts)))
        clock.advance(minutes=10)
    return running


@pytest.mark.obligation("BR-02")
async def test_what_is_more_than_one_answer_holds_is_refused_with_where_to_go_on_and_the_windows_are_the_whole(
    busy: Parts,
) -> None:
    small, real = Bounds(entries=100), busy.units.database
    for by in ({"account": "customer_service_agent-1"}, {"token": "leaked"}):
        assert (await asked(busy, Bounds(), **by)).entries == BATCHES * BATCH // 2
        parts = [part.entries async for part in windows(busy, small, **by)]
        assert len(parts) > 2 and sum(parts) == BATCHES * BATCH // 2, "nothing is missed, and nothing is counted twice"
        assert max(parts) <= 100
        counted = busy.units.database = Counted(real)
        with pytest.raises(BadInput, match="since"):
            await asked(busy, small, **by)
        busy.units.database = real
        assert counted.statements < 10, "a refusal costs what the bound says, however wide the window"


@pytest.mark.obligation("BR-02")
async def test_more_people_than_one_answer_holds_are_refused_too_and_found_window_by_window(running: Parts, clock: Any) -> None:
    members = [await a_member(running) for _ in range(6)]
    for member in (*members, members[0]):
        clock.advance(minutes=1)
        await read(running, member, call=with_token("leaked"))
    found: dict[str, int] = {}
    async for part in windows(running, Bounds(people=2), token="leaked"):
        assert len(part.affected) <= 2
        for one in part.affected:
            found[one.subject] = found.get(one.subject, 0) + one.entries
    assert sorted(found.values()) == [1, 1, 1, 1, 1, 2], "a member's pseudonym of this month is one in every window"


async def test_what_is_nowhere_is_not_looked_for_without_end(busy: Parts) -> None:
    with pytest.raises(BadInput) as refusal:
        await asked(busy, Bounds(looked=255), account="nobody")
    assert refusal.value.code == "WINDOW_TOO_WIDE" and utc_text(BEGIN + (END - BEGIN) / 2) in refusal.value.detail
    assert (await asked(busy, Bounds(looked=10_000), account="nobody")).entries == 0


async def test_what_the_database_looks_through_by_itself_is_counted_too(running: Parts) -> None:
    """As of a log of more blocks than it asks about at once, all with words, in none of which it is."""
    size = 600 * BLOCK
    log = searching.Log(size, 0, 600)
    counted = Counted(running.database)
    for wanted in (Filter(token="x" * 24), Filter(actor="nobody")):
        patience = Patience(left=1)
        assert [line async for line in searching.find(counted, log, wanted, patience=patience)] == []  # type: ignore[arg-type]
        assert patience.stopped is not None and 0 < patience.stopped < size, wanted
    assert counted.statements == 2


@pytest.mark.obligation("BR-02")
async def test_what_is_in_the_archive_only_is_told(running: Parts, database_url: str) -> None:
    await a_member(running)
    assert (await asked(running, Bounds(), token="leaked")).archived == ()
    moments = [utc_text(START + timedelta(days=day)) for day in (0, 1, 2)]
    given = (7, bytes(32), 1, moments[0], moments[1], "file:///archive/7", bytes(32), moments[1], moments[2])
    Administrator(database_url).run("INSERT INTO audit_segment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", given=given)
    (one,) = (await asked(running, Bounds(), token="leaked")).archived
    assert (one.first, one.last, one.since, one.until) == (7, 7, moments[0], moments[1])
    assert (await asked(running, Bounds(), START + timedelta(days=3), token="leaked")).archived == ()
