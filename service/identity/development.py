"""The development issuer: signs tokens for whoever can read one file. It refuses to exist in production, and says that it exists.

The key is an Ed25519 private key in PKCS #8 (RFC 8410), made once, readable by its owner only.
"""

import stat
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import jwt
from jwt import PyJWK
from jwt.algorithms import OKPAlgorithm
from jwt.exceptions import PyJWTError

from service import files
from service.errors import ConfigError
from service.identity.keys import Keys
from service.values import Chance

ISSUER = "urn:menshen:development"
FILE = "development-issuer.pem"
_PKCS8_ED25519 = bytes.fromhex("302e020100300506032b657004220420")
"""Everything of an RFC 8410 private key that stands before its 32 bytes."""


class DevelopmentIssuer:
    """An issuer and its only key."""

    def __init__(self, pem: bytes, *, audience: str) -> None:
        private = OKPAlgorithm().prepare_key(pem)
        public = OKPAlgorithm.to_jwk(private.public_key(), as_dict=True)  # type: ignore[union-attr]
        self.kid = "development-" + sha256(str(public["x"]).encode()).hexdigest()[:16]
        self.keys: Keys = {self.kid: PyJWK({**public, "kid": self.kid}, "EdDSA")}
        self._private = private
        self._audience = audience

    def issue(
        self,
        *,
        roles: Sequence[str],
        now: datetime,
        lasts: timedelta,
        purposes: Sequence[str] | None = None,
        member_id: str | None = None,
        subject: str = "developer",
    ) -> str:
        """A signed token. It is checked like anybody's: what roles.toml does not know gives nothing."""
        claims: dict[str, object] = {"iss": ISSUER, "aud": self._audience, "sub": subject, "roles": list(roles)}
        claims |= {"iat": int(now.timestamp()), "exp": int((now + lasts).timestamp())}
        if purposes is not None:
            claims["purposes"] = list(purposes)
        if member_id is not None:
            claims["member_id"] = member_id
        return jwt.encode(claims, self._private, "EdDSA", headers={"kid": self.kid, "typ": "at+jwt"})  # type: ignore[arg-type]


def open_issuer(home: Path, *, production: bool, audience: str, chance: Chance) -> DevelopmentIssuer:
    """The issuer of this state folder, its key made on first use. Raises ConfigError in production, or if others can read it."""
    if production:
        raise ConfigError("MENSHEN_ISSUER, MENSHEN_JWKS_FILE: the development issuer is refused in production mode")
    path = home / FILE
    if not path.exists():
        _create(path, chance(32))
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigError(f"{path}: others can read it, so anybody may have signed; remove it")
    try:
        return DevelopmentIssuer(path.read_bytes(), audience=audience)
    except (PyJWTError, ValueError, TypeError):
        raise ConfigError(f"{path}: not an Ed25519 key; remove it") from None


def _create(path: Path, seed: bytes) -> None:
    """Of two processes that start at once one wins, and both read the same."""
    body = b64encode(_PKCS8_ED25519 + seed)
    files.make(path, b"-----BEGIN PRIVATE KEY-----\n" + body + b"\n-----END PRIVATE KEY-----\n")
