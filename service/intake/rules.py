"""What one cell must be to become a value: pure functions over its text. Each raises `CellProblem`, which names the rule alone.

Dirt that changes nothing is wiped off (spaces, full-width digits, the form of a date); what would have to be guessed is refused.
A rule with settings is a function that makes it: it is made once a column and called once a row.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

from policies.clock import SHANGHAI
from policies.identity_number import holds_identity_number
from policies.text import holds_contact, holds_unseen
from service.errors import BadInput
from service.intake.model import Code
from service.members.model import MOST_POINTS, MOST_TEXTS, OLDEST
from service.vault.normalise import normalise

_DATE = re.compile(
    r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))"
    r"(?:[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,6})?)?)?",
    re.ASCII,
)
_NUMBER = re.compile(r"\d+(?:\.0+)?|\d{1,3}(?:,\d{3})+", re.ASCII)
_IDENTIFIER = re.compile(r"[A-Za-z0-9_.:-]+")
_MOBILE = re.compile(r"\+861[3-9]\d{9}", re.ASCII)
_SPACES = re.compile(r"\s+")
_SEPARATORS = re.compile(r"[、，,；;|/\s]+")
_MARKS = re.compile(r"[、，,；;|/]+")
# Full-width forms only: NFKC would read 7² as 72.
_NARROW = str.maketrans("０１２３４５６７８９，．／－：\u3000", "0123456789,./-: ")
_SHEET_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"})

_FORMULA = frozenset("=@＝＠﹦﹫")
_SIGN = frozenset("+-＋－﹢﹣")
_MAY_RUN = _FORMULA | _SIGN
_CALL = frozenset("(|!")
_SHORTEST_IDENTITY = 15
"""Digits: a text of fewer characters holds no identity number, and most cells are shorter."""
_EDGES = "\ufeff\u200b\u200c\u200d\u200e\u200f\u2060 "


class CellProblem(Exception):
    """The rule that a cell breaks."""

    def __init__(self, code: Code) -> None:
        super().__init__(code.value)
        self.code = code


def tidy(cell: str) -> str:
    """The cell without what nobody can see: white space at its ends, runs of it inside, marks of no width around it.

    Raises CellProblem for a control character, and for the errors that spreadsheets write into cells.
    """
    text = cell.strip()
    if not text.isprintable():
        text = _SPACES.sub(" ", text).strip(_EDGES)
        if holds_unseen(text):
            raise CellProblem(Code.CONTROL_CHARACTER)
    if text[:1] == "#" and text in _SHEET_ERRORS:
        raise CellProblem(Code.CELL_ERROR)
    return text


def free_text(longest: int, *, name: bool = False) -> Callable[[str], str]:
    """The rule for what people typed: no formula, which a spreadsheet would run; no identity number (RD-07).

    A remark may begin with a dash or a plus as long as it calls nothing; a `name` has no reason to.
    """

    def read(text: str) -> str:
        if text[0] in _MAY_RUN and (name or text[0] in _FORMULA or not _CALL.isdisjoint(text)):
            raise CellProblem(Code.FORMULA)
        if len(text) > longest:
            raise CellProblem(Code.TOO_LONG)
        if len(text) >= _SHORTEST_IDENTITY and holds_identity_number(text):
            raise CellProblem(Code.IDENTITY_NUMBER)
        return text

    return read


def unsealed_text(longest: int) -> Callable[[str], str]:
    """The rule for free text that the database shows as it is (a tier, a tag): it may hold no phone number and no address."""
    free = free_text(longest)

    def read(text: str) -> str:
        if holds_contact(text):
            raise CellProblem(Code.CONTACT_UNSEALED)
        return free(text)

    return read


def texts(entry: Callable[[str], str]) -> Callable[[str], tuple[str, ...]]:
    """The rule for a list in one cell, kept in the order of the file, none twice; `entry` is the rule for each."""

    def read(text: str) -> tuple[str, ...]:
        found = tuple(dict.fromkeys([entry(part) for part in _SEPARATORS.split(text) if part]))
        if len(found) > MOST_TEXTS:
            raise CellProblem(Code.TOO_LONG)
        return found

    return read


def tags(key: Callable[[str], str | None]) -> Callable[[str], tuple[str, ...]]:
    """The rule for a cell of tags: words of the closed vocabulary alone (AD-06). A word may have a space in it.

    `key` gives the tag that a word means, "" for a word that means nothing, None for one that is not of the vocabulary.
    """

    def known(word: str) -> str:
        found = key(word)
        if found is None:
            raise CellProblem(Code.TAG_UNKNOWN)
        return found

    def read(text: str) -> tuple[str, ...]:
        parts = (part.strip() for part in _MARKS.split(text))
        words = (word for part in parts for word in ([part] if key(part) is not None else part.split()))
        return tuple(dict.fromkeys(tag for word in words if (tag := known(word))))

    return read


def plain(longest: int) -> Callable[[str], str]:
    """The rule for a mail address or another system's id, which stays as it is: `findable` says whether it can be one."""

    def read(text: str) -> str:
        if len(text) > longest:
            raise CellProblem(Code.TOO_LONG)
        return text

    return read


