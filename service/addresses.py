"""Every address of a process that serves, and what answers there. The only module in `service` that may import `schema`, which
takes longer to import than all else: who serves nothing does not come here.
"""

import asyncio
from datetime import timedelta
from functools import partial

from prometheus_client.registry import CollectorRegistry
from starlette.applications import Starlette
from starlette.types import ASGIApp

from policies.clock import day_in_shanghai
from schema.http.endpoint import Endpoint
from schema.http.graphiql import routes as graphiql_routes
from schema.http.meter import Meter
from service.alarms.store import counts as alarm_counts
from service.app import Parts, open_accounts, open_hooks
from service.guardians.queries import sensitive as sensitive_members
from service.identity.opening import open_verifier
from service.identity.verifier import Verifier
from service.inbound.model import EMAIL
from service.inbound.queries import Volumes, volumes
from service.members import store as members
from service.oversight import store as overseen
from service.propagation.commands import alarm_before
from service.receipts import jws
from service.receipts.model import KEY_USE
from service.subscriptions import letters
from service.values import new_id
from service.web.alarms import AlarmMeter
from service.web.audit_log import routes as log_routes
from service.web.backlog import BacklogMeter
from service.web.checkpoints import CheckpointMeter
from service.web.duties import DutyMeter
from service.web.front import Front
from service.web.hooks import routes as hook_routes
from service.web.keys import key_set
from service.web.notices import pages as notice_pages
from service.web.problem import Wall, handlers
from service.web.public import Check, landing, routes
from service.web.received import ReceivedMeter
from service.web.sensitive import SensitiveMeter
from service.web.unsubscribe import routes as link_routes
from service.work import store as jobs
from service.work.model import Backlog

GRAPHQL = "/graphql"


def build(running: Parts) -> ASGIApp:
    """The application: GraphQL at one busy address, and what a balancer and a browser ask for beside it."""
    config = running.config
    registry = CollectorRegistry()

    def make_id() -> str:
        return new_id(running.clock(), running.chance)

    backlog = BacklogMeter(registry, partial(_backlog, running), running.clock)
    sensitive = SensitiveMeter(registry, partial(sensitive_members, running.database.read, running.catalogue.consent))
    rung = AlarmMeter(registry, partial(alarm_counts, running.database.read))
    late = DutyMeter(registry, partial(_late, running))
    received = ReceivedMeter(registry, partial(_received, running))
    CheckpointMeter(registry, lambda: running.publisher.state, running.clock)
    pages = routes(
        checks=_checks(running),
        registry=registry,
        fresh=partial(_fresh, backlog.refresh, sensitive.refresh, received.refresh, rung.refresh, late.refresh),
    )
    asks = letters.chosen(running.catalogue, EMAIL, open_accounts(config, running.catalogue))
    pages += link_routes(running.operations, running.catalogue.controller, running.clock, make_id=make_id, sender=asks)
    pages += hook_routes(running.operations, open_hooks(config, running.catalogue), make_id=make_id)
    pages += notice_pages(running.catalogue, running.clock)
    verifier = open_verifier(
        config, roles=running.catalogue.roles, clock=running.clock, chance=running.chance, closed=running.closed
    )
    pages += log_routes(running.operations, verifier, make_id=make_id)
    pages.append(key_set(jws.key_set(running.vault.public_keys(KEY_USE))))
    if not config.production:
        pages += [landing(), *graphiql_routes()]
    rest = Starlette(routes=pages, exception_handlers=handlers(make_id))
    front = Front(address=GRAPHQL, busy=_endpoint(running, registry, verifier), rest=rest)
    return Wall(front, make_id=make_id)


async def _fresh(*looks: Check) -> str:
    """Every count anew; one that fails leaves the others theirs."""
    found = await asyncio.gather(*(look() for look in looks), return_exceptions=True)
    return "ok" if all(answer == "ok" for answer in found) else "unavailable"


async def _received(running: Parts) -> Volumes:
    """How the day's mail was received."""
    return await volumes(running.database.read, running.catalogue, EMAIL, now=running.clock())


async def _late(running: Parts) -> int:
    """How many tasks are past their day."""
    return await overseen.overdue(running.database.read, today=day_in_shanghai(running.clock()))


async def _backlog(running: Parts) -> Backlog:
    """What waits now: not what waits for a consent to run out, which may be years."""
    now = running.clock()
    soon = now + timedelta(seconds=2 * running.config.retry_cap_seconds)
    return await jobs.backlog(running.database.read, soon=soon, alarm=alarm_before(running.catalogue, now))


def _endpoint(running: Parts, registry: CollectorRegistry, verifier: Verifier) -> Endpoint:
    config = running.config
    return Endpoint(
        operations=running.operations,
        verifier=verifier,
        catalogue=running.catalogue,
        clock=running.clock,
        chance=running.chance,
        meter=Meter(registry),
        production=config.production,
        public_url=config.public,
        origins=[origin.strip() for origin in config.allowed_origins.split(",") if origin.strip()],
    )


def _checks(running: Parts) -> dict[str, Check]:
    """What an answer needs: a database that answers, and a log that can be written."""

    async def database() -> str:
        await members.newest(running.database.read)
        return "ok"

    async def audit() -> str:
        return running.journal.health()

    return {"database": database, "audit": audit}
