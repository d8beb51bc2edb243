"""Tables as rows of text, whatever they come from, one row at a time: memory stays flat however long the file is.

A reader says where each row stands and what is wrong with its form; what the cells mean is the mapping's business.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol, TextIO

from service.intake.encoding import Examined, examine, stamp_of, unreadable
from service.intake.model import Code, FileProblem, RawRow
from service.intake.workbook import Workbook

MAX_COLUMNS = 1000
_MAX_LINE = 131_072
"""Characters: what the csv module takes for one cell, so that none can be too long for it."""

_HEADER_ROWS = 20
_DELIMITERS = (",", ";", "\t")

Rows = Callable[[], Iterator[RawRow]]
"""The rows of a file, from the first, as often as somebody asks for them."""


class Source(Protocol):
    """A file that has been examined. `ragged`: its rows end with their last value, so a short one lacks nothing.

    `quick`: reading it takes no time beside loading it, so it is read once through before anything of it is loaded.
    """

    examined: Examined
    ragged: bool
    quick: bool

    def tables(self) -> Iterator[Rows]:
        """The ways in which the file may be a table."""


class Text:
    """A file of comma-, semicolon- or tab-separated values."""

    ragged = False
    quick = True

    def __init__(self, path: Path, examined: Examined) -> None:
        self._path = path
        self.examined = examined

    def tables(self) -> Iterator[Rows]:
        """One for each delimiter."""
        for delimiter in _DELIMITERS:
            yield lambda delimiter=delimiter: self._rows(delimiter)  # type: ignore[misc]

    def _rows(self, delimiter: str) -> Iterator[RawRow]:
        try:
            with self._path.open(encoding=self.examined.encoding, newline="") as file:
                yield from _parsed(file, delimiter)
        except OSError as problem:
            raise unreadable(problem) from None


class Table:
    """The rows of a file under the header that was found in it. `total` is their number, None where only loading them would tell.

    Raises FileProblem for a damaged file, and wherever it can before a row of it is loaded.
    """

    def __init__(self, path: Path, source: Source, rows: Rows, header: RawRow) -> None:
        self._path = path
        self._rows = rows
        self._ragged = source.ragged
        self.header = header
        self.examined = source.examined
        self.total = sum(1 for _ in self) if source.quick else None

    def __iter__(self) -> Iterator[RawRow]:
        """Every row below the header that is not blank."""
        width = len(self.header.cells)
        for row in self._rows():
            if row.line > self.header.line and (row.damage is not None or any(map(str.strip, row.cells))):
                yield row if row.damage is not None else self._measured(row, width)

    def check_unchanged(self) -> None:
        """Raises FileProblem when somebody has written to the file since it was examined: rows would be counted wrongly."""
        if stamp_of(self._path) != self.examined.stamp:
            raise FileProblem(
                "FILE_CHANGED", "导入过程中文件被改动，导入已停止。", "The file was changed while it was being read."
            )

    def _measured(self, row: RawRow, width: int) -> RawRow:
        """A row of another width than the header's: nobody can say which cell belongs to which column."""
        missing = width - len(row.cells)
        if missing == 0:
            return row
        if missing > 0 and self._ragged:
            return row._replace(cells=(*row.cells, *[""] * missing))
        return row._replace(damage=Code.CELLS_MISSING if missing > 0 else Code.CELLS_EXTRA)


def open_table(path: Path, score: Callable[[Sequence[str]], int]) -> Table:
    """Find the header: the row, among the first 20, whose cells the mapping knows best (`score`; 0 is no header at all).

    The delimiter of a text is the one under which that row is found. Raises FileProblem.
    """
    examined = examine(path)
    source: Source = Text(path, examined) if examined.encoding else Workbook(path, examined)
    found = [(score(row.cells), rows, row) for rows in source.tables() for row in islice(rows(), _HEADER_ROWS)]
    reached, rows, header = max(found, key=lambda candidate: candidate[0], default=(0, None, None))
    if rows is None or header is None or not reached:
        raise FileProblem(
            "HEADER_MISSING",
            "前 20 行中没有任何一行是映射文件认识的表头。",
            "None of the first 20 rows is a header that the mapping knows.",
        )
    if len(header.cells) > MAX_COLUMNS:
        raise FileProblem("TOO_MANY_COLUMNS", f"列数超过 {MAX_COLUMNS}。", f"There are more than {MAX_COLUMNS} columns.")
    return Table(path, source, rows, header)


def _parsed(file: TextIO, delimiter: str) -> Iterator[RawRow]:
    reader = csv.reader(_lines(file), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            # A quote that is never closed swallows every row after it; one closed in the wrong place spoils only its own.
            if reader.line_num > line:
                raise _unclosed(line) from None
            yield RawRow(line, line, (), Code.QUOTES)
        else:
            yield RawRow(line, reader.line_num, cells)


def _lines(file: TextIO) -> Iterator[str]:
    """The physical lines. A file without line ends must not be read into memory whole."""
    number = 0
    while line := file.readline(_MAX_LINE + 1):
        number += 1
        if len(line) > _MAX_LINE:
            raise FileProblem("LINE_TOO_LONG", f"第 {number} 行过长，不是表格。", f"Line {number} is too long for a table.")
        yield line


def _unclosed(line: int) -> FileProblem:
    return FileProblem("QUOTE_UNCLOSED", f"第 {line} 行的引号没有结束。", f"A quotation mark in line {line} is never closed.")
