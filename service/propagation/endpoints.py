"""Where recipients are told: a TOML file of the deployment, because an address and a secret are no policy.

[example_sms_gateway]
url = "https://sms.example.com/consents"
secret = "whsec_…"     # 24 to 64 bytes in base64, shared with the recipient (Standard Webhooks)
"""

import binascii
from base64 import b64decode
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from policies.terms import Catalogue
from service.config import private_toml
from service.errors import ConfigError

_PREFIX = "whsec_"
_SETTING = "MENSHEN_RECIPIENTS"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one recipient listens. The secret is shown by nothing."""

    url: str
    secret: bytes = field(repr=False)


def load(path: Path | None, catalogue: Catalogue, *, production: bool) -> dict[str, Endpoint]:
    """The endpoints by recipient; {} without a file. Raises ConfigError naming recipient and rule, never a value."""
    if path is None:
        return {}
    tables = private_toml(path, _SETTING)
    known = {key for key, recipient in catalogue.recipients.items() if recipient.known_by}
    for key in tables:
        if key not in known:
            raise ConfigError(
                f"{_SETTING}: a table is named after no recipient with known_by (there are: {', '.join(sorted(known))})"
            )
    return {key: endpoint(f"{_SETTING}: {key}", table, production=production) for key, table in tables.items()}


def endpoint(where: str, table: object, *, production: bool) -> Endpoint:
    """One table with an address and a secret. `where` names setting and table. Raises ConfigError."""
    if not isinstance(table, dict) or table.keys() != {"url", "secret"}:
        raise ConfigError(f"{where}: exactly `url` and `secret` are needed")
    return Endpoint(_url(where, table["url"], production=production), _secret(where, table["secret"]))


def _url(where: str, text: object, *, production: bool) -> str:
    """HTTPS; plain HTTP in development, and only to this machine. No user, no password: those would be logged by whoever logs addresses."""
    try:
        parts = urlsplit(text if isinstance(text, str) else "")
        plain = not production and parts.scheme == "http" and ip_address(parts.hostname or "").is_loopback
        fit = (parts.scheme == "https" or plain) and bool(parts.hostname) and parts.username is None and not parts.fragment
        fit = fit and parts.port != 0
    except ValueError:
        fit = False
    if not fit or not isinstance(text, str):
        raise ConfigError(f"{where}: url: https:// (in development also http:// to 127.0.0.1), without user or fragment")
    return text


def _secret(where: str, text: object) -> bytes:
    try:
        raw = b64decode(text.removeprefix(_PREFIX), validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        raw = b""
    if not 24 <= len(raw) <= 64:
        raise ConfigError(f"{where}: secret: whsec_ and 24 to 64 bytes in base64")
    return raw
