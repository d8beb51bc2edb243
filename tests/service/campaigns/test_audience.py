"""The audience rule is written twice, in SQL and as a pure function: on both databases they cover the same members."""

import json
from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select

from policies.terms import MemberStatus
from service.campaigns.model import Audience, covers
from service.campaigns.store import audience_clause
from service.db.engine import Database
from service.db.statement import Prepared
from service.db.tables import member
from service.members.store import plain_values, shaped
from tests.conftest import START

TIERS = ("gold", "银卡", "GOLD", "g%", "")
TAGS = ("outdoor", "out_oor", "outdoor_x", "fragrance", "home_living")
POINTS = (0, 1, 99, 100, 2**31 - 1)
DAYS = (date(1999, 12, 31), date(2024, 2, 29), date(2026, 11, 22))

rows = st.lists(
    st.tuples(
        st.none() | st.sampled_from(TIERS),
        st.none() | st.sampled_from(POINTS),
        st.none() | st.sampled_from(DAYS),
        st.none() | st.lists(st.sampled_from(TAGS), unique=True),
    ),
    min_size=1,
    max_size=12,
)
some_tags = st.lists(st.sampled_from(TAGS), max_size=2, unique=True).map(tuple)
audiences = st.builds(
    Audience,
    tiers=st.lists(st.sampled_from(TIERS), max_size=2, unique=True).map(tuple),
    tags=some_tags,
    without_tags=some_tags,
    points_from=st.none() | st.sampled_from(POINTS),
    points_below=st.none() | st.sampled_from(POINTS),
    joined_from=st.none() | st.sampled_from(DAYS),
    joined_before=st.none() | st.sampled_from(DAYS) | st.sampled_from(DAYS).map(lambda day: day + timedelta(days=1)),
)


def a_row(number, tier, points, joined, tags):
    return {
        "member_id": f"019a0000-0000-7000-8000-{number:012d}",
        "status": MemberStatus.ACTIVE.value,
        "generation": 1,
        "sealed": b"",
        "tier": tier,
        "points": points,
        "joined_on": joined.isoformat() if joined else None,
        "tags": None if tags is None else json.dumps(tags, ensure_ascii=False),
        "created_at": START,
        "updated_at": START,
        "version": 1,
    }


def as_read(row):
    """The row as the members' store gives it to everybody."""
    plain = (row["tier"], row["points"], row["joined_on"], row["tags"])
    found = shaped((row["member_id"], row["status"], 1, b"", None, *plain, 1, None, None, None))
    assert found.plain == plain_values(plain)
    return found


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows, audience=audiences)
async def test_the_rule_covers_the_same_members_in_sql_and_in_python(database: Database, rows, audience) -> None:
    given_rows = [a_row(number, *row) for number, row in enumerate(rows)]
    matching = Prepared(select(member.c.member_id).where(audience_clause(audience)).order_by(member.c.member_id))
    async with database.write() as transaction:
        for row in given_rows:
            await transaction.run(Prepared(insert(member).values(row)))
        found = [row[0] for row in await transaction.rows(matching)]

    assert found == [row["member_id"] for row in given_rows if covers(audience, as_read(row))]


async def test_an_empty_rule_covers_everybody(database: Database) -> None:
    async with database.write() as transaction:
        await transaction.run(Prepared(insert(member).values(a_row(1, None, None, None, None))))
        found = await transaction.rows(Prepared(select(func.count()).select_from(member).where(audience_clause(Audience()))))
    assert found == [(1,)]
