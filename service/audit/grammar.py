"""What may stand under each key of an audit entry, version 1 (docs/formats/audit-entry.md).

One table of rules, by which entries are both made and read: so what is written can be read, and a field's value, a phone number or an
openid has no key to stand under. Codes and pseudonyms have narrow forms for that very reason.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

MOST_BYTES = 32 * 1024
"""Of a whole entry. C2SP bundles allow 65,535; half of that leaves room for nobody's mistake."""

MOST_SUBJECTS = 500
MOST_CODES = 200
MOST_EXTRA = 32
MOST_TEXT = 4096
BIGGEST = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly (RFC 8785 rests on IEEE 754 doubles)."""

TYPES = frozenset(
    "access change consent erase export policy key boot stop admin audit result prune genesis".split()  # noqa: SIM905
)
_KINDS = frozenset({"staff", "service", "member", "system"})
_DECISIONS = frozenset({"allow", "deny"})

_SIXTEEN_BYTES = r"[A-Za-z0-9_-]{21}[AQgw]"
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,59}")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,31}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_MOMENT = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-([0-2][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z")
_RANDOM = re.compile(_SIXTEEN_BYTES)
_SUBJECTS = re.compile(rf"(?:p1:{_SIXTEEN_BYTES} )+")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_REQUEST = re.compile(r"[!-~]{0,64}")
_KEYED = re.compile(r"[A-Za-z0-9_:-]{1,64}")
_NAME_LENGTH = 64


def is_code(text: object) -> bool:
    """A word of the catalogue or of this program: begins with a letter, so no number, and is ASCII, so nobody's name in 中文."""
    return isinstance(text, str) and _CODE.fullmatch(text) is not None


def are_codes(found: object) -> bool:
    """Field keys, roles, withheld keys: a list, perhaps empty."""
    return isinstance(found, list) and len(found) <= MOST_CODES and all(map(is_code, found))


def is_name(text: object) -> bool:
    """An account id: 1 to 64 characters that can be printed on one line."""
    return isinstance(text, str) and 0 < len(text) <= _NAME_LENGTH and text.isprintable()


def is_count(number: object) -> bool:
    """A whole number from 0 to 2^53 - 1; true is not one."""
    return type(number) is int and 0 <= number <= BIGGEST


def are_subjects(found: object) -> bool:
    """1 to 500 different pseudonyms (docs/formats/pseudonym.md): a member's id or phone has another form. One match for all of them."""
    if not isinstance(found, list) or not 0 < len(found) <= MOST_SUBJECTS:
        return False
    try:
        return _SUBJECTS.fullmatch(" ".join(found) + " ") is not None and len(set(found)) == len(found)
    except TypeError:
        return False


def is_extra(found: object) -> bool:
    """`x`: up to 32 keys with texts, whole numbers, booleans or lists of texts."""
    if not isinstance(found, dict) or not 0 < len(found) <= MOST_EXTRA:
        return False
    return all(isinstance(key, str) and _KEY.fullmatch(key) and _is_plain(value) for key, value in found.items())


def is_actor(found: object) -> bool:
    """`act`: `k` and `role` always, `id` unless the actor is a member whose pseudonym is not known, `ip` if an address is
    known, `tok` if there was a token.
    """
    if not isinstance(found, dict) or not {"k", "role"} <= found.keys() <= {"k", "id", "role", "ip", "tok"}:
        return False
    named = is_name(found["id"]) if "id" in found else found["k"] == "member"
    known = isinstance(found["k"], str) and found["k"] in _KINDS
    digests = all(key not in found or _is(_KEYED)(found[key]) for key in ("ip", "tok"))
    return named and known and are_codes(found["role"]) and digests


def _is(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    return lambda text: isinstance(text, str) and pattern.fullmatch(text) is not None


def _some_codes(found: object) -> bool:
    return bool(found) and are_codes(found)


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return len(value) <= MOST_CODES and all(isinstance(item, str) and _is_text(item) for item in value)
    if isinstance(value, int):
        return -BIGGEST <= value <= BIGGEST
    return isinstance(value, str) and _is_text(value)


def _is_text(text: str) -> bool:
    return len(text) <= MOST_TEXT


RULES: dict[str, Callable[[Any], bool]] = {
    "act": is_actor,
    "bas": is_code,
    "cnt": is_count,
    "con": _is(_UUID),
    "dec": lambda found: isinstance(found, str) and found in _DECISIONS,
    "fld": _some_codes,
    "id": _is(_UUID),
    "n": _is(_RANDOM),
    "op": is_code,
    "pol": _is(_DIGEST),
    "pur": is_code,
    "ref": _is(_UUID),
    "req": _is(_REQUEST),
    "rsn": is_code,
    "s": is_count,
    "sub": are_subjects,
    "ts": _is(_MOMENT),
    "typ": lambda found: isinstance(found, str) and found in TYPES,
    "v": lambda found: type(found) is int and found == 1,
    "w": _is(_RANDOM),
    "wth": _some_codes,
    "x": is_extra,
}
REQUIRED = frozenset({"act", "dec", "id", "n", "pol", "req", "s", "ts", "typ", "v", "w"})


def broken(entry: dict[str, Any], keys: Iterable[str]) -> str:
    """The first of `keys` under which something stands that must not, or "" when all is well."""
    return next((key for key in keys if not RULES[key](entry[key])), "")
