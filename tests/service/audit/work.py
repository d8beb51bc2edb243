"""A unit of work: a row, and its entry that says which row it was. Any table will do as the business that changes."""

import asyncio

from sqlalchemy import bindparam, insert, select

from service.audit.writer import Writer
from service.db.engine import Database, Retry
from service.db.statement import Prepared
from service.db.tables import import_run
from tests.service.audit import logs

_DO = Prepared(insert(import_run).values({column.name: bindparam(column.name) for column in import_run.columns}))
_DONE = Prepared(select(import_run.c.import_id))
_COUNTS = {"rows_done": 0, "members_made": 0, "rows_rejected": 0, "rows_duplicate": 0}


async def do(
    database: Database, journal: Writer, name: str, *, begun: asyncio.Event | None = None, fail: bool = False, again: bool = False
) -> None:
    """Do it. `begun` is set once the transaction is open; `fail` ends it in an error; `again` retries as the door does."""
    try:
        async with database.write() as transaction:
            if begun is not None:
                begun.set()
            await transaction.run(_DO, {"import_id": name, "started_at": logs.now(), "finished_at": None, **_COUNTS})
            if fail:
                raise ZeroDivisionError
            entered = await journal.commit(logs.change(extra={"row": name}), logs.CLERK, transaction)
        await entered
    except Retry:
        if not again:
            raise
        await do(database, journal, name, again=True)


async def done(database: Database) -> set[str]:
    """What was changed."""
    return {name for (name,) in await database.read.rows(_DONE)}


async def recorded(database: Database) -> list[str]:
    """What the log says was changed, in its order."""
    return [entry["x"]["row"] for entry in await logs.entries(database) if entry["typ"] == "change"]
