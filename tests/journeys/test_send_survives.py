"""The accident while a message is on its way: the worker is killed, and nobody gets it twice (MK-01)."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from policies.clock import SHANGHAI
from service.app import Parts, open_worker, parts
from service.config import Config
from service.db.engine import Database
from service.gate.model import Decision
from service.work.worker import LEASE
from tests.factories import a_profile
from tests.journeys.servers import begun, environment
from tests.policy_folder import set_key, shipped
from tests.service.gate.made import campaign, one, subscriber, why
from tests.service.senders import made
from tests.service.senders.house import PUBLIC, became, jobs, queue, senders_file
from tests.service.senders.vendors import Answer, Request, vendor


async def test_a_worker_killed_while_the_vendor_hears_it_sends_it_to_nobody_twice(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    arrived = asyncio.Event()

    def silent(_: Request) -> Answer:
        arrived.set()
        return b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n"

    async with vendor(silent) as sms:
        sms.hangs = True
        config = _config(tmp_path, database_url, sms.url)
        async with parts(config) as running:
            decision = await _ordered(running)
            with begun(_settings(config), "work") as worker:
                await asyncio.wait_for(arrived.wait(), 60)
                worker.kill()
            assert await became(running, decision) == ["DISPATCHED"]

        later = datetime.now(UTC) + LEASE + timedelta(seconds=1)
        async with parts(config, clock=lambda: later) as heirs, open_worker(heirs) as heir:
            while await heir.once():
                pass
            assert len(sms.requests) == 1
            assert await became(heirs, decision) == ["DISPATCHED", "UNKNOWN"]
            assert [state for state, _ in await jobs(heirs)] == ["FAILED"], "a person sees it, and asks the vendor"


def _config(folder: Path, database_url: str, url: str) -> Config:
    """A policy whose night is half a day away: the clocks are real here, and the test may run at any hour."""
    policies = shipped(folder)
    night = datetime.now(SHANGHAI) + timedelta(hours=12)
    set_key(policies, "channels.toml", "channels.sms.quiet_from", f"{night:%H}:00")
    set_key(policies, "channels.toml", "channels.sms.quiet_until", f"{night + timedelta(hours=1):%H}:00")
    home = folder / "home"
    home.mkdir(mode=0o700)
    return Config(
        home=home, database_url=database_url, policies=policies, senders=senders_file(folder, living_sms=url), public_url=PUBLIC
    )


def _settings(config: Config) -> dict[str, str]:
    told = {"MENSHEN_POLICIES": str(config.policies), "MENSHEN_SENDERS": str(config.senders), "MENSHEN_PUBLIC_URL": PUBLIC}
    return environment(config.home, config.database_url, **told)


async def _ordered(running: Parts) -> Decision:
    member_id = await subscriber(running, a_profile())
    campaign_id = await campaign(running, made.a_body())
    decision = await one(running, campaign_id, member_id)
    assert decision.allowed, why(decision)
    await queue(running, campaign_id, decision)
    return decision