def phone(text: str) -> str:
    """The number in E.164. A mainland one must be a mobile: a landline with a digit too few is somebody else's landline."""
    try:
        number = normalise("phone", text)
    except BadInput:
        raise CellProblem(Code.PHONE_INVALID) from None
    if number.startswith("+86") and not _MOBILE.fullmatch(number):
        raise CellProblem(Code.PHONE_INVALID)
    return number


def findable(normaliser: str, value: str, appid: str) -> str:
    """The one spelling by which a member is found (docs/formats/normalisers.md). Raises CellProblem for what has none."""
    if normaliser == "phone":
        return value
    try:
        found = normalise(normaliser, value, appid=appid)
    except BadInput:
        raise CellProblem(Code.EMAIL_INVALID if normaliser == "email" else Code.IDENTIFIER_INVALID) from None
    if normaliser != "email" and not _IDENTIFIER.fullmatch(value):
        raise CellProblem(Code.IDENTIFIER_INVALID)
    return found


def number(text: str) -> int:
    """A whole number, zero or more; 1,234 and 775.0 are ones, a word is not."""
    plain_text = text if text.isascii() else text.translate(_NARROW)
    if not _NUMBER.fullmatch(plain_text):
        raise CellProblem(Code.NUMBER_INVALID)
    found = int(plain_text.replace(",", "").partition(".")[0])
    if found > MOST_POINTS:
        raise CellProblem(Code.NUMBER_INVALID)
    return found


def moment(text: str) -> datetime:
    """A date in any of the usual forms, with a time or at midnight, in Shanghai."""
    if iso := _iso_day(text):
        return datetime(iso.year, iso.month, iso.day, tzinfo=SHANGHAI)
    found = _DATE.fullmatch(text if text.isascii() else text.translate(_NARROW))
    if found is None:
        raise CellProblem(Code.DATE_INVALID)
    year, _, *days, hour, minute, second = found.groups()
    month, day_ = (part for part in days if part is not None)
    try:
        return datetime(int(year), int(month), int(day_), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=SHANGHAI)
    except ValueError:
        raise CellProblem(Code.DATE_INVALID) from None


def day(today: date, code: Code = Code.DATE_INVALID) -> Callable[[str], date]:
    """The rule for a date that has come and that somebody alive can remember; whatever is none breaks `code`."""

    def read(text: str) -> date:
        try:
            found = _iso_day(text) or moment(text).date()
        except CellProblem:
            raise CellProblem(code) from None
        if not OLDEST <= found <= today:
            raise CellProblem(code)
        return found

    return read


def _iso_day(text: str) -> date | None:
    """Most dates are written YYYY-MM-DD, and this is five times as fast. The dashes keep other forms of ISO 8601 out."""
    if len(text) != 10 or text[4] != "-" or text[7] != "-":
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def past(now: datetime) -> Callable[[str], datetime]:
    """The rule for a moment that has come; a date alone is the beginning of its day."""
    latest = now + timedelta(seconds=1)

    def read(text: str) -> datetime:
        found = moment(text)
        if found > latest:
            raise CellProblem(Code.DATE_INVALID)
        return found

    return read
