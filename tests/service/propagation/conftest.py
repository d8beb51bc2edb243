"""An instance that tells a real gateway on loopback; a member who has said yes to SMS and takes it back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from service.app import Parts, open_worker
from service.config import Config
from service.db.statement import Prepared
from service.db.tables import job
from service.work import store as jobs
from service.work.model import Job
from tests.gateway import Gateway, gateway, recipients_file

WITHDRAW = """
mutation { withdrawConsent(purpose: "marketing_sms", channel: MINI_PROGRAM) {
  __typename ... on ConsentsRecorded { standings { purpose state propagation } } } }"""
MINE = "{ consents { purpose state propagation } }"


@pytest.fixture
async def sms() -> AsyncIterator[Gateway]:
    """The SMS provider."""
    async with gateway() as made:
        yield made


@pytest.fixture
def config(database_url: str, tmp_path: Path, sms: Gateway) -> Config:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    told = recipients_file(tmp_path, example_sms_gateway=sms.url)
    return Config(home=home, database_url=database_url, recipients=told)


@pytest.fixture
def work(running: Parts):
    """`await work()`: everything that is due now is tried."""

    async def once() -> int:
        async with open_worker(running) as worker:
            return await worker.once()

    return once


@pytest.fixture
def withdraw(ask):
    """`await withdraw(member_id)`: as the member, through GraphQL; the new standing."""

    async def run(member_id: str) -> dict[str, object]:
        answer = await ask(WITHDRAW, role="member", member_id=member_id)
        return answer["data"]["withdrawConsent"]["standings"][0]

    return run


@pytest.fixture
def mine(ask):
    """`await mine(member_id)`: what the member sees of the SMS consent."""

    async def run(member_id: str) -> tuple[str, str | None]:
        answer = await ask(MINE, role="member", member_id=member_id)
        (found,) = [standing for standing in answer["data"]["consents"] if standing["purpose"] == "marketing_sms"]
        return found["state"], found["propagation"]

    return run


@pytest.fixture
def queued(running: Parts):
    """`await queued()`: every job, the oldest first."""
    every = Prepared(select(*job.columns).order_by(job.c.job_id))

    async def run() -> list[Job]:
        return [jobs.shaped(row) for row in await running.database.read.rows(every)]

    return run
