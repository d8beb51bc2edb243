"""The log's partitions on PostgreSQL: no append fails for want of one, a full old table becomes the first, whole ones leave at once."""

from datetime import UTC, datetime

import psycopg
import pytest
from alembic import command
from sqlalchemy import text as sql

from migrations.partitions import PARTITION
from service.archive import store
from service.archive.model import PARTITION_SEGMENTS, SEGMENT, Segment
from service.audit import store as log
from service.audit.regrowing import regrow
from service.audit.tree import edge_length, levels, on_edge
from service.db import engine, migrate
from service.db.emptying import empty, may_empty
from service.db.postgres import conninfo
from service.db.statement import Prepared
from service.errors import ServiceError
from tests.plugins.databases import text
from tests.service.archive.logs import entries, fill
from tests.service.audit import logs

_ROW = "INSERT INTO audit_entry SELECT i, i::text, 'x', 'x', '', '', '', '', '', '' FROM generate_series({first}, {last}) AS i"


@pytest.fixture
async def database(postgresql_url):
    """On PostgreSQL alone: SQLite has no partitions."""
    found = engine.connect(postgresql_url)
    await found.start()
    yield found
    await found.close()


@pytest.fixture
def owner(postgresql_url):
    """Who owns the tables."""
    with psycopg.connect(conninfo(postgresql_url), autocommit=True) as connection:
        yield connection


def places(owner) -> dict[str, int]:
    rows = owner.execute("SELECT tableoid::regclass::text, count(*) FROM audit_entry GROUP BY 1").fetchall()
    return dict(rows)


def test_a_partition_holds_whole_segments_as_the_code_knows() -> None:
    assert PARTITION == PARTITION_SEGMENTS * SEGMENT


async def test_partitions_are_made_ahead_of_the_log_and_twice_is_once(database, owner) -> None:
    owner.execute("INSERT INTO audit_head VALUES ('log', %s, '', '', '')", (3 * PARTITION - 5,))
    assert await store.partitions_ahead(database.read) == 2
    assert await store.partitions_ahead(database.read) == 0
    owner.execute(_ROW.format(first=3 * PARTITION - 1, last=3 * PARTITION))
    assert places(owner) == {"audit_entry_p2": 1, "audit_entry_p3": 1}


async def test_an_entry_without_a_partition_is_taken_all_the_same_and_later_ones_get_theirs(database, owner) -> None:
    owner.execute(_ROW.format(first=5 * PARTITION + 3, last=5 * PARTITION + 3))
    assert places(owner) == {"audit_entry_rest": 1}
    owner.execute("INSERT INTO audit_head VALUES ('log', %s, '', '', '')", (5 * PARTITION + 4,))
    assert await store.partitions_ahead(database.read) >= 1
    owner.execute(_ROW.format(first=6 * PARTITION, last=6 * PARTITION))
    assert places(owner) == {"audit_entry_rest": 1, "audit_entry_p6": 1}


async def test_partitions_are_as_closed_as_the_table_they_belong_to(database, owner) -> None:
    owner.execute(_ROW.format(first=PARTITION, last=PARTITION))
    for change in ("DELETE FROM audit_entry_p1", "UPDATE audit_entry_p1 SET typ = ''", "TRUNCATE audit_entry_p1"):
        with pytest.raises(psycopg.errors.RestrictViolation):
            owner.execute(change)


async def test_a_whole_partition_leaves_at_once_and_half_a_one_row_by_row(database, owner) -> None:
    owner.execute(_ROW.format(first=PARTITION - 10, last=PARTITION + 10))
    owner.execute(_ROW.format(first=PARTITION + SEGMENT, last=PARTITION + SEGMENT))
    segment = Segment(0, b"", 0, "", "", "", b"", datetime.now(UTC))
    for n in range(PARTITION_SEGMENTS + 1):
        await store.add_segment(database.read, Segment(n, *[getattr(segment, name) for name in Segment.__slots__[1:]]))
    async with database.write() as transaction:
        await store.prune(transaction, 0, PARTITION_SEGMENTS, datetime.now(UTC))
        await transaction.commit()
    assert places(owner) == {"audit_entry_p1": 1}
    assert owner.execute("SELECT to_regclass('audit_entry_p0'), to_regclass('audit_subject_p0')").fetchone() == (None, None)


async def test_a_segment_that_nobody_archived_does_not_leave(database, owner) -> None:
    owner.execute(_ROW.format(first=3, last=3))
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute("SELECT audit_prune(0, 0)")
    assert places(owner) == {"audit_entry_p0": 1}


