"""The sealed map, version 1 (docs/formats/sealed-map.md): all sealed fields of one member, under one tag.

The tag is checked before a byte of the body is interpreted, so the parser never meets a stranger's bytes.
"""

from collections.abc import Mapping
from typing import Final

import msgpack

from service.errors import SealBroken
from service.hazmat.aead import NONCE_SIZE, TAG_SIZE, Unopened
from service.vault.keys import MemberKeys

LABEL: Final = b"menshen/map/v1"

_TAG: Final = 2 + NONCE_SIZE
_BODY: Final = _TAG + TAG_SIZE
_unpack = msgpack.unpackb


def seal_map(keys: MemberKeys, fields: Mapping[str, bytes], *, nonce: bytes, prefix: bytes) -> bytes:
    """The map of these sealed fields, canonical."""
    body: bytes = msgpack.packb({field: fields[field] for field in sorted(fields)})
    return keys.header + nonce + keys.hazmat_cipher.encrypt(nonce, b"", prefix + body) + body


def open_map(keys: MemberKeys, sealed: bytes, *, prefix: bytes) -> dict[str, bytes]:
    """The sealed fields, still sealed. Raises SealBroken, whatever the bytes."""
    body = sealed[_BODY:]
    fields = None
    try:
        # 1. The right form; 2. the tag over the body; 3. only then the body.
        if sealed[:2] == keys.header:
            keys.hazmat_cipher.decrypt(sealed[2:_TAG], sealed[_TAG:_BODY], prefix + body)
            fields = _unpack(body)
    except (Unopened, ValueError):
        fields = None
    if type(fields) is not dict:
        raise SealBroken
    return fields
