"""Where checkpoints are left (docs/anchors.md): a TOML file of the deployment, because addresses and keys are no policy.

[[anchor]]
kind = "rfc3161"                 # or folder, s3, mail
every = "hour"                   # or day
name = "cn"                      # optional: where there are two of a kind
url = "https://tsa.example.cn"
roots = "tsa-roots.pem"          # beside this file
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from service.checkpoints.anchors import bucket
from service.checkpoints.anchors.bucket import Bucket
from service.checkpoints.anchors.folder import Folder
from service.checkpoints.anchors.mail import Mailing, Post
from service.checkpoints.anchors.model import Anchor
from service.checkpoints.anchors.timestamp import Authority
from service.checkpoints.outside import Outside, fit
from service.config import private_toml
from service.errors import ConfigError
from service.hazmat import certificates

SETTING: Final = "MENSHEN_ANCHORS"
SECONDS: Final = 10.0
_EVERY: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
_LABEL = re.compile(r"[a-z0-9]{1,8}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")

Mailer = Callable[[str], Post]
"""The way out for mail of a registered sender. Raises ConfigError where there is none of that name."""


@dataclass(frozen=True, slots=True)
class _Table:
    given: Mapping[str, Any]
    folder: Path
    production: bool
    mailer: Mailer

    @property
    def kind(self) -> str:
        label = self.given.get("name")
        if label is not None and (not isinstance(label, str) or not _LABEL.fullmatch(label)):
            raise _wrong("name: up to eight lower-case letters and digits")
        return f"{self.given['kind']}.{label}" if label else str(self.given["kind"])

    @property
    def every(self) -> timedelta:
        try:
            return _EVERY[self.given["every"]]
        except (KeyError, TypeError):
            raise _wrong('every: "hour" or "day"') from None

    def only(self, *names: str, optional: tuple[str, ...] = ()) -> None:
        if not {*names, "kind", "every"} <= self.given.keys() <= {*names, *optional, "kind", "every", "name"}:
            raise _wrong(f"{self.given['kind']}: kind, every, {', '.join(names)} are needed")

    def text(self, name: str) -> str:
        found = self.given.get(name)
        if not isinstance(found, str) or not 1 <= len(found) <= 500 or not found.isprintable():
            raise _wrong(f"{name}: a text")
        return found

    def url(self) -> str:
        try:
            return fit(self.given["url"], production=self.production)
        except ValueError:
            raise _wrong("url: https:// (in development also http:// to 127.0.0.1), without user or query") from None


def load(path: Path | None, *, production: bool, mailer: Mailer) -> list[Anchor]:
    """The anchors in the file; none without one. Raises ConfigError naming the rule, never a value."""
    if path is None:
        return []
    given = private_toml(path, SETTING)
    tables = given.get("anchor")
    if given.keys() != {"anchor"} or not isinstance(tables, list):
        raise _wrong("[[anchor]] is needed, and nothing else")
    found = [_anchor(_Table(table, path.parent, production, mailer)) for table in tables if isinstance(table, dict)]
    if len({anchor.kind for anchor in found}) != len(tables):
        raise _wrong("two of one kind need a name each")
    return found


def _anchor(table: _Table) -> Anchor:
    made = _MADE.get(str(table.given.get("kind")))
    if made is None:
        raise _wrong(f"kind: one of {', '.join(_MADE)}")
    return made(table)


def _authority(table: _Table) -> Authority:
    table.only("url", "roots")
    try:
        roots = certificates.from_pem((table.folder / table.text("roots")).read_bytes())
    except (OSError, ValueError):
        raise _wrong("roots: certificates in PEM") from None
    return Authority(table.kind, table.every, table.url(), roots, Outside(seconds=SECONDS))


def _folder(table: _Table) -> Folder:
    table.only("path")
    return Folder(table.kind, table.every, table.folder / table.text("path"))


def _bucket(table: _Table) -> Bucket:
    table.only("url", "region", "bucket", "key_id", "secret", "days", optional=("prefix",))
    days, name = table.given["days"], table.text("bucket")
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= 25_550 or not _BUCKET.fullmatch(name):
        raise _wrong("bucket, days: a bucket's name, and 1 to 25550 days")
    client = bucket.client(url=table.url(), region=table.text("region"), key_id=table.text("key_id"), secret=table.text("secret"))
    prefix = table.text("prefix") if "prefix" in table.given else ""
    return Bucket(table.kind, table.every, name, prefix, days, client)


def _mailing(table: _Table) -> Mailing:
    table.only("sender", "to")
    to = table.given["to"]
    if not isinstance(to, list) or not to or not all(isinstance(one, str) and "@" in one for one in to):
        raise _wrong("to: a list of mailboxes")
    return Mailing(table.kind, table.every, to, table.mailer(table.text("sender")))


def _wrong(what: str) -> ConfigError:
    return ConfigError(f"{SETTING}: {what}")


_MADE: Final[Mapping[str, Callable[[_Table], Anchor]]] = {
    "rfc3161": _authority,
    "folder": _folder,
    "s3": _bucket,
    "mail": _mailing,
}
