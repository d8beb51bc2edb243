"""What "may I send?" costs: `python -m bench.sending [--members N] [--rounds N] [--quick]`.

decide  One `menshen serve` on one core over PostgreSQL, one engine that walks a campaign's audience in pages of 1,000 through GraphQL: each
        member locked, judged, reserved, kept with its evidence, one entry of the log a page. Members a second; milliseconds a page. Each
        round is another campaign, so that nobody has been sent it before; every member's window fills up as in life.
race    bench/race.py: sixteen senders for the same 1,000 members, and nobody gets a fourth.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
import uvloop

from bench.cluster import info, open_cluster
from bench.machine import SERVER_CORE, cpu_seconds, description, other_cores
from bench.race import races
from bench.shop import Server, Shop, open_shop
from bench.wire import Wire
from policies.marketing import MessageClass
from service.app import now, parts
from service.campaigns import store as campaigns
from service.campaigns.model import (
    Audience,
    Campaign,
    CampaignState,
    CampaignStep,
    Content,
    Step,
    Template,
    TemplateBody,
    campaign_digest,
    template_digest,
)
from service.unit import Unit
from service.values import Actor, ActorKind, Call, new_id

TARGET = 5_000
_RACE_SECONDS = 240.0
_ROLE = "marketing_engine"
_DECIDE = """mutation D($of: ID!, $after: String) { decideSends(campaignId: $of, first: 1000, after: $after) { __typename
  ... on SendDecisions { decisions { memberId sendId allowed reasons token expiresAt nextSlot } pageInfo { hasNextPage endCursor } } } }"""
_WORDS = "【示例生活】秋季新品已到店，欢迎选购。客服4000000000，拒收请回复R"
# Everybody in the database said yes to text messages, has a number, and wants the news.
_READY = (
    """INSERT INTO consent_standing (member_id, purpose, state, permits, since, event_id, scope, by_guardian, hash)
       SELECT member_id, 'marketing_sms', 'GIVEN', 1, now(), member_id, 1, 0, ''::bytea FROM member""",
    """INSERT INTO member_lookup (field, digest, generation, holder, member_id, mark)
       SELECT 'phone', decode(md5(member_id), 'hex'), 1, '', member_id, decode(md5('mark' || member_id), 'hex') FROM member""",
    """INSERT INTO subscription (member_id, channel, topic, brand, state, since, event_id, monthly, hash)
       SELECT member_id, 'sms', 'news', 'living', 'SUBSCRIBED', now(), member_id, 1000, ''::bytea FROM member""",
    """INSERT INTO suppression (channel, mark, state, reason, since)
       SELECT 'sms', decode(md5('gone' || member_id), 'hex'), 'SUPPRESSED', 'UNSUBSCRIBED', now() FROM member LIMIT 10000""",
    "VACUUM (ANALYZE)",
)


@dataclass(frozen=True, slots=True)
class Walk:
    """One campaign's audience, from its first page to its last."""

    members: int
    allowed: int
    seconds: float
    cpu: float
    pages: tuple[float, ...]


def prepare(shop: Shop) -> None:
    """Make everybody somebody who wants it."""
    with psycopg.connect(info(shop.site.url), autocommit=True) as connection:
        for statement in _READY:
            connection.execute(statement.encode())


async def campaign(shop: Shop) -> str:
    """One that somebody approved; its id."""
    async with parts(shop.site.config()) as running:
        at = now()
        body = TemplateBody(title="bench", message_class=MessageClass.COMMERCIAL, channel="sms", sender="living_sms", text=_WORDS)
        template_id, campaign_id = new_id(at, os.urandom), new_id(at, os.urandom)
        content = Content(
            title="bench",
            brand="living",
            channel="sms",
            topic="news",
            purpose="marketing_sms",
            template_id=template_id,
            template_version=1,
            template_digest=template_digest(body).hex(),
            audience=Audience(),
            starts_at=at - timedelta(hours=1),
            ends_at=at + timedelta(days=7),
        )
        digest = campaign_digest(content)
        found = Campaign(campaign_id, 1, CampaignState.APPROVED, content, digest, digest, "bench", at, at)

        async def work(unit: Unit) -> None:
            await campaigns.add_template(unit.session, Template(template_id, 1, body, template_digest(body), "bench", at))
            await campaigns.add(unit.session, found)
            step = Step(1, CampaignStep.APPROVED, "reviewer", "", content, body, digest, at)
            await campaigns.record(unit.session, campaign_id, unit.new_id(), step)

        call = Call(Actor(ActorKind.SYSTEM, "bench", frozenset()), "bench")
        await running.units.change(call, running.operations.draft("change", "bench", ""), work)
    return campaign_id


async def walk(shop: Shop, server: Server, campaign_id: str) -> Walk:
    """Ask for the whole audience."""
    wire = await Wire.to(server.port, shop.token(_ROLE))
    waits, members, allowed, after = [], 0, 0, None
    begun, worked = time.perf_counter(), cpu_seconds(server.process.pids)
    while True:
        at = time.perf_counter()
        found = (await wire.ask(_DECIDE, {"of": campaign_id, "after": after}))["decideSends"]
        waits.append((time.perf_counter() - at) * 1e3)
        members += len(found["decisions"])
        allowed += sum(one["allowed"] for one in found["decisions"])
        after = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            break
    wire.close()
    cpu = cpu_seconds(server.process.pids) - worked
    return Walk(members, allowed, time.perf_counter() - begun, cpu, tuple(waits))


def measure(shop: Shop, rounds: int) -> None:
    """Three walks fill the windows, and what comes after them is refused: both are told."""
    prepare(shop)
    with shop.open(SERVER_CORE) as (server,):
        for number in range(rounds):
            done = uvloop.run(walk(shop, server, asyncio.run(campaign(shop))))
            pages = sorted(done.pages)
            rate = done.members / done.seconds
            print(
                f"decide {number + 1}: {rate:,.0f} members/s ({done.allowed:,} of {done.members:,} allowed), page p50 "
                f"{statistics.median(pages):.0f} ms, most {pages[-1]:.0f} ms, server CPU {done.cpu / done.members * 1e6:.0f} µs a member"
                f" — target {TARGET:,}: {'reached' if rate >= TARGET else 'MISSED'}"
            )


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--quick", action="store_true", help="10,000 members")
    wanted = parser.parse_args()
    size = 10_000 if wanted.quick else wanted.members
    print(description())
    races(1_000, _RACE_SECONDS)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="menshen-bench-sending-")))
        cluster = open_cluster()
        stack.callback(cluster.close)
        shop = open_shop(cluster, folder, size)
        os.sched_setaffinity(0, other_cores())
        measure(shop, wanted.rounds)


if __name__ == "__main__":
    main()
