"""Reading an entry, version 1, exactly as docs/formats/audit-entry.md has it: canonical JSON, known keys, and what may stand under each.

An entry in its canonical form is nearly a regular language, so one compiled expression reads nearly all of them, several times faster
than a JSON parser does. A second one takes pages of members and several facts, whose order and uniqueness are looked at beside it. What
neither knows (a name in 中文, a text with a quotation mark) is parsed, written anew and compared: `parse_entry` is the whole grammar, and
the expressions accept nothing that `parse_entry` refuses. Hypothesis holds them to each other and to the service's own reader.
"""

import json
import re
from collections.abc import Callable
from operator import ge
from typing import Any, NamedTuple, cast

from menshen_verifier.errors import Malformed

MOST_BYTES = 32 * 1024
_MOST_SUBJECTS, _MOST_CODES, _MOST_EXTRA, _MOST_TEXT, _BIGGEST = 500, 200, 32, 4096, 2**53 - 1
TYPES = (
    "access",
    "admin",
    "audit",
    "boot",
    "change",
    "consent",
    "erase",
    "export",
    "genesis",
    "key",
    "policy",
    "prune",
    "result",
    "stop",
)
_KINDS = ("staff", "service", "member", "system")

_CODE = r"[A-Za-z][A-Za-z0-9_.-]{0,59}+"
_RANDOM = r"[A-Za-z0-9_-]{21}[AQgw]"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_MOMENT = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:[0-2][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z"
_DIGEST = r"[0-9a-f]{64}"
_ADDRESS = r"[A-Za-z0-9_:-]{1,64}+"
_KEY = r"[a-z][a-z0-9_]{0,31}+"


class Facts(NamedTuple):
    """What a replay needs of an entry: its number and writer, when, and of which type."""

    number: int
    ts: bytes
    typ: bytes
    writer: bytes


def _expression(*, many: bool) -> re.Pattern[bytes]:
    """The keys in their order. Its groups: the actor's id, `con`, then the four Facts; with `many` also what stands in `sub` and in `x`.

    Everything that repeats is possessive and begins in its own way, so that no bytes take long.
    """
    number, plain = r"(?:0|[1-9][0-9]{0,14}+)", r"[ !#-\[\]-~]"
    codes = rf'"{_CODE}"(?:,"{_CODE}"){{0,{_MOST_CODES - 1}}}+'
    actor = (
        rf'"act":\{{(?:("id":"{plain}{{1,64}}+"),)?+(?:"ip":"{_ADDRESS}",)?+'
        rf'"k":"(?(1)(?:{"|".join(_KINDS)})|member)","role":\[(?:{codes})?+\](?:,"tok":"{_ADDRESS}")?+\}}'
    )
    subject, words = rf',"sub":\["p1:{_RANDOM}"\]', rf'"{plain}{{0,{_MOST_TEXT}}}+"'
    fact = rf'"{_KEY}":(?:{words}|-?[1-9][0-9]{{0,14}}+|0|true|false)'
    subjects, facts = f"(?:{subject})?+", rf'(?:,"x":\{{{fact}\}})?+'
    if many:
        listed = rf"\[(?:{words}(?:,{words}){{0,{_MOST_CODES - 1}}}+)?+\]"
        fact = rf'"{_KEY}":(?:{words}|-?[1-9][0-9]{{0,14}}+|0|true|false|{listed})'
        subjects = rf'(?:,"sub":\[(?P<sub>"p1:{_RANDOM}"(?:,"p1:{_RANDOM}"){{0,{_MOST_SUBJECTS - 1}}}+)\])?+'
        facts = rf'(?:,"x":\{{(?P<x>{fact}(?:,{fact}){{0,{_MOST_EXTRA - 1}}}+)\}})?+'
    text = (
        rf'\{{{actor}(?:,"bas":"{_CODE}")?+(?:,"cnt":{number})?+(,"con":"{_UUID}")?+,"dec":"(?:allow|deny)"(?:,"fld":\[{codes}\])?+'
        rf',"id":"{_UUID}","n":"{_RANDOM}"(?:,"op":"{_CODE}")?+,"pol":"{_DIGEST}"(?:,"pur":"{_CODE}")?+(?:,"ref":"{_UUID}")?+'
        rf',"req":"[!#-\[\]-~]{{0,64}}+"(?:,"rsn":"{_CODE}")?+,"s":(?P<s>{number})(?(2){subject}|{subjects}),"ts":"(?P<ts>{_MOMENT})"'
        rf',"typ":"(?P<typ>{"|".join(TYPES)})","v":1,"w":"(?P<w>{_RANDOM})"(?:,"wth":\[{codes}\])?+{facts}\}}'
    )
    return re.compile(text.encode())


quick = _expression(many=False).fullmatch
"""The match of an entry of the usual kind. None says nothing yet: `facts_of` does."""

_wide = _expression(many=True).fullmatch
_keys = re.compile(rf'"({_KEY})":'.encode()).findall
"""The keys of `x` in their order: no value of the expression has a quotation mark in it, so only a key stands between one and a colon."""


def widely(raw: bytes) -> Facts | None:
    """The same of an entry with any number of subjects and facts. None says nothing yet, either."""
    found = _wide(raw) if len(raw) <= MOST_BYTES else None
    if found is None:
        return None
    number, ts, typ, writer, subjects, extra = found.group("s", "ts", "typ", "w", "sub", "x")
    named = subjects.split(b",") if subjects else ()
    keys = _keys(extra) if extra else []
    # JSON's canonical form has each key once, in order; of subjects the grammar asks only that they differ.
    if len(set(named)) != len(named) or any(map(ge, keys, keys[1:])):
        return None
    return Facts(int(number), ts, typ, writer)


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


_is_code, _is_key, _is_subject, _is_address = _is(_CODE), _is(_KEY), _is(f"p1:{_RANDOM}"), _is(_ADDRESS)


def _is_one_of(words: tuple[str, ...]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and value in words


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= _BIGGEST


def _are_codes(value: object) -> bool:
    return isinstance(value, list) and len(value) <= _MOST_CODES and all(map(_is_code, value))


def _are_some_codes(value: object) -> bool:
    return bool(value) and _are_codes(value)


def _are_subjects(value: object) -> bool:
    known = isinstance(value, list) and 0 < len(value) <= _MOST_SUBJECTS and all(map(_is_subject, value))
    return known and len(set(cast("list[str]", value))) == len(cast("list[str]", value))


def _is_actor(value: object) -> bool:
    if not isinstance(value, dict) or not {"k", "role"} <= value.keys() <= {"k", "id", "role", "ip", "tok"}:
        return False
    name = value.get("id")
    named = isinstance(name, str) and 0 < len(name) <= 64 and name.isprintable() if "id" in value else value["k"] == "member"
    known = isinstance(value["k"], str) and value["k"] in _KINDS
    digests = all(key not in value or _is_address(value[key]) for key in ("ip", "tok"))
    return named and known and _are_codes(value["role"]) and digests


def _is_extra(value: object) -> bool:
    if not isinstance(value, dict) or not 0 < len(value) <= _MOST_EXTRA:
        return False
    return all(_is_key(key) and _is_fact(fact) for key, fact in value.items())


def _is_fact(value: object) -> bool:
    if isinstance(value, list):
        return len(value) <= _MOST_CODES and all(map(_is_text, value))
    if isinstance(value, int):
        return -_BIGGEST <= value <= _BIGGEST
    return _is_text(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _MOST_TEXT


RULES: dict[str, Callable[[Any], bool]] = {
    "act": _is_actor,
    "bas": _is_code,
    "cnt": _is_count,
    "con": _is(_UUID),
    "dec": _is_one_of(("allow", "deny")),
    "fld": _are_some_codes,
    "id": _is(_UUID),
    "n": _is(_RANDOM),
    "op": _is_code,
    "pol": _is(_DIGEST),
    "pur": _is_code,
    "ref": _is(_UUID),
    "req": _is(r"[!-~]{0,64}"),
    "rsn": _is_code,
    "s": _is_count,
    "sub": _are_subjects,
    "ts": _is(_MOMENT),
    "typ": _is_one_of(TYPES),
    "v": lambda value: type(value) is int and value == 1,
    "w": _is(_RANDOM),
    "wth": _are_some_codes,
    "x": _is_extra,
}
REQUIRED = frozenset({"act", "dec", "id", "n", "pol", "req", "s", "ts", "typ", "v", "w"})
