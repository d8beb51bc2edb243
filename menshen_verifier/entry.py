"""Reading an entry, version 1, exactly as docs/formats/audit-entry.md has it: canonical JSON, known keys, and what may stand under each.

An entry in its canonical form is nearly a regular language, so one compiled expression reads nearly all of them, several times faster
than a JSON parser does; the order of facts and the uniqueness of subjects are looked at beside it. What it does not know (a name in 中文,
a text with a quotation mark) is parsed, written anew and compared: `parse_entry` is the whole grammar, and the expression accepts nothing
that `parse_entry` refuses. Hypothesis holds them to each other and to the service's own reader. Whole bundles are read by `bulk`.
"""

import json
import re
from collections.abc import Callable
from operator import ge
from typing import Any, NamedTuple, cast

from menshen_verifier import form
from menshen_verifier.errors import Malformed

MOST_BYTES = 32 * 1024
_BIGGEST = 2**53 - 1


class Facts(NamedTuple):
    """What a replay needs of an entry: its number and writer, when, and of which type."""

    number: int
    ts: bytes
    typ: bytes
    writer: bytes


_TEXT = (
    rf"{form.HEAD}(?:{form.CONSENT}())?+{form.CHOICE}{form.NAMES}{form.RULE}{form.CALL}"
    rf"(?(1){form.SUBJECT}|(?:{form.SUBJECTS})?+){form.WHEN}{form.TAIL}"
)
_wide = re.compile(_TEXT.encode()).fullmatch
_keys = re.compile(rf'"({form.KEY})":'.encode()).findall
"""The keys of `x` in their order: no value of the expression has a quotation mark in it, so only a key stands between one and a colon."""


def widely(raw: bytes) -> Facts | None:
    """What a replay needs of an entry in plain characters. None says nothing yet: `facts_of` does."""
    found = _wide(raw) if len(raw) <= MOST_BYTES else None
    if found is None:
        return None
    number, ts, typ, writer, subjects, extra = found.group("s", "ts", "typ", "w", "sub", "x")
    named = subjects.split(b",") if subjects else ()
    # Of subjects the grammar asks only that they differ.
    if len(set(named)) != len(named) or not in_order(extra):
        return None
    return Facts(int(number), ts, typ, writer)


def in_order(extra: bytes | None) -> bool:
    """Whether what stands in `x` has each key once, in order, as JSON's canonical form has them."""
    keys = _keys(extra) if extra else []
    return not any(map(ge, keys, keys[1:]))


def facts_of(raw: bytes) -> Facts:
    """What a replay needs of an entry. Raises Malformed where it is none."""
    found = widely(raw)
    if found is not None:
        return found
    entry = parse_entry(raw)
    return Facts(entry["s"], entry["ts"].encode(), entry["typ"].encode(), entry["w"].encode())


def parse_entry(raw: bytes) -> dict[str, Any]:
    """What the bytes say. Raises Malformed unless they are one entry of version 1 in its one canonical form."""
    if len(raw) > MOST_BYTES:
        raise Malformed("audit-entry/v1: longer than 32 KiB")
    try:
        found = json.loads(raw.decode("utf-8"))
        canonical = json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except (ValueError, TypeError, RecursionError):
        raise Malformed("audit-entry/v1: not JSON of the profile") from None
    if canonical != raw or not isinstance(found, dict):
        raise Malformed("audit-entry/v1: not a canonical object")
    if not REQUIRED <= found.keys() <= RULES.keys():
        raise Malformed("audit-entry/v1: a key is missing or unknown")
    for key, value in found.items():
        if not RULES[key](value):
            raise Malformed(f"audit-entry/v1: {key}")
    if "con" in found and len(found.get("sub", ())) != 1:
        raise Malformed("audit-entry/v1: con without its one subject")
    return cast("dict[str, Any]", found)


def _is(pattern: str) -> Callable[[object], bool]:
    fits = re.compile(pattern).fullmatch
    return lambda value: isinstance(value, str) and fits(value) is not None


_is_code, _is_key, _is_subject, _is_address = _is(form.CODE), _is(form.KEY), _is(f"p1:{form.RANDOM}"), _is(form.ADDRESS)


def _is_one_of(words: tuple[str, ...]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and value in words


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= _BIGGEST


def _are_codes(value: object) -> bool:
    return isinstance(value, list) and len(value) <= form.MOST_CODES and all(map(_is_code, value))


def _are_some_codes(value: object) -> bool:
    return bool(value) and _are_codes(value)


def _are_subjects(value: object) -> bool:
    known = isinstance(value, list) and 0 < len(value) <= form.MOST_SUBJECTS and all(map(_is_subject, value))
    return known and len(set(cast("list[str]", value))) == len(cast("list[str]", value))


def _is_actor(value: object) -> bool:
    if not isinstance(value, dict) or not {"k", "role"} <= value.keys() <= {"k", "id", "role", "ip", "tok"}:
        return False
    name = value.get("id")
    named = isinstance(name, str) and 0 < len(name) <= 64 and name.isprintable() if "id" in value else value["k"] == "member"
    known = isinstance(value["k"], str) and value["k"] in form.KINDS
    digests = all(key not in value or _is_address(value[key]) for key in ("ip", "tok"))
    return named and known and _are_codes(value["role"]) and digests


def _is_extra(value: object) -> bool:
    if not isinstance(value, dict) or not 0 < len(value) <= form.MOST_EXTRA:
        return False
    return all(_is_key(key) and _is_fact(fact) for key, fact in value.items())


def _is_fact(value: object) -> bool:
    if isinstance(value, list):
        return len(value) <= form.MOST_CODES and all(map(_is_text, value))
    if isinstance(value, int):
        return -_BIGGEST <= value <= _BIGGEST
    return _is_text(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= form.MOST_TEXT


RULES: dict[str, Callable[[Any], bool]] = {
    "act": _is_actor,
    "bas": _is_code,
    "cnt": _is_count,
    "con": _is(form.UUID),
    "dec": _is_one_of(("allow", "deny")),
    "fld": _are_some_codes,
    "id": _is(form.UUID),
    "n": _is(form.RANDOM),
    "op": _is_code,
    "pol": _is(form.DIGEST),
    "pur": _is_code,
    "ref": _is(form.UUID),
    "req": _is(r"[!-~]{0,64}"),
    "rsn": _is_code,
    "s": _is_count,
    "sub": _are_subjects,
    "ts": _is(form.MOMENT),
    "typ": _is_one_of(form.TYPES),
    "v": lambda value: type(value) is int and value == 1,
    "w": _is(form.RANDOM),
    "wth": _are_some_codes,
    "x": _is_extra,
}
REQUIRED = frozenset({"act", "dec", "id", "n", "pol", "req", "s", "ts", "typ", "v", "w"})
