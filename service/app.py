"""The composition root: configuration becomes objects, once, here; what answers at which address, in `service/addresses.py`."""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import policies
from policies.catalogue import PolicyProblem, load
from policies.terms import Catalogue
from service.alarms import baits
from service.alarms.settings import load as load_alarms
from service.audit.index.indexer import Indexer
from service.audit.remembered import RememberedHead
from service.audit.writer import Writer
from service.background import beside
from service.checkpoints.anchors.anchoring import Anchoring
from service.checkpoints.publisher import Publisher
from service.checkpoints.running import publishing, trust_of
from service.config import Config, Suite
from service.db import revision
from service.db.engine import Database, Session, connect
from service.deletion.commands import delete
from service.errors import ConfigError
from service.identity.closed import Closed
from service.identity.development import open_issuer
from service.inbound.settings import Hooks
from service.inbound.settings import load as load_hooks
from service.machine import now
from service.members import store as members
from service.operations import Operations
from service.oversight import store as overseen
from service.propagation import endpoints
from service.propagation.courier import Courier
from service.propagation.telling import Telling
from service.senders import opening, settings
from service.senders.depositing import anchored
from service.senders.model import SEND
from service.senders.sending import Sending
from service.senders.wire import Wire
from service.senders.writing import Writing
from service.subscriptions import letters
from service.subscriptions.model import LETTER
from service.tally.guard import Guard
from service.unit import Units
from service.values import Chance, Clock, of_log
from service.vault.caller import address_digest, token_digest
from service.vault.kms import kms_for
from service.vault.vault import Suite as VaultSuite
from service.vault.vault import Vault
from service.work.model import DELETE, TELL, Backoff, Lane
from service.work.worker import Worker

_GRACE_SECONDS = 15.0
"""For what the worker is at when the process is to end: longer than one try at a recipient."""


@dataclass(frozen=True, slots=True, repr=False)
class Parts:
    """Everything a running Menshen is made of."""

    config: Config
    catalogue: Catalogue
    database: Database
    vault: Vault
    journal: Writer
    publisher: Publisher
    units: Units
    operations: Operations
    clock: Clock
    chance: Chance
    closed: Closed
    anchoring: Anchoring
    guard: Guard


@asynccontextmanager
async def parts(config: Config, *, clock: Clock = now, chance: Chance = os.urandom) -> AsyncIterator[Parts]:
    """Open everything, and close it again.

    Raises ConfigError, KeyUnavailable, LogBroken or StoreUnavailable: then nothing is served.
    """
    catalogue = catalogue_of(config)
    check_schema(config)
    config.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = connect(config.database, pool_size=config.database_pool, transaction_pooler=config.transaction_pooler)
    await database.start()
    try:
        vault = await open_vault(config, catalogue, database, clock=clock, chance=chance)
        journal = open_journal(config, catalogue, database, vault, clock=clock, chance=chance)
        async with publishing(config, database, journal, clock=clock, chance=chance) as publisher:
            guard = Guard(catalogue, load_alarms(config.alarms, production=config.production).rules)
            units = Units(
                database=database,
                vault=vault,
                journal=journal,
                catalogue=catalogue,
                clock=clock,
                chance=chance,
                watch=guard,
                trust=trust_of(config, publisher, origin=journal.authority.origin),
            )
            guard.know(await baits.names(database.read, vault, kept, now=clock()))
            closed = Closed(partial(overseen.closed, database.read))
            await closed.look()
            acts, origin = Operations(units), journal.authority.origin
            async with anchored(config, catalogue, database, publisher.state, origin=origin, clock=clock) as anchors:
                yield Parts(
                    config, catalogue, database, vault, journal, publisher, units, acts, clock, chance, closed, anchors, guard
                )
    finally:
        await database.close()


@asynccontextmanager
async def open_worker(running: Parts, *, lanes: Sequence[Lane] = ()) -> AsyncIterator[Worker]:
    """The worker over all the lanes that this policy asks for, and `lanes`. Raises ConfigError where one of the deployment's files with
    addresses is not fit.
    """
    config, units = running.config, running.units
    told_at, accounts = open_endpoints(config, running.catalogue), open_accounts(config, running.catalogue)
    async with Courier() as courier, Wire() as wire:
        telling = Telling(units=units, courier=courier, endpoints=told_at, clock=running.clock)
        known = [key for key, recipient in running.catalogue.recipients.items() if recipient.known_by]
        every = [Lane(kind=DELETE, handler=partial(delete, units)), *lanes]
        every += [Lane(kind=TELL, recipient=key, handler=telling) for key in known]
        every += _sending(running, accounts, wire)
        pauses = Backoff(timedelta(seconds=config.retry_seconds), timedelta(seconds=config.retry_cap_seconds))
        worker = Worker(database=running.database, lanes=every, clock=running.clock, backoff=pauses)
        try:
            yield worker
        finally:
            await worker.close()


