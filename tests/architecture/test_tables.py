"""The tables keep to what Citus, YugabyteDB and CockroachDB accept, so that growth is a move and not a rewrite (service/db/tables)."""

from collections.abc import Iterator

import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    Enum,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from service.db.tables import APPEND_ONLY, metadata
from service.db.types import Moment

KINDS = {"member", "ledger", "record", "lookup", "log", "reference"}
OWNED = {"member", "ledger"}
PORTABLE = (String, Text, Integer, BigInteger, SmallInteger, LargeBinary, Moment)


def problems(table: Table) -> Iterator[str]:
    """What stands in the way of this table's moving."""
    kind = table.info.get("kind")
    if kind not in KINDS:
        yield f"{table.name}: unknown kind {kind!r}"
    if not table.primary_key.columns:
        yield f"{table.name}: no primary key"
    elif kind in OWNED and next(iter(table.primary_key.columns)).name != "member_id":
        yield f"{table.name}: the key of a member's table begins with member_id"
    for column in table.columns:
        yield from column_problems(column)
    for columns in unique_sets(table):
        if kind in OWNED and "member_id" not in columns:
            yield f"{table.name}: unique across members on {columns}"
    for constraint in table.constraints:
        if getattr(constraint, "deferrable", None) or type(constraint).__name__ == "ExcludeConstraint":
            yield f"{table.name}: deferrable or exclusion constraint"


def column_problems(column: Column[object]) -> Iterator[str]:
    """Ids and times come from the service, and every type is one that all of them have."""
    where = f"{column.table.name}.{column.name}"
    if not isinstance(column.type, PORTABLE) or isinstance(column.type, Enum):
        yield f"{where}: the type {column.type!r}"
    if column.default is not None or column.server_default is not None or column.identity is not None:
        yield f"{where}: filled in by something other than the service"
    if column.autoincrement is True or (column.primary_key and makes_a_sequence(column)):
        yield f"{where}: numbered by a sequence"
    for key in column.foreign_keys:
        if column.name != "member_id" and not key.parent.primary_key:
            yield f"{where}: a foreign key that may cross machines"


def makes_a_sequence(column: Column[object]) -> bool:
    """SQLAlchemy makes a lone whole-number key a SERIAL, unless it is told not to."""
    return column.table.autoincrement_column is column and column.autoincrement is not False


def unique_sets(table: Table) -> Iterator[list[str]]:
    """The columns of each unique index and constraint beside the primary key."""
    for index in table.indexes:
        if index.unique:
            yield [column.name for column in index.columns]
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield [column.name for column in constraint.columns]


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_the_table_can_be_spread_over_many_machines(table: Table) -> None:
    assert list(problems(table)) == []


def test_exactly_the_ledgers_and_the_entries_of_the_log_are_append_only() -> None:
    ledgers = {table.name for table in metadata.sorted_tables if table.info["kind"] in {"ledger", "record"}}
    assert set(APPEND_ONLY) == ledgers | {"audit_entry", "audit_subject", "audit_tile"}


BAD = MetaData()
ID = lambda: Column("member_id", String(36), primary_key=True)  # noqa: E731
VIOLATIONS = [
    Table("no_kind", BAD, ID()),
    Table("no_key", BAD, Column("a", Text), info={"kind": "reference"}),
    Table("other_first", BAD, Column("a", Text, primary_key=True), ID(), info={"kind": "member"}),
    Table("serial", BAD, Column("n", Integer, primary_key=True), info={"kind": "reference"}),
    Table("identity", BAD, ID(), Column("n", Integer, Identity()), info={"kind": "member"}),
    Table("sequence", BAD, ID(), Column("n", Integer, Sequence("s")), info={"kind": "member"}),
    Table("default", BAD, ID(), Column("n", Integer, server_default="0"), info={"kind": "member"}),
    Table("enum", BAD, ID(), Column("e", Enum("A", "B")), info={"kind": "member"}),
    Table("float", BAD, ID(), Column("f", Float), info={"kind": "member"}),
    Table("unique_index", BAD, ID(), Column("p", Text), Index("u1", "p", unique=True), info={"kind": "member"}),
    Table("unique_constraint", BAD, ID(), Column("p", Text), UniqueConstraint("p"), info={"kind": "ledger"}),
    Table("deferrable", BAD, ID(), UniqueConstraint("member_id", deferrable=True), info={"kind": "member"}),
    Table("crossing", BAD, ID(), Column("other", ForeignKey("no_key.a"), type_=Text), info={"kind": "member"}),
]


@pytest.mark.parametrize("table", VIOLATIONS, ids=lambda table: table.name)
def test_a_table_that_could_not_be_spread_is_caught(table: Table) -> None:
    assert list(problems(table)) != []
