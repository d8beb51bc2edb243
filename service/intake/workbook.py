"""Workbooks (XLSX): the first sheet's cells as text, formulas left as they are written and never evaluated.

A workbook is a zip of XML, and may be made to burst: it is weighed before it is opened.
"""

import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

from openpyxl import load_workbook

from service.intake.encoding import Examined
from service.intake.model import FileProblem, RawRow

_MAX_SHEETS = 4 << 30
_MAX_OTHER = 256 << 20
"""Bytes, unpacked: sheets are streamed, everything else (the shared strings above all) is held in memory."""
_MAX_PARTS = 5000
_MAX_RATIO = 200
_SMALL = 1 << 20
_EXACT = 1e15


class Workbook:
    """An XLSX file. See `service.intake.reading.Source`."""

    ragged = True
    quick = False

    def __init__(self, path: Path, examined: Examined) -> None:
        self._path = path
        self.examined = examined
        _weigh(path)

    def tables(self) -> Iterator[Callable[[], Iterator[RawRow]]]:
        """The first sheet that is not hidden."""
        yield self._rows

    def _rows(self) -> Iterator[RawRow]:
        try:
            yield from _sheet_rows(self._path)
        except FileProblem:
            raise
        except Exception:  # noqa: BLE001  (the library raises whatever it stumbles over; all of it says that this is no workbook)
            raise _damaged() from None


def _sheet_rows(path: Path) -> Iterator[RawRow]:
    book = load_workbook(path, read_only=True, data_only=False, keep_links=False)
    try:
        sheet = next((sheet for sheet in book.worksheets if sheet.sheet_state == "visible"), None)
        if sheet is None:
            raise FileProblem("SHEET_MISSING", "工作簿中没有可见的工作表。", "The workbook has no visible sheet.")
        # A sheet may claim a million columns, and every row would be padded to them.
        sheet.reset_dimensions()
        for line, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
            yield RawRow(line, line, _texts(cells))
    finally:
        book.close()


def _texts(cells: Sequence[object]) -> Sequence[str]:
    """The cells as a text file would have them, without the empty ones at the end."""
    texts = ["" if cell is None else cell if isinstance(cell, str) else _text(cell) for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    return texts


def _text(cell: object) -> str:
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d") if cell.time() == datetime.min.time() else cell.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT:
        return str(int(cell))
    if isinstance(cell, int | float):
        return str(cell)
    # What is left are formulas of several cells, which are objects: the rule against formulas shall see them as such.
    return "="


def _weigh(path: Path) -> None:
    """Refuse what would burst. The sizes that a zip states are those that will be read: Python stops there."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError):
        raise _damaged() from None
    sheets = sum(part.file_size for part in parts if part.filename.startswith("xl/worksheets/"))
    others = sum(part.file_size for part in parts) - sheets
    dense = any(part.file_size > max(_SMALL, _MAX_RATIO * part.compress_size) for part in parts)
    if dense or sheets > _MAX_SHEETS or others > _MAX_OTHER or len(parts) > _MAX_PARTS:
        raise FileProblem(
            "WORKBOOK_TOO_LARGE",
            "工作簿解压后过大，或压缩比异常；请另存为 CSV。",
            "The workbook is too large when unpacked, or packed suspiciously well; save it as CSV.",
        )


def _damaged() -> FileProblem:
    return FileProblem("WORKBOOK_DAMAGED", "工作簿已损坏，无法打开。", "The workbook is damaged and does not open.")
