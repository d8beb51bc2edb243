"""Which issuer this deployment believes: the configured one, or in development its own."""

from collections.abc import Mapping

import structlog

from policies.terms import Role
from service.config import Config
from service.errors import ConfigError
from service.identity import development
from service.identity.claims import Expected
from service.identity.closed import Closed
from service.identity.keys import FixedKeys, JwksFile
from service.identity.verifier import Verifier
from service.values import Chance, Clock

_log = structlog.get_logger("menshen.identity")


def open_verifier(
    config: Config, *, roles: Mapping[str, Role], clock: Clock, chance: Chance, closed: Closed | None = None
) -> Verifier:
    """The verifier that the configuration asks for. Raises ConfigError where it names half an issuer or a file that is none."""
    if config.jwks_file is not None:
        if not config.issuer:
            raise ConfigError("MENSHEN_ISSUER: name the issuer of the keys in MENSHEN_JWKS_FILE")
        expected = Expected(config.issuer, config.audience)
        return Verifier(source=JwksFile(config.jwks_file), expected=expected, roles=roles, clock=clock, closed=closed)
    if config.issuer:
        raise ConfigError("MENSHEN_JWKS_FILE: name the file with the public keys of MENSHEN_ISSUER")
    issuer = development.open_issuer(config.home, production=config.production, audience=config.audience, chance=chance)
    _log.warning("development_issuer_in_use", path=str(config.home / development.FILE))
    expected = Expected(development.ISSUER, config.audience)
    return Verifier(source=FixedKeys(issuer.keys), expected=expected, roles=roles, clock=clock, closed=closed)
