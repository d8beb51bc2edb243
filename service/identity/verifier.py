"""A bearer token (RFC 6750) becomes an Actor, in numbered steps; every failure is the same Unauthenticated.

One message for every failure, so that a caller cannot feel their way: which key exists, which audience is right, which role is
known. A token that held once is kept by its SHA-256 until it expires, because one Ed25519 verification costs as much as the rest
of the request; keys that have changed empty what is kept.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

import orjson
from jwt import PyJWK
from jwt.api_jws import PyJWS
from jwt.exceptions import PyJWTError

from policies.terms import Role
from service.errors import Malformed, Unauthenticated
from service.identity.claims import Claims, Expected, actor_of, check_claims, token_id
from service.identity.closed import Closed
from service.identity.keys import ALGORITHMS, Keys, KeySource
from service.values import Actor, Clock

LARGEST_TOKEN = 8 * 1024
_LOOK_AGAIN = 5.0
"""Seconds between two looks at the key source while every token is a kept one: how long a removed key can still work."""

_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_FORBIDDEN_HEADERS = frozenset({"crit", "b64"})


class Verifier:
    """Turns the Authorization header into who is calling."""

    def __init__(
        self,
        *,
        source: KeySource,
        expected: Expected,
        roles: Mapping[str, Role],
        clock: Clock,
        closed: Closed | None = None,
        most_kept: int = 10_000,
    ) -> None:
        self._closed = closed
        self._source = source
        self._keys = source.current()
        self._expected = expected
        self._roles = roles
        self._clock = clock
        self._jws = PyJWS(algorithms=ALGORITHMS, options={"verify_signature": True, "enforce_minimum_key_length": True})
        self._kept: OrderedDict[bytes, tuple[Actor, float]] = OrderedDict()
        self._most_kept = most_kept
        self._looked = 0.0

    def actor(self, authorization: bytes) -> Actor:
        """Who sent this Authorization header. Raises Unauthenticated, whatever the bytes; AccountDisabled, StoreUnavailable."""
        scheme, _, token = authorization.partition(b" ")
        if scheme.lower() != b"bearer" or len(token) > LARGEST_TOKEN:
            raise Unauthenticated
        now = self._clock().timestamp()
        if now - self._looked > _LOOK_AGAIN:
            self._look(now)
        digest = sha256(token).digest()
        kept = self._kept.get(digest)
        if kept is None or kept[1] <= now:
            kept = self._keep(digest, token, now)
        if self._closed is not None:
            self._closed.check(kept[0])
        return kept[0]

    def _look(self, now: float) -> None:
        """Ask the source again; after a change nothing that was verified with the old keys is believed any longer."""
        keys = self._source.current()
        if keys is not self._keys:
            self._keys = keys
            self._kept.clear()
        self._looked = now

    def _keep(self, digest: bytes, token: bytes, now: float) -> tuple[Actor, float]:
        self._look(now)
        try:
            claims = self._claims(token)
            actor = replace(actor_of(claims, self._roles), token=token_id(claims) or digest.hex())
            found = actor, check_claims(claims, self._expected, now)
        except (Malformed, PyJWTError, ValueError, TypeError, RecursionError):
            raise Unauthenticated from None
        self._kept[digest] = found
        self._kept.move_to_end(digest)
        if len(self._kept) > self._most_kept:
            self._kept.popitem(last=False)
        return found

    def _claims(self, token: bytes) -> Claims:
        """1. read the header; 2. find the key; 3. let the key, not the header, choose the algorithm; 4. verify; 5. parse."""
        header = self._jws.get_unverified_header(token)
        if _FORBIDDEN_HEADERS & header.keys() or str(header.get("typ", "JWT")).lower() not in _TYPES:
            raise Malformed("token: header")
        key = _find(self._keys, header)
        verified = self._jws.decode_complete(token, key, algorithms=[key.algorithm_name])
        claims = orjson.loads(verified["payload"])
        if not isinstance(claims, dict):
            raise Malformed("token: claims")
        return claims


def _find(keys: Keys, header: Mapping[str, object]) -> PyJWK:
    key = keys.get(str(header.get("kid")))
    if key is None or header.get("alg") != key.algorithm_name:
        raise Malformed("token: key")
    return key
