"""Work queued for a purpose: decided when it is done. A withdrawal is over before anything else leaves (WD-03)."""

import asyncio
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import select

from service.addresses import build
from service.app import issue_token, open_worker, parts
from service.config import Config
from service.consent.model import CaptureChannel
from service.db.statement import Prepared
from service.db.tables import job
from service.dispatch.commands import cleared
from service.members import store as members
from service.work import store as jobs
from service.work.model import Job, Lane, Outcome, State
from tests.api.front_end import entries
from tests.factories import a_call, a_member
from tests.gateway import Gateway, gateway

WITHDRAW = """
mutation { withdrawConsent(purpose: "marketing_sms", channel: MINI_PROGRAM) {
  ... on ConsentsRecorded { standings { state } } } }"""
EVERY = Prepared(select(*job.columns).where(job.c.kind == "deliver"))


@pytest.fixture
async def sms():
    async with gateway() as made:
        yield made


class Delivery:
    """A sender as a campaign would have one: it asks first, and posts to a real gateway."""

    def __init__(self, instance, sms: Gateway) -> None:
        self.instance = instance
        self.sms = sms
        self.before = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self, found: Job) -> Outcome:
        self.before.set()
        await self.go.wait()
        if not await cleared(self.instance.units, found):
            return Outcome("NOT_CLEARED")
        async with httpx2.AsyncClient(trust_env=False) as client:
            answer = await client.post(self.sms.url, json={"id": found.job_id}, headers={"webhook-id": found.job_id})
        return Outcome("SENT", State.DONE if answer.status_code == 204 else None)


async def queue(instance, member_id: str, *, minutes: float = 10, purpose: str = "marketing_sms") -> Job:
    """A delivery, due in ten minutes."""

    async def work(unit):
        due = unit.now + timedelta(minutes=minutes)
        made = Job(
            member_id=member_id,
            job_id=unit.new_id(),
            kind="deliver",
            purpose=purpose,
            event_id=unit.new_id(),
            due_at=due,
            created_at=unit.now,
        )
        await jobs.queue(unit.session, [made])
        return made

    from service.audit.entry import Draft

    return await instance.units.change(a_call("marketer"), Draft(typ="change", operation="queue"), work)


async def deliveries(instance) -> list[tuple[str, str]]:
    found = [jobs.shaped(row) for row in await instance.database.read.rows(EVERY)]
    return [(one.state.value, one.outcome) for one in found]


