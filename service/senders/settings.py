"""Where each registered sender's vendor is reached: a TOML file of the deployment (MENSHEN_SENDERS), as addresses and keys are no policy.

A table is named after a sender of marketing.toml, and has exactly the keys of its vendor (docs/senders.md):

[living_sms]                          # aliyun
url = "https://dysms.example.com"
key_id = "…"
secret = "…"
"""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from policies.marketing import Sender as RegisteredSender
from policies.marketing import Vendor
from policies.terms import Catalogue
from service.config import private_bytes, private_toml
from service.errors import ConfigError
from service.hazmat.mail_signing import MailKey
from service.senders.aliyun import AliyunAccount
from service.senders.dialler import Dialling
from service.senders.dkim import Domain
from service.senders.mail import address
from service.senders.model import Unfit
from service.senders.smtp import MailServer
from service.senders.tencent import TencentAccount
from service.senders.wechat import WechatApp

_SETTING: Final = "MENSHEN_SENDERS"
_SHORTEST_SECRET: Final = 16


@dataclass(frozen=True, slots=True)
class Mailing:
    """What mail needs: a server, a domain with a key, and a mailbox that takes refusals (EM-04)."""

    server: MailServer
    domain: Domain
    mailbox: str


Account = Mailing | AliyunAccount | TencentAccount | WechatApp | Dialling


@dataclass(frozen=True, slots=True)
class _Table:
    """One table of the file, and whose it is. Its errors name sender and key, never a value."""

    key: str
    sender: RegisteredSender
    given: Mapping[str, object]
    folder: Path
    production: bool

    def wrong(self, what: str) -> ConfigError:
        return ConfigError(f"{_SETTING}: {self.key}: {what}")

    def text(self, name: str, *, least: int = 1) -> str:
        found = self.given.get(name)
        if not isinstance(found, str) or not least <= len(found) <= 400 or not found.isprintable() or found != found.strip():
            raise self.wrong(f"{name}: a text of at least {least} characters")
        return found

    def only(self, *names: str, optional: tuple[str, ...] = ()) -> None:
        if not set(names) <= self.given.keys() <= {*names, *optional}:
            raise self.wrong(f"exactly {', '.join(names)} are needed" + (f" ({', '.join(optional)} may be)" if optional else ""))

    def url(self) -> str:
        """HTTPS; plain HTTP in development, and only to this machine."""
        found = self.text("url")
        try:
            parts = urlsplit(found)
            plain = not self.production and parts.scheme == "http" and _is_here(parts.hostname or "")
            fit = (parts.scheme == "https" or plain) and bool(parts.hostname) and parts.username is None and parts.port != 0
            fit = fit and not parts.query and not parts.fragment
        except ValueError:
            fit = False
        if not fit:
            raise self.wrong("url: https:// (in development also http:// to 127.0.0.1), without user, query or fragment")
        return found.rstrip("/")


def load(path: Path | None, catalogue: Catalogue, *, production: bool) -> dict[str, Account]:
    """The accounts by sender; {} without a file. Raises ConfigError naming sender and rule, never a value."""
    if path is None:
        return {}
    accounts: dict[str, Account] = {}
    for key, given in private_toml(path, _SETTING).items():
        sender = catalogue.senders.get(key)
        if sender is None:
            raise ConfigError(f"{_SETTING}: a table is named after no sender (there are: {', '.join(sorted(catalogue.senders))})")
        if not isinstance(given, dict):
            raise ConfigError(f"{_SETTING}: {key}: a table is needed")
        accounts[key] = _MADE[sender.vendor](_Table(key, sender, given, path.parent, production))
    return accounts


def _aliyun(table: _Table) -> AliyunAccount:
    table.only("url", "key_id", "secret")
    return AliyunAccount(url=table.url(), key_id=table.text("key_id"), secret=table.text("secret", least=_SHORTEST_SECRET))


def _tencent(table: _Table) -> TencentAccount:
    table.only("url", "key_id", "secret", "app_id", "region")
    return TencentAccount(
        url=table.url(),
        key_id=table.text("key_id"),
        app_id=table.text("app_id"),
        region=table.text("region"),
        secret=table.text("secret", least=_SHORTEST_SECRET),
    )


def _wechat(table: _Table) -> WechatApp:
    table.only("url", "secret", "page")
    return WechatApp(url=table.url(), page=table.text("page"), secret=table.text("secret", least=_SHORTEST_SECRET))


def _dialler(table: _Table) -> Dialling:
    table.only("url", "secret")
    return Dialling(url=table.url(), secret=table.text("secret", least=24).encode())


def _smtp(table: _Table) -> Mailing:
    """A domain without a key sends nothing (EM-03); neither does one that is not the address's own: DMARC would call it forged."""
    if not {"domain", "dkim_selector", "dkim_key"} <= table.given.keys():
        raise table.wrong("domain, dkim_selector, dkim_key: no mail goes out of a domain without a DKIM key")
    table.only(
        "host",
        "port",
        "domain",
        "dkim_selector",
        "dkim_key",
        "mailbox",
        optional=("user", "password", "trust"),
    )
    domain = table.text("domain")
    sending = table.sender.address.rpartition("@")[2]
    if sending != domain and not sending.endswith(f".{domain}"):
        raise table.wrong("domain: not that of the sender's address in marketing.toml")
    try:
        mailbox = address(table.text("mailbox"))
    except Unfit:
        raise table.wrong("mailbox: an e-mail address") from None
    return Mailing(_server(table), Domain(domain, table.text("dkim_selector"), _mail_key(table)), mailbox)


def _server(table: _Table) -> MailServer:
    host, port = table.text("host"), table.given["port"]
    if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 65535:
        raise table.wrong("port: 1 to 65535")
    if ("user" in table.given) != ("password" in table.given):
        raise table.wrong("user, password: both or none")
    return MailServer(
        host=host,
        port=port,
        # Without TLS only on this machine, and only where somebody develops.
        tls=table.production or not _is_here(host),
        trust=_trust(table),
        user=table.text("user") if "user" in table.given else "",
        password=table.text("password") if "password" in table.given else "",
    )


def _trust(table: _Table) -> ssl.SSLContext:
    """The system's certificates, or those of a file: a mail server in one's own network often has a CA of its own."""
    if "trust" not in table.given:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=str(table.folder / table.text("trust")))
    except OSError:
        raise table.wrong("trust: no certificates in PEM") from None


def _mail_key(table: _Table) -> MailKey:
    pem = private_bytes(table.folder / table.text("dkim_key"), f"{_SETTING}: {table.key}: dkim_key")
    try:
        return MailKey(pem)
    except ValueError:
        raise table.wrong("dkim_key: a private key in PEM, Ed25519 or RSA of 2048 bits or more, without a password") from None


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


_MADE: Final[Mapping[Vendor, Callable[[_Table], Account]]] = {
    Vendor.SMTP: _smtp,
    Vendor.ALIYUN: _aliyun,
    Vendor.TENCENT: _tencent,
    Vendor.WECHAT: _wechat,
    Vendor.DIALLER: _dialler,
}
