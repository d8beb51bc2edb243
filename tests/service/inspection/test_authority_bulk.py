"""What an authority is given of more members than the policy's count takes two persons, and names the authority and the scope (LB-07)."""

from dataclasses import replace
from typing import Any

import pytest

from service.app import Parts
from service.approvals.exports import KIND
from service.config import Config
from service.errors import Refused
from service.inspection.authority import leaving
from service.inspection.model import Filter
from tests.api.front_end import entries
from tests.factories import a_member
from tests.policy_folder import set_key, shipped
from tests.service.inspection.records import OFFICER, signed
from tests.service.inspection.test_authority import AUTHORITY, BEGIN, END, copied
from tests.service.tally.house import alarms, machine, officer

REFERENCE = "网信〔2026〕77号"
WANTED = Filter(purpose="order_fulfilment", since=BEGIN, until=END)


@pytest.fixture
def config(config: Config, tmp_path: Any) -> Config:
    """A policy under which four members are many."""
    folder = shipped(tmp_path)
    for key, count in {"PROPERTY": 1, "TRANSACTION": 2, "OTHER": 3}.items():
        set_key(folder, "fields.toml", f"bulk.{key}", count)
    return config.model_copy(update={"policies": folder})


async def listed(running: Parts, count: int) -> list[str]:
    """So many members, and an entry that names them all."""
    found = [await a_member(running) for _ in range(count)]
    given: dict[str, Any] = {"purpose": "order_fulfilment", "fields": ("phone",), "first": 10, "after": None}
    await running.operations.page(machine(), edge_cursors=False, **given)
    await signed(running)
    return found


async def refused(running: Parts, wanted: Filter, code: str = "APPROVAL_REQUIRED", **given: str) -> None:
    with pytest.raises(Refused) as refusal:
        await copied(running, wanted, **({"reference": REFERENCE} | given))
    assert refusal.value.code == code


@pytest.mark.obligation("LB-07")
async def test_of_as_many_as_the_policy_says_it_needs_nobody(running: Parts) -> None:
    await listed(running, 3)
    assert len(await copied(running, WANTED)) == 2


@pytest.mark.obligation("LB-07")
async def test_of_one_more_it_takes_another_person_who_allows_this_scope_for_this_authority(running: Parts) -> None:
    members = await listed(running, 4)
    await refused(running, WANTED)
    assert (await entries(running, "inspectionExport"))[-1]["rsn"] == "APPROVAL_REQUIRED"
    what = leaving(WANTED, REFERENCE, AUTHORITY).what
    given = {"kind": KIND, "what": what, "reason": "an inspection", "hours": 24}
    asked = await running.operations.ask_approval(OFFICER, **given)
    await refused(running, WANTED)
    await running.operations.decide_approval(officer(), approval_id=asked.approval_id, allow=True)
    assert len(await copied(running, WANTED)) == 2
    assert (await entries(running, "inspectionExport"))[-1]["x"]["approval"] == asked.approval_id
    await refused(running, WANTED, reference="another")
    await refused(running, WANTED, recipient="example_auditor")
    await refused(running, replace(WANTED, purpose=""))
    assert len(await copied(running, WANTED, members[0])) == 2, "one member's is one member's"


@pytest.mark.obligation("AL-08")
@pytest.mark.obligation("LB-07")
@pytest.mark.parametrize("recipient", ["", "somebody", "example_courier", "EXAMPLE_AUTHORITY"])
async def test_whoever_is_no_authority_of_the_register_gets_nothing_however_little(running: Parts, recipient: str) -> None:
    await listed(running, 1)
    await refused(running, WANTED, "RECIPIENT_NOT_REGISTERED", recipient=recipient)
    entry = (await entries(running, "inspectionExport"))[-1]
    assert (entry["dec"], entry["rsn"], "recipient" in entry["x"]) == ("deny", "RECIPIENT_NOT_REGISTERED", False)
    assert await alarms(running) == [], "of as little as that nobody is alarmed"
    await copied(running, WANTED)
    assert (await entries(running, "inspectionExport"))[-1]["x"]["recipient"] == AUTHORITY


@pytest.mark.obligation("LB-07")
@pytest.mark.parametrize("recipient", [AUTHORITY, "somebody"])
async def test_an_export_of_too_many_that_is_refused_is_an_alarm(running: Parts, recipient: str) -> None:
    await listed(running, 4)
    with pytest.raises(Refused):
        await copied(running, WANTED, recipient=recipient)
    assert await alarms(running) == [("BULK_READING", f"staff:{OFFICER.actor.name} OTHER", 1)]