async def test_a_full_old_table_becomes_the_first_partition_and_nothing_of_it_moves(postgres, tmp_path) -> None:
    url = text(postgres.make())
    command.upgrade(migrate._config(url), "0004")
    with psycopg.connect(conninfo(url), autocommit=True) as owner:
        owner.execute("CREATE ROLE menshen_old")
        owner.execute("GRANT SELECT, INSERT ON audit_entry TO menshen_old")
        owner.execute(_ROW.format(first=0, last=249_999))
        before = owner.execute("SELECT pg_relation_filenode('audit_entry')").fetchone()
        migrate.upgrade(url)
        assert places(owner) == {"audit_entry_p0": 250_000}
        assert owner.execute("SELECT pg_relation_filenode('audit_entry_p0')").fetchone() == before
        assert owner.execute("SELECT has_table_privilege('menshen_old', 'audit_entry', 'INSERT')").fetchone() == (True,)
        owner.execute("DROP OWNED BY menshen_old")
        owner.execute("DROP ROLE menshen_old")
    postgres.drop(engine_url(url))


def engine_url(url: str):
    """As the server knows it."""
    from sqlalchemy import make_url

    return make_url(url)


async def test_a_log_is_written_and_verified_across_partitions(database, postgresql_url, owner, tmp_path) -> None:
    await fill(postgresql_url, tmp_path, 3000)
    journal = logs.writer(database, tmp_path)
    await journal.start()
    await journal.append(logs.read(), logs.CLERK)
    await journal.close()
    assert (await logs.verified(database, tmp_path)).verdict == "OK"


async def test_a_tail_that_comes_back_has_its_partitions_made_before_it(database, owner) -> None:
    """The database is so old that the next partition was never made: its entries would stay in the default one for good."""
    size = 2 * PARTITION - 10
    hashes = [tuple(bytes([level + 1]) * 32 for _ in range(edge_length(size, level))) for level in range(levels(size))]
    before = on_edge(size, tuple(hashes))
    async with database.write() as transaction:
        await log.found(transaction, logs.ORIGIN, logs.AUTHORITY.head(before))
        await transaction.commit()
    tail = entries(20)
    after, _ = before.grown([entry.leaf for entry in tail])
    assert owner.execute("SELECT to_regclass('audit_entry_p2')").fetchone() == (None,)
    await regrow(
        database,
        logs.AUTHORITY,
        [tail],
        before=logs.AUTHORITY.head(before),
        tree=before,
        size=after.size,
        root=after.root,
        said=[],
        ahead=store.partitions_ahead,
        progress=lambda *_: None,
    )
    assert places(owner) == {"audit_entry_p1": 10, "audit_entry_p2": 10}


async def test_a_log_that_begins_where_another_was_closed_has_a_first_partition_whatever_was_pruned(database, owner) -> None:
    for number in (0, 1):
        owner.execute(f"DROP TABLE audit_entry_p{number}, audit_subject_p{number}")
    owner.execute(_ROW.format(first=3 * PARTITION, last=3 * PARTITION))
    async with database.write() as transaction:
        await empty(transaction)
        await transaction.commit()
    assert places(owner) == {}
    owner.execute("INSERT INTO audit_head VALUES ('log/2', 2, '', '', '')")
    assert await store.partitions_ahead(database.read) == 1
    owner.execute(_ROW.format(first=0, last=1))
    assert places(owner) == {"audit_entry_p0": 2}
    for change in (
        "DELETE FROM audit_entry_p0",
        "UPDATE audit_entry SET typ = ''",
        "TRUNCATE audit_tile",
        "DELETE FROM audit_anchor",
    ):
        with pytest.raises(psycopg.errors.RestrictViolation):
            owner.execute(change)


async def test_whoever_does_not_own_the_tables_cannot_empty_them(database, owner, postgresql_url) -> None:
    assert await may_empty(database.read)
    owner.execute("CREATE ROLE menshen_only_serves")
    try:
        migrate.upgrade(postgresql_url, service_role="menshen_only_serves")
        async with database.snapshot() as session:
            await session.rows(Prepared(sql("SET LOCAL ROLE menshen_only_serves")))
            assert not await may_empty(session)
        async with database.write() as transaction:
            await transaction.rows(Prepared(sql("SET LOCAL ROLE menshen_only_serves")))
            with pytest.raises(ServiceError):
                await empty(transaction)
    finally:
        owner.execute("DROP OWNED BY menshen_only_serves")
        owner.execute("DROP ROLE menshen_only_serves")
