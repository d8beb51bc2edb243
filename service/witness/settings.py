"""What a witness is told, in one TOML file that names no database and nothing of Menshen's (docs/witness.md).

listen = "127.0.0.1:8700"
key = "witness.key"              # made by `menshen audit witness init`; paths are from this file's folder
store = "store"                  # folder of what it remembers

[[log]]
vkeys = ["members.example.cn/audit+…"]        # both of them while the log changes its key
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from menshen_verifier.errors import Malformed
from menshen_verifier.note import Key, parse_key
from service.config import private_toml
from service.errors import ConfigError

_SETTING = "the witness's settings"
_TOP = {"listen", "key", "store", "tls_certificate", "tls_key", "mirror_key", "mirror_token", "log"}
_LOG = {"vkeys", "origin", "tiles", "token"}


@dataclass(frozen=True, slots=True)
class Log:
    """One log that is witnessed. `tiles`: where its tiles are fetched for the mirror, "" for none; `token`: a file with a bearer
    token for that, which may change at any time.
    """

    origin: str
    keys: tuple[Key, ...]
    tiles: str = ""
    token: Path | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """One witness."""

    host: str
    port: int
    key: Path
    store: Path
    logs: tuple[Log, ...]
    certificate: Path | None = None
    certificate_key: Path | None = None
    mirror_key: Path | None = None
    mirror_token: Path | None = None


def load(path: Path) -> Settings:
    """The settings in a file that only its owner can read. Raises ConfigError naming what is wrong, never a value."""
    given = private_toml(path, _SETTING)
    if not given.keys() <= _TOP or not {"listen", "key", "store", "log"} <= given.keys():
        raise _wrong("listen, key, store and [[log]] are needed; tls_certificate, tls_key, mirror_key and mirror_token may be")
    host, port = _address(given["listen"])
    tables = given["log"]
    if not isinstance(tables, list) or not tables:
        raise _wrong("[[log]]: at least one log")
    logs = tuple(_log(path.parent, table) for table in tables)
    if len({log.origin for log in logs}) != len(logs):
        raise _wrong("[[log]]: two of one origin")
    if ("tls_certificate" in given) != ("tls_key" in given):
        raise _wrong("tls_certificate, tls_key: both or none")
    if any(log.tiles for log in logs) and "mirror_key" not in given:
        raise _wrong("mirror_key: a mirror signs with a key of its own, under a name of its own")
    paths = {name: path.parent / _text(given, name) for name in _TOP & given.keys() if name not in {"listen", "log"}}
    return Settings(
        host=host,
        port=port,
        key=paths["key"],
        store=paths["store"],
        logs=logs,
        certificate=paths.get("tls_certificate"),
        certificate_key=paths.get("tls_key"),
        mirror_key=paths.get("mirror_key"),
        mirror_token=paths.get("mirror_token"),
    )


def _address(given: object) -> tuple[str, int]:
    host, colon, port = given.rpartition(":") if isinstance(given, str) else ("", "", "")
    if not colon or not host or not port.isdecimal() or not 0 <= int(port) <= 65535:
        raise _wrong("listen: host:port")
    return host.strip("[]"), int(port)


def _log(folder: Path, given: object) -> Log:
    if not isinstance(given, dict) or not given.keys() <= _LOG:
        raise _wrong("[[log]]: vkeys; origin, tiles and token may be")
    keys = _keys(given.get("vkeys"))
    origin = _text(given, "origin") if "origin" in given else keys[0].name
    tiles = _tiles(_text(given, "tiles")) if "tiles" in given else ""
    return Log(origin, keys, tiles, folder / _text(given, "token") if "token" in given else None)


def _keys(given: object) -> tuple[Key, ...]:
    try:
        keys = tuple(map(parse_key, given)) if isinstance(given, list) else ()
    except (Malformed, AttributeError):
        keys = ()
    if not keys:
        raise _wrong("[[log]]: vkeys: a list of vkeys, as `menshen audit status` shows them")
    return keys


def _tiles(url: str) -> str:
    """Where tiles are fetched: entries are pseudonymous data, so plain HTTP is for this machine only."""
    try:
        parts = urlsplit(url)
        here = parts.hostname in {"127.0.0.1", "::1", "localhost"}
        fit = (parts.scheme == "https" or (parts.scheme == "http" and here)) and bool(parts.hostname)
        fit = fit and parts.username is None and not parts.query and not parts.fragment
    except ValueError:
        fit = False
    if not fit:
        raise _wrong("[[log]]: tiles: https:// (to this machine also http://), without user, query or fragment")
    return url.rstrip("/")


def _text(given: Mapping[str, Any], name: str) -> str:
    found = given.get(name)
    if not isinstance(found, str) or not 1 <= len(found) <= 500 or not found.isprintable():
        raise _wrong(f"{name}: a text")
    return found


def _wrong(what: str) -> ConfigError:
    return ConfigError(f"{_SETTING}: {what}")
