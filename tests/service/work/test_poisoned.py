"""Jobs that always fail: they take their turn, and nobody else's."""

import asyncio
from datetime import timedelta

import pytest

from service.audit.entry import Draft
from service.work import store
from service.work.model import Backoff, Job, Lane, Outcome, State
from service.work.worker import Worker
from tests.factories import a_call

WIDTH = 4
POISONED = "019a0000-0000-7000-8000-00000000000a"
OTHER = "019a0000-0000-7000-8000-00000000000b"


async def put(running, member_id, count):
    async def work(unit):
        at = {"due_at": unit.now, "created_at": unit.now}
        made = [
            Job(member_id=member_id, job_id=unit.new_id(), kind="errand", purpose="p", event_id=unit.new_id(), **at)
            for _ in range(count)
        ]
        await store.queue(unit.session, made)
        return made

    return await running.units.change(a_call(), Draft(typ="change", operation="put"), work)


@pytest.fixture
async def worker(running):
    """`worker(handler)`: one narrow lane; the pauses never grow, so that whoever fails comes back as often as may be."""
    made = []

    def make(handler, **more):
        lanes = [Lane(kind="errand", handler=handler, width=WIDTH)]
        pauses = Backoff(timedelta(seconds=30), timedelta(seconds=30))
        made.append(Worker(database=running.database, lanes=lanes, clock=running.clock, backoff=pauses, **more))
        return made[-1]

    yield make
    for one in made:
        await one.close()


async def test_the_others_in_the_lane_wait_for_one_round_of_those_that_always_fail_and_no_longer(running, worker, clock):
    did = []

    async def handler(found):
        did.append(found.member_id)
        clock.advance(5)
        if found.member_id == POISONED:
            raise RuntimeError
        return Outcome("DONE", State.DONE)

    poisoned = await put(running, POISONED, 10 * WIDTH)
    await worker(handler)._round(worker(handler)._lanes[0])
    clock.advance(1)
    await put(running, OTHER, 1)
    late = worker(handler)
    for _ in range(len(poisoned) // WIDTH + 2):
        await late._round(late._lanes[0])
        if OTHER in did:
            break
    assert OTHER in did and did.index(OTHER) <= len(poisoned) + WIDTH


async def test_a_try_that_never_ends_is_ended_and_the_lane_goes_on(running, worker):
    did = []

    async def handler(found):
        if found.member_id == POISONED:
            await asyncio.Event().wait()
        did.append(found.member_id)
        return Outcome("DONE", State.DONE)

    await put(running, POISONED, WIDTH)
    await put(running, OTHER, 3)
    async with asyncio.timeout(20):
        assert await worker(handler, patience=timedelta(seconds=0.2)).once() == WIDTH + 3
    assert did == [OTHER] * 3
