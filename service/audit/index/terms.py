"""The words under which search finds an entry, and where in a block of 2,048 entries each of them stands (docs/formats/audit-log.md).

A row for each word of each entry would cost the append more than the entry itself. So words are written down once a block, when the
block is full: beside each word the places of the entries that have it. They are made from the entries' bytes by whoever comes first
(`indexing.py`), never on the way of an append; a verification makes them again and compares.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

BLOCK = 2048
"""Entries. As many as a verification reads at once, so that a page and its words end together."""

_BITS = BLOCK // 8
_LONGEST = 64

Shape = tuple[Any, ...]
"""What of an entry its words are made of: a page has few different ones."""


def shape(entry: Mapping[str, Any]) -> Shape:
    """See `Shape`. Raises KeyError and the like for what is no entry.

    A member who acts is a pseudonym: rather than a word of its own for each of them, they are found by what the entry is about.
    """
    act = entry["act"]
    return (
        entry["typ"],
        entry["dec"],
        act["k"],
        act.get("id", "") if act["k"] != "member" else "",
        entry.get("op", ""),
        entry.get("pur", ""),
        entry.get("bas", ""),
        entry.get("rsn", ""),
        campaign(entry),
        tuple(act["role"]),
        tuple(entry.get("fld", ())),
        tuple(entry.get("wth", ())),
    )


def campaign(entry: Mapping[str, Any]) -> str:
    """The campaign that an entry names, or ""."""
    named = entry["x"].get("campaign", "") if "x" in entry else ""
    return named if isinstance(named, str) and len(named) <= _LONGEST else ""


def words(shape_: Shape) -> list[str]:
    """The words of entries of one shape."""
    typ, dec, kind, account, operation, purpose, basis, reason, campaign_, roles, fields, withheld = shape_
    named = {
        "op": operation,
        "pur": purpose,
        "bas": basis,
        "rsn": reason,
        "cmp": campaign_,
        "act": account and f"{kind}:{account}",
    }
    some = [f"typ:{typ}", f"dec:{dec}", f"kind:{kind}", *(f"{key}:{value}" for key, value in named.items() if value)]
    for key, codes in (("role", roles), ("fld", fields), ("wth", withheld)):
        some += [f"{key}:{code}" for code in codes]
    return some


class Postings:
    """The words of one block, as its entries are read."""

    def __init__(self) -> None:
        self._groups: dict[Shape, list[int]] = defaultdict(list)

    def add(self, entry: Mapping[str, Any], place: int) -> None:
        """Take in the entry at this place of the block. Raises as `shape` does."""
        self._groups[shape(entry)].append(place)

    def made(self) -> dict[str, bytes]:
        """Each word, and where it stands."""
        found: dict[str, int] = defaultdict(int)
        for shape_, group in self._groups.items():
            bits = _bits(group)
            for word in words(shape_):
                found[word] |= bits
        return {word: packed(bits) for word, bits in found.items()}


def packed(bits: int) -> bytes:
    """Places in their one form: two bytes each, or one bit for every place of the block where that is shorter."""
    count = bits.bit_count()
    if 2 * count >= _BITS:
        return bits.to_bytes(_BITS, "little")
    return b"".join(place.to_bytes(2, "big") for place in places(bits))


def unpacked(raw: bytes) -> int:
    """The places as bits. What is of no such form stands for every place: then each entry is looked at."""
    if len(raw) == _BITS:
        return int.from_bytes(raw, "little")
    found = [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]
    if len(raw) > _BITS or len(raw) % 2 or any(place >= BLOCK for place in found):
        return (1 << BLOCK) - 1
    return _bits(found)


def places(bits: int) -> list[int]:
    """The places that are set, in their order."""
    found = []
    while bits:
        lowest = bits & -bits
        found.append(lowest.bit_length() - 1)
        bits ^= lowest
    return found


def span(moments: Iterable[str]) -> tuple[str, str]:
    """The first and the last of these moments; of none, one that no search excludes."""
    some: Sequence[str] = list(moments)
    return (min(some), max(some)) if some else ("", "9")


def _bits(some: Iterable[int]) -> int:
    drawn = bytearray(_BITS)
    for place in some:
        drawn[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(drawn, "little")
