"""Strangers' JSON as bounded values: one error type out, whatever the bytes."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

import orjson

from service.errors import Malformed

_MOST_TEXT = 4096


def document(raw: bytes, *, name: str) -> Any:  # noqa: ANN401 - JSON
    """What the bytes say. Raises Malformed."""
    try:
        return orjson.loads(raw)
    except (ValueError, RecursionError):
        pass
    # Outside the handler: a parser's error quotes what it could not read.
    raise Malformed(f"{name}: not JSON")


def table(found: object, *, name: str) -> Mapping[str, Any]:
    """An object. Raises Malformed."""
    if not isinstance(found, dict):
        raise Malformed(f"{name}: not an object")
    return found


def text(found: Mapping[str, Any], key: str, *, name: str, least: int = 0, most: int = _MOST_TEXT) -> str:
    """A text or a whole number under `key`; absent and null are "". Raises Malformed naming the key."""
    value = found.get(key)
    if value is None:
        value = ""
    said = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
    if said is None or not least <= len(said) <= most or "\0" in said:
        raise Malformed(f"{name}: {key}")
    return said


def base64(given: str) -> bytes:
    """The bytes. Raises ValueError."""
    return b64decode(given.encode("ascii"), validate=True)
