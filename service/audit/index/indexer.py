"""Full blocks get their words, behind the writers' backs: a search looks at every entry of what has none yet, so it misses nothing."""

import asyncio
import contextlib
import logging

import orjson

from service.audit.head import Authority
from service.audit.index import store as index
from service.audit.index.terms import BLOCK, Postings, span
from service.audit.reading import store
from service.audit.store import head as read_head
from service.background import rest
from service.db.engine import Database, Duplicate
from service.errors import ServiceError

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 2.0
_PART = 256
"""Entries that are read and taken apart in one go, about a millisecond: those who read wait as long for their answers."""


class Indexer:
    """Any instance's. Where two work at once, one of them does each block."""

    def __init__(self, *, database: Database, authority: Authority) -> None:
        self._database = database
        self._authority = authority

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. A database that does not answer is asked again."""
        while not stop.is_set():
            try:
                await self.once()
            except ServiceError as problem:
                _log.warning("the log's index waits: %s", problem.code)
            await rest(stop, _PAUSE_SECONDS)

    async def once(self) -> int:
        """Do what is there to do; how many blocks that was. Raises StoreUnavailable."""
        head = await read_head(self._database.read, self._authority.origin)
        first, last = await index.indexed(self._database.read), (head.size if head else 0) // BLOCK
        for block in range(first, last):
            # Another instance was quicker: the block is done all the same.
            with contextlib.suppress(Duplicate):
                await self._write(block)
            await asyncio.sleep(0)
        return max(last - first, 0)

    async def _write(self, block: int) -> None:
        postings, moments = Postings(), list[str]()
        for first in range(block * BLOCK, (block + 1) * BLOCK, _PART):
            page = await store.page(self._database.read, first, first + _PART)
            moments += _take_in(postings, page, block)
            await asyncio.sleep(0)
        async with self._database.write() as transaction:
            await index.add(transaction, block, postings.made(), *span(moments))
            await transaction.commit()


def read(page: store.Page, block: int) -> tuple[dict[str, bytes], str, str]:
    """A block's words, and its first and last moment. Bytes that are no entry have none: a verification tells of them."""
    postings = Postings()
    moments = _take_in(postings, page, block)
    return postings.made(), *span(moments)


def _take_in(postings: Postings, page: store.Page, block: int) -> list[str]:
    """The moments of these entries of a block, whose words go to `postings`."""
    moments = []
    for at, raw in zip(page.indices, page.raws, strict=True):
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
            entry = orjson.loads(raw)
            postings.add(entry, at - block * BLOCK)
            moments.append(entry["ts"])
    return moments
