"""A deployment of which nothing runs, for the commands that put another state of the log in place: `tail restore` and `genesis`."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from service import app
from service.archive import returning
from service.archive.returning import House
from service.audit.lanes import Scribe
from service.checkpoints import witness_settings
from service.checkpoints.opening import signer_for
from service.checkpoints.trust import Trust
from service.cli.audit_verify import opened
from service.config import Config

# A command that runs by itself is a composition root: here, as in service/app.py, chance comes from the system.
_chance = os.urandom  # noqa: TID251


class Stopped(NamedTuple):
    """Its log, whom it believes, and who writes what the command has to say."""

    house: House
    trust: Trust
    scribe: Scribe


@asynccontextmanager
async def stopped(config: Config) -> AsyncIterator[Stopped]:
    """A deployment while nothing of it runs. Raises InstanceRunning, and whatever keeps signer or witnesses from being asked."""
    async with opened(config) as (database, journal):
        origin = journal.authority.origin
        signer = signer_for(config, origin=origin, chance=_chance)
        cosigners = witness_settings.load(config.witnesses, origin=origin, log=lambda: signer.keys, production=config.production)
        try:
            house = House(database, journal.authority, journal.remembered, cosigners, await signer.open())
            parties, quorum = (cosigners.parties, cosigners.quorum) if cosigners else ((), 0)
            trust = Trust(origin, lambda: signer.keys, parties=parties, quorum=quorum)
            scribe = Scribe(policy=app.catalogue_of(config).digest, chance=_chance, address_mac=lambda *_: "")
            async with returning.alone(house, elect=not config.transaction_pooler):
                yield Stopped(house, trust, scribe)
        finally:
            await signer.close()
            if cosigners is not None:
                await cosigners.close()
