"""Which rule reads which column: compiled once a file, so that a row costs one call a cell."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple, TypeVar

from policies.clock import day_in_shanghai
from policies.terms import TAGS, Catalogue, Field, LookupKind, ValueType
from service.intake import rules
from service.intake.layout import Column
from service.intake.mapping import FileMapping, Role, folded
from service.intake.model import Code, RawRow, Reject
from service.intake.rules import CellProblem, tidy
from service.members.model import tag_words

T = TypeVar("T")
Read = Callable[[str], Any]
"""The text of a cell, tidied, to what it says. Raises CellProblem."""

_LONGEST = 500
_NOTHING = ("", ())
"""What a word that means nothing, or a list of separators, is read as."""


class Cell(NamedTuple):
    """One column, under the key by which its answer is kept, and the rule that reads it."""

    at: int
    label: str
    key: str
    read: Read


class Cells(NamedTuple):
    """The columns of a file by what they say: values that are sealed, values that are not, answers about purposes, and what
    concerns the row itself.
    """

    sealed: list[Cell]
    plain: list[Cell]
    answers: list[Cell]
    about: list[Cell]


def compiled(columns: Sequence[Column], mapping: FileMapping, catalogue: Catalogue, now: datetime) -> Cells:
    """The rules for these columns. `now` is the moment of the import: what lies after it has not happened."""
    today = day_in_shanghai(now)
    found = Cells([], [], [], [])
    for column in columns:
        role, key = column.meaning.role, column.meaning.key
        if role is Role.FIELD:
            field = catalogue.fields[key]
            words = column.meaning.words
            read = _tags(catalogue, words) if key == TAGS else _worded(words) or _field(field, today)
            group = found.sealed if field.sealed else found.plain
        elif role is Role.CONSENT:
            group, read = found.answers, partial(_word, mapping.answers)
        else:
            group, key, read = found.about, role.value, _about(role, now, today)
        group.append(Cell(column.index, column.label, key, read))
    return found


def told(cells: Sequence[Cell], row: RawRow, blank: frozenset[str], rejects: list[Reject]) -> dict[str, Any]:
    """What these cells of one row say, without those that are blank; what cannot be read is added to `rejects`."""
    found = {}
    texts = row.cells
    for at, label, key, read in cells:
        text = texts[at].strip()
        if not text:
            continue
        try:
            # All but a few cells have nothing to be wiped off, and there are twenty in a row.
            if text[0] == "#" or not text.isprintable():
                text = tidy(text)
            if text not in blank and (value := read(text)) not in _NOTHING:
                found[key] = value
        except CellProblem as problem:
            rejects.append(Reject(row.place, label, problem.code))
    return found


def _word(words: Mapping[str, T], text: str) -> T:
    """The meaning of a word that the mapping lists. Whoever writes another one may mean anything."""
    found = words.get(text)
    if found is None:
        found = words.get(folded(text))
    if found is None:
        raise CellProblem(Code.WORD_UNKNOWN)
    return found


def _worded(words: Mapping[str, str] | None) -> Read | None:
    return None if words is None else partial(_word, words)


def _tags(catalogue: Catalogue, words: Mapping[str, str] | None) -> Read:
    """The rule for tags: the shop's words as the mapping turns them into ours, and ours."""
    ours = tag_words(catalogue)
    told = {folded(word): ours.get(word) for word in ours} | {
        word: ours.get(tag) if tag else "" for word, tag in (words or {}).items()
    }
    return rules.tags(lambda word: told.get(folded(word)))


def _field(field: Field, today: date) -> Read:
    """The rule for a field, by what the catalogue says of it."""
    longest = field.max_length
    if field.lookup is not LookupKind.NONE:
        return rules.phone if field.normaliser == "phone" else rules.plain(longest)
    text = rules.free_text(longest, name=field.mask == "name") if field.sealed else rules.unsealed_text(longest)
    by_type: dict[ValueType, Read] = {
        ValueType.TEXT: text,
        ValueType.TEXTS: rules.texts(text),
        ValueType.INTEGER: rules.number,
        ValueType.DATE: rules.day(today, _date_code(field)),
    }
    return by_type[field.value_type]


def _date_code(field: Field) -> Code:
    return Code.BIRTHDAY_IMPOSSIBLE if field.key.endswith("birthday") else Code.DATE_INVALID


def _about(role: Role, now: datetime, today: date) -> Read:
    """The rule for a column that says something about its row. The ledger shows what it keeps of it as it is."""
    if role is Role.CONSENT_TIME:
        return rules.past(now)
    if role is Role.COLLECTED_ON:
        return rules.day(today)
    if role is Role.MEMBER_NUMBER:
        return _hashed
    return rules.unsealed_text(_LONGEST)


def _hashed(number: str) -> bytes:
    """A member number is compared within the file and thrown away; what it looks like is the shop's business."""
    return hash(number).to_bytes(8, signed=True)
