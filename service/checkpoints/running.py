"""Signer, witnesses, publisher and journal put together, in the order in which they must come up and go down."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.audit.writer import Writer
from service.background import beside
from service.checkpoints import witness_settings
from service.checkpoints.model import Signer
from service.checkpoints.opening import acks_for, signer_for
from service.checkpoints.publisher import Publisher
from service.checkpoints.starting import check_start
from service.checkpoints.trust import Trust, policy
from service.config import Config
from service.db.engine import Database
from service.values import Chance, Clock

_LAST_ROUND_SECONDS = 2.0
"""For the checkpoint that is being made when the process is to end."""


@asynccontextmanager
async def publishing(
    config: Config, database: Database, journal: Writer, *, clock: Clock, chance: Chance
) -> AsyncIterator[Publisher]:
    """The journal at work, and its log followed, signed and published meanwhile. Raises as `parts` does."""
    signer = signer_for(config, origin=journal.authority.origin, chance=chance)
    origin = journal.authority.origin
    cosigners = witness_settings.load(config.witnesses, origin=origin, log=lambda: signer.keys, production=config.production)
    publisher = Publisher(
        database=database,
        authority=journal.authority,
        signer=signer,
        cosigners=cosigners,
        clock=clock,
        broken=journal.fail,
        elect=not config.transaction_pooler,
    )
    try:
        # Before the first entry is written: a log that was rolled back must not grow.
        await check_start(database, journal.authority, signer, cosigners)
        await journal.start()
        journal.assure(publisher, acks_for(config, witnesses=publisher.cosigners is not None))
        async with beside(publisher.run, grace=_LAST_ROUND_SECONDS):
            try:
                yield publisher
            finally:
                await journal.close()
    finally:
        await publisher.close()
        if cosigners is not None:
            await cosigners.close()


async def open_policy(config: Config, *, origin: str, chance: Chance) -> str:
    """The policy text for auditors, from the signer's and the settings' own keys. Raises ConfigError, KeyUnavailable."""
    signer = signer_for(config, origin=origin, chance=chance)
    try:
        await signer.open()
        return policy_of(config, signer)
    finally:
        await signer.close()


def policy_of(config: Config, signer: Signer) -> str:
    """The same, of a signer that is open."""
    cosigners = witness_settings.load(config.witnesses, origin="", log=lambda: (), production=config.production)
    return policy(signer.keys, *((cosigners.parties, cosigners.quorum) if cosigners else ()))


def trust_of(config: Config, publisher: Publisher, *, origin: str) -> Trust:
    """Whom this deployment believes: the signer's keys of now, and the witnesses of the settings. Raises ConfigError."""
    cosigners = witness_settings.load(config.witnesses, origin=origin, log=lambda: (), production=config.production)
    parties, quorum = (cosigners.parties, cosigners.quorum) if cosigners else ((), 0)
    return Trust(origin, lambda: publisher.keys, parties=parties, quorum=quorum)
