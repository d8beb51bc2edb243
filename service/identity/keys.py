"""The issuer's public keys: a JWKS file (RFC 7517), read again whenever it changes.

A key pins its algorithm by its own type and curve, so the token's header cannot choose one (RFC 8725, 3.1): a public key is never
taken for an HMAC secret. Keys that are not for signatures are passed over; a file that holds anything private is refused whole,
because somebody copied the wrong file and the issuer's secret lies in the open.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import orjson
import structlog
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from service.errors import ConfigError, Malformed
from service.files import read

Keys = Mapping[str, PyJWK]
"""Public keys by their id (`kid`), each with its one algorithm."""

ALGORITHMS = ("EdDSA", "ES256", "RS256")
_BY_CURVE = {("OKP", "Ed25519"): "EdDSA", ("EC", "P-256"): "ES256", ("RSA", None): "RS256"}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_LARGEST_FILE = 256 * 1024
_LONGEST_KID = 256
_RSA_BITS = 2048
_log = structlog.get_logger("menshen.identity")


class KeySource(Protocol):
    """Where public keys come from. `current` gives the same object until the keys have changed."""

    def current(self) -> Keys:
        """The keys that hold now."""


class FixedKeys:
    """Keys that never change: the development issuer's own."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def current(self) -> Keys:
        """The keys."""
        return self._keys


class JwksFile:
    """Keys from a file. A broken file never takes the service down: the last good keys stay in force, and the log says so."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark = self._stat()
        try:
            self._keys = parse_jwks(read(self._path, _LARGEST_FILE))
        except (OSError, Malformed) as problem:
            raise ConfigError(f"MENSHEN_JWKS_FILE: {problem}") from None

    def current(self) -> Keys:
        """The keys, read anew when the file's size, time or inode has changed."""
        mark = self._stat()
        if mark != self._mark:
            self._mark = mark
            self._read_again()
        return self._keys

    def _read_again(self) -> None:
        try:
            self._keys = parse_jwks(read(self._path, _LARGEST_FILE))
        except (OSError, Malformed) as problem:
            _log.error("jwks_file_not_usable", type=type(problem).__name__)

    def _stat(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def parse_jwks(raw: bytes) -> Keys:
    """The signature keys in a JWKS document. Raises Malformed, whatever the bytes."""
    if len(raw) > _LARGEST_FILE:
        raise Malformed("JWKS: too large")
    try:
        entries = orjson.loads(raw)["keys"]
        if not all(isinstance(entry, dict) for entry in entries):
            raise Malformed("JWKS: a key is not an object")
        found = [key for entry in entries if (key := _parse_key(entry)) is not None]
    except (ValueError, TypeError, KeyError, IndexError, PyJWTError):
        raise Malformed("JWKS: not a key set") from None
    keys = {str(key.key_id): key for key in found}
    if not keys or len(keys) != len(found):
        raise Malformed("JWKS: no usable key" if not keys else "JWKS: two keys have the same kid")
    return keys


def _parse_key(entry: dict[str, object]) -> PyJWK | None:
    """One key, or None where it is not for verifying with an algorithm of ours."""
    if _PRIVATE & entry.keys():
        raise Malformed("JWKS: it holds a private or secret key")
    kty, crv, kid = entry.get("kty"), entry.get("crv"), entry.get("kid")
    algorithm = _BY_CURVE.get((kty, crv)) if isinstance(kty, str) and isinstance(crv, str | None) else None
    if algorithm is None or entry.get("alg", algorithm) != algorithm or not _for_signatures(entry):
        return None
    if not isinstance(kid, str) or not 0 < len(kid) <= _LONGEST_KID:
        return None
    key = PyJWK(entry, algorithm)
    return None if kty == "RSA" and key.key.key_size < _RSA_BITS else key


def _for_signatures(entry: dict[str, object]) -> bool:
    operations = entry.get("key_ops", ["verify"])
    return entry.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations
