"""What an authority may copy: the entries of the scope that it asked for, and nothing else (AL-08)."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from menshen_verifier.policy import Policy
from menshen_verifier.proof import check_proof, parse_proof
from service.app import Parts
from service.audit.entry import Draft
from service.errors import BadInput, Forbidden
from service.inspection.model import Filter
from tests.api.front_end import entries
from tests.factories import a_call, a_member
from tests.service.inspection.records import OFFICER, read, signed

AUTHORITY = "example_authority"
BEGIN = datetime(2026, 11, 22, tzinfo=UTC)
END = BEGIN + timedelta(days=1)


async def copied(
    running: Parts,
    wanted: Filter,
    member: str | None = None,
    reference: str = "网信〔2026〕77号",
    recipient: str = AUTHORITY,
) -> list[dict[str, Any]]:
    given = {"member_id": member, "reference": reference, "recipient": recipient}
    found = await running.operations.inspection_export(OFFICER, wanted, **given)
    return [json.loads(line) for line in found.lines()]


@pytest.mark.obligation("AL-08")
async def test_it_holds_the_scope_and_nothing_else(running: Parts, clock: Any) -> None:
    members = [await a_member(running) for _ in range(3)]
    for member in members:
        await read(running, member)
    clock.advance(days=2)
    await read(running, members[0])
    clock.advance(days=-2)
    keys = await signed(running)
    wanted = Filter(purpose="customer_service", since=BEGIN, until=END)
    head, *rows = await copied(running, wanted, members[0])
    assert (head["format"], head["reference"]) == ("menshen/audit-inspection/v1", "网信〔2026〕77号")
    (row,) = rows
    entry = json.loads(row["entry"])
    logged = await entries(running, "member")
    assert entry == logged[0]
    assert [one for one in logged[1:3] if one["sub"][0] in json.dumps([head, *rows])] == []
    proven = check_proof(parse_proof(row["proof"].encode()), Policy(keys))
    assert (proven.index, json.loads(proven.entry)) == (row["index"], entry)


@pytest.mark.obligation("AL-08")
async def test_who_stands_beside_the_member_in_an_entry_is_left_out(running: Parts) -> None:
    members = [await a_member(running) for _ in range(3)]
    given: dict[str, Any] = {"purpose": "order_fulfilment", "fields": ("phone",), "first": 10, "after": None}
    await running.operations.page(a_call("order_service"), edge_cursors=False, **given)
    await signed(running)
    _, row = await copied(running, Filter(purpose="order_fulfilment", since=BEGIN, until=END), members[1])
    logged = (await entries(running, "members"))[-1]
    told = json.dumps(row)
    assert row["others"] == 2
    assert len([subject for subject in logged["sub"] if subject in told]) == 1
    assert logged["n"] not in told, "with the nonce somebody could try who else it was"


@pytest.mark.obligation("AL-08")
async def test_what_an_entry_says_beside_its_members_is_left_out_where_it_may_be_of_another(running: Parts) -> None:
    members = [await a_member(running) for _ in range(2)]
    for member in members:
        await read(running, member)
    subjects = [one["sub"][0] for one in await entries(running, "member")]
    given: dict[str, Any] = {"purpose": "order_fulfilment", "subjects": subjects, "actor": subjects[1]}
    draft = Draft(typ="access", operation="members", extra={"told": "of-the-other"}, **given)
    await running.journal.append(draft, a_call("member", member_id=members[1]))
    await signed(running)
    wanted = Filter(purpose="order_fulfilment", since=BEGIN, until=END)
    _, row = await copied(running, wanted, members[0])
    assert row["part"]["sub"] == subjects[:1] and row["others"] == 1
    assert not {"n", "x"} & row["part"].keys() and "of-the-other" not in json.dumps(row)
    assert "id" not in row["part"]["act"] and subjects[1] not in json.dumps(row), "nor who it was, where that is the other"
    _, own = await copied(running, wanted, members[1])
    assert own["part"]["act"]["id"] == subjects[1]
    _, whole = await copied(running, wanted)
    assert json.loads(whole["entry"])["x"] == {"told": "of-the-other"}


@pytest.mark.obligation("AL-08")
async def test_it_is_recorded_with_the_scope_and_the_reference(running: Parts) -> None:
    member = await a_member(running)
    await read(running, member)
    await signed(running)
    await copied(running, Filter(field="phone", since=BEGIN, until=END), member)
    (entry,) = await entries(running, "inspectionExport")
    assert (entry["typ"], entry["x"]["reference"], entry["x"]["field"]) == ("export", "网信〔2026〕77号", "phone")
    assert entry["cnt"] >= 1


@pytest.mark.parametrize("wanted", [Filter(), Filter(since=BEGIN), Filter(since=END, until=BEGIN)])
async def test_an_inspection_without_bounds_is_none(running: Parts, wanted: Filter) -> None:
    with pytest.raises(BadInput):
        await copied(running, wanted)


@pytest.mark.obligation("AL-08")
async def test_it_needs_a_reference_and_the_role(running: Parts) -> None:
    wanted = Filter(since=BEGIN, until=END)
    with pytest.raises(BadInput):
        await copied(running, wanted, reference=" ")
    with pytest.raises(Forbidden):
        await running.operations.inspection_export(a_call("marketer"), wanted, member_id=None, reference="x", recipient=AUTHORITY)
