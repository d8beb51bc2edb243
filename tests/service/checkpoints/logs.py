"""A log that grows, and a publisher on it that does what it is told, round by round."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from menshen_verifier.checkpoint import open_checkpoint
from menshen_verifier.note import Kind
from service.audit.entry import Draft
from service.audit.head import Authority
from service.audit.writer import Writer
from service.checkpoints import keys, store
from service.checkpoints.model import Published
from service.checkpoints.opening import FileSigner
from service.checkpoints.publisher import Publisher
from service.db.engine import Database
from service.values import Clock
from tests.service.audit import logs
from tests.service.audit.logs import CLERK


def signer(home: Path, *, origin: str = logs.ORIGIN, second: bool = False) -> Any:
    """A signer over a key file in `home`, made the first time."""
    paths = [home / "log.key", home / "second.key"]
    keys.make(paths[0], Kind.ED25519, chance=os.urandom, setting="TEST")
    keys.make(paths[1], Kind.ML_DSA_44, chance=os.urandom, setting="TEST")
    state = home / "log.key.state"
    return FileSigner(paths[0], second=paths[1] if second else None, state=state, origin=origin, chance=os.urandom)


@asynccontextmanager
async def publishing(
    database: Database, journal: Writer, home: Path, *, clock: Clock = logs.now, **more: Any
) -> AsyncIterator[Publisher]:
    """A publisher that does nothing by itself; the journal is told what it finds."""
    given = {"signer": signer(home), "authority": Authority(logs.ORIGIN, logs.mac), **more}
    made = Publisher(database=database, clock=clock, broken=journal.fail, **given)
    try:
        yield made
    finally:
        made._waiting.end(None)
        await made._own.close()
        if made._cosigning:
            await made._cosigning._own.close()


async def grow(journal: Writer, count: int) -> None:
    """So many reads, a few at once."""
    from asyncio import gather

    for start in range(0, count, 200):
        await gather(*(journal.append(logs.read(), CLERK) for _ in range(min(200, count - start))))


async def newest(database: Database, publisher: Publisher) -> Published:
    """The newest checkpoint, its signature checked by the verifier's own code."""
    found = await store.newest(database.read)
    assert found is not None
    said = open_checkpoint(found.note.encode(), publisher.keys).checkpoint
    assert (said.origin, said.size, said.root) == (logs.ORIGIN, found.size, found.root)
    return found


export = partial(Draft, typ="export", operation="exportMembers", count=2)
