"""What the tests of oversight begin with: a round done by hand, and a policy that is served under."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from service.app import Parts, parts
from service.config import Config
from service.oversight import commands, register
from service.oversight.upkeep import Upkeep


def upkeep(running: Parts) -> Upkeep:
    """As `menshen serve` has one; its rounds are asked for one by one."""
    return Upkeep(running.units, running.closed, clock=running.clock, chance=running.chance)


async def seen_to(running: Parts) -> None:
    """Begin to serve under the policy, and do a round."""
    await commands.serve_under(running.database, running.catalogue.digest, register.body(running.catalogue), now=running.clock())
    await upkeep(running).once()


@asynccontextmanager
async def under(config: Config, folder: Path, clock) -> AsyncIterator[Parts]:
    """The same deployment, started anew under another policy."""
    async with parts(config.model_copy(update={"policies": folder}), clock=clock) as made:
        await seen_to(made)
        yield made
