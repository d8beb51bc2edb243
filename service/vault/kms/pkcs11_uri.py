"""PKCS#11 URIs (RFC 7512), as far as they name one secret key in one token.

What is not understood is refused, never skipped.
"""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from service.errors import ConfigError, KeyUnavailable

_PATH = frozenset({"token", "object", "serial", "type"})
_QUERY = frozenset({"module-path", "pin-source", "pin-value"})


@dataclass(frozen=True, slots=True)
class Pkcs11Uri:
    """`token` and `object` are labels.

    The PIN is either here, which shows it to whoever sees the environment, or in a file.
    """

    module_path: str
    token: str
    object: str
    serial: str | None
    pin_source: Path | None
    pin_value: str | None = field(repr=False)

    @property
    def without_secrets(self) -> str:
        """The path attributes alone."""
        return f"pkcs11:token={quote(self.token)};object={quote(self.object)}"

    def pin(self) -> str:
        """Read anew each time, so that a PIN can be changed without a restart. Raises KeyUnavailable."""
        if self.pin_source is None:
            return self.pin_value or ""
        try:
            return self.pin_source.read_text("utf-8").rstrip("\r\n")
        except (OSError, ValueError):
            raise KeyUnavailable("MENSHEN_KMS_URI: the file at pin-source cannot be read") from None


def parse_pkcs11_uri(uri: str) -> Pkcs11Uri:
    """Raises ConfigError naming the attribute, never its value: it may be the PIN."""
    path_text, _, query_text = uri.removeprefix("pkcs11:").partition("?")
    path = _attributes(path_text, ";", known=_PATH)
    query = _attributes(query_text, "&", known=_QUERY)
    if path.get("type", "secret-key") != "secret-key":
        raise _wrong("type: only secret-key")
    if ("pin-source" in query) == ("pin-value" in query):
        raise _wrong("pin-source or pin-value: exactly one of them")
    return Pkcs11Uri(
        module_path=_needed(query, "module-path"),
        token=_needed(path, "token"),
        object=_needed(path, "object"),
        serial=path.get("serial"),
        pin_source=_file(query["pin-source"]) if "pin-source" in query else None,
        pin_value=query.get("pin-value"),
    )


def _attributes(text: str, separator: str, *, known: frozenset[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(separator) if text else ():
        name, equals, value = part.partition("=")
        if name not in known:
            raise _wrong("an attribute that is not understood")
        if not equals or name in found:
            raise _wrong(f"{name}: once, with a value")
        found[name] = _decoded(name, value)
    return found


def _decoded(name: str, value: str) -> str:
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        raise _wrong(f"{name}: not UTF-8") from None


def _needed(found: dict[str, str], name: str) -> str:
    if not found.get(name):
        raise _wrong(f"{name}: missing")
    return found[name]


def _file(source: str) -> Path:
    """An absolute path or a file: URI.

    RFC 7512 also knows commands; a setting that can run a program is an attacker's setting.
    """
    parts = urlsplit(source)
    path = Path(unquote(parts.path) if parts.scheme == "file" else source)
    if parts.scheme not in {"", "file"} or parts.netloc not in {"", "localhost"} or not path.is_absolute():
        raise _wrong("pin-source: an absolute path or a file: URI")
    return path


def _wrong(what: str) -> ConfigError:
    return ConfigError(f"MENSHEN_KMS_URI: {what}")
