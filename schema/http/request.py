"""A GraphQL request as it comes in, by POST or GET, checked before anybody tries to understand it."""

from dataclasses import dataclass
from urllib.parse import parse_qsl

import orjson

from schema.errors import Rejected
from schema.http.limits import Limits, too_deep

_PARAMETERS = ("query", "operationName", "variables", "extensions")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the client asks: a document, the name of one operation in it, and variables."""

    text: str
    name: str | None
    variables: dict[str, object]


def from_body(body: bytes, limits: Limits) -> Asked:
    """A POST's body. Raises Rejected for anything but one JSON object with the right types in it."""
    found = parse_json(body, limits)
    if isinstance(found, list):
        raise Rejected("BATCHING_OFF")
    if not isinstance(found, dict):
        raise Rejected("BAD_REQUEST", "The body must be a JSON object.")
    return _asked(found)


def from_query(query: bytes, limits: Limits) -> Asked:
    """A GET's parameters; `variables` and `extensions` are JSON within them. Raises Rejected."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError:
        raise Rejected("BAD_REQUEST", "The query string does not decode.") from None
    found: dict[str, object] = dict(pairs)
    for name in ("variables", "extensions"):
        if found.get(name):
            found[name] = parse_json(str(found[name]).encode(), limits)
        else:
            found.pop(name, None)
    return _asked(found)


def parse_json(raw: bytes, limits: Limits) -> object:
    """JSON, its depth counted before it is parsed. Raises Rejected (BAD_JSON, JSON_TOO_DEEP)."""
    if too_deep(raw, limits.json_depth):
        raise Rejected("JSON_TOO_DEEP")
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Rejected("BAD_JSON") from None


def _asked(found: dict[str, object]) -> Asked:
    """The four parameters of the specification, each of its own type."""
    text, name, variables, extensions = (found.get(parameter) for parameter in _PARAMETERS)
    if not isinstance(text, str) or not text:
        raise Rejected("BAD_REQUEST", "`query` must be a text.")
    if name is not None and not isinstance(name, str):
        raise Rejected("BAD_REQUEST", "`operationName` must be a text.")
    if variables is not None and not isinstance(variables, dict):
        raise Rejected("BAD_REQUEST", "`variables` must be an object.")
    if extensions is not None and not isinstance(extensions, dict):
        raise Rejected("BAD_REQUEST", "`extensions` must be an object.")
    return Asked(text, name, variables or {})
