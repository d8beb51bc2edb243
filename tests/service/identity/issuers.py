"""An issuer of tests: keys of every kind, a JWKS file, and tokens as wrong as one likes."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from service.identity.claims import Expected
from service.identity.keys import JwksFile
from service.identity.verifier import Verifier

ISSUER = "https://id.example.cn"
AUDIENCE = "menshen"
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
MEMBER = "019a0000-0000-7000-8000-000000000001"

_EDWARDS, _ELLIPTIC = Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())
_RSA = rsa.generate_private_key(65537, 2048)
KEYS: dict[str, Any] = {"EdDSA": _EDWARDS, "ES256": _ELLIPTIC, "RS256": _RSA}
_TO_JWK = {"EdDSA": OKPAlgorithm.to_jwk, "ES256": ECAlgorithm.to_jwk, "RS256": RSAAlgorithm.to_jwk}


def public(algorithm: str, **more: Any) -> dict[str, Any]:
    """The public JWK of the issuer's key for an algorithm; its kid is the algorithm's name."""
    return {**_TO_JWK[algorithm](KEYS[algorithm].public_key(), as_dict=True), "kid": algorithm, "use": "sig", **more}


def jwks(*entries: dict[str, Any]) -> bytes:
    """A key set with these keys, or with one of each kind."""
    return json.dumps({"keys": list(entries) or [public(algorithm) for algorithm in KEYS]}).encode()


def claims(**changes: Any) -> dict[str, Any]:
    """Claims that hold; None takes one away."""
    good: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "clerk-17",
        "roles": ["store_clerk"],
        "iat": int(NOW.timestamp()),
        "exp": int((NOW + timedelta(minutes=10)).timestamp()),
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def sign(given: dict[str, Any] | None = None, algorithm: str = "EdDSA", *, key: Any = None, **headers: Any) -> str:
    """A token. `headers` are added to, or stand for, the header's own."""
    return jwt.encode(
        claims() if given is None else given,
        KEYS[algorithm] if key is None else key,
        algorithm,
        headers={"kid": algorithm, "typ": "at+jwt", **headers},
    )


def bearer(token: str) -> bytes:
    return f"Bearer {token}".encode()


def verifier(path: Path, roles: Any, clock: Any, raw: bytes | None = None) -> Verifier:
    """A verifier that believes the issuer's file."""
    path.write_bytes(jwks() if raw is None else raw)
    return Verifier(source=JwksFile(path), expected=Expected(ISSUER, AUDIENCE), roles=roles, clock=clock)


def touch(path: Path, raw: bytes) -> None:
    """Replace a file as an administrator would: another one is moved into its place."""
    beside = path.with_suffix(".new")
    beside.write_bytes(raw)
    beside.replace(path)
