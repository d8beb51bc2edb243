"""AL-08: each bound of an authority's scope keeps something out; what is outside of any of them is not in the file."""

import json
from datetime import timedelta
from typing import Any

import pytest

from service.app import Parts
from service.inspection.model import Filter
from tests.factories import a_call, a_member
from tests.service.inspection.records import read, signed
from tests.service.inspection.test_authority import BEGIN, END, copied

SCOPES = {
    "purpose": {"purpose": "order_fulfilment"},
    "field": {"field": "email"},
    "actor": {"actor": "staff:customer_service_agent-1"},
    "role": {"role": "customer_service_agent"},
    "operation": {"operation": "members"},
}


@pytest.fixture
async def told(running: Parts, clock: Any) -> list[str]:
    """Two members, read by two accounts for two purposes, the day before, on the day, and on the day after."""
    found = [await a_member(running) for _ in range(2)]
    clock.advance(days=-1)
    for _ in range(3):
        for member in found:
            await read(running, member)
        page: dict[str, Any] = {"purpose": "order_fulfilment", "fields": ("email",), "first": 10, "after": None}
        await running.operations.page(a_call("order_service"), edge_cursors=False, **page)
        clock.advance(days=1)
    clock.advance(days=-2)
    await signed(running)
    return found


def held(row: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = json.loads(row["entry"]) if "entry" in row else row["part"]
    return entry


@pytest.mark.obligation("AL-08")
@pytest.mark.parametrize("bound", SCOPES)
async def test_each_bound_keeps_out_what_is_outside_of_it(running: Parts, told: list[str], bound: str) -> None:
    wanted = Filter(since=BEGIN, until=END, **SCOPES[bound])  # type: ignore[arg-type]
    _, *rows = await copied(running, wanted)
    assert rows
    _, *everything = await copied(running, Filter(since=BEGIN, until=END))
    assert len(rows) < len(everything)
    for row in rows:
        assert wanted.accepts(held(row)), row


@pytest.mark.obligation("AL-08")
async def test_the_moments_of_a_scope_are_held_to_on_both_sides(running: Parts, told: list[str]) -> None:
    days = {}
    for day in (-1, 0, 1):
        begin = BEGIN + timedelta(days=day)
        _, *rows = await copied(running, Filter(purpose="customer_service", since=begin, until=begin + timedelta(days=1)))
        days[day] = [held(row)["ts"][:10] for row in rows]
    assert days == {-1: ["2026-11-21"] * 2, 0: ["2026-11-22"] * 2, 1: ["2026-11-23"] * 2}


@pytest.mark.obligation("AL-08")
async def test_a_scope_of_one_member_holds_no_other(running: Parts, told: list[str]) -> None:
    wanted = Filter(since=BEGIN, until=END)
    _, *one = await copied(running, wanted, told[0])
    _, *other = await copied(running, wanted, told[1])
    subjects = [{subject for row in rows for subject in held(row)["sub"]} for rows in (one, other)]
    assert [len(some) for some in subjects] == [1, 1]
    assert subjects[0].isdisjoint(subjects[1])
