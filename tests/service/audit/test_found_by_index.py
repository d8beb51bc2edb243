"""What is read of the log again and again is found by an index: a log of ten years costs a round no more than one of a day."""

import re
from contextlib import asynccontextmanager

from sqlalchemy import text

from service.audit.reading import store as reading
from service.db.statement import Prepared
from tests.service.audit.logs import CLERK, read


class Planned(Prepared):
    """A statement that tells how it would be answered."""

    def __init__(self, asked: Prepared) -> None:
        self._asked = asked

    def compiled(self, dialect):
        made = self._asked.compiled(dialect)
        how = "EXPLAIN QUERY PLAN " if dialect == "sqlite" else "EXPLAIN "
        return made._replace(text=how + made.text, results=())


class Planning:
    """A session that writes down the plan of every statement before it is answered."""

    def __init__(self, session) -> None:
        self._session, self.plans = session, []
        self.dialect = session.dialect

    async def rows(self, statement, params=None):
        rows = await self._session.rows(Planned(statement), params)
        self.plans.append("\n".join(" ".join(map(str, row)) for row in rows))
        return await self._session.rows(statement, params)


async def told(session) -> list[str]:
    """The plans of what the follower, the patrol and the verification ask, page by page."""
    if session.dialect == "postgresql":
        # A log of a few entries is walked faster than an index; whether there is one to use is what is asked here.
        for way in ("seqscan", "bitmapscan"):
            await session.rows(Prepared(text(f"SET enable_{way} = off")))
    planning = Planning(session)
    await reading.page(planning, 0, 4)
    await reading.pairs(planning, 0, 4)
    await reading.tiles(planning, 0, 0, 1)
    await reading.outside(planning, 4)
    return planning.plans


@asynccontextmanager
async def an_own_connection(database):
    own = database.own()
    try:
        yield own
    finally:
        await own.close()


async def test_no_page_of_the_log_its_subjects_or_its_tiles_is_looked_for_by_walking_a_table(database, journal):
    for _ in range(4):
        await journal.append(read(), CLERK)
    async with an_own_connection(database) as own, own.single() as session:
        plans = await told(session)
    assert len(plans) >= 5
    for plan in plans:
        assert "SCAN audit" not in plan
        assert "Seq Scan" not in plan
        assert not re.search(r"using \w*pk\w* on audit_subject", plan), (
            "the subjects' own key begins with the subject: all of it is walked"
        )
