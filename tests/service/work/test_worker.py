"""The worker: at least once, never twice at the same time, and nothing stops it."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from service.audit.entry import Draft
from service.db.statement import Prepared
from service.db.tables import job
from service.errors import StoreUnavailable
from service.work import store
from service.work.model import Backoff, Job, Lane, Outcome, State
from service.work.worker import LEASE, Worker
from tests.factories import a_call

PAUSES = Backoff(timedelta(seconds=30), timedelta(hours=1))
MEMBER = "019a0000-0000-7000-8000-000000000001"


@pytest.fixture
def put(running):
    """`await put(3)`: so many jobs, due now."""

    async def run(count: int = 1, *, kind: str = "errand", recipient: str = "") -> list[Job]:
        async def work(unit):
            made = [
                Job(
                    member_id=MEMBER,
                    job_id=unit.new_id(),
                    kind=kind,
                    purpose="marketing_sms",
                    recipient=recipient,
                    event_id=unit.new_id(),
                    due_at=unit.now,
                    created_at=unit.now,
                )
                for _ in range(count)
            ]
            await store.queue(unit.session, made)
            return made

        return await running.units.change(a_call(), Draft(typ="change", operation="put"), work)

    return run


@pytest.fixture
async def worker(running):
    """`worker(handler)`: one that has one lane of errands; closed in the end."""
    made: list[Worker] = []

    def make(handler, **lane) -> Worker:
        lanes = [Lane(kind="errand", handler=handler, **lane)]
        made.append(Worker(database=running.database, lanes=lanes, clock=running.clock, backoff=PAUSES))
        return made[-1]

    yield make
    for one in made:
        await one.close()


async def states(running) -> list[tuple[str, str, int]]:
    every = Prepared(select(job.c.state, job.c.outcome, job.c.attempts).order_by(job.c.job_id))
    return [tuple(row) for row in await running.database.read.rows(every)]


async def test_every_due_job_is_done_and_none_that_is_not_due(running, put, worker, clock):
    did = []

    async def handler(found):
        did.append(found.job_id)
        return Outcome("DONE", State.DONE)

    jobs = await put(20)
    await put(1, kind="other")
    clock.advance(-1)
    assert await worker(handler).once() == 0
    clock.advance(1)
    assert await worker(handler).once() == 20
    assert sorted(did) == sorted(one.job_id for one in jobs)
    assert [state for state, _, _ in await states(running)].count("DONE") == 20


async def test_a_unit_that_is_rolled_back_has_queued_nothing(running, put):
    class Regret(Exception):
        pass

    async def work(unit):
        made = Job(
            member_id=MEMBER,
            job_id=unit.new_id(),
            kind="errand",
            purpose="marketing_sms",
            event_id=unit.new_id(),
            due_at=unit.now,
            created_at=unit.now,
        )
        await store.queue(unit.session, [made])
        raise Regret

    with pytest.raises(Regret):
        await running.units.change(a_call(), Draft(typ="change", operation="put"), work)
    assert await states(running) == []


async def test_whatever_a_handler_throws_is_one_try_and_the_others_go_on(running, put, worker, clock, capsys):
    async def handler(found):
        if found.job_id == jobs[0].job_id:
            raise RuntimeError("phone 13800138000")
        if found.job_id == jobs[1].job_id:
            raise StoreUnavailable
        return Outcome("DONE", State.DONE)

    jobs = await put(3)
    await worker(handler).once()
    assert sorted(await states(running)) == [("DONE", "DONE", 1), ("WAITING", "INTERNAL", 1), ("WAITING", "STORE_UNAVAILABLE", 1)]
    said = "".join(capsys.readouterr())
    assert "RuntimeError" in said and "13800138000" not in said


async def test_a_job_that_fails_waits_twice_as_long_each_time_and_never_longer_than_the_cap(running, put, worker, clock):
    async def handler(_):
        return Outcome("NOT_YET")

    await put()
    pauses = []
    for _ in range(12):
        await worker(handler).once()
        due = (await running.database.read.rows(Prepared(select(job.c.due_at))))[0][0]
        pauses.append((due - clock.now).total_seconds())
        clock.now = due
    expected = [min(30 * 2**number, 3600) for number in range(12)]
    assert all(least <= pause <= least * 1.2 for least, pause in zip(expected, pauses, strict=True)), pauses


async def test_who_dies_with_a_job_loses_it_after_the_lease_and_not_before(running, put, worker, clock):
    async def dies(_):
        await asyncio.Event().wait()

    async def handler(_):
        return Outcome("DONE", State.DONE)

    await put()
    dead = asyncio.create_task(worker(dies).once())
    while await states(running) != [("WAITING", "", 1)]:
        await asyncio.sleep(0.01)
    dead.cancel()
    await asyncio.gather(dead, return_exceptions=True)
    assert await worker(handler).once() == 0
    clock.advance(LEASE.total_seconds() + 1)
    assert await worker(handler).once() == 1
    assert await states(running) == [("DONE", "DONE", 2)]


async def test_a_claim_that_has_run_out_settles_nothing_while_another_hand_is_at_it(running, put, worker, clock):
    """The first one hung, and comes back with its word while the second one is still at it."""
    late, begun, finish = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hangs(_):
        await late.wait()
        return Outcome("TOO_LATE", State.FAILED)

    async def handler(_):
        begun.set()
        await finish.wait()
        return Outcome("DONE", State.DONE)

    await put()
    first = asyncio.create_task(worker(hangs).once())
    while await states(running) != [("WAITING", "", 1)]:
        await asyncio.sleep(0.01)
    clock.advance(LEASE.total_seconds() + 1)
    second = asyncio.create_task(worker(handler).once())
    await begun.wait()
    late.set()
    await first
    assert await states(running) == [("WAITING", "", 2)]
    finish.set()
    await second
    assert await states(running) == [("DONE", "DONE", 2)]


async def test_a_slow_recipient_holds_up_no_other_lane(running, put, clock):
    release = asyncio.Event()
    did = asyncio.Event()

    async def slow(_):
        await release.wait()
        return Outcome("DONE", State.DONE)

    async def quick(_):
        did.set()
        return Outcome("DONE", State.DONE)

    await put(30, recipient="slow")
    await put(1, recipient="quick")
    lanes = [Lane(kind="errand", recipient="slow", handler=slow), Lane(kind="errand", recipient="quick", handler=quick)]
    worker = Worker(database=running.database, lanes=lanes, clock=clock, backoff=PAUSES)
    stop = asyncio.Event()
    task = asyncio.create_task(worker.run(stop))
    async with asyncio.timeout(10):
        await did.wait()
        stop.set()
        release.set()
        await task
    await worker.close()
    waiting = [state for state, _, _ in await states(running) if state == "WAITING"]
    assert len(waiting) == 22, "what was begun is ended, and nothing new is begun"


async def test_a_worker_whose_database_goes_away_waits_for_it(running, put, clock):
    did = asyncio.Event()

    async def handler(_):
        did.set()
        return Outcome("DONE", State.DONE)

    await put()
    worker = Worker(database=running.database, lanes=[Lane(kind="errand", handler=handler)], clock=clock, backoff=PAUSES)
    await hide(running)
    assert await worker.once() == 0
    await hide(running, back=True)
    stop = asyncio.Event()
    task = asyncio.create_task(worker.run(stop))
    async with asyncio.timeout(10):
        await did.wait()
        stop.set()
        await task
    await worker.close()
    assert await states(running) == [("DONE", "DONE", 1)]


async def hide(running, *, back: bool = False) -> None:
    """Take the table away, as a failing disk or a careless administrator would; or put it back."""
    names = ("job_gone", "job") if back else ("job", "job_gone")
    own = running.database.own()
    async with own.single() as session:
        await session.run(Prepared(text("ALTER TABLE {} RENAME TO {}".format(*names))))
    await own.close()
