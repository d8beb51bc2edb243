"""What a page costs does not depend on how many of those on it are minors."""

import pytest

from tests.service.minors.family import CHILD, YOUTH, answer, family, someone

PAGE = '{ members(purpose: "birthday_gift", first: 50) { nodes { id birthday withheld { reason } } } }'


async def grown_by(running, ask, count):
    """So many youths and guarded children who have said yes."""
    for _ in range(count):
        youth = await someone(running, YOUTH)
        await answer(running, ask, youth, kind="GENERAL")
        child, guardian = await family(running, ask, CHILD)
        await answer(running, ask, guardian, of=child)


@pytest.mark.obligation("SM-09")
@pytest.mark.parametrize("role", ["mini_program", "marketer"])
async def test_a_page_costs_the_same_statements_with_one_minor_on_it_and_with_ten(running, ask, statements, role):
    """Of staff one more for the approvals of all of them; of a service none."""
    told = []
    for more in (1, 4):
        await grown_by(running, ask, more)
        with statements() as heard:
            nodes = (await ask(PAGE, role=role))["data"]["members"]["nodes"]
        told.append((len(nodes), len(heard)))
    assert told == [(2, 1 + (role == "marketer")), (10, 1 + (role == "marketer"))]


@pytest.mark.obligation("SM-05")
async def test_a_page_without_leave_to_see_them_costs_no_more(running, ask, statements):
    for _ in range(5):
        await someone(running, CHILD)
    with statements() as heard:
        told = await ask('{ members(purpose: "order_fulfilment", first: 50) { nodes { id } } }', role="order_service")
    assert told["data"]["members"]["nodes"] == [] and len(heard) <= 2
