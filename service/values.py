"""Plain values that every room knows: who calls, when it is, what a member is called.

Time, chance and identity are arguments here and everywhere below the door: nothing reads the clock or rolls dice by itself,
so a test can hold them still and a reviewer can see where they enter (`service/app.py`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

Clock = Callable[[], datetime]
"""The time now, aware, in UTC."""

Chance = Callable[[int], bytes]
"""So many bytes that nobody can predict."""

Progress = Callable[[int, int], None]
"""Told, while something long is done, how much of how much is."""

MemberId = str
"""A member's id: a UUIDv7 in its canonical lower-case text, made by the service, with no meaning outside it."""


class ActorKind(StrEnum):
    """Who stands behind a request."""

    STAFF = "staff"
    SERVICE = "service"
    MEMBER = "member"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is calling, as the token said and `roles.toml` bounded it.

    `purposes` is the token's own narrowing (None: the token says nothing, so the roles' purposes hold). `token` is its `jti`, or the
    token's SHA-256 in hex where it has none; only a keyed digest of that is recorded.
    """

    kind: ActorKind
    name: str
    roles: frozenset[str]
    purposes: frozenset[str] | None = None
    member_id: MemberId | None = None
    token: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """One request: who makes it, under which request id, and from where (raw address; only its keyed hash is recorded)."""

    actor: Actor
    request_id: str
    address: str = ""


def new_id(now: datetime, chance: Chance) -> str:
    """A UUIDv7 (RFC 9562, 5.7): 48 bits of milliseconds, so that ids sort by birth, then 74 bits of chance."""
    return _id(int(now.timestamp() * 1000), chance(10))


def new_ids(now: datetime, chance: Chance, count: int) -> list[str]:
    """So many of them, from one draw: for a page, asking the system for chance each time costs more than all the rest."""
    milliseconds, noise = int(now.timestamp() * 1000), chance(10 * count)
    return [_id(milliseconds, noise[start : start + 10]) for start in range(0, 10 * count, 10)]


def _id(milliseconds: int, drawn: bytes) -> str:
    noise = int.from_bytes(drawn, "big")
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | (noise >> 62 & 0xFFF) << 64 | 0b10 << 62 | noise & (1 << 62) - 1
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def unwatched(_done: int, _all: int) -> None:
    """The `Progress` that nobody looks at."""


def utc_text(moment: datetime) -> str:
    """`2026-11-22T01:26:08.000000Z`: the one way in which a moment is written into a record."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


_SUCCESSOR = re.compile(r"(.+)/([2-9]|[1-9][0-9]{1,5})", re.DOTALL)


class Lineage(NamedTuple):
    """Which log of a deployment it is: `members.example.cn/audit/2` is the second, and goes on from `members.example.cn/audit`."""

    first: str
    number: int


def lineage(origin: str) -> Lineage:
    """Of a log's name. A name without a number behind it is a first one's."""
    found = _SUCCESSOR.fullmatch(origin)
    return Lineage(found[1], int(found[2])) if found else Lineage(origin, 1)


def of_log(name: str, origin: str) -> str:
    """The name of a file that remembers something of this log and of no other: what is remembered of a log that was closed stays."""
    number = lineage(origin).number
    stem, dot, ending = name.partition(".")
    return name if number == 1 else f"{stem}-{number}{dot}{ending}"
