"""Address marks, version 1 (docs/formats/address-mark.md): what a suppression knows an address by, and nobody can read an address from.

A mark has a key of its own, so that a stolen lookup key finds nobody in the list of those who said no; and it names no channel, because
one number takes both messages and calls.
"""

from collections.abc import Callable
from typing import Final

from service.hazmat import Unspoken
from service.vault.framing import framed, framed_text, utf8

USE: Final = "suppression"
LABEL: Final = b"menshen/address-mark/v1"
SIZE: Final = 16


class Marks(Unspoken):
    """Makes marks for one legal entity."""

    __slots__ = ("_mac", "_of_entity", "_prefixes")

    def __init__(self, mac: Callable[[bytes], bytes], *, controller: str) -> None:
        self._mac = mac
        self._of_entity = framed(LABEL, utf8(controller))
        self._prefixes: dict[str, bytes] = {}

    def mark(self, field: str, normalised: str) -> bytes:
        """16 bytes. Raises BadInput for what cannot be framed. The value must have been normalised by its field's normaliser."""
        prefix = self._prefixes.get(field)
        if prefix is None:
            # Field keys come from the catalogue, so there are few.
            prefix = self._prefixes[field] = self._of_entity + framed(utf8(field))
        return self._mac(prefix + framed_text(normalised))[:SIZE]
