"""One audit entry, version 1: who read or changed what, why, on which basis; never a value (docs/formats/audit-entry.md).

The bytes are made once and never again: they are hashed, stored and shown as they are. So their canonical form (RFC 8785 in a
profile of texts, whole numbers and booleans) matters only where they come into being (`sealing.py`) and where a stranger's
bytes are read (here).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson

from menshen_verifier import merkle
from service.audit import grammar
from service.errors import Malformed

CANONICAL = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
"""With these, and with nothing in it but what the grammar allows, orjson writes what RFC 8785 prescribes: a test compares the two."""

_MEMBER = "member"
_A_DAY = timedelta(days=1)
"""No time zone shows a moment further from how it is written."""


@dataclass(slots=True, kw_only=True)
class Draft:
    """What a unit fills in. `subjects` are pseudonyms, `fields` and `withheld` are field keys: a value has no place here.

    `actor` is the acting member's own pseudonym; without it, a member is taken to act on the entry's one subject, themselves. `entry_id` is
    the entry's own, where the unit's rows name it; else it gets one when it is written. `shown` are pseudonyms that somebody is told
    because they stand in the log: they are counted at the door (LB-07), and the entry does not become one about all of them.
    """

    typ: str
    operation: str = ""
    purpose: str = ""
    basis: str = ""
    consent: str = ""
    subjects: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    fields: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    decision: str = "allow"
    reason: str = ""
    count: int | None = None
    ref: str = ""
    actor: str = ""
    entry_id: str = ""
    extra: dict[str, str | int | bool | list[str]] = field(default_factory=dict)

    def deny(self, reason: str) -> None:
        """Say that it was refused, and by which code."""
        self.decision = "deny"
        self.reason = reason


class Entry(NamedTuple):
    """A sealed entry: its bytes, their leaf hash, and what search reads without parsing them."""

    id: str
    raw: bytes
    leaf: bytes
    ts: str
    typ: str
    dec: str
    actor: str
    pur: str
    req: str
    subjects: tuple[str, ...]


def named_in(raws: Iterable[bytes], *, each: int | None = None) -> list[str]:
    """Every pseudonym that stands in these entries, once: whose the data is that leaves with them; or of each entry no more than so many.
    What is no entry names nobody.
    """
    found: dict[str, None] = {}
    for raw in raws:
        try:
            entry = orjson.loads(raw)
            named = [
                *entry.get("sub", ()),
                *([entry["act"]["id"]] if entry["act"]["k"] == _MEMBER and "id" in entry["act"] else ()),
            ]
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
        if named and grammar.are_subjects(named):
            found.update(dict.fromkeys(named[:each]))
    return list(found)


def parse_entry(raw: bytes) -> dict[str, Any]:
    """What the bytes say. Raises Malformed unless they are one entry of version 1 in its one canonical form."""
    if len(raw) > grammar.MOST_BYTES:
        raise Malformed("audit-entry/v1: longer than 32 KiB")
    try:
        found = orjson.loads(raw)
        canonical = orjson.dumps(found, option=CANONICAL)
    except (ValueError, TypeError):
        raise Malformed("audit-entry/v1: not JSON of the profile") from None
    if canonical != raw or not isinstance(found, dict):
        raise Malformed("audit-entry/v1: not a canonical object")
    if not grammar.REQUIRED <= found.keys() <= grammar.RULES.keys():
        raise Malformed("audit-entry/v1: a key is missing or unknown")
    if key := grammar.broken(found, found):
        raise Malformed(f"audit-entry/v1: {key}")
    if "con" in found and len(found.get("sub", ())) != 1:
        raise Malformed("audit-entry/v1: con without its one subject")
    return found


def dated(raw: bytes) -> dict[str, Any]:
    """As `parse_entry`, of an entry whose time is one. The grammar has days that no calendar has; no service ever wrote one, and whoever
    puts it there must not stop those who read. Raises Malformed.
    """
    found = parse_entry(raw)
    try:
        _ = datetime.fromisoformat(found["ts"]) + _A_DAY
    except (ValueError, OverflowError):
        raise Malformed("audit-entry/v1: ts") from None
    return found


def opened(raw: bytes) -> Entry:
    """The entry that these bytes are. Raises Malformed."""
    return entry_of(parse_entry(raw), raw)


def entry_of(content: dict[str, Any], raw: bytes) -> Entry:
    """`content` and its bytes, with the projections that stand in columns beside them."""
    return Entry(
        content["id"],
        raw,
        merkle.leaf_hash(raw),
        content["ts"],
        content["typ"],
        content["dec"],
        actor_of(content),
        content.get("pur", ""),
        content["req"],
        tuple(content.get("sub", ())),
    )


def actor_of(content: Mapping[str, Any]) -> str:
    """The actor in one word: `staff:clerk-7`."""
    act = content["act"]
    return f"{act['k']}:{act.get('id', '')}"
