"""Where tiles and bundles of entries stand, and how a bundle is read (C2SP tlog-tiles)."""

from collections.abc import Iterable
from struct import Struct, pack

from menshen_verifier import merkle
from menshen_verifier.errors import Malformed

_MOST_ENTRY = 0xFFFF
_length = Struct(">H").unpack_from


def tile_path(level: int, n: int, width: int = merkle.TILE_WIDTH) -> str:
    """The path of tile `n` of a level; of a partial one with `width` hashes."""
    return f"tile/{level}/{_numbered(n, width)}"


def bundle_path(n: int, width: int = merkle.TILE_WIDTH) -> str:
    """The path of the entries under tile `n` of level 0; of the first `width` of them."""
    return f"tile/entries/{_numbered(n, width)}"


def bundle(entries: Iterable[bytes]) -> bytes:
    """Entries one after another, the length of each before it in two bytes. Raises Malformed for one that is too long."""
    some = list(entries)
    lengths = list(map(len, some))
    if max(lengths, default=0) > _MOST_ENTRY:
        raise Malformed("bundle: an entry over 65,535 bytes")
    before = pack(f">{len(some)}H", *lengths)
    parts = [b""] * (2 * len(some))
    parts[::2], parts[1::2] = [before[at : at + 2] for at in range(0, len(before), 2)], some
    return b"".join(parts)


def parse_bundle(raw: bytes) -> list[bytes]:
    """The entries of a bundle, 256 at most. Raises Malformed."""
    entries: list[bytes] = []
    at, last = 0, len(raw) - 1
    while at < last and len(entries) < merkle.TILE_WIDTH:
        first = at + 2
        at = first + _length(raw, at)[0]
        entries.append(raw[first:at])
    if at != len(raw):
        raise Malformed("bundle: cut off, or of more than 256 entries")
    return entries


def widths(size: int, level: int) -> list[tuple[int, int]]:
    """The tiles of `level` in a tree of `size` leaves: number and width of each, the partial one last."""
    count = size >> merkle.TILE_HEIGHT * level
    full, rest = divmod(count, merkle.TILE_WIDTH)
    return [(n, merkle.TILE_WIDTH) for n in range(full)] + ([(full, rest)] if rest else [])


def _numbered(n: int, width: int) -> str:
    """`x001/x234/067` for 1,234,067; `.p/W` behind it for a partial tile."""
    parts = [f"{n % 1000:03d}"]
    while n >= 1000:
        n //= 1000
        parts.append(f"x{n % 1000:03d}")
    return "/".join(reversed(parts)) + ("" if width == merkle.TILE_WIDTH else f".p/{width}")
