"""Is this receipt what its controller signed? Pure, and without the service: a key set and the notice's bytes are all it takes.

1. the text is a compact JWS of a receipt            else Malformed
2. its key is in the key set, under its true name    else UNKNOWN_KEY
3. the signature covers header and payload           else ALTERED
4. the payload is a receipt's document               else Malformed
5. the notice has the bytes that were shown          else NOTICE_DIFFERS (where they are at hand)
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, cast

import orjson

from service.errors import Malformed, SealBroken
from service.receipts import jws
from service.receipts.document import canonical, receipt_id
from service.receipts.model import FORMAT, Judgement, Verdict
from service.vault.signing import check_signature

Keys = Mapping[str, bytes]
"""Public keys by their thumbprint."""

Notices = Callable[[str, str], bytes | None]
"""The bytes of a notice, by version and language; None where they are not there."""


def judge(text: str, keys: Keys, notices: Notices | None = None) -> Judgement:
    """The verdict over one receipt. Raises Malformed for what is none."""
    compact = jws.parse(text)
    raw = keys.get(compact.key_id)
    if raw is None or jws.thumbprint(raw) != compact.key_id:
        return Judgement(Verdict.UNKNOWN_KEY, compact.key_id)
    try:
        check_signature(raw, compact.message, compact.signature)
    except SealBroken:
        return Judgement(Verdict.ALTERED, compact.key_id)
    document = read_document(compact.payload)
    shown = document.get("dpv:hasNotice")
    if notices is None or shown is None:
        return Judgement(Verdict.VALID, compact.key_id, document)
    same = _same_bytes(shown, notices)
    return Judgement(Verdict.VALID if same else Verdict.NOTICE_DIFFERS, compact.key_id, document, notice_checked=same)


def found_in(raw: bytes) -> str:
    """The JWS in a file: bare, or as GraphQL answers it. Raises Malformed, whatever the bytes."""
    try:
        text = raw.decode("ascii" if raw.lstrip()[:1] != b"{" else "utf-8").strip()
        found = orjson.loads(text) if text.startswith("{") else {"jws": text}
        while "jws" not in found:
            # GraphQL's envelope: {"data": {"consentReceipt": {…}}}, under whatever alias.
            (found,) = (value for value in found.values() if isinstance(value, dict))
    except (ValueError, UnicodeError):
        raise Malformed("consent receipt: neither a JWS nor an answer that holds one") from None
    if not isinstance(found["jws"], str):
        raise Malformed("consent receipt: the jws is no text")
    return str(found["jws"])


def read_document(payload: bytes) -> dict[str, Any]:
    """What a receipt says. Raises Malformed, whatever the bytes."""
    try:
        found = orjson.loads(payload)
        whole = isinstance(found, dict) and canonical(found).encode() == payload and _is_ours(found)
    except (ValueError, TypeError, KeyError):
        whole = False
    if not whole:
        raise Malformed("consent receipt: not a receipt's document")
    return cast("dict[str, Any]", found)


def _is_ours(found: Mapping[str, Any]) -> bool:
    source = found["dct:source"]
    named = FORMAT in found["dct:conformsTo"] and found["dct:identifier"] == receipt_id(bytes.fromhex(source["menshen:hash"]))
    told = (part[key] for part in found["dct:description"] for key in ("@language", "@value"))
    shown = found.get("dpv:hasNotice")
    notice = () if shown is None else (shown[key] for key in ("dct:hasVersion", "dct:language", "menshen:sha256"))
    return named and all(isinstance(text, str) for text in (*told, *notice))


def _same_bytes(shown: Mapping[str, Any], notices: Notices) -> bool:
    content = notices(str(shown["dct:hasVersion"]), str(shown["dct:language"]))
    return content is not None and hashlib.sha256(content).hexdigest() == shown["menshen:sha256"]
