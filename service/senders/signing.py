"""How requests to Aliyun (ACS3-HMAC-SHA256) and Tencent Cloud (TC3-HMAC-SHA256) are signed, from their documents."""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote

from service.hazmat.mac import hmac_sha256

ACS3 = "ACS3-HMAC-SHA256"
TC3 = "TC3-HMAC-SHA256"


def query_string(parameters: Mapping[str, str]) -> str:
    """Sorted by name, each percent-encoded as RFC 3986 says: a space is %20."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(parameters.items()))


def acs3_headers(
    *, host: str, action: str, version: str, query: str, body: bytes, key_id: str, secret: str, nonce: str, now: datetime
) -> dict[str, str]:
    """Every header of an Aliyun RPC request, the signature among them (V3 请求体&签名机制)."""
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": sha256(body).hexdigest(),
        "x-acs-date": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    canonical, names = _canonical("/", query, headers, headers["x-acs-content-sha256"])
    signature = hmac_sha256(secret.encode(), f"{ACS3}\n{_hex(canonical)}".encode()).hex()
    return {**headers, "authorization": f"{ACS3} Credential={key_id},SignedHeaders={names},Signature={signature}"}


def tc3_headers(
    *, host: str, service: str, action: str, version: str, region: str, body: bytes, key_id: str, secret: str, now: datetime
) -> dict[str, str]:
    """Every header of a Tencent Cloud API 3.0 request in JSON, the signature among them (签名方法 v3)."""
    stamp = str(int(now.timestamp()))
    day = now.astimezone(UTC).strftime("%Y-%m-%d")
    signed = {"content-type": "application/json; charset=utf-8", "host": host}
    canonical, names = _canonical("/", "", signed, sha256(body).hexdigest())
    scope = f"{day}/{service}/tc3_request"
    key = hmac_sha256(f"TC3{secret}".encode(), day.encode())
    for part in (service, "tc3_request"):
        key = hmac_sha256(key, part.encode())
    signature = hmac_sha256(key, f"{TC3}\n{stamp}\n{scope}\n{_hex(canonical)}".encode()).hex()
    credential = f"{TC3} Credential={key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    meant = {"x-tc-action": action, "x-tc-timestamp": stamp, "x-tc-version": version, "x-tc-region": region}
    return {**signed, **meant, "authorization": credential}


def _canonical(path: str, query: str, headers: Mapping[str, str], payload: str) -> tuple[str, str]:
    """The request as both vendors spell it before they hash it, and the names of the signed headers."""
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    return "\n".join(("POST", path, query, lines, names, payload)), names


def _hex(text: str) -> str:
    return sha256(text.encode()).hexdigest()
