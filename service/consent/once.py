"""Once only: a retried mutation finds what its first try did.

The key is the caller's own, so it is kept as a keyed digest together with the caller's name: nobody meets another's keys. What was asked
is kept as a digest, too, so that a key used again for something else is told as a conflict and not answered with the wrong thing.
"""

from dataclasses import asdict

import orjson

from service.errors import Conflict
from service.members import store as members
from service.unit import Unit
from service.values import MemberId

_USE = "idempotency"
_KEY = b"menshen/idempotency-key/v1\0"
_REQUEST = b"menshen/idempotent-request/v1\0"


async def earlier(unit: Unit, key: str | None, *request: object) -> MemberId | None:
    """The member for whom this very request was carried out before. Raises Conflict when the key was used for another request."""
    found = await members.remembered(unit.session, _key_digest(unit, key)) if key else None
    if found is None:
        return None
    if found[0] != _fingerprint(unit, request):
        raise Conflict("the idempotency key was used for another request")
    return found[1]


async def remember(unit: Unit, key: str | None, member_id: MemberId, *request: object) -> None:
    """Keep that this request was carried out. Raises Duplicate when a twin was faster; the unit then runs again and finds it."""
    if key:
        await members.remember(
            unit.session,
            key_digest=_key_digest(unit, key),
            request_digest=_fingerprint(unit, request),
            member_id=member_id,
            now=unit.now,
        )


def _key_digest(unit: Unit, key: str) -> bytes:
    return unit.vault.mac(_USE, _KEY + orjson.dumps([unit.call.actor.name, key]))


def _fingerprint(unit: Unit, request: tuple[object, ...]) -> bytes:
    return unit.vault.mac(_USE, _REQUEST + orjson.dumps(request, option=orjson.OPT_SORT_KEYS, default=_plain))


def _plain(value: object) -> object:
    return asdict(value) if hasattr(value, "__dataclass_fields__") else str(value)  # type: ignore[call-overload]
