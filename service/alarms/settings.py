"""Who is told of alarms: a TOML file of the deployment (MENSHEN_ALARMS), as addresses and secrets are no policy.

[mail]
host = "mail.example.com"
port = 587
from = "menshen@example.com"
to = ["compliance@example.com"]
# user, password, trust (certificates in PEM) where the server needs them

[webhook]
url = "https://hooks.example.com/alarms"
secret = "whsec_…"      # Standard Webhooks, as recipients have it

[rules]                  # each may be left out
repeat_hours = 4         # an alarm that nobody has seen is told again
refusals = 20            # of one account, within so many
minutes = 10
unsigned_minutes = 5     # how old the unsigned tail of the log may be
"""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from service.alarms.model import Rules
from service.config import private_toml
from service.errors import ConfigError

_SETTING: Final = "MENSHEN_ALARMS"
_TABLES: Final = frozenset({"mail", "webhook", "rules"})
_ADDRESS: Final = re.compile(r"[!#-'*+\-./0-9=?A-Z^-~]{1,64}@[A-Za-z0-9.-]{1,190}", re.ASCII)
_RANGES: Final = {"repeat_hours": (1, 72), "refusals": (3, 10_000), "minutes": (1, 1440), "unsigned_minutes": (1, 1440)}


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where alarms are mailed from and to. `tls`: the server must offer it."""

    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    tls: bool
    trust: ssl.SSLContext = field(repr=False)
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the file says. `webhook` is for whoever posts, who reads it as of a recipient."""

    mail: Mailbox | None = None
    webhook: Mapping[str, object] | None = field(default=None, repr=False)
    rules: Rules = field(default_factory=Rules)


def load(path: Path | None, *, production: bool) -> Settings:
    """The settings; nobody is told without a file. Raises ConfigError naming table and key, never a value."""
    if path is None:
        return Settings()
    given = private_toml(path, _SETTING)
    if not given.keys() <= _TABLES or not all(isinstance(table, dict) for table in given.values()):
        raise _wrong("", f"only the tables {', '.join(sorted(_TABLES))}")
    mail, rules = given.get("mail"), given.get("rules", {})
    found = None if mail is None else _mailbox(mail, path.parent, production=production)
    return Settings(found, given.get("webhook"), _rules(rules))


def _mailbox(table: Mapping[str, object], folder: Path, *, production: bool) -> Mailbox:
    needed, optional = {"host", "port", "from", "to"}, {"user", "password", "trust"}
    if not needed <= table.keys() <= needed | optional or ("user" in table) != ("password" in table):
        raise _wrong("mail", "host, port, from, to are needed; user with password, and trust, may be")
    host, port, to = _text(table, "host"), table["port"], table["to"]
    if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 65535:
        raise _wrong("mail", "port: 1 to 65535")
    if not isinstance(to, list) or not 1 <= len(to) <= 20:
        raise _wrong("mail", "to: 1 to 20 addresses")
    addresses = [_address(each) for each in (table["from"], *to)]
    user, password = (_text(table, "user"), _text(table, "password")) if "user" in table else ("", "")
    # Without TLS only on this machine, and only where somebody develops.
    tls = production or not _is_here(host)
    return Mailbox(host, port, addresses[0], tuple(addresses[1:]), tls, _trust(table, folder), user, password)


def _rules(table: Mapping[str, object]) -> Rules:
    for key, value in table.items():
        low, high = _RANGES.get(key, (1, 0))
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise _wrong("rules", f"{', '.join(_RANGES)}: whole numbers in their bounds")
    numbers = {key: int(str(value)) for key, value in table.items()}
    usual = Rules()
    return Rules(
        repeat=timedelta(hours=numbers["repeat_hours"]) if "repeat_hours" in numbers else usual.repeat,
        refusals=numbers.get("refusals", usual.refusals),
        within=timedelta(minutes=numbers["minutes"]) if "minutes" in numbers else usual.within,
        unsigned=timedelta(minutes=numbers["unsigned_minutes"]) if "unsigned_minutes" in numbers else usual.unsigned,
    )


def _trust(table: Mapping[str, object], folder: Path) -> ssl.SSLContext:
    if "trust" not in table:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=str(folder / _text(table, "trust")))
    except OSError:
        raise _wrong("mail", "trust: no certificates in PEM") from None


def _text(table: Mapping[str, object], name: str) -> str:
    found = table[name]
    if not isinstance(found, str) or not 0 < len(found) <= 400 or not found.isprintable():
        raise _wrong("mail", f"{name}: a text")
    return found


def _address(text: object) -> str:
    if not isinstance(text, str) or not _ADDRESS.fullmatch(text):
        raise _wrong("mail", "from, to: e-mail addresses")
    return text


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _wrong(table: str, what: str) -> ConfigError:
    return ConfigError(f"{_SETTING}: {table + ': ' if table else ''}{what}")
