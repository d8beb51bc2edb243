"""Lookups, version 1 (docs/formats/lookup.md): a keyed digest to find a member by, and nothing to read a value from."""

from typing import Final

from service.hazmat import Unspoken
from service.vault.framing import framed, framed_text, utf8
from service.vault.keyring import Keyring

USE: Final = "lookup"
LABEL: Final = b"menshen/lookup/v1"
DIGEST_SIZE: Final = 16


class Lookups(Unspoken):
    """Makes digests under the newest lookup key, whose generation is `generation`."""

    __slots__ = ("_mac", "_prefixes", "generation")

    def __init__(self, keyring: Keyring) -> None:
        newest = keyring.newest(USE)
        self.generation: Final = newest.generation
        self._mac = newest.hazmat_mac()
        self._prefixes: dict[str, bytes] = {}

    def digest(self, field: str, normalised: str) -> bytes:
        """16 bytes.

        Raises BadInput for what cannot be framed. The value must have been normalised by its field's normaliser.
        """
        prefix = self._prefixes.get(field)
        if prefix is None:
            # Field keys come from the catalogue, so there are few.
            prefix = self._prefixes[field] = framed(LABEL, utf8(field))
        return self._mac(prefix + framed_text(normalised))[:DIGEST_SIZE]
