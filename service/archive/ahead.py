"""Partitions for the entries to come (PostgreSQL). What finds none goes into the default partition: nothing fails, it only stays there."""

import asyncio
import logging

from service.archive import store
from service.db.engine import Database
from service.errors import ServiceError

_log = logging.getLogger(__name__)
_SECONDS = 20.0
"""Within them, the quickest instances do not fill a partition."""


async def keep_ahead(database: Database) -> None:
    """Look again and again, until cancelled. A database that is away, or a lock that is held, is for the next look."""
    while True:
        try:
            await store.partitions_ahead(database.read)
        except ServiceError as problem:
            _log.warning("no partition could be made ahead: %s", problem.code)
        await asyncio.sleep(_SECONDS)
