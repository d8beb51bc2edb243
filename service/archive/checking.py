"""A segment's folder, believed because it verifies alone (docs/formats/audit-archive.md): in numbered steps that the code repeats.

 (1) manifest.json is of the format and names this log and this segment.
 (2) Every bundle is whole, and its entries hash to the tile of level 0 beside it.
 (3) Those tiles' roots are the tile of level 1, and its root is the segment's.
 (4) With the path in the manifest that root comes to the checkpoint's, which names this log.
 (5) One of the log's keys signed the checkpoint, where we know them.
 (6) Every other file is the one that the manifest names.

Everything is read again from the disk. What does not fit is told as Malformed, with the step and no value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from menshen_verifier import merkle, tiles
from menshen_verifier.checkpoint import open_checkpoint, parse_checkpoint
from menshen_verifier.errors import Forged
from menshen_verifier.errors import Malformed as NotOfItsFormat
from menshen_verifier.note import Key, parse_note
from service.archive import files
from service.archive.model import SEGMENT, climbed, subtree_path
from service.errors import Malformed
from service.files import read

FORMAT = "menshen/audit-segment/v1"
MANIFEST, CHECKPOINT = "manifest.json", "checkpoint"
_MOST = 1 << 20
_MOST_BUNDLE, _MOST_TILE = merkle.TILE_WIDTH * (2 + 0xFFFF), merkle.TILE_WIDTH * merkle.HASH_BYTES


@dataclass(frozen=True, slots=True)
class Checked:
    """What a folder that verified says."""

    n: int
    root: bytes
    size: int
    first_ts: str
    last_ts: str
    digest: bytes


def folder_of(base: Path, n: int) -> Path:
    """Where segment `n` lies below `base`."""
    return base / f"seg-{n:06d}"


def check(folder: Path, origin: str, n: int, keys: Sequence[Key] = ()) -> Checked:
    """Verify a segment's folder. Raises Malformed naming the step that failed, whatever the bytes."""
    try:
        raw = read(folder / MANIFEST, _MOST)
        told = _manifest(raw, origin, n)
        root = _root(folder, n)
        _under_checkpoint(folder, told, root, keys)
        _other_files(folder, told)
        return Checked(n, root, told["size"], told["first_ts"], told["last_ts"], sha256(raw).digest())
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Malformed("audit-segment/v1: a file is missing or not of its form") from None


def number_of(folder: Path) -> int | None:
    """Which segment lies in this folder, as its manifest says; None where it is none. Nothing is verified."""
    try:
        told = orjson.loads(read(folder / MANIFEST, _MOST))
        return int(told["n"]) if told["format"] == FORMAT else None
    except (OSError, ValueError, TypeError, KeyError, Malformed):
        return None


def before(folder: Path, n: int) -> tuple[bytes, ...]:
    """The frontier of the log's first `n` segments, as segments: it stands in the path of a folder that `check` has verified."""
    told = orjson.loads(read(folder / MANIFEST, _MOST))
    spans = subtree_path(n * SEGMENT, (n + 1) * SEGMENT, told["size"])
    left = [bytes.fromhex(one) for one, (start, _) in zip(told["path"], spans, strict=True) if start < n * SEGMENT]
    return tuple(reversed(left))


def entries(folder: Path, n: int, root: bytes) -> list[bytes]:
    """Its entries, in order, as they are read now: whoever can write there may have waited until `check` was done. Raises Malformed."""
    numbers = range(n * merkle.TILE_WIDTH, (n + 1) * merkle.TILE_WIDTH)
    try:
        bundles = [tiles.parse_bundle(read(folder / tiles.bundle_path(number), _MOST_BUNDLE)) for number in numbers]
        roots = [merkle.tile_root(merkle.leaf_hashes(bundle)) for bundle in bundles]
    except (OSError, ValueError):
        raise Malformed("audit-segment/v1 (2): a file is missing or not of its form") from None
    if merkle.tile_root(roots) != root:
        raise Malformed("audit-segment/v1 (2): the entries were altered")
    return [entry for bundle in bundles for entry in bundle]


def _manifest(raw: bytes, origin: str, n: int) -> dict[str, Any]:
    """Step 1."""
    told: dict[str, Any] = orjson.loads(raw)
    expected = {"format": FORMAT, "origin": origin, "n": n, "first": n * SEGMENT, "last": (n + 1) * SEGMENT - 1}
    if any(told.get(key) != value for key, value in expected.items()):
        raise Malformed("audit-segment/v1 (1): the manifest is of another log or segment")
    if not isinstance(told["size"], int) or not told["size"] >= (n + 1) * SEGMENT:
        raise Malformed("audit-segment/v1 (1): the checkpoint does not cover it")
    return told


def _root(folder: Path, n: int) -> bytes:
    """Steps 2 and 3."""
    above = read(folder / tiles.tile_path(1, n), _MOST_TILE)
    roots = []
    for number in range(n * merkle.TILE_WIDTH, (n + 1) * merkle.TILE_WIDTH):
        leaves = merkle.leaf_hashes(tiles.parse_bundle(read(folder / tiles.bundle_path(number), _MOST_BUNDLE)))
        if b"".join(leaves) != read(folder / tiles.tile_path(0, number), _MOST_TILE) or len(leaves) != merkle.TILE_WIDTH:
            raise Malformed(f"audit-segment/v1 (2): the entries under tile {number} were altered")
        roots.append(merkle.tile_root(leaves))
    if b"".join(roots) != above:
        raise Malformed("audit-segment/v1 (3): the tile of level 1 was altered")
    return merkle.tile_root(roots)


def _under_checkpoint(folder: Path, told: dict[str, Any], root: bytes, keys: Sequence[Key]) -> None:
    """Steps 4 and 5."""
    note = read(folder / CHECKPOINT, _MOST)
    try:
        found = open_checkpoint(note, keys).checkpoint if keys else parse_checkpoint(parse_note(note).text)
    except (Forged, NotOfItsFormat):
        raise Malformed("audit-segment/v1 (5): the checkpoint is not signed by the log") from None
    first, size = told["first"], told["size"]
    spans = subtree_path(first, first + SEGMENT, size)
    reached = climbed(root, spans, [bytes.fromhex(one) for one in told["path"]], first)
    if (found.origin, found.size, found.root, told["root"]) != (told["origin"], size, reached, root.hex()):
        raise Malformed("audit-segment/v1 (4): the segment does not come to its checkpoint")


def _other_files(folder: Path, told: dict[str, Any]) -> None:
    """Step 6."""
    rest = files.listed(folder, but=frozenset({MANIFEST, "tile"}))
    if [[one.path, one.digest] for one in rest] != [[one["path"], one["sha256"]] for one in told["files"]]:
        raise Malformed("audit-segment/v1 (6): a file was altered, taken away or added")
