"""What an authority is given of more members than the policy's count takes two persons, and names the authority and the scope (LB-07)."""

from dataclasses import replace
from typing import Any

import pytest

from service.app import Parts
from service.config import Config
from service.errors import Refused
from service.inspection.authority import KIND, words
from service.inspection.model import Filter
from tests.api.front_end import entries
from tests.factories import a_member
from tests.policy_folder import set_key, shipped
from tests.service.inspection.records import OFFICER, signed
from tests.service.inspection.test_authority import BEGIN, END, copied
from tests.service.tally.house import machine, officer

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


async def refused(running: Parts, wanted: Filter, reference: str = REFERENCE) -> None:
    with pytest.raises(Refused) as refusal:
        await copied(running, wanted, reference=reference)
    assert refusal.value.code == "APPROVAL_REQUIRED"


@pytest.mark.obligation("LB-07")
async def test_of_as_many_as_the_policy_says_it_needs_nobody(running: Parts) -> None:
    await listed(running, 3)
    assert len(await copied(running, WANTED)) == 2


@pytest.mark.obligation("LB-07")
async def test_of_one_more_it_takes_another_person_who_allows_this_scope_for_this_authority(running: Parts) -> None:
    members = await listed(running, 4)
    await refused(running, WANTED)
    assert (await entries(running, "inspectionExport"))[-1]["rsn"] == "APPROVAL_REQUIRED"
    given = {"kind": KIND, "what": words(WANTED, REFERENCE), "reason": "an inspection", "hours": 24}
    asked = await running.operations.ask_approval(OFFICER, **given)
    await refused(running, WANTED)
    await running.operations.decide_approval(officer(), approval_id=asked.approval_id, allow=True)
    assert len(await copied(running, WANTED)) == 2
    assert (await entries(running, "inspectionExport"))[-1]["x"]["approval"] == asked.approval_id
    await refused(running, WANTED, "another")
    await refused(running, replace(WANTED, purpose=""))
    assert len(await copied(running, WANTED, members[0])) == 2, "one member's is one member's"
