"""Sealed fields, version 1 (docs/formats/sealed-field.md): one value of one field of one member.

All wanted fields of a member are opened in one loop: a page of a hundred members is a thousand of them, and one call of
a Python function is a tenth of what opening one costs.
"""

import struct
from collections.abc import Iterable, Mapping
from typing import Final

from service.errors import BadInput, SealBroken
from service.hazmat.aead import NONCE_SIZE, TAG_SIZE, Unopened
from service.vault.framing import framed_generation, framed_text
from service.vault.keys import MemberKeys
from service.vault.value import LEAST, READERS, Value, padded

LABEL: Final = b"menshen/field/v1"

_BODY: Final = 2 + NONCE_SIZE
_LEAST: Final = {_BODY + length + TAG_SIZE: least for length, least in LEAST.items()}
_BROKEN = (Unopened, ValueError, TypeError, KeyError, struct.error)


class Suffixes(dict[str, bytes]):
    """The end of the associated data for each field under one generation, made when first needed.

    Field keys come from the catalogue.
    """

    def __init__(self, generation: int) -> None:
        super().__init__()
        self.generation: Final = framed_generation(generation)

    def __missing__(self, field: str) -> bytes:
        """Raises BadInput for a field key that cannot be framed."""
        suffix = self[field] = framed_text(field) + self.generation
        return suffix


def open_fields(
    keys: MemberKeys, present: Mapping[str, bytes], *, wanted: Iterable[str], prefix: bytes, suffixes: Suffixes
) -> dict[str, Value]:
    """The wanted fields that are present. Raises SealBroken when one of them does not open; then none is shown."""
    values: dict[str, Value] = {}
    broken = False
    decrypt, header = keys.hazmat_cipher.decrypt, keys.header
    try:
        for field in wanted:
            sealed = present.get(field)
            if sealed is None:
                continue
            least = _LEAST[len(sealed)]
            content = decrypt(sealed[2:_BODY], sealed[_BODY:], prefix + suffixes[field]).rstrip(b"\x00")
            if sealed[:2] != header or len(content) < least:
                raise ValueError
            values[field] = READERS[content[-1]](content[:-1])
    except _BROKEN:
        broken = True
    # Outside the handler: a decoding error holds the plaintext, and must not travel along as the context of ours.
    if broken:
        raise SealBroken
    return values


def seal_fields(
    keys: MemberKeys, values: Mapping[str, Value], *, noise: bytes, prefix: bytes, suffixes: Suffixes
) -> dict[str, bytes]:
    """Each value sealed; `noise` holds one nonce a value, in their order.

    Raises BadInput naming the field and the rule.
    """
    encrypt, header = keys.hazmat_cipher.encrypt, keys.header
    sealed: dict[str, bytes] = {}
    start = 0
    try:
        for field, value in values.items():
            nonce = noise[start : start + NONCE_SIZE]
            sealed[field] = header + nonce + encrypt(nonce, padded(value), prefix + suffixes[field])
            start += NONCE_SIZE
    except BadInput as problem:
        raise BadInput(f"{field}: {problem.detail}") from None
    return sealed
