"""A value as the bytes that are sealed, and back (docs/formats/sealed-field.md, "The plaintext").

`value ‖ type ‖ zeros up to the length class`: the type is never zero, so it ends the padding, and stripping costs one
call.
"""

from bisect import bisect_left
from collections.abc import Callable
from datetime import date
from struct import Struct
from typing import Any, Final

from service.errors import BadInput
from service.vault.framing import utf8

Value = str | int | date | tuple[str, ...]
"""What a field can hold: a text, an integer of 64 bits, a date, a list of texts."""

LARGEST: Final = 65_536
CLASSES: Final = (16, 32, 64, 128, 256, 512, *range(1024, LARGEST + 1, 1024))
"""The only lengths that a plaintext has."""

LEAST: Final = dict(zip(CLASSES, (1, *(length + 1 for length in CLASSES)), strict=False))
"""For each class the fewest bytes that need it: fewer belong into a smaller one."""

_DATE = Struct(">HBB")
_INTEGER = Struct(">q")
_TEXT_TYPE, _DATE_TYPE, _INTEGER_TYPE, _TEXTS_TYPE = b"\x01", b"\x02", b"\x03", b"\x04"


def padded(value: Value) -> bytes:
    """The plaintext of a value. Raises BadInput for what no field can hold, naming the rule and not the value."""
    writer = _WRITERS.get(type(value))
    if writer is None:
        raise BadInput("not a text, an integer, a date or a list of texts")
    write, kind = writer
    content = write(value) + kind
    place = bisect_left(CLASSES, len(content))
    if place == len(CLASSES):
        raise BadInput(f"longer than {LARGEST - 1:,} bytes")
    return content.ljust(CLASSES[place], b"\x00")


def _write_date(value: date) -> bytes:
    return _DATE.pack(value.year, value.month, value.day)


def _write_integer(value: int) -> bytes:
    if not -(1 << 63) <= value < 1 << 63:
        raise BadInput("not an integer of 64 bits")
    return _INTEGER.pack(value)


def _write_texts(value: tuple[str, ...]) -> bytes:
    if not all(type(text) is str and "\x00" not in text for text in value):
        raise BadInput("a list holds texts without U+0000")
    return b"".join([utf8(text) + b"\x00" for text in value])


def _read_date(raw: bytes) -> date:
    return date(*_DATE.unpack(raw))


def _read_integer(raw: bytes) -> int:
    return int(_INTEGER.unpack(raw)[0])


def _read_texts(raw: bytes) -> tuple[str, ...]:
    *texts, rest = raw.decode().split("\x00")
    if rest:
        raise ValueError("the last text is not ended")
    return tuple(texts)


# By exact type: a bool is an int and a datetime is a date, and neither may come back as something else than it was.
_WRITERS: dict[type, tuple[Callable[[Any], bytes], bytes]] = {
    str: (utf8, _TEXT_TYPE),
    date: (_write_date, _DATE_TYPE),
    int: (_write_integer, _INTEGER_TYPE),
    tuple: (_write_texts, _TEXTS_TYPE),
}

READERS: Final[dict[int, Callable[[bytes], Value]]] = {
    _TEXT_TYPE[0]: bytes.decode,
    _DATE_TYPE[0]: _read_date,
    _INTEGER_TYPE[0]: _read_integer,
    _TEXTS_TYPE[0]: _read_texts,
}
"""By type byte. They raise ValueError or struct.error for bytes that are not of the type's form."""
