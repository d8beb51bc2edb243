"""Partitions for the entries to come (PostgreSQL). What finds none goes into the default partition: nothing fails, it only stays there."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.archive import store
from service.db.engine import Database
from service.errors import ServiceError

_log = logging.getLogger(__name__)
_SECONDS = 20.0
"""Within them, the quickest instances do not fill a partition."""


@asynccontextmanager
async def partitioned(database: Database) -> AsyncIterator[None]:
    """See to it in the background for as long as this lasts."""
    task = asyncio.create_task(keep_ahead(database))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def keep_ahead(database: Database) -> None:
    """Look again and again, until cancelled. A database that is away, or a lock that is held, is for the next look."""
    while True:
        try:
            await store.partitions_ahead(database.read)
        except ServiceError as problem:
            _log.warning("no partition could be made ahead: %s", problem.code)
        await asyncio.sleep(_SECONDS)
