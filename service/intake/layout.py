"""Which column of this file means what: the header, read by the mapping."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from service.intake.mapping import FileMapping, Meaning, Role, folded
from service.intake.model import FileProblem

PHONE = "phone"
"""The field that decides who a row is."""

_MANY_DIGITS = re.compile(r"(?:\d\D?){5}")
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Column:
    """One column whose cells are read. `label` is its header, as the mapping's spelling of it stands in the file."""

    index: int
    label: str
    meaning: Meaning


@dataclass(frozen=True, slots=True)
class Layout:
    """A header understood. `unnamed` columns have none and must be empty; `unmapped` ones were told to be left out."""

    columns: tuple[Column, ...]
    unnamed: tuple[int, ...]
    unmapped: tuple[str, ...]
    ignored: tuple[str, ...]


def score(mapping: FileMapping, cells: Sequence[str]) -> int:
    """How many of a row's cells are headers that the mapping knows."""
    return sum(folded(cell) in mapping.meanings for cell in cells)


def understand(mapping: FileMapping, header: Sequence[str], *, ignore_unmapped: bool) -> Layout:
    """Read a header. Nothing is collected that nobody asked for, and nothing is dropped in silence (PIPL 6): a header that the
    mapping does not know is an error unless the caller says `ignore_unmapped`. Raises FileProblem.
    """
    known = [(index, cell.strip(), mapping.meanings.get(folded(cell))) for index, cell in enumerate(header)]
    columns = tuple(
        Column(index, label, meaning) for index, label, meaning in known if meaning and meaning.role is not Role.IGNORED
    )
    unmapped = tuple(_shown(index, label) for index, label, meaning in known if meaning is None and label)
    if unmapped and not ignore_unmapped:
        raise _unmapped(unmapped)
    _refuse_repeated(columns)
    if not any(column.meaning.key == PHONE for column in columns):
        raise _no_phone(mapping)
    return Layout(
        columns=columns,
        unnamed=() if ignore_unmapped else tuple(index for index, label, _ in known if not label),
        unmapped=unmapped,
        ignored=tuple(label for _, label, meaning in known if meaning and meaning.role is Role.IGNORED),
    )


def _refuse_repeated(columns: Sequence[Column]) -> None:
    """Two columns for one thing: nobody can say which of them is true."""
    counted = Counter((column.meaning.role, column.meaning.key) for column in columns)
    twice = "、".join(column.label for column in columns if counted[column.meaning.role, column.meaning.key] > 1)
    if twice:
        raise FileProblem("HEADER_REPEATED", f"这些列含义相同：{twice}。", f"These columns mean the same: {twice}.")


def _unmapped(labels: Sequence[str]) -> FileProblem:
    listed = "、".join(labels)
    return FileProblem(
        "COLUMN_UNMAPPED",
        f"映射文件没有说明这些列：{listed}。请写入映射文件，或用 --ignore-unmapped 明确不收集。",
        f"The mapping does not say what these columns are: {listed}. Write it there, or leave them out with --ignore-unmapped.",
    )


def _no_phone(mapping: FileMapping) -> FileProblem:
    spellings = "、".join(mapping.spellings(PHONE)) or "—"
    return FileProblem(
        "COLUMN_MISSING", f"缺少手机号列（可用表头：{spellings}）。", f"There is no column for the phone (known as: {spellings})."
    )


def _shown(index: int, label: str) -> str:
    """A header as it may be shown. A file without a header has somebody's data in its place: digits in a row are not repeated."""
    if _MANY_DIGITS.search(label) or not label.isprintable() or "@" in label:
        return f"#{index + 1}"
    return label[:_SHOWN]
