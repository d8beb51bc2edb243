"""Reads TOML strictly, key by key: what is unknown, missing or of the wrong type is written down, never guessed at.

A reader that finds a fault returns a harmless stand-in and goes on, so that one round shows everything
(`problems.Findings`). What is read from a stand-in is not worth a second complaint: such a section writes into findings
that nobody looks at.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar, cast

from policies.loading import faults
from policies.loading.problems import Fault, Findings
from policies.naming import Title

E = TypeVar("E", bound=StrEnum)
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_STAND_IN_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)


class Section:
    """One table. Read every key that it may have, then `close` it: what is left over is unknown."""

    def __init__(self, file: str, path: str, table: Mapping[str, object], findings: Findings) -> None:
        self.file = file
        self.path = path
        self.table = table
        self.findings = findings
        self._read: set[str] = set()

    def at(self, key: str) -> str:
        """The dotted name of a key of this table; of no key, the table's own."""
        return ".".join(filter(None, (self.path, key)))

    def fault(self, key: str, fault: Fault, **detail: object) -> None:
        """Write down what is wrong with one key."""
        self.findings.add(self.file, self.at(key), fault, **detail)

    def close(self) -> None:
        """Every key that nobody asked for is a problem: a misspelt rule is a rule that does not hold."""
        for key in self.table.keys() - self._read:
            self.fault(key, faults.KEY_UNKNOWN, known=", ".join(sorted(self._read)))

    def _value(self, key: str, kind: type, words: tuple[str, str]) -> object | None:
        self._read.add(key)
        if key not in self.table:
            self.fault(key, faults.KEY_MISSING)
            return None
        value = self.table[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.fault(key, faults.WRONG_TYPE, expected=words[0], expected_zh=words[1])
            return None
        return value

    def text(self, key: str, form: str = "", *, blank: bool = False) -> str:
        """A text; `form` is a regular expression that all of it must match."""
        value = self._value(key, str, ("a text", "文本"))
        if value is None:
            return ""
        if not (blank or str(value).strip()):
            self.fault(key, faults.BLANK)
        elif value and form and not re.fullmatch(form, str(value)):
            self.fault(key, faults.FORM, form=form)
        return str(value)

    def flag(self, key: str, *, otherwise: bool | None = None) -> bool:
        """True or false, and nothing that merely looks so. `otherwise`: what a missing key means; None: it may not be missing."""
        if otherwise is not None and key not in self.table:
            self._read.add(key)
            return otherwise
        return bool(self._value(key, bool, ("true or false", " true 或 false")))

    def whole(self, key: str, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        value = self._value(key, int, ("a whole number", "整数"))
        if value is None:
            return low
        number = cast("int", value)
        if not low <= number <= high:
            self.fault(key, faults.OUT_OF_RANGE, low=low, high=high)
        return number

    def one_of(self, key: str, kind: type[E], fault: Fault = faults.UNKNOWN_VALUE) -> E:
        """A member of an enumeration, by its value."""
        known = [member.value for member in kind]
        return kind(self.among(key, known, fault))

    def among(self, key: str, known: Collection[str], fault: Fault = faults.UNKNOWN_VALUE) -> str:
        """One of the known words, exactly as written."""
        value = self._value(key, str, ("a text", "文本"))
        if value in known:
            return str(value)
        if value is not None:
            self.fault(key, fault, known=", ".join(known))
        return next(iter(known), "")

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, none blank and none twice. It may be empty."""
        value = self._value(key, list, ("a list of texts", "文本列表"))
        entries = cast("list[object]", value or [])
        if not all(isinstance(entry, str) and entry.strip() for entry in entries):
            self.fault(key, faults.WRONG_TYPE, expected="a list of texts", expected_zh="文本列表")
            return ()
        found = tuple(str(entry) for entry in entries)
        for name in sorted({name for name in found if found.count(name) > 1}):
            self.fault(key, faults.DUPLICATE, name=name)
        return found

    def texts_among(self, key: str, known: Collection[str]) -> tuple[str, ...]:
        """A list of known words, at least one."""
        found = self.texts(key)
        if not found and key in self.table:
            self.fault(key, faults.BLANK)
        if set(found) - set(known):
            self.fault(key, faults.UNKNOWN_VALUE, known=", ".join(known))
            return ()
        return found

    def moment(self, key: str) -> datetime:
        """A time with its offset: a local time would mean another moment on another machine."""
        value = self._value(key, datetime, ("a time with its offset", "带时区的时间"))
        moment = cast("datetime", value or _STAND_IN_MOMENT)
        if moment.tzinfo is None:
            self.fault(key, faults.WRONG_TYPE, expected="a time with its offset", expected_zh="带时区的时间")
            return _STAND_IN_MOMENT
        return moment

    def title(self, key: str) -> Title:
        """A name in both languages: `{ zh = "…", en = "…" }`."""
        section = self.section(key)
        title = Title(section.text("zh"), section.text("en"))
        section.close()
        return title

    def title_if_any(self, key: str) -> Title | None:
        """A name in both languages, None where there is none."""
        self._read.add(key)
        return self.title(key) if key in self.table else None

    def section(self, key: str) -> "Section":
        """A table inside this one; a stand-in, after a problem, where there is none or an empty one."""
        value = self._value(key, dict, ("a table", "表"))
        if value == {}:
            self.fault(key, faults.BLANK)
        table = cast("dict[str, object]", value or {})
        return Section(self.file, self.at(key), table, self.findings if table else Findings())

    def sections(self, key: str) -> Iterator[tuple[str, "Section"]]:
        """The named tables inside the table `key`, in the order of the file."""
        outer = self.section(key)
        for name in outer.table:
            if not NAME.fullmatch(name):
                outer.fault(name, faults.KEY_FORM)
            yield name, outer.section(name)
