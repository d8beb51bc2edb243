"""A closed segment into a folder that verifies alone, and read again before anybody is told that it is there.

Killed at any moment, it leaves a folder without a manifest, which the next run writes over, or a whole one without a row, which the next
run finds and checks. Nothing of the log is changed here.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import orjson

from menshen_verifier import merkle, tiles
from menshen_verifier.note import Key
from service.archive import checking, files, store
from service.archive.checking import CHECKPOINT, FORMAT, MANIFEST, Checked
from service.archive.model import SEGMENT, subtree_path
from service.audit.inclusion import span_root
from service.checkpoints import store as checkpoints
from service.checkpoints.model import Noted
from service.db.engine import Database
from service.errors import LogBroken
from service.files import put_whole

_PAGE = 8 * merkle.TILE_WIDTH


async def closed(database: Database, *, witnessed: bool) -> tuple[Noted | None, int]:
    """The checkpoint under which segments may be archived, and how many of them are full under it. `witnessed` asks for cosignatures."""
    point = await (checkpoints.newest_cosigned if witnessed else checkpoints.newest)(database.read)
    return point, point.size // SEGMENT if point else 0


async def archive(database: Database, n: int, base: Path, point: Noted, *, origin: str, keys: Sequence[Key]) -> Checked:
    """Write segment `n` below `base`, unless it is there and whole, and verify what the disk has. Raises BadInput, Malformed, LogBroken."""
    folder = checking.folder_of(base, n)
    with files.told():
        files.own_folder(base)
        files.own_folder(folder)
        if not (folder / MANIFEST).exists():
            await _write(database, n, folder, point, origin=origin, keys=keys)
    return await asyncio.to_thread(checking.check, folder, origin, n, keys)


async def _write(database: Database, n: int, folder: Path, point: Noted, *, origin: str, keys: Sequence[Key]) -> None:
    first, last = n * SEGMENT, (n + 1) * SEGMENT
    spans = subtree_path(first, last, point.size)
    path = [await span_root(database.read, start, end) for start, end in spans]
    ends = await _bundles(database, first, last, folder)
    await _tiles(database, n, folder)
    files.put(folder / CHECKPOINT, point.note.encode())
    for at, kind, receipt in await store.anchors(database.read, point.size):
        if at >= last:
            files.put(folder / "anchors" / f"{at}.{kind}", receipt)
    if keys:
        files.put(folder / "log.vkey", "".join(f"{key.vkey}\n" for key in keys).encode())
    root = (await store.tile_root(database.read, 1, n)) or b""
    told = {"format": FORMAT, "origin": origin, "n": n, "first": first, "last": last - 1, "root": root.hex(), "size": point.size}
    told |= {"path": [one.hex() for one in path], "first_ts": ends[0], "last_ts": ends[1]}
    await asyncio.to_thread(_finish, folder, told)


async def _bundles(database: Database, first: int, last: int, folder: Path) -> tuple[str, str]:
    """The entries, and the times of the first and the last. Raises LogBroken where one is missing: then nothing is archived."""
    ts = []
    for start in range(first, last, _PAGE):
        page = await store.entries(database.read, start, start + _PAGE)
        if len(page) != _PAGE:
            raise LogBroken(f"entries from {start} on are missing")
        for at in range(0, _PAGE, merkle.TILE_WIDTH):
            number = (start + at) // merkle.TILE_WIDTH
            files.put(folder / tiles.bundle_path(number), tiles.bundle(page[at : at + merkle.TILE_WIDTH]))
        ts += [orjson.loads(page[0])["ts"], orjson.loads(page[-1])["ts"]]
    return ts[0], ts[-1]


async def _tiles(database: Database, n: int, folder: Path) -> None:
    """The 256 tiles of level 0, and the one above them."""
    first = n * merkle.TILE_WIDTH
    below = await store.tiles(database.read, 0, first, first + merkle.TILE_WIDTH)
    for number, hashes in below.items():
        files.put(folder / tiles.tile_path(0, number), hashes)
    for number, hashes in (await store.tiles(database.read, 1, n, n + 1)).items():
        files.put(folder / tiles.tile_path(1, number), hashes)


def _finish(folder: Path, told: dict[str, object]) -> None:
    files.settle(folder)
    rest = files.listed(folder, but=frozenset({MANIFEST, "tile"}))
    told["files"] = [{"path": one.path, "bytes": one.size, "sha256": one.digest} for one in rest]
    put_whole(folder / MANIFEST, orjson.dumps(told, option=orjson.OPT_INDENT_2) + b"\n")
