"""What the hooks are opened with: a TOML file of the deployment (MENSHEN_HOOKS), because a secret is no policy.

[sms.aliyun]
secret = "…"                    # 32 to 128 of A-Z a-z 0-9 _ -: it stands in the address that the vendor calls, /hooks/sms/aliyun/<secret>

[sms.tencent]
secret = "…"

[mail]
secret = "…"                    # /hooks/mail/<secret>

[wechat.wx0000000000000a01]     # by appid, /hooks/wechat/<appid>
token = "…"                     # 16 to 32 letters and digits (it signs: a short one is guessed), as set in WeChat's console
aes_key = "…"                   # EncodingAESKey, 43 characters; with it only sealed messages are taken
"""

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from policies.terms import Catalogue
from service.config import private_toml
from service.errors import ConfigError

_SETTING = "MENSHEN_HOOKS"
_SECRET = re.compile(r"[A-Za-z0-9_-]{32,128}")
_TOKEN = re.compile(r"[A-Za-z0-9]{16,32}")
_AES = re.compile(r"[A-Za-z0-9+/]{43}")
_VENDORS = ("aliyun", "tencent")


@dataclass(frozen=True, slots=True)
class WechatApp:
    """One mini-program's push. What opens it is shown by nothing."""

    appid: str
    token: bytes = field(repr=False)
    aes_key: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Hooks:
    """The hooks that are open. An SMS vendor or a mail system without a secret has none."""

    sms: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    mail: bytes | None = field(default=None, repr=False)
    wechat: Mapping[str, WechatApp] = field(default_factory=dict)


def load(path: Path | None, catalogue: Catalogue) -> Hooks:
    """The hooks; none without a file. Raises ConfigError naming table and rule, never a value."""
    if path is None:
        return Hooks()
    found = private_toml(path, _SETTING)
    if found.keys() - {"sms", "mail", "wechat"}:
        raise ConfigError(f"{_SETTING}: only [sms.…], [mail] and [wechat.…] are known")
    vendors = _tables(found.get("sms", {}), "sms")
    if vendors.keys() - set(_VENDORS):
        raise ConfigError(f"{_SETTING}: sms: only {' and '.join(_VENDORS)} are known")
    appids = {brand.wechat_appid for brand in catalogue.controller.brands}
    return Hooks(
        sms={vendor: _secret(table, f"sms.{vendor}") for vendor, table in vendors.items()},
        mail=_secret(found["mail"], "mail") if "mail" in found else None,
        wechat={appid: _app(appid, table, appids) for appid, table in _tables(found.get("wechat", {}), "wechat").items()},
    )


def _tables(found: object, name: str) -> Mapping[str, object]:
    if not isinstance(found, dict):
        raise ConfigError(f"{_SETTING}: {name}: tables are needed")
    return found


def _secret(table: object, name: str) -> bytes:
    if not isinstance(table, dict) or table.keys() != {"secret"}:
        raise ConfigError(f"{_SETTING}: {name}: exactly `secret` is needed")
    text = table["secret"]
    if not isinstance(text, str) or not _SECRET.fullmatch(text):
        raise ConfigError(f"{_SETTING}: {name}: secret: 32 to 128 of A-Z a-z 0-9 _ -")
    return text.encode()


def _app(appid: str, table: object, appids: set[str]) -> WechatApp:
    if appid not in appids:
        raise ConfigError(f"{_SETTING}: wechat: a table is named after no brand's wechat_appid")
    if not isinstance(table, dict) or not {"token"} <= table.keys() <= {"token", "aes_key"}:
        raise ConfigError(f"{_SETTING}: wechat.{appid}: `token` and perhaps `aes_key` are needed")
    token, key = table["token"], table.get("aes_key")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise ConfigError(f"{_SETTING}: wechat.{appid}: token: 16 to 32 letters and digits")
    return WechatApp(appid, token.encode(), None if key is None else _aes_key(appid, key))


def _aes_key(appid: str, text: object) -> bytes:
    # The last of WeChat's 43 characters has two bits too many, whatever they are.
    raw = b64decode(text + "=") if isinstance(text, str) and _AES.fullmatch(text) else b""
    if len(raw) != 32:
        raise ConfigError(f"{_SETTING}: wechat.{appid}: aes_key: the 43 characters of EncodingAESKey")
    return raw
