"""One log ends and the next begins, in one transaction: killed before its end, the old one is as it was (docs/formats/audit-log.md,
"A closed log").
"""

from collections.abc import Awaitable, Callable, Sequence

from service.audit import store
from service.audit.entry import Entry
from service.audit.head import Authority, Head
from service.audit.regrowing import Ahead
from service.audit.tree import Tree
from service.db.emptying import empty, hold
from service.db.engine import Database, Transaction
from service.errors import Conflict

Said = Callable[[Transaction], Awaitable[Sequence[Entry]]]
"""Makes the first entries of the new log, and writes what goes with them."""


async def succeed(database: Database, old: Authority, new: Authority, said: Said, *, before: Head, ahead: Ahead) -> Head:
    """Empty the record's tables of the log that stands at `before`, and begin `new`; its head. Raises Conflict if it does not."""
    async with database.write() as transaction:
        await store.make_durable(transaction)
        await hold(transaction)
        if await store.head(transaction, old.origin, lock=True) != before:
            raise Conflict
        entries = await said(transaction)
        await empty(transaction)
        after = await _begun(transaction, new, entries)
        await ahead(transaction)
        await transaction.commit()
    return after


async def _begun(transaction: Transaction, authority: Authority, entries: Sequence[Entry]) -> Head:
    nothing = Tree()
    tree, tiles = nothing.grown([entry.leaf for entry in entries])
    before, after = authority.head(nothing), authority.head(tree)
    await store.found(transaction, authority.origin, before)
    if not await store.append(transaction, authority.origin, store.Step(before, after, entries, tiles, [], locked=True)):
        raise Conflict
    return after
