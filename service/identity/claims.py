"""What a verified token says, checked claim by claim (RFC 7519, 4.1; RFC 9068, 2.2), and bounded by `roles.toml`.

The moment comes in as an argument, so the checks are made here and not in the library, which reads the machine's clock.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from policies.terms import Role
from service.errors import Malformed
from service.values import Actor, ActorKind

LEEWAY = 60
"""Seconds by which the issuer's clock and ours may differ."""

_SUBJECT = re.compile(r"[!-~]{1,128}", re.ASCII)
_MEMBER_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_MOST_ITEMS = 100
_LONGEST_ITEM = 128

Claims = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Expected:
    """What every token must carry: whose it is, and that it was made for this service."""

    issuer: str
    audience: str


def check_claims(claims: Claims, expected: Expected, now: float) -> float:
    """Until when the token holds, in seconds since the epoch. Raises Malformed for any claim that is missing, wrong or past."""
    audience = claims.get("aud")
    meant_for = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != expected.issuer or expected.audience not in meant_for:
        raise Malformed("token: not from this issuer or not for this service")
    until = _moment(claims, "exp") + LEEWAY
    if until <= now or _moment(claims, "iat") > now + LEEWAY:
        raise Malformed("token: past, or issued in the future")
    if "nbf" in claims and _moment(claims, "nbf") > now + LEEWAY:
        raise Malformed("token: not yet")
    return until


def actor_of(claims: Claims, roles: Mapping[str, Role]) -> Actor:
    """Who the token says is calling. Raises Malformed when no role of it is known here, or when its roles do not go together.

    A member's `sub` may be an openid or a phone number at some issuers; it would travel into the audit log, so it is left behind.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise Malformed("token: sub")
    held = frozenset(_texts(claims, "roles")) & frozenset(roles)
    kinds = {roles[role].kind for role in held}
    if len(kinds) != 1:
        raise Malformed("token: no role known here, or roles that do not go together")
    kind = ActorKind(kinds.pop())
    purposes = frozenset(_texts(claims, "purposes")) if "purposes" in claims else None
    if kind is ActorKind.MEMBER:
        return Actor(kind, "member", held, purposes, _member_id(claims))
    return Actor(kind, subject, held, purposes)


def token_id(claims: Claims) -> str:
    """The token's own id (`jti`), or "" where it has none that can be told on one line."""
    found = claims.get("jti")
    return found if isinstance(found, str) and _SUBJECT.fullmatch(found) else ""


def _moment(claims: Claims, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Malformed(f"token: {name}")
    return float(value)


def _texts(claims: Claims, name: str) -> list[str]:
    value = claims.get(name)
    if not isinstance(value, list) or len(value) > _MOST_ITEMS:
        raise Malformed(f"token: {name}")
    if not all(isinstance(item, str) and len(item) <= _LONGEST_ITEM for item in value):
        raise Malformed(f"token: {name}")
    return value


def _member_id(claims: Claims) -> str:
    value = claims.get("member_id")
    if not isinstance(value, str) or not _MEMBER_ID.fullmatch(value):
        raise Malformed("token: member_id")
    return value
