"""One PostgreSQL, one nursery, and a house for each attack."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from tests.attacks.house import House, housekeeping
from tests.plugins.databases import text
from tests.plugins.nursery import Nursery, of_this_run
from tests.plugins.postgres import Server

SIGNED = 150, 400, 600
"""How many entries there are, at the least, when the log is signed: a range that is told between two heads does not hang on the machine's
pace. More than two full tiles, and an edge."""


@pytest.fixture(scope="session")
def nursery() -> Nursery:
    """Where processes come from."""
    return of_this_run()


@pytest.fixture
async def house(nursery: Nursery, postgresql_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """A shop that is not open yet."""
    with housekeeping(House(nursery, tmp_path, postgresql_url)) as made:
        yield made


@pytest.fixture(scope="module")
def kept(
    nursery: Nursery, postgres: Server, postgresql_template: URL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """A house in which some hundred entries were written, signed and cosigned; its witness goes on, no instance does."""
    assert postgresql_template.database is not None
    url = postgres.make(postgresql_template.database)
    with housekeeping(House(nursery, tmp_path_factory.mktemp("house"), text(url))) as made:
        asyncio.run(_lived(made))
        yield made
    postgres.drop(url)


async def _lived(house: House) -> None:
    await house.open()
    for entries in SIGNED:
        await house.live(entries)
        await house.settled()
    house.kill()


@pytest.fixture
def lived_in(kept: House) -> Iterator[House]:
    """The same house for each attack: what was done to it is undone."""
    before = kept.dump()
    yield kept
    kept.kill()
    kept.restore(before)
