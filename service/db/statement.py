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

Processor = Callable[[Any], Any]
Row = tuple[Any, ...]
Params = Mapping[str, Any]

_DIALECTS: dict[str, Dialect] = {
    "postgresql": postgresql.asyncpg.dialect(),  # type: ignore[no-untyped-call]
    "sqlite": sqlite.dialect(paramstyle="named"),
}


class Compiled(NamedTuple):
    """What the driver needs: the text, the constants in it, and what to do with values that its types do not carry as they
    are.
    """

    text: str
    order: tuple[str, ...]
    constants: dict[str, Any]
    binds: tuple[tuple[str, Processor], ...]
    results: tuple[tuple[int, Processor], ...]

    def parameters(self, params: Params) -> dict[str, Any]:
        """The driver's parameters for ours."""
        given = {**self.constants, **params}
        for name, process in self.binds:
            given[name] = process(given[name])
        return given

    def arguments(self, params: Params) -> list[Any]:
        """The same, in the order of the text's numbered places."""
        given = self.parameters(params)
        return [given[name] for name in self.order]

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
        self.table = table.name


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
    return Compiled(str(compiled), tuple(compiled.positiontup or ()), constants, tuple(binds), tuple(results))


def _result_columns(statement: Executable) -> Sequence[Any]:
    if isinstance(statement, Select):
        return list(statement.selected_columns)
    if isinstance(statement, Insert | Update | Delete):
        return [column for column in statement._returning]  # noqa: SLF001, C416  (there is no public way to ask)
    return []
