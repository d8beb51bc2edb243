"""What goes round beside the work: alarms reach an address over HTTP, signed, from servers and from workers, and when the log is broken."""

import asyncio
from datetime import date

import pytest

from policies.duties import DutyKind
from service.alarms import store
from service.app import parts
from service.cli.rounds import watched
from service.errors import LogBroken
from service.oversight import store as oversight
from service.oversight.model import Duty
from tests.api.front_end import entries
from tests.gateway import BROKEN, OK, SECRET, gateway, signed
from tests.journeys.servers import begun, environment
from tests.service.alarms.house import raised
from tests.service.tally.house import alarms, officer


@pytest.fixture
async def desk():
    """Where the compliance department's own system listens."""
    async with gateway() as made:
        yield made


@pytest.fixture
def config(config, desk, tmp_path):
    path = tmp_path / "alarms.toml"
    path.touch(mode=0o600)
    path.write_text(f'[webhook]\nurl = "{desk.url}"\nsecret = "{SECRET}"\n', "utf-8")
    return config.model_copy(update={"alarms": path})


async def told(desk, count=1):
    """The last that came in, once so many have."""
    async with asyncio.timeout(20):
        while len(desk.requests) < count:
            desk.arrived.clear()
            await desk.arrived.wait()
    return desk.requests[-1]


async def outcome(running, wanted):
    async with asyncio.timeout(20):
        while not any(one.outcome == wanted for one in await store.live(running.database.read)):
            await asyncio.sleep(0.05)
    return next(one for one in await store.live(running.database.read) if one.outcome == wanted)


async def test_an_alarm_is_posted_and_signed_and_says_what_to_do(running, desk):
    found = await raised(running)
    async with watched(running):
        headers, body = await told(desk)
        await outcome(running, "TOLD")
    assert signed(headers, body) and not signed(headers, body.replace(b"DENIED_STREAK", b"HONEY_MEMBER"))
    (said,) = desk.bodies
    assert (said["event"], said["id"], said["kind"], said["about"], headers["webhook-id"]) == (
        *("alarm", found, "DENIED_STREAK", "staff:clerk@shop"),
        found,
    )
    assert "连续多次被拒绝" in said["text"] and f"menshen alarms ack {found}" in said["text"]


async def test_a_desk_that_does_not_confirm_is_told_again(running, desk, clock):
    await raised(running)
    desk.answer = BROKEN
    async with watched(running):
        held = await outcome(running, "POST_FAILED")
        assert (held.tries, held.told_at) == (1, None)
        desk.answer = OK
        clock.advance(seconds=31)
        await told(desk, 2)
        await outcome(running, "TOLD")
    assert [one["x"]["outcome"] for one in await entries(running, "tellAlarm")] == ["POST_FAILED", "TOLD"]


async def test_that_the_log_is_broken_is_told_though_no_entry_can_say_so_and_once(running, desk, clock):
    running.journal.fail(LogBroken("a test broke it"))
    running.publisher.state.breaker = "a test broke it"
    async with watched(running):
        headers, body = await told(desk)
        held = await outcome(running, "TOLD")
        clock.advance(hours=1)
    assert signed(headers, body) and desk.bodies[0]["kind"] == "LOG_BROKEN"
    assert (len(desk.requests), held.kind.value, held.tries) == (1, "LOG_BROKEN", 0)
    assert (held.due_at - held.first_at).total_seconds() == 4 * 3600


async def overdue(running):
    """A task whose day was yesterday."""
    made = Duty("duty-1", DutyKind.OFFICER_FILING, "PERSONS_1M", running.clock(), date(2020, 1, 3))
    async with running.database.write() as transaction:
        await oversight.add_duty(transaction, made)
        await transaction.commit()


async def test_a_task_past_its_day_is_an_alarm_and_a_metric_until_it_is_done(running, client, desk):
    assert "menshen_duties_overdue 0.0" in (await client.get("/metrics")).text
    await overdue(running)
    assert "menshen_duties_overdue 1.0" in (await client.get("/metrics")).text
    async with watched(running):
        await told(desk)
    assert desk.bodies[0]["kind"] == "DUTY_OVERDUE" and "法定任务已逾期" in str(desk.bodies[0]["text"])
    assert await alarms(running) == [("DUTY_OVERDUE", "OFFICER_FILING PERSONS_1M", 1)]
    await running.operations.complete_duty(officer(), duty_id="duty-1", reference="filed")
    running.publisher.state.leading = True
    async with watched(running), asyncio.timeout(20):
        while await store.live(running.database.read):
            await asyncio.sleep(0.05)
    assert "menshen_duties_overdue 0.0" in (await client.get("/metrics")).text


async def test_a_process_that_only_works_tells_of_alarms_too(config, clock, desk):
    async with parts(config, clock=clock) as running:
        found = await raised(running)
    settings = environment(config.home, config.database, MENSHEN_ALARMS=str(config.alarms))
    with begun(settings, "work") as worker:
        headers, body = await told(desk)
        assert signed(headers, body) and desk.bodies[0]["id"] == found
        worker.terminate()
        assert await asyncio.to_thread(worker.wait, 30) == 0
