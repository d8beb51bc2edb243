"""An export as it lies in a folder (docs/formats/audit-export.md). Nothing in it is believed: this only reads, and within bounds."""

import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from menshen_verifier import merkle
from menshen_verifier.errors import Malformed
from menshen_verifier.note import MOST_BYTES as MOST_NOTE
from menshen_verifier.tiles import bundle_path, tile_path

_MOST_BUNDLE = merkle.TILE_WIDTH * (2 + 0xFFFF)
_MOST_MANIFEST = 1 << 26
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
LINES = "entries.jsonl"
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class Manifest:
    """Which entries the export claims to hold of a log of `size`: `first` to `end`, without `end`."""

    origin: str
    size: int
    first: int
    end: int


class Export:
    """A folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._place = str(folder)

    def checkpoint(self) -> bytes:
        """The newest one. Raises Malformed where there is none."""
        found = self._read("checkpoint", MOST_NOTE)
        if found is None:
            raise Malformed("export: there is no file named checkpoint")
        return found

    def sizes(self) -> list[int]:
        """Of the checkpoints that lie in it, the smallest first."""
        found = self.folder / "checkpoints"
        names = (one.name for one in found.iterdir()) if found.is_dir() else iter(())
        return sorted(int(name) for name in names if _SIZE.fullmatch(name))

    def note(self, size: int) -> bytes | None:
        """The checkpoint of that size, if it is there."""
        return self._read(f"checkpoints/{size}", MOST_NOTE)

    def bundle(self, n: int, width: int) -> bytes | None:
        """The entries under tile `n` of level 0, or None."""
        return self._read(bundle_path(n, width), _MOST_BUNDLE)

    def hashes(self, level: int, n: int, width: int) -> bytes | None:
        """The hashes of a tile in one piece, or None where there is none of that width."""
        raw = self._read(tile_path(level, n, width), merkle.TILE_WIDTH * merkle.HASH_BYTES)
        return None if raw is None or len(raw) != width * merkle.HASH_BYTES else raw

    def tile(self, level: int, n: int, width: int) -> list[bytes] | None:
        """They, one by one."""
        raw = self.hashes(level, n, width)
        return None if raw is None else cut(raw)

    def bundle_bytes(self, n: int, width: int) -> int | None:
        """How long the bundle is."""
        try:
            return (self.folder / bundle_path(n, width)).stat().st_size
        except OSError:
            return None

    def anchors(self) -> Iterator[tuple[int, str, Path]]:
        """Size, kind and file of everything under `anchors/`."""
        found = self.folder / "anchors"
        for one in sorted(found.iterdir()) if found.is_dir() else ():
            size, _, kind = one.name.partition(".")
            if _SIZE.fullmatch(size) and kind:
                yield int(size), kind, one

    def read(self, path: Path, most: int) -> bytes:
        """A file of at most so many bytes. Raises Malformed."""
        found = self._read(str(path.relative_to(self.folder)), most)
        if found is None:
            raise Malformed("export: a file is missing")
        return found

    def manifest(self, *, origin: str, size: int) -> Manifest:
        """What manifest.json says, or, without one, that everything is there. Raises Malformed."""
        raw = self._read("manifest.json", _MOST_MANIFEST)
        if raw is None:
            return Manifest(origin, size, 0, size)
        try:
            found = json.loads(raw)
            said = Manifest(found["origin"], found["size"], found["from"], found["to"])
        except (ValueError, TypeError, KeyError, RecursionError):
            raise Malformed("export: manifest.json is none") from None
        return _checked(said)

    def _read(self, name: str, most: int) -> bytes | None:
        """Whole, if it is a plain file: a pipe or a device would keep the verifier waiting for ever."""
        try:
            # Without waiting: opening a pipe would already be one. A tenth of the time that pathlib takes for the same.
            file = os.open(f"{self._place}/{name}", _OPEN)
        except FileNotFoundError:
            return None
        try:
            about = os.fstat(file)
            if about.st_size > most:
                raise Malformed("export: a file is larger than its format allows")
            return _whole(file, about.st_size) if stat.S_ISREG(about.st_mode) else None
        finally:
            os.close(file)


def cut(raw: bytes) -> list[bytes]:
    """Hashes that stand one behind the other."""
    return [raw[at : at + merkle.HASH_BYTES] for at in range(0, len(raw), merkle.HASH_BYTES)]


def _whole(file: int, size: int) -> bytes:
    found = os.read(file, size)
    while len(found) < size and (more := os.read(file, size - len(found))):
        found += more
    return found


def _checked(said: Manifest) -> Manifest:
    numbers: list[Any] = [said.first, said.end, said.size]
    if not isinstance(said.origin, str) or any(type(one) is not int for one in numbers):
        raise Malformed("export: manifest.json is none")
    if not 0 <= said.first <= said.end <= said.size < 1 << 63:
        raise Malformed("export: the manifest's range is none of its log's")
    return said
