"""A statement that SQLAlchemy writes once and the driver runs ever after.

SQLAlchemy owns tables, types and dialects; executing through it costs three to five times the driver's own time
(docs/decisions/0003). So a `Prepared` compiles on first use for each dialect, keeps the text, and hands text and parameters to
the driver. Values pass through the columns' own types on the way in and out, as they would have.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Dialect, Select, Table, bindparam, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Delete, Insert, Update
from sqlalchemy.types import TypeEngine

Processor = Callable[[Any], Any]
Row = tuple[Any, ...]
Params = Mapping[str, Any]

_BINARY = {"BYTEA": "bytea", "TIMESTAMP WITH TIME ZONE": "timestamptz", "SMALLINT": "int2", "INTEGER": "int4", "BIGINT": "int8"}
_DIALECTS: dict[str, Dialect] = {
    "postgresql": postgresql.psycopg.dialect(),  # type: ignore[no-untyped-call]
    "sqlite": sqlite.dialect(paramstyle="named"),
}


class Compiled(NamedTuple):
    """What the driver needs: the text, the constants in it, and what to do with values that its types do not carry as they
    are.
    """

    text: str
    encoded: bytes
    constants: dict[str, Any]
    binds: tuple[tuple[str, Processor], ...]
    results: tuple[tuple[int, Processor], ...]

    def parameters(self, params: Params) -> dict[str, Any]:
        """The driver's parameters for ours."""
        given = {**self.constants, **params}
        for name, process in self.binds:
            given[name] = process(given[name])
        return given

    def rows(self, raw: Sequence[Row]) -> list[Row]:
        """Our rows for the driver's."""
        if not self.results:
            return list(raw)
        shaped = []
        for row in raw:
            values = list(row)
            for position, process in self.results:
                values[position] = process(values[position])
            shaped.append(tuple(values))
        return shaped


class Prepared:
    """One statement, compiled once for each dialect. Every parameter is a `bindparam` that the caller names."""

    def __init__(self, statement: Executable) -> None:
        self.statement = statement
        self._compiled: dict[str, Compiled] = {}

    def compiled(self, dialect: str) -> Compiled:
        """The text for `dialect` ('postgresql' or 'sqlite')."""
        if dialect not in self._compiled:
            self._compiled[dialect] = _compile(self.statement, _DIALECTS[dialect])
        return self._compiled[dialect]


class Bulk:
    """An INSERT of many rows in one statement: arrays on PostgreSQL (one round trip whatever the number) or, for very many, COPY;
    executemany on SQLite.
    """

    def __init__(self, table: Table, *columns: str) -> None:
        self.columns = columns
        single = insert(table).values({name: bindparam(name) for name in columns})
        unnested = [func.unnest(bindparam(name, type_=ARRAY(table.c[name].type))).label(name) for name in columns]
        arrays = insert(table).from_select(list(columns), select(*unnested))
        self.single = Prepared(single)
        self.arrays = Prepared(arrays)
        self.copy = f"COPY {table.name} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
        self.copy_types = tuple(_binary_type(table.c[name].type) for name in columns)


def _binary_type(column: TypeEngine[Any]) -> str:
    """What PostgreSQL calls the form in which COPY sends a column's values. Text is text, whatever its column is called."""
    binary = _DIALECTS["postgresql"].type_compiler_instance.process(column.dialect_impl(_DIALECTS["postgresql"]))
    return _BINARY.get(binary, "text")


def _compile(statement: Executable, dialect: Dialect) -> Compiled:
    compiled = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
    assert isinstance(compiled, SQLCompiler)
    binds = []
    constants = {}
    for bind, name in compiled.bind_names.items():
        if not bind.required:
            constants[name] = bind.value
        process = bind.type.dialect_impl(dialect).bind_processor(dialect)
        if process is not None:
            binds.append((name, process))
    results = []
    for position, column in enumerate(_result_columns(statement)):
        process = column.type.dialect_impl(dialect).result_processor(dialect, None)
        if process is not None:
            results.append((position, process))
    text = _with_binary_arrays(compiled)
    return Compiled(text, text.encode(), constants, tuple(binds), tuple(results))


def _with_binary_arrays(compiled: SQLCompiler) -> str:
    """The text. Arrays go in binary form: as text, psycopg escapes each element by a regular expression, 400 µs a JSON text."""
    text = str(compiled)
    for bind, name in compiled.bind_names.items():
        if isinstance(bind.type, ARRAY):
            text = text.replace(f"%({name})s", f"%({name})b")
    return text


def _result_columns(statement: Executable) -> Sequence[Any]:
    if isinstance(statement, Select):
        return list(statement.selected_columns)
    if isinstance(statement, Insert | Update | Delete):
        return [column for column in statement._returning]  # noqa: SLF001, C416  (there is no public way to ask)
    return []
