"""The migrations make exactly the tables of service/db/tables, on both databases, and nobody has to run them twice."""

import re
from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, Engine, MetaData, Text, create_engine, inspect, pool, text

from service.db import migrate, revision
from service.db.tables import APPEND_ONLY, metadata
from service.db.types import Moment
from tests.plugins.postgres import Server


@pytest.fixture
def engine(database_url: str):
    engine = create_engine(database_url, poolclass=pool.NullPool)
    yield engine
    engine.dispose()


def differences(connection: Connection, wanted: MetaData) -> list[object]:
    opts = {"compare_type": True, "compare_server_default": True, "include_name": is_no_partition}
    context = MigrationContext.configure(connection, opts=opts)
    return list(compare_metadata(context, wanted))


def is_no_partition(name: str | None, kind: str, _: object) -> bool:
    """The log's partitions come and go with its size; what they are part of is compared."""
    return kind != "table" or re.fullmatch(r"audit_(entry|subject)_(p[0-9]+|rest)", name or "") is None


def test_the_migrations_make_exactly_the_tables_that_the_code_knows(engine: Engine) -> None:
    with engine.connect() as connection:
        assert differences(connection, metadata) == []


def test_a_column_that_no_migration_makes_is_caught(engine: Engine) -> None:
    wanted = MetaData()
    for table in metadata.sorted_tables:
        table.to_metadata(wanted)
    wanted.tables["member"].append_column(Column("forgotten", Text))
    with engine.connect() as connection:
        assert "forgotten" in str(differences(connection, wanted))


def test_a_key_of_another_type_is_caught(engine: Engine) -> None:
    wanted = MetaData()
    for table in metadata.sorted_tables:
        table.to_metadata(wanted)
    wanted.tables["member"].c.version.type = Text()
    with engine.connect() as connection:
        assert "version" in str(differences(connection, wanted))


def test_every_table_has_the_primary_key_that_the_code_knows(engine: Engine) -> None:
    """Alembic does not compare primary keys."""
    seen = inspect(engine)
    made = {table.name: seen.get_pk_constraint(table.name)["constrained_columns"] for table in metadata.sorted_tables}
    assert made == {table.name: [column.name for column in table.primary_key.columns] for table in metadata.sorted_tables}


def test_running_the_migrations_again_changes_nothing(database_url: str, engine: Engine) -> None:
    before = inspect(engine).get_table_names()
    assert migrate.upgrade(database_url) == revision.newest() == revision.current(database_url)
    assert inspect(engine).get_table_names() == before


def test_an_empty_database_has_no_revision(tmp_path, postgres: Server) -> None:
    url = postgres.make()
    assert revision.current(url.render_as_string(hide_password=False)) is None
    assert revision.current(f"sqlite:///{tmp_path}/empty.db") is None
    postgres.drop(url)


def test_the_migrations_are_one_line_without_branches() -> None:
    scripts = ScriptDirectory.from_config(migrate._config(""))
    assert len(scripts.get_heads()) == 1
    assert all(not isinstance(script.down_revision, tuple) for script in scripts.walk_revisions())


@pytest.mark.obligation("NC-08")
@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("change", ["UPDATE {table} SET {column} = {column}", "DELETE FROM {table}", "TRUNCATE {table}"])
def test_no_row_of_a_ledger_is_changed_or_taken_away_even_by_the_owner_of_the_tables(
    engine: Engine, table: str, change: str
) -> None:
    if change.startswith("TRUNCATE") and engine.dialect.name == "sqlite":
        change = "DELETE FROM {table} WHERE TRUE"
    columns = metadata.tables[table].columns
    with engine.connect() as connection:
        connection.execute(metadata.tables[table].insert(), {column.name: invented(column) for column in columns})
        connection.commit()
        with pytest.raises(Exception, match="append-only"):
            connection.execute(text(change.format(table=table, column=columns[0].name)))
        connection.rollback()
        assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == 1


def invented(column: Column[object]) -> object:
    """Any value that the column takes."""
    if column.nullable:
        return None
    if isinstance(column.type, Moment):
        return datetime.now(UTC)
    return {int: 1, bytes: b"x", str: "x"}[column.type.python_type]
