"""One batch into the tree: by one statement while we are alone, under the head's lock otherwise (audit-log.md 2.4).

This remembers the tree as it last left it, so each append checks that the log still goes on from there, and a log that does not is
never written to again. What went wrong is raised as `Failed` (nothing was written), `InDoubt` (perhaps it was) or LogBroken.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from menshen_verifier import merkle
from service.audit import store
from service.audit.entry import Entry
from service.audit.head import Authority, Head, Seen, check_seen
from service.audit.loading import loaded
from service.audit.remembered import RememberedHead
from service.audit.tree import Tree
from service.db.engine import Database, Duplicate, Retry, Session, Transaction
from service.errors import LogBroken, StoreUnavailable

_log = logging.getLogger(__name__)

_SECONDS = 8.0
"""Longer than any lock is waited for; a database that has said nothing by then is not going to."""

_PAGE = 20_000


class Failed(Exception):
    """The batch is not in the tree."""


class InDoubt(Exception):
    """The batch may be in the tree: its commit was sent and not answered."""


class Placed(NamedTuple):
    """Where each entry of a batch stands, and the size of the tree with them."""

    indices: list[int]
    size: int


Late = Callable[[], Sequence[Entry]]
"""What has come for the same batch meanwhile. None of it waits in the database, and none of it was sent before."""


class Appender:
    """The head's keeper in this process. One task uses it, so its fields need no lock."""

    def __init__(self, *, database: Database, authority: Authority, remembered: RememberedHead) -> None:
        self._own = database.pipelined()
        self._quick = database.dialect == "postgresql"
        self._authority = authority
        self._remembered = remembered
        self._seen: Seen | None = None
        self._tree = Tree()
        self._head = authority.head(self._tree)
        self._alone = True
        self._sent = False

    async def open(self) -> None:
        """Found the log or take up its head. Raises LogBroken, StoreUnavailable."""
        self._seen = self._remembered.read(self._authority)
        for _ in range(2):
            # Two instances that begin one log at once: the slower one finds the head of the quicker.
            with suppress(Duplicate):
                await self._open()
                return
        raise StoreUnavailable("audit_head")

    async def append(self, entries: Sequence[Entry], pending: Sequence[str], *, late: Late = list, doubt: bool = False) -> Placed:
        """Add `entries`, of which those with an id in `pending` wait in the database, and what is `late` if there was a lock to wait for.
        What is there already is left as it is.

        `doubt` says that this batch was tried before and may be there. Raises Failed, InDoubt, LogBroken.
        """
        self._sent = False
        try:
            async with asyncio.timeout(_SECONDS):
                placed = None if doubt else await self._at_once(entries, pending)
                return placed or await self._under_lock(entries, pending, late=late, doubt=doubt)
        except LogBroken:
            raise
        except Exception as problem:
            # Whatever it is: this batch is not certain, and the next one must find a sound connection.
            await self.close()
            kind = InDoubt if self._sent and not isinstance(problem, Retry) else Failed
            raise kind(type(problem).__name__) from problem

    async def close(self) -> None:
        """Give the connection up; the next append makes a new one."""
        with suppress(Exception):
            async with asyncio.timeout(_SECONDS):
                await self._own.close()

    async def _open(self) -> None:
        if self._seen is not None:
            await self._go_on_from(self._seen)
        async with self._own.write() as transaction:
            await store.make_durable(transaction)
            head = await store.head(transaction, self._authority.origin, lock=True)
            if head is None:
                await self._found(transaction)
                await transaction.commit()
            elif self._seen is not None:
                await self._catch_up(transaction, head)
            else:
                self._authority.check(head)
                self._tree, self._head = await self._loaded(transaction, head.size, merkle.root(head.hashes)), head
        self._remember()

    async def _go_on_from(self, seen: Seen) -> None:
        """Take up the tree where this instance last saw it, and follow it to its head: nothing in between may be another's."""
        async with self._own.single() as session:
            head = await store.head(session, self._authority.origin)
            if head is not None:
                check_seen(head, seen)
                self._tree = await self._loaded(session, seen.size, seen.root)
                await self._catch_up(session, head)

    async def _found(self, transaction: Session) -> None:
        """A log begins only where there is none: a head that somebody took away must not come back as an empty one."""
        if self._seen is not None or await store.any_entry(transaction):
            raise LogBroken("the head's row is gone")
        await store.found(transaction, self._authority.origin, self._head)

    async def _loaded(self, session: Session, size: int, root: bytes) -> Tree:
        """The tree as it was at `size`, from its right edge in the tables, believed because it folds to `root`."""
        tree = await loaded(session, size)
        if tree is None:
            raise LogBroken(f"rows are missing before entry {size}")
        if tree.root != root:
            raise LogBroken(f"rolled back or altered: the first {size} entries are not those that were seen")
        return tree

    async def _at_once(self, entries: Sequence[Entry], pending: Sequence[str]) -> Placed | None:
        """One statement, one round trip. None when the head has moved, or one of the pending entries has been put in by others."""
        if not (self._quick and self._alone):
            return None
        step, tree = self._step(self._tree, entries, pending)
        async with self._own.single() as session:
            self._sent = True
            done = await store.append(session, self._authority.origin, step)
        self._sent = self._alone = done
        return self._taken(tree, step) if done else None

    async def _under_lock(self, entries: Sequence[Entry], pending: Sequence[str], *, late: Late, doubt: bool) -> Placed:
        asked = [entry.id for entry in entries] if doubt else pending
        while True:
            async with self._own.write() as transaction:
                taken = await store.take(transaction, self._authority.origin, self._tree.size, asked)
                if taken.leaves is not None or taken.head is None or taken.head.size <= self._tree.size:
                    # Who came while we waited for the lock would else wait for the next one, too.
                    return await self._go_on(transaction, taken, [*entries, *late()], pending)
            await self._follow()

    async def _go_on(
        self, transaction: Transaction, taken: store.Taken, entries: Sequence[Entry], pending: Sequence[str]
    ) -> Placed:
        """Everybody waits for this: what is not in the tree goes in by one statement, and to the disk by one commit."""
        before = self._tree.size
        await self._catch_up(transaction, taken.head, taken.leaves)
        self._alone = self._tree.size == before
        new = [entry for entry in entries if entry.id not in taken.there]
        step, tree = self._step(self._tree, new, pending, locked=True)
        self._sent = True
        if not await store.append_last(transaction, self._authority.origin, step):
            raise LogBroken("the head changed under its lock")
        placed = self._taken(tree, step)
        there = taken.there | dict(zip((entry.id for entry in new), placed.indices, strict=True))
        return Placed([there[entry.id] for entry in entries], placed.size)

    async def _follow(self) -> None:
        """Very much was appended by others: it is read before the lock is taken, so that under the lock little is left to read."""
        async with self._own.single() as session:
            await self._catch_up(session, await store.head(session, self._authority.origin))

    async def _catch_up(self, session: Session, head: Head | None, known: bytes | None = None) -> None:
        """Grow our tree by what others appended: by the leaves that are `known`, and by what is read where those are not all.

        Raises LogBroken unless it then is the head's: they went on from where we were.
        """
        if head is None:
            raise LogBroken("the head's row is gone")
        self._authority.check(head)
        check_seen(head, self._seen)
        tree = self._tree
        if known and len(known) == (head.size - tree.size) * merkle.HASH_BYTES:
            tree, _ = tree.grown([known[at : at + merkle.HASH_BYTES] for at in range(0, len(known), merkle.HASH_BYTES)])
        while tree.size < head.size:
            leaves = await store.leaves(session, tree.size, min(head.size, tree.size + _PAGE))
            if not leaves:
                raise LogBroken(f"entry {tree.size} is missing")
            tree, _ = tree.grown(leaves)
        if tree.frontier != head.hashes:
            raise LogBroken(f"the log does not go on from its first {self._tree.size} entries as they were")
        self._tree, self._head, self._seen = tree, head, Seen(head.size, head.root)

    def _step(
        self, tree: Tree, entries: Sequence[Entry], pending: Sequence[str], *, locked: bool = False
    ) -> tuple[store.Step, Tree]:
        grown, tiles = tree.grown([entry.leaf for entry in entries])
        return store.Step(self._head, self._authority.head(grown), entries, tiles, pending, locked), grown

    def _taken(self, tree: Tree, step: store.Step) -> Placed:
        """It is durable: from here on this is the log."""
        self._tree, self._head = tree, step.after
        self._remember()
        return Placed(list(range(step.before.size, tree.size)), tree.size)

    def _remember(self) -> None:
        self._seen = Seen(self._head.size, self._head.root)
        try:
            self._remembered.write(self._authority, self._seen)
        except OSError as problem:
            # The entries are durable; only the second memory is not. An answer that is recorded need not be refused for that.
            _log.error("the remembered head cannot be written: %s", problem.strerror)
