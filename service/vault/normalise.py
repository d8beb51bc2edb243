"""Normalisers, version 1 (docs/formats/normalisers.md): one spelling for each value, so that two writings of one number
meet.

A refusal names the rule and never the value: it is shown to callers and written into import reports.
"""

import re
from collections.abc import Callable
from typing import Final
from unicodedata import category, normalize

import phonenumbers

from service.errors import BadInput, ConfigError

NOT_A_PHONE: Final = "NOT_A_PHONE_NUMBER"
NOT_AN_EMAIL: Final = "NOT_AN_EMAIL_ADDRESS"
NOT_A_WECHAT_ID: Final = "NOT_A_WECHAT_ID"
EMPTY: Final = "EMPTY"

_PHONE_SIZE, _EMAIL_SIZE, _LOCAL_SIZE, _DOMAIN_SIZE = 64, 254, 64, 253

_PLAIN_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_MOBILE = re.compile(r"(?:(?:\+|00)?86)?0?(1[3-9][0-9]{9})")
_DIALLED = re.compile(r"\+?[0-9]{3,20}")
_ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_PLAIN_EMAIL = re.compile(rf"{_LOCAL.pattern}@{_DOMAIN.pattern}", re.ASCII)
_APPID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_WECHAT_ID = re.compile(rf"(?:({_APPID.pattern}):)?([A-Za-z0-9_@.-]{{1,128}})")

_AMBIGUOUS = frozenset("ß\u1e9eς\u200c\u200d")
"""IDNA 2003 and 2008 encode these differently, so one spelling could mean two domains."""


def normalise(normaliser: str, value: str, *, appid: str = "") -> str:
    """The one spelling of a value. Raises BadInput naming the rule, ConfigError for a normaliser that does not exist.

    `appid` is the app of a WeChat id that does not say its own.
    """
    if normaliser == "wechat_id":
        return _wechat_id(value, appid)
    rule = _RULES.get(normaliser)
    if rule is None:
        raise ConfigError(f"fields.toml: there is no normaliser {normaliser!r}")
    return rule(value)


def _phone(value: str) -> str:
    if _PLAIN_MOBILE.fullmatch(value):
        return f"+86{value}"
    dialled = _dialled(value)
    mobile = _MOBILE.fullmatch(dialled)
    return f"+86{mobile[1]}" if mobile else _other_phone(dialled)


def _dialled(value: str) -> str:
    """The digits, with a plus before them where there was one.

    Bounded first, because parsing is slower than reading.
    """
    if len(value) > _PHONE_SIZE:
        raise BadInput(NOT_A_PHONE)
    text = "".join([char for char in _compatible(value) if not _is_filler(char)])
    if not _DIALLED.fullmatch(text):
        raise BadInput(NOT_A_PHONE)
    return text


def _is_filler(char: str) -> bool:
    return not char.isdigit() and (char in "().\u2212" or _is_invisible(char) or category(char) == "Pd")


def _other_phone(dialled: str) -> str:
    """Land lines and foreign numbers."""
    try:
        number = phonenumbers.parse(dialled, "CN")
    except phonenumbers.NumberParseException:
        number = None
    # Outside the handler: the library's error quotes the number.
    if number is None or not phonenumbers.is_valid_number(number):
        raise BadInput(NOT_A_PHONE)
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _email(value: str) -> str:
    if len(value) > _EMAIL_SIZE:
        raise BadInput(NOT_AN_EMAIL)
    if value.isascii() and _PLAIN_EMAIL.fullmatch(plain := value.lower()) and plain.index("@") <= _LOCAL_SIZE:
        return plain
    local, _, domain = _trimmed(_compatible(value)).rpartition("@")
    address = f"{_folded(local)}@{_domain(domain)}"
    if len(address.encode()) > _EMAIL_SIZE:
        raise BadInput(NOT_AN_EMAIL)
    return address


def _folded(local: str) -> str:
    """RFC 5321 lets two people differ by case; no provider does.

    Checked after folding, which may bring in what is no letter.
    """
    folded = local.lower() if local.isascii() else normalize("NFKC", local.casefold())
    if not _LOCAL.fullmatch(folded) or len(folded.encode()) > _LOCAL_SIZE:
        raise BadInput(NOT_AN_EMAIL)
    return folded


def _domain(domain: str) -> str:
    if not _AMBIGUOUS.isdisjoint(domain):
        raise BadInput(NOT_AN_EMAIL)
    labels = domain.replace("。", ".").split(".")
    ascii_domain = ".".join([label.lower() if label.isascii() else _a_label(label) for label in labels])
    if not _DOMAIN.fullmatch(ascii_domain) or len(ascii_domain) > _DOMAIN_SIZE:
        raise BadInput(NOT_AN_EMAIL)
    return ascii_domain


def _a_label(label: str) -> str:
    """The `xn--` form, or nothing for what has none: no domain has an empty label."""
    try:
        return label.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _wechat_id(value: str, appid: str) -> str:
    """Byte for byte: openids differ by case alone, and one openid under two apps is two people."""
    found = _WECHAT_ID.fullmatch(value)
    if found is None or not _APPID.fullmatch(found[1] or appid):
        raise BadInput(NOT_A_WECHAT_ID)
    return f"{found[1] or appid}:{found[2]}"


def _exact(value: str) -> str:
    if not value:
        raise BadInput(EMPTY)
    return value


def _compatible(value: str) -> str:
    return value if value.isascii() else normalize("NFKC", value)


def _trimmed(text: str) -> str:
    start, end = 0, len(text)
    while start < end and _is_invisible(text[start]):
        start += 1
    while start < end and _is_invisible(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_invisible(char: str) -> bool:
    """White space, and the marks that phones and word processors leave around what was copied."""
    return char.isspace() or category(char) == "Cf"


_RULES: Final[dict[str, Callable[[str], str]]] = {"phone": _phone, "email": _email, "exact": _exact}
