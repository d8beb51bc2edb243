"""Whoever reads a planted member many times at once gets what they get for any other: no error, no refusal, nothing less."""

import asyncio

import pytest

from tests.service.alarms.house import plant
from tests.service.tally.house import alarms, clerk, look, machine, members


@pytest.mark.parametrize(("who", "purpose"), [(machine(), "order_fulfilment"), (clerk(), "membership_benefits")])
async def test_many_looks_at_once_are_answered_as_those_at_anybody(running, who, purpose):
    ordinary, planted = await members(running, 2)
    await plant(running, planted)
    told = []
    for member in (ordinary, planted):
        fields = ["phone"] if purpose == "order_fulfilment" else None
        found = await asyncio.gather(*(look(running, who, member, fields, purpose) for _ in range(8)), return_exceptions=True)
        told.append({(type(one).__name__, len(one.values), len(one.withheld)) for one in found})
    assert told[0] == told[1]
    assert [(kind, count) for kind, _, count in await alarms(running)] == [("HONEY_MEMBER", 8)]