def _sending(running: Parts, accounts: Mapping[str, settings.Account], wire: Wire) -> list[Lane]:
    """A lane for each registered sender: a vendor that is slow holds up nobody else's messages."""
    known = opening.outlets(accounts, running.catalogue, wire=wire, clock=running.clock, chance=running.chance)
    handler = Sending(units=running.units, outlets=known, public_url=running.config.public)
    lanes = [Lane(kind=SEND, recipient=key, handler=handler) for key in running.catalogue.senders]
    writing = Writing(units=running.units, outlets=known, public_url=running.config.public)
    return lanes + [Lane(kind=LETTER, recipient=sender.key, handler=writing) for sender in letters.writers(running.catalogue)]


@asynccontextmanager
async def working(running: Parts) -> AsyncIterator[None]:
    """Give the log's full blocks their words and, where MENSHEN_WORKER says so, do queued work, in the background; what has been begun is
    ended before this ends.
    """
    async with AsyncExitStack() as stack:
        runs = [Indexer(database=running.database, authority=running.journal.authority).run]
        if running.config.worker:
            runs.append((await stack.enter_async_context(open_worker(running))).run)
        await stack.enter_async_context(beside(*runs, grace=_GRACE_SECONDS))
        yield


async def kept(session: Session, member_id: str) -> baits.Wrapped | None:
    """The secret of somebody who is there."""
    row = await members.row(session, member_id)
    return None if row is None or row.wrapped is None else (row.generation, row.wrapped)


def open_endpoints(config: Config, catalogue: Catalogue) -> dict[str, endpoints.Endpoint]:
    """Where recipients are told. Raises ConfigError."""
    return endpoints.load(config.recipients, catalogue, production=config.production)


def open_accounts(config: Config, catalogue: Catalogue) -> dict[str, settings.Account]:
    """Where each registered sender's vendor is reached. Raises ConfigError."""
    return settings.load(config.senders, catalogue, production=config.production)


def open_hooks(config: Config, catalogue: Catalogue) -> Hooks:
    """What the addresses that vendors deliver to are opened with. Raises ConfigError."""
    return load_hooks(config.hooks, catalogue)


def issue_token(
    running: Parts,
    *,
    role: str,
    member_id: str | None = None,
    purposes: Sequence[str] | None = None,
    lasts: timedelta = timedelta(hours=12),
) -> str:
    """A token of the development issuer. Raises ConfigError in production mode."""
    config = running.config
    issuer = open_issuer(config.home, production=config.production, audience=config.audience, chance=running.chance)
    subject = f"{role}@development"
    return issuer.issue(roles=[role], now=running.clock(), lasts=lasts, purposes=purposes, member_id=member_id, subject=subject)


def catalogue_of(config: Config) -> Catalogue:
    """The policy in force. Raises ConfigError with every problem that the folder has."""
    folder = config.policies or Path(policies.__file__).parent
    try:
        return load(folder)
    except PolicyProblem as problem:
        found = "; ".join(f"{item.file}: {item.key}: {item.reason}" for item in problem.problems)
        raise ConfigError(f"the policy in {folder} is not valid: {found}") from None


def origin_of(config: Config, catalogue: Catalogue) -> str:
    """The audit log's name."""
    return config.origin or f"{catalogue.controller.id}/audit"


def check_schema(config: Config) -> None:
    """The service never migrates by itself: it says what is missing. Raises ConfigError."""
    path = config.database.removeprefix("sqlite:///")
    if config.database.startswith("sqlite") and not Path(path).exists():
        raise ConfigError("the database does not exist yet: run `menshen migrate`")
    if revision.current(config.database) != revision.newest():
        raise ConfigError("the database's schema is not of this release: run `menshen migrate`")


async def open_vault(config: Config, catalogue: Catalogue, database: Database, *, clock: Clock, chance: Chance) -> Vault:
    """The vault over the configured KMS. Raises KeyUnavailable or SealBroken."""
    kms = kms_for(config.kms, chance=chance, production=config.production)
    suite = VaultSuite.SM4_GCM if config.suite is Suite.SM else VaultSuite.AES256_GCM
    return await Vault.unlock(
        database=database,
        kms=kms,
        controller=catalogue.controller.id,
        origin=origin_of(config, catalogue),
        suite=suite,
        clock=clock,
        chance=chance,
    )


def open_journal(
    config: Config, catalogue: Catalogue, database: Database, vault: Vault, *, clock: Clock, chance: Chance
) -> Writer:
    """The audit writer of this process."""
    return Writer(
        database=database,
        mac=lambda message: vault.mac("head", message),
        origin=origin_of(config, catalogue),
        policy=catalogue.digest,
        clock=clock,
        chance=chance,
        remembered=RememberedHead(config.home / of_log("audit-head", origin_of(config, catalogue))),
        address_mac=partial(address_digest, vault),
        token_mac=partial(token_digest, vault),
    )
