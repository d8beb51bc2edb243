"""What a tag is and where it came from, and the rules over both."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.vault.vault import Value


class Source(StrEnum):
    """Where a tag came from. What a member deletes does not come back from the same source data."""

    PURCHASES = "PURCHASES"
    SURVEY = "SURVEY"
    STAFF = "STAFF"
    IMPORT = "IMPORT"


BY_HAND = b""
"""The digest of a tag that follows from no data: somebody entered it."""

Deleted = frozenset[tuple[str, bytes]]
"""Tags that the member deleted, each with the digest of the data that it followed from."""


@dataclass(frozen=True, slots=True)
class HeldTag:
    """One tag of a member from one source. `digest` is the SHA-256 of the data that it follows from."""

    tag: str
    source: Source
    digest: bytes
    recorded_at: datetime


def blocked(deleted: Deleted, tag: str, digest: bytes) -> bool:
    """Whether the member deleted this tag when the data was the same. By hand it comes back never: that would be the way around."""
    return (tag, digest) in deleted or (digest == BY_HAND and any(tag == word for word, _ in deleted))


def codes_of(value: Value | None) -> tuple[str, ...]:
    """The codes as the member's row has them."""
    return value if isinstance(value, tuple) else ()


def together(codes: Sequence[str], *, gone: Collection[str] = (), more: Collection[str] = ()) -> tuple[str, ...]:
    """The codes without those that are gone and with those that came, in the order in which they came."""
    return tuple(dict.fromkeys([*(code for code in codes if code not in gone), *more]))
