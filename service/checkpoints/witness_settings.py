"""Who witnesses this log: a TOML file of the deployment (MENSHEN_WITNESSES), as addresses and keys are no policy.

quorum = 1                       # so many must cosign before an entry counts as witnessed
strict = false                   # true: do not start unless so many could be asked what they have seen

[[witness]]
url = "https://witness.example.cn"
vkeys = ["witness.example.cn/w1+…"]          # as `menshen audit witness init` prints them
trust = "ca.pem"                 # optional: certificates in PEM, beside this file
"""

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from menshen_verifier.errors import Malformed
from menshen_verifier.note import Key, Kind, parse_key
from service.checkpoints.outside import Outside, fit
from service.checkpoints.witnesses import SECONDS, Witness, Witnesses
from service.config import private_toml
from service.errors import ConfigError

SETTING: Final = "MENSHEN_WITNESSES"


def load(
    path: Path | None, *, origin: str, log: Callable[[], tuple[Key, ...]], production: bool, seconds: float = SECONDS
) -> Witnesses | None:
    """The witnesses in the file; None without one. Raises ConfigError naming the rule, never a value."""
    if path is None:
        return None
    given = private_toml(path, SETTING)
    tables, quorum, strict = given.get("witness"), given.get("quorum"), given.get("strict", False)
    if not given.keys() <= {"quorum", "strict", "witness"} or not isinstance(tables, list) or not isinstance(strict, bool):
        raise _wrong("quorum and [[witness]] are needed; strict may be")
    known = [_witness(path.parent, table, production=production, seconds=seconds) for table in tables]
    if len({witness.name for witness in known}) != len(known):
        raise _wrong("two witnesses of one name")
    if not isinstance(quorum, int) or isinstance(quorum, bool) or not 1 <= quorum <= len(known):
        raise _wrong("quorum: 1 up to the number of witnesses")
    return Witnesses(known, quorum=quorum, origin=origin, log=log, strict=strict)


def _witness(folder: Path, given: object, *, production: bool, seconds: float) -> Witness:
    if not isinstance(given, dict) or not {"url", "vkeys"} <= given.keys() <= {"url", "vkeys", "trust"}:
        raise _wrong("[[witness]]: url and vkeys are needed; trust may be")
    try:
        url = fit(given["url"], production=production)
    except ValueError:
        raise _wrong("[[witness]]: url: https:// (in development also http:// to 127.0.0.1), without user or query") from None
    return Witness(url, _keys(given["vkeys"]), Outside(seconds=seconds, trust=_trust(folder, given)))


def _keys(given: object) -> tuple[Key, ...]:
    """All of one name, and none that signs as a log does: a cosignature says more than a signature."""
    try:
        keys = tuple(map(parse_key, given)) if isinstance(given, list) else ()
    except (Malformed, AttributeError):
        keys = ()
    if not keys or len({key.name for key in keys}) != 1 or any(key.kind is Kind.ED25519 for key in keys):
        raise _wrong("[[witness]]: vkeys: cosigners' keys of one name, as `menshen audit witness init` prints them")
    return keys


def _trust(folder: Path, given: Mapping[str, Any]) -> ssl.SSLContext | None:
    if "trust" not in given:
        return None
    try:
        return ssl.create_default_context(cafile=str(folder / str(given["trust"])))
    except (OSError, ValueError):
        raise _wrong("[[witness]]: trust: no certificates in PEM") from None


def _wrong(what: str) -> ConfigError:
    return ConfigError(f"{SETTING}: {what}")
