"""AL-08: each bound of an authority's scope keeps something out; what is outside of any of them is not in the file."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from service.app import Parts
from service.audit.entry import Draft
from service.inspection.model import Filter
from tests.conftest import START
from tests.factories import a_call, a_member
from tests.service.audit.logs import entries as logged
from tests.service.inspection.records import read, signed
from tests.service.inspection.test_authority import BEGIN, END, copied

CAMPAIGN = "01987f2e-5c1a-7b3e-8d4f-0123456789ab"
CLERK = "customer_service_agent-1"
Entry = dict[str, Any]
SCOPES: dict[str, tuple[dict[str, str], Callable[[Entry], bool]]] = {
    "purpose": ({"purpose": "order_fulfilment"}, lambda entry: entry.get("pur") == "order_fulfilment"),
    "field": ({"field": "email"}, lambda entry: "email" in entry.get("fld", [])),
    "actor": ({"actor": f"staff:{CLERK}"}, lambda entry: (entry["act"]["k"], entry["act"].get("id")) == ("staff", CLERK)),
    "role": ({"role": "customer_service_agent"}, lambda entry: "customer_service_agent" in entry["act"]["role"]),
    "operation": ({"operation": "members"}, lambda entry: entry.get("op") == "members"),
    "campaign": ({"campaign": CAMPAIGN}, lambda entry: entry.get("x", {}).get("campaign") == CAMPAIGN),
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
        draft = Draft(typ="access", operation="decideSends", extra={"campaign": CAMPAIGN})
        await running.journal.append(draft, a_call("marketer"))
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
    given, wanted = SCOPES[bound]
    day = {at: one for at, one in enumerate(await logged(running.database)) if one["ts"].startswith("2026-11-22")}
    _, *rows = await copied(running, Filter(since=BEGIN, until=END, **given))  # type: ignore[arg-type]
    expected = [at for at, one in day.items() if wanted(one)]
    assert [row["index"] for row in rows] == expected != []
    assert [held(row) for row in rows] == [day[at] for at in expected]
    assert len(expected) < len(day)


@pytest.mark.obligation("AL-08")
async def test_the_moments_of_a_scope_are_held_to_on_both_sides(running: Parts, told: list[str]) -> None:
    """Each day's reads are at its first moment: the day before ends with them, and they are not of it."""
    days = {}
    for day in (-1, 0, 1):
        begin = START + timedelta(days=day)
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
