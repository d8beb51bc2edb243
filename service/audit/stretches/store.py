"""Hashes of the tree, many stretches of them in one statement: what a proof is made of lies in a few places of each level of tiles."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import text

from menshen_verifier import merkle
from service.audit import store
from service.db.engine import Session
from service.db.statement import Prepared

# One value for each stretch: what an answer costs is the number of values that the driver makes.
_JOINED = Prepared(
    text("""SELECT place, CASE WHEN level < 0
    THEN (SELECT string_agg(leaf, '' ORDER BY idx) FROM audit_entry WHERE idx >= w.first AND idx < w.last)
    ELSE (SELECT string_agg(root, '' ORDER BY n) FROM audit_tile WHERE level = w.level AND n >= w.first AND n < w.last) END
FROM unnest(CAST(:levels AS smallint[]), CAST(:firsts AS bigint[]), CAST(:lasts AS bigint[]))
    WITH ORDINALITY AS w (level, first, last, place)
ORDER BY place""")
)
_ONE_BY_ONE = Prepared(
    text("""WITH w AS MATERIALIZED (
    SELECT key AS place, json_extract(value, '$[0]') AS level, json_extract(value, '$[1]') AS first, json_extract(value, '$[2]') AS last
    FROM json_each(:wanted))
SELECT place, root, n FROM w CROSS JOIN audit_tile AS t WHERE t.level = w.level AND n >= w.first AND n < w.last
UNION ALL SELECT place, leaf, idx FROM w CROSS JOIN audit_entry WHERE w.level < 0 AND idx >= w.first AND idx < w.last
ORDER BY 1, 3""")
)

_TILES = {
    "postgresql": Prepared(
        text("""SELECT t.level, t.n, t.hashes FROM unnest(CAST(:levels AS smallint[]), CAST(:ns AS bigint[])) AS w (level, n)
JOIN audit_tile AS t ON t.level = w.level AND t.n = w.n""")
    ),
    "sqlite": Prepared(
        text("""SELECT level, n, hashes FROM audit_tile
WHERE (level, n) IN (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(:wanted))""")
    ),
}


class Stretch(NamedTuple):
    """The hashes of a level of tiles from `first` up to, not including, `last`: leaves, or the roots of the level below."""

    level: int
    first: int
    last: int


async def hashes(session: Session, wanted: Sequence[Stretch]) -> list[list[bytes]]:
    """Of each stretch its hashes, as they are stored; fewer, or none, where some are not there. One statement, whatever is asked; for the
    leaves of pruned entries one or two more, as the tiles still have them.
    """
    asked = [(one.level - 1, one.first, one.last) for one in wanted]
    found = await (_joined if session.dialect == "postgresql" else _one_by_one)(session, asked) if asked else []
    for place, (one, some) in enumerate(zip(wanted, found, strict=True)):
        if one.level == 0 and len(some) < one.last - one.first:
            found[place] = await store.leaves(session, one.first, one.last)
    return found


async def tiles(session: Session, wanted: Sequence[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """The hashes of these full tiles, each named by level and number, as far as they are stored. One statement."""
    if session.dialect == "postgresql":
        levels, ns = map(list, zip(*wanted, strict=True))
        named: dict[str, object] = {"levels": levels, "ns": ns}
    else:
        named = {"wanted": json.dumps(wanted)}
    rows = await session.rows(_TILES[session.dialect], named)
    # An administrator can store anything, nothing at all included.
    return {(level, n): bytes(hashes or b"") for level, n, hashes in rows}


async def _joined(session: Session, asked: Sequence[tuple[int, int, int]]) -> list[list[bytes]]:
    levels, firsts, lasts = map(list, zip(*asked, strict=True))
    rows = await session.rows(_JOINED, {"levels": levels, "firsts": firsts, "lasts": lasts})
    return [_cut(joined or b"") for _, joined in rows]


async def _one_by_one(session: Session, asked: Sequence[tuple[int, int, int]]) -> list[list[bytes]]:
    found: list[list[bytes]] = [[] for _ in asked]
    for place, one, _ in await session.rows(_ONE_BY_ONE, {"wanted": json.dumps(asked)}):
        found[place].append(one)
    return found


def _cut(joined: bytes) -> list[bytes]:
    width = merkle.HASH_BYTES
    return [joined[at : at + width] for at in range(0, len(joined), width)]
