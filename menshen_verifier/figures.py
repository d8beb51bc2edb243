"""Figures over rows of text: what a number means, written so that a program can work it out again from the data file alone.

A definition is JSON with `file` (a CSV of the same pack, whose first line names its columns), `measure`, `by` (columns to group by)
and `where` (conditions, all of which must hold; one of them may be that witnesses have signed what stands in a column). The measures are
`count`; `sum` of a `column` of whole numbers, where nothing counts as 0; and `longest`, the most seconds from the moment in `column` to
the one in `to`, over rows that have both. A value is a whole number or, where there is `by`, an object from the groups' keys, joined by
`|`, to whole numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from menshen_verifier.errors import Forged, Malformed
from menshen_verifier.policy import NONE, Policy, parse_policy

_OF_TEXT = frozenset({"by", "after", "cosigned"})
_MUST, _MAY = {"file", "measure"}, {"file", "measure", "column", "to", "by", "where"}
MOST_GROUPS = 20_000
"""So that a file of many different keys does not fill the memory of whoever verifies it."""

Value = int | dict[str, int]
Row = Sequence[str]
_Test = Callable[[Row], bool]


@dataclass(frozen=True, slots=True)
class Definition:
    """One, parsed. `conditions` are (column, operator, operand)."""

    file: str
    measure: str
    column: str
    to: str
    by: tuple[str, ...]
    conditions: tuple[tuple[str, str, Any], ...]


def parse_definition(found: object) -> Definition:
    """Raises Malformed for anything that is not a definition."""
    if not isinstance(found, dict) or not _MUST <= found.keys() <= _MAY:
        raise Malformed("figure: not a definition")
    names = [found["file"], found["measure"], found.get("column", ""), found.get("to", "")]
    by, where = found.get("by", []), found.get("where", [])
    if not all(isinstance(name, str) for name in names) or not _texts(by) or not isinstance(where, list):
        raise Malformed("figure: not a definition")
    needs = {"count": (), "sum": (names[2],), "longest": (names[2], names[3])}.get(names[1])
    if needs is None or not all(needs):
        raise Malformed("figure: an unknown measure, or one without its column")
    return Definition(names[0], names[1], names[2], names[3], tuple(by), tuple(map(_condition, where)))


class Tally:
    """A figure that is being worked out, row by row."""

    def __init__(self, definition: Definition, columns: Sequence[str]) -> None:
        place = {name: index for index, name in enumerate(columns)}
        self._definition = definition
        try:
            self._tests: list[_Test] = [_test(place, *condition) for condition in definition.conditions]
            self._by = [place[name] for name in definition.by]
            self._column = place[definition.column] if definition.column else 0
            self._to = place[definition.to] if definition.to else 0
        except KeyError:
            raise Malformed("figure: the file has no such column") from None
        self._found: dict[str, int] = {}

    def add(self, row: Row) -> None:
        """Count one row in. Raises Malformed where a cell is no number, no moment, or there are too many groups."""
        if not all(test(row) for test in self._tests):
            return
        measure, key = self._definition.measure, "|".join(row[index] for index in self._by)
        before = self._found.get(key, 0)
        if measure == "count":
            self._found[key] = before + 1
        elif measure == "sum":
            self._found[key] = before + _number(row[self._column])
        elif row[self._column] and row[self._to]:
            self._found[key] = max(before, _seconds(row[self._column], row[self._to]))
        if len(self._found) > MOST_GROUPS:
            raise Malformed("figure: too many groups")

    @property
    def value(self) -> Value:
        """What it comes to so far."""
        return dict(sorted(self._found.items())) if self._definition.by else self._found.get("", 0)


def is_value(found: object) -> bool:
    """Whether it has the form of a figure's value."""
    if isinstance(found, dict):
        return all(isinstance(key, str) and type(value) is int for key, value in found.items())
    return type(found) is int


def _condition(found: object) -> tuple[str, str, Any]:
    if not isinstance(found, list) or len(found) != 3 or not isinstance(found[0], str):
        raise Malformed("figure: a condition is [column, operator, operand]")
    column, operator, operand = found
    if not (_texts(operand) if operator in {"is", "not"} else operator in _OF_TEXT and isinstance(operand, str)):
        raise Malformed("figure: an unknown condition")
    return column, operator, parse_policy(operand.encode()) if operator == "cosigned" else operand


def _test(place: Mapping[str, int], column: str, operator: str, operand: Any) -> _Test:  # noqa: ANN401 - as JSON has it
    """`is` and `not`: one of these texts, or none of them; `by` and `after`: a day (or moment) not later, or later, than another column's,
    where both are there; `cosigned`: the note of a checkpoint of the row's size and root, which this policy's quorum has cosigned.
    """
    index = place[column]
    if operator == "cosigned":
        size, root = place["size"], place["root"]
        return lambda row: _cosigned(operand, row[index], row[size], row[root])
    if operator in {"is", "not"}:
        wanted, right = frozenset(operand), operator == "is"
        return lambda row: (row[index] in wanted) is right
    other, late = place[operand], operator == "after"
    return lambda row: bool(row[index] and row[other]) and (row[index] > row[other]) is late


def _cosigned(policy: Policy, note: str, size: str, root: str) -> bool:
    """By the signatures alone; never where the policy asks for no witness."""
    try:
        opened = policy.of(note.encode(), _number(size), bytes.fromhex(root))
    except (Malformed, Forged, ValueError):
        return False
    return policy.quorum != NONE and policy.witnessed(opened)


def _number(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 17):
        raise Malformed("figure: a cell that is no number")
    return int(text)


def _seconds(first: str, last: str) -> int:
    try:
        passed = datetime.fromisoformat(last) - datetime.fromisoformat(first)
    except (ValueError, TypeError):
        raise Malformed("figure: a cell that is no moment") from None
    return max(0, int(passed.total_seconds()))


def _texts(found: object) -> bool:
    return isinstance(found, list) and all(isinstance(text, str) for text in found)
