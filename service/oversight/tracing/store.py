"""The SQL of what is derived from the log: one mark, the accounts, their uses. Every statement stands by itself."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Integer, bindparam, insert, select, update

from service.db.engine import Duplicate, Session
from service.db.statement import Prepared, Row
from service.db.tables import account, audit_entry, grant_use, oversight_mark

MARK = "accounts"


class Use(NamedTuple):
    """What was used: `name` is the role's, the operation's or the purpose's own."""

    account: str
    role: str
    what: str
    name: str


_POSITION = Prepared(select(oversight_mark.c.position).where(oversight_mark.c.name == bindparam("of_name")))
_ADD_MARK = Prepared(insert(oversight_mark).values({column.name: bindparam(column.name) for column in oversight_mark.columns}))
_MOVE_MARK = Prepared(
    update(oversight_mark)
    .where(oversight_mark.c.name == bindparam("of_name"), oversight_mark.c.position < bindparam("to"))
    .values(position=bindparam("to"), updated_at=bindparam("now"))
)
_ENTRIES = Prepared(
    select(audit_entry.c.idx, audit_entry.c.actor, audit_entry.c.entry)
    .where(audit_entry.c.idx >= bindparam("since"))
    .order_by(audit_entry.c.idx)
    .limit(bindparam("size", type_=Integer))
)
_SEEN = Prepared(
    update(account)
    .where(account.c.account == bindparam("of_account"), account.c.last_seen < bindparam("until"))
    .values(last_seen=bindparam("at"))
)
_KNOWN = Prepared(select(account.c.account).where(account.c.account == bindparam("of_account")))
_ADD_ACCOUNT = Prepared(insert(account).values({column.name: bindparam(column.name) for column in account.columns}))
_USED = Prepared(
    update(grant_use)
    .where(
        grant_use.c.account == bindparam("of_account"),
        grant_use.c.role == bindparam("of_role"),
        grant_use.c.what == bindparam("of_what"),
        grant_use.c.name == bindparam("of_name"),
        grant_use.c.last_at < bindparam("until"),
    )
    .values(last_at=bindparam("at"))
)
_LAST = Prepared(
    select(grant_use.c.last_at).where(
        grant_use.c.account == bindparam("of_account"),
        grant_use.c.role == bindparam("of_role"),
        grant_use.c.what == bindparam("of_what"),
        grant_use.c.name == bindparam("of_name"),
    )
)
_ADD_USE = Prepared(insert(grant_use).values({column.name: bindparam(column.name) for column in grant_use.columns}))
_USES = Prepared(select(*grant_use.columns))


async def position(session: Session) -> int:
    """How many entries of the log have been read."""
    rows = await session.rows(_POSITION, {"of_name": MARK})
    return int(rows[0][0]) if rows else 0


async def uses(session: Session) -> dict[Use, datetime]:
    """When each was last used."""
    return {Use(*row[:4]): row[4] for row in await session.rows(_USES)}


async def entries(session: Session, since: int, *, size: int) -> list[Row]:
    """Index, actor and bytes of the next entries."""
    return await session.rows(_ENTRIES, {"since": since, "size": size})


async def see(session: Session, name: str, first: datetime, last: datetime) -> None:
    """An account was seen between these moments."""
    if await session.run(_SEEN, {"of_account": name, "at": last, "until": last}) or await session.rows(
        _KNOWN, {"of_account": name}
    ):
        return
    try:
        new = {"account": name, "first_seen": first, "last_seen": last, "enabled_at": None, "disabled_at": None}
        await session.run(_ADD_ACCOUNT, new)
    except Duplicate:
        await session.run(_SEEN, {"of_account": name, "at": last, "until": last})


async def use(session: Session, found: Use, at: datetime) -> None:
    """Something was used then."""
    named = {"of_account": found.account, "of_role": found.role, "of_what": found.what, "of_name": found.name}
    moved = {**named, "at": at, "until": at}
    if await session.run(_USED, moved) or await session.rows(_LAST, named):
        return
    try:
        await session.run(_ADD_USE, {**found._asdict(), "last_at": at})
    except Duplicate:
        await session.run(_USED, moved)


async def mark(session: Session, to: int, *, now: datetime) -> None:
    """So many entries have been read. A mark never goes back."""
    known = {"of_name": MARK, "to": to, "now": now}
    if await session.run(_MOVE_MARK, known) or await position(session) >= to:
        return
    try:
        await session.run(_ADD_MARK, {"name": MARK, "position": to, "updated_at": now})
    except Duplicate:
        await session.run(_MOVE_MARK, known)