async def withdraw(instance, member_id: str) -> None:
    """As the member, through GraphQL over HTTP, on this instance."""
    transport = httpx2.ASGITransport(app=build(instance))
    headers = {"authorization": f"Bearer {issue_token(instance, role='member', member_id=member_id)}"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://menshen.test", headers=headers) as client:
        answer = (await client.post("/graphql", json={"query": WITHDRAW})).json()
    assert answer["data"]["withdrawConsent"]["standings"] == [{"state": "WITHDRAWN"}]


@pytest.fixture
async def instances(postgresql_url, tmp_path, clock):
    """Two instances over one PostgreSQL."""
    homes = [tmp_path / name for name in ("one", "two")]
    for home in homes:
        home.mkdir(mode=0o700)
    shared = {"database_url": postgresql_url, "kms_uri": f"local:{tmp_path / 'key'}"}
    made = [Config(home=homes[0], **shared), Config(home=homes[1], signer=f"file:{homes[0] / 'log.key'}", **shared)]
    async with parts(made[0], clock=clock) as one, parts(made[1], clock=clock) as two:
        yield one, two


@pytest.mark.obligation("WD-03")
async def test_a_withdrawal_on_one_instance_cancels_what_another_one_would_send_in_ten_minutes(instances, sms, clock):
    one, two = instances
    taken, kept = await a_member(one, yes=["marketing_sms"]), await a_member(one, yes=["marketing_sms"])
    await queue(two, taken)
    other = await queue(two, kept)
    await withdraw(one, taken)
    assert sorted(await deliveries(two)) == [("CANCELLED_WITHDRAWN", "WITHDRAWN"), ("WAITING", "")]
    clock.advance(minutes=11)
    async with open_worker(two, lanes=[Lane(kind="deliver", handler=Delivery(two, sms))]) as worker:
        await worker.once()
    assert sms.ids == [other.job_id], "the neighbour's is sent, so the gateway was there"
    assert sorted(await deliveries(two)) == [("CANCELLED_WITHDRAWN", "WITHDRAWN"), ("DONE", "SENT")]


@pytest.mark.obligation("WD-03")
async def test_a_withdrawal_between_the_claim_and_the_sending_is_seen_at_the_sending(instances, sms):
    one, two = instances
    member_id = await a_member(one, yes=["marketing_sms"])
    await queue(two, member_id, minutes=0)
    delivery = Delivery(two, sms)
    delivery.go.clear()
    async with open_worker(two, lanes=[Lane(kind="deliver", handler=delivery)]) as worker:
        claimed = asyncio.create_task(worker.once())
        await delivery.before.wait()
        await withdraw(one, member_id)
        delivery.go.set()
        await claimed
    assert sms.requests == [] and await deliveries(two) == [("CANCELLED_WITHDRAWN", "WITHDRAWN")]
    (entry,) = await entries(two, "dispatch")
    assert (entry["dec"], entry["rsn"], entry["pur"]) == ("deny", "JOB_SETTLED", "marketing_sms")


@pytest.mark.obligation("WD-03")
async def test_what_is_decided_at_dispatch_waits_for_a_withdrawal_that_is_being_written(instances, sms):
    """The withdrawal holds the member's lock and is not committed yet; the sender must not overtake it."""
    one, two = instances
    member_id = await a_member(one, yes=["marketing_sms"])
    await queue(two, member_id, minutes=0)
    holding, finish = asyncio.Event(), asyncio.Event()

    async def slowly(unit):
        from service.consent import withdrawing

        await members.row(unit.session, member_id, lock=True)
        holding.set()
        await finish.wait()
        return await withdrawing.withdraw(unit, member_id=member_id, purpose="marketing_sms", channel=CaptureChannel.MINI_PROGRAM)

    from service.audit.entry import Draft

    call = a_call("member", member_id=member_id)
    writing = asyncio.create_task(one.units.change(call, Draft(typ="consent", operation="withdrawConsent"), slowly))
    await holding.wait()
    async with open_worker(two, lanes=[Lane(kind="deliver", handler=Delivery(two, sms))]) as worker:
        sending = asyncio.create_task(worker.once())
        done, _ = await asyncio.wait({sending}, timeout=0.3)
        assert not done and sms.requests == []
        finish.set()
        await asyncio.gather(writing, sending)
    assert sms.requests == [] and await deliveries(two) == [("CANCELLED_WITHDRAWN", "WITHDRAWN")]


@pytest.mark.obligation("WD-03")
@pytest.mark.parametrize("moment", ["never asked", "expired", "erased"])
async def test_without_a_consent_that_stands_at_the_moment_of_sending_nothing_is_sent(running, sms, clock, moment):
    member_id = await a_member(running, yes=[] if moment == "never asked" else ["marketing_sms"])
    if moment == "expired":
        clock.advance(days=366)
    await queue(running, member_id, minutes=0)
    if moment == "erased":
        await running.operations.erase(a_call("compliance_officer"), member_id=member_id)
    async with open_worker(running, lanes=[Lane(kind="deliver", handler=Delivery(running, sms))]) as worker:
        await worker.once()
    code = {"never asked": "CONSENT_REQUIRED", "expired": "CONSENT_EXPIRED", "erased": "ERASED"}[moment]
    assert sms.requests == [] and await deliveries(running) == [("CANCELLED_WITHDRAWN", code)]


async def test_a_withdrawal_cancels_nothing_of_another_purpose_or_another_member(running):
    one, two = await a_member(running, yes=["marketing_sms", "marketing_phone"]), await a_member(running, yes=["marketing_sms"])
    await queue(running, one)
    await queue(running, one, purpose="marketing_phone")
    await queue(running, two)
    await withdraw(running, one)
    assert sorted(await deliveries(running)) == [("CANCELLED_WITHDRAWN", "WITHDRAWN"), ("WAITING", ""), ("WAITING", "")]
