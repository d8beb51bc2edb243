"""The SQL of the words: what a block has, and which blocks have a word."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, func, insert, select

from service.audit.store import among, listed
from service.db.engine import Session
from service.db.statement import Bulk, Prepared
from service.db.tables import audit_block, audit_posting

_OF, _BLOCK = audit_posting.c, audit_block.c
_INDEXED = Prepared(select(func.coalesce(func.max(_BLOCK.block), -1)))
_ADD_BLOCK = Prepared(insert(audit_block).values({name: bindparam(name) for name in ("block", "low", "high")}))
_ADD_POSTINGS = Bulk(audit_posting, "term", "block", "places")
_STORED = Prepared(select(_OF.term, _OF.places).where(_OF.block == bindparam("of_block")))
_STORED_BLOCK = Prepared(select(_BLOCK.low, _BLOCK.high).where(_BLOCK.block == bindparam("of_block")))
_OUTSIDE = Prepared(
    select(
        func.coalesce(
            select(func.min(_OF.block)).where(_OF.block >= bindparam("last")).scalar_subquery(),
            select(func.min(_OF.block)).where(_OF.block < 0).scalar_subquery(),
            select(func.min(_BLOCK.block)).where(_BLOCK.block >= bindparam("last")).scalar_subquery(),
        )
    )
)
_SPANNING = Prepared(
    select(_BLOCK.block)
    .where(_BLOCK.block < bindparam("last"), _BLOCK.high >= bindparam("since"), _BLOCK.low < bindparam("until"))
    .order_by(_BLOCK.block.desc())
)
_HAVING = {
    dialect: Prepared(
        select(_OF.term, _OF.block, _OF.places).where(condition, _OF.block >= bindparam("first"), _OF.block <= bindparam("last"))
    )
    for dialect, condition in among(_OF.term, "terms").items()
}


class Indexed(NamedTuple):
    """What is stored of one block. `span` is None where its row is not there."""

    postings: dict[str, bytes]
    span: tuple[str, str] | None


async def indexed(session: Session) -> int:
    """How many blocks are indexed: all before this one."""
    return int((await session.rows(_INDEXED))[0][0]) + 1


async def add(session: Session, block: int, postings: Mapping[str, bytes], low: str, high: str) -> None:
    """A block's words. Raises Duplicate where another instance has written them."""
    await session.run(_ADD_BLOCK, {"block": block, "low": low, "high": high})
    await session.bulk(_ADD_POSTINGS, [(term, block, found) for term, found in postings.items()])


async def stored(session: Session, block: int) -> Indexed:
    """What stands there of a block, to be compared."""
    rows = await session.rows(_STORED_BLOCK, {"of_block": block})
    return Indexed(dict(await session.rows(_STORED, {"of_block": block})), rows[0] if rows else None)


async def outside(session: Session, last: int) -> int | None:
    """A block below 0 or from `last` on that has words."""
    found: int | None = (await session.rows(_OUTSIDE, {"last": last}))[0][0]
    return found


async def spanning(session: Session, last: int, since: str, until: str) -> list[int]:
    """The indexed blocks before `last` in which something happened between two moments, the newest first."""
    return [block for (block,) in await session.rows(_SPANNING, {"last": last, "since": since, "until": until})]


async def having(session: Session, terms: Sequence[str], first: int, last: int) -> dict[tuple[str, int], bytes]:
    """Where these words stand in the blocks from `first` to `last`."""
    named = {"terms": listed(session.dialect, terms), "first": first, "last": last}
    return {(term, block): found for term, block, found in await session.rows(_HAVING[session.dialect], named)}
