"""Entries that the log has had, and the database has lost, go back to their places: the bytes that were signed, and nothing that is there
is touched (docs/formats/audit-log.md, "Lost entries").

One transaction: after a kill at any moment, all of it is there or nothing.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from service.audit import store
from service.audit.entry import Entry
from service.audit.head import Authority, Head
from service.audit.tree import Tree
from service.db.engine import Database, Session, Transaction
from service.errors import Conflict, LogBroken
from service.values import Progress

Ahead = Callable[[Session], Awaitable[object]]
"""Sees to it that the entries to come have partitions: what goes into the default one stays there for good."""

_AHEAD = 1 << 19
"""Entries: no partition is shorter, and each look makes the next one."""


async def regrow(
    database: Database,
    authority: Authority,
    pages: Iterable[Sequence[Entry]],
    *,
    before: Head,
    tree: Tree,
    size: int,
    root: bytes,
    said: Sequence[Entry],
    ahead: Ahead,
    progress: Progress,
) -> Head:
    """Grow the log, which stands at `before` and is `tree`, by `pages` up to `size`, where it must have `root`; then by `said`. The head.

    Raises Conflict where the log does not stand there any more, LogBroken where the pages come to another root. Then nothing was done.
    """
    begun = due = tree.size
    async with database.write() as transaction:
        await store.make_durable(transaction)
        if await store.head(transaction, authority.origin, lock=True) != before:
            raise Conflict
        for entries in pages:
            if tree.size >= due:
                await ahead(transaction)
                due = tree.size + _AHEAD
            before, tree = await _grown(transaction, authority, before, tree, entries)
            progress(tree.size - begun, size - begun)
        if (tree.size, tree.root) != (size, root):
            raise LogBroken("the entries that were read do not come to the checkpoint any more")
        if said:
            before, tree = await _grown(transaction, authority, before, tree, said)
        await transaction.commit()
    return before


async def _grown(
    transaction: Transaction, authority: Authority, before: Head, tree: Tree, entries: Sequence[Entry]
) -> tuple[Head, Tree]:
    """One page more. What an old state has waiting, and the log had taken in later, waits no longer: it would go in twice."""
    tree, tiles = tree.grown([entry.leaf for entry in entries])
    after = authority.head(tree)
    step = store.Step(before, after, entries, tiles, [entry.id for entry in entries], locked=True)
    if not await store.append(transaction, authority.origin, step):
        raise LogBroken("the head changed under its lock")
    return after, tree
