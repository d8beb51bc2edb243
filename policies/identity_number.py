"""Finds resident identity numbers (公民身份号码) in free text: they have no place in a remark (RD-07, NDR 24).

GB 11643-1999: six digits of region, eight of the birthday, three of sequence, and a check character from 0-9 and X (ISO
7064 MOD 11-2). Numbers from before 1999 have fifteen digits: a birthday with a two-digit year, no check character.
People type them with spaces and dashes, and Chinese keyboards type full-width digits, so all digits of all scripts are
read and separators are passed over.
"""

import re
import unicodedata
from datetime import date

_GAP = r"[\s\u200b-\u200f\u2060\ufeff_.·‐-―−-]{0,3}"
_EIGHTEEN = re.compile(rf"(?<![0-9])(?=((?:[0-9]{_GAP}){{17}}[0-9X])(?![0-9]))")
_FIFTEEN = re.compile(rf"(?<![0-9])(?=((?:[0-9]{_GAP}){{14}}[0-9])(?![0-9]))")
_DIGIT = re.compile(r"\d")
_NO_DIGIT = re.compile(r"[^0-9X]")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_PROVINCES = frozenset(re.findall("..", "11121314152122233132333435363741424344454650515253546162636465718182"))
_FEWEST = 15


def holds_identity_number(text: str) -> bool:
    """Is there an identity number anywhere in the text? Of fifteen digits, only with a real province and birthday:
    other numbers have fifteen digits too.
    """
    if len(_DIGIT.findall(text)) < _FEWEST:
        return False
    plain = "".join(map(_plain, text)).upper()
    return any(_holds_18(_digits(m[1])) for m in _EIGHTEEN.finditer(plain)) or any(
        _holds_15(_digits(m[1])) for m in _FIFTEEN.finditer(plain)
    )


def _plain(character: str) -> str:
    """An ASCII digit for a decimal digit of any script, X for a full-width X, the character itself otherwise."""
    digit = unicodedata.decimal(character, -1)
    return str(digit) if digit >= 0 else "X" if character in "Ｘｘ" else character


def _digits(found: str) -> str:
    return _NO_DIGIT.sub("", found)


def _holds_18(number: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    return number[17] == _CHECK[total % 11] and _is_day(number[6:14])


def _holds_15(number: str) -> bool:
    return number[:2] in _PROVINCES and _is_day("19" + number[6:12])


def _is_day(digits: str) -> bool:
    """A day on which somebody alive may have been born. Order numbers of eighteen digits rarely hold one in this place."""
    if digits[:2] not in ("18", "19", "20"):
        return False
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True
