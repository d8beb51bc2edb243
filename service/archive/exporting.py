"""An export: the log in a folder, for whoever verifies it without us (docs/formats/audit-archive.md).

Pages go from the database to the disk and are forgotten, so memory stays flat. A run that was killed is taken up where its last mark
stands and writes the same bytes; the manifest comes last, so a folder without one is no export. What is missing in the database is missing
here: an export of a log that somebody cut must be possible, and show it.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import IO

import orjson

from menshen_verifier import merkle, tiles
from menshen_verifier.errors import Malformed
from service.archive import files, store
from service.archive.tiles import tile
from service.audit.tree import levels
from service.checkpoints import store as checkpoints
from service.checkpoints.model import Noted
from service.db.engine import Database
from service.errors import BadInput
from service.files import put_whole
from service.values import Progress, unwatched

FORMAT = "menshen/audit-export/v1"
MANIFEST, ENTRIES, MARK = "manifest.json", "entries.jsonl", ".unfinished"
PAGE = 2048
_PAGES_TO_MARK = 64
_AHEAD = 3
_TILES_AT_ONCE = 64
_PART = 1 << 20
_POLICY = b'"pol":"'


@dataclass(frozen=True, slots=True)
class Plan:
    """What is exported: entries `first` to `last` (not included) of the tree that this checkpoint names. `asked` is what was asked for, in
    words; a run that takes another up must have asked for the same.
    """

    origin: str
    checkpoint: Noted
    first: int
    last: int
    asked: str


@dataclass(frozen=True, slots=True)
class Disk:
    """What is written to: `settle` returns when everything below a folder is on it, and is asked for after so many `pages`."""

    pages: int = _PAGES_TO_MARK
    settle: Callable[[Path], None] = files.settle


_DISK = Disk()


@dataclass(slots=True)
class Done:
    """How far it is: the next entry, the length of the entries' file, how many entries, and under which policies they were written."""

    next: int
    length: int = 0
    count: int = 0
    policies: set[str] = field(default_factory=set)
    first_ts: str = ""
    last_ts: str = ""


def planned(origin: str, checkpoint: Noted, asked: str, *, first: int, end: int | None) -> Plan:
    """The plan for a range, widened to whole tiles: bundles have no half ones. Raises BadInput for an empty one."""
    size = checkpoint.size
    last = size if end is None else min(size, -(-end // merkle.TILE_WIDTH) * merkle.TILE_WIDTH)
    first = first // merkle.TILE_WIDTH * merkle.TILE_WIDTH
    if not 0 <= first < last:
        raise BadInput("--since, --until: there are no entries in that range under a signed checkpoint")
    return Plan(origin, Noted(size, checkpoint.root, checkpoint.note), first, last, asked)


def unfinished(folder: Path, asked: str) -> Plan | None:
    """The plan of a run that did not come to its end. Raises BadInput for a folder that holds anything else."""
    if not any(folder.iterdir()):
        return None
    try:
        mark = orjson.loads((folder / MARK).read_bytes())
        found = Noted(mark["size"], bytes.fromhex(mark["root"]), (folder / "checkpoint").read_text("utf-8"))
        plan = Plan(mark["origin"], found, mark["first"], mark["last"], mark["asked"])
    except (OSError, ValueError, KeyError, TypeError):
        raise BadInput("-o: the folder is not empty, and what it holds is no export that was interrupted") from None
    if plan.asked != asked:
        raise BadInput("-o: the folder holds an interrupted export of another range")
    return plan


async def export(
    database: Database,
    plan: Plan,
    folder: Path,
    *,
    vkeys: Sequence[str] = (),
    progress: Progress = unwatched,
    disk: Disk = _DISK,
) -> Done:
    """Write the export, or what is missing of it. Returns when it is whole and on the disk. Raises BadInput where the disk fails us."""
    with files.told():
        done = _taken_up(plan, folder)
        _mark(plan, folder, done)
        digest = await _entries(database, plan, folder, done, progress=progress, disk=disk)
        await _tiles(database, plan.checkpoint.size, folder)
        await _notes(database, plan.checkpoint.size, folder)
        _words(plan, folder, vkeys)
        await asyncio.to_thread(_finish, plan, folder, done, digest)
    return done


def _taken_up(plan: Plan, folder: Path) -> Done:
    """Where the last run stood; what it wrote behind its mark is written again."""
    try:
        mark = orjson.loads((folder / MARK).read_bytes())
    except FileNotFoundError:
        put_whole(folder / "checkpoint", plan.checkpoint.note.encode())
        return Done(plan.first)
    told = {key: mark[key] for key in ("next", "length", "count", "first_ts", "last_ts")}
    return Done(**told, policies=set(mark["policies"]))


def _mark(plan: Plan, folder: Path, done: Done) -> None:
    point = plan.checkpoint
    told = {"origin": plan.origin, "size": point.size, "root": point.root.hex(), "first": plan.first, "last": plan.last}
    told |= {"asked": plan.asked, "next": done.next, "length": done.length, "count": done.count}
    told |= {"policies": sorted(done.policies), "first_ts": done.first_ts, "last_ts": done.last_ts}
    put_whole(folder / MARK, orjson.dumps(told))


async def _entries(database: Database, plan: Plan, folder: Path, done: Done, *, progress: Progress, disk: Disk) -> str:
    """Bundles and lines; the digest of all lines. The database makes the next pages, and the disk takes what was written long since, while
    this one is hashed and written.
    """
    with files.opened(folder / ENTRIES, flags=0) as file:
        lines = await asyncio.to_thread(_Lines, folder, file, done.length)
        pages, settling = _Pages(database, done.next, plan.last), asyncio.ensure_future(_nothing())
        try:
            while done.next < plan.last:
                first, page = done.next, await pages.following()
                done.next = min(first + PAGE, plan.last)
                done.length += await asyncio.to_thread(_put_page, folder, lines, done, first=first, page=page)
                if done.next % (disk.pages * PAGE) == 0:
                    await settling
                    so_far = replace(done, policies=set(done.policies))
                    settling = asyncio.ensure_future(_settled(plan, folder, lines, so_far, disk))
                progress(done.next - plan.first, plan.last - plan.first)
            await settling
        finally:
            await pages.close()
            await asyncio.wait({settling})
        await asyncio.to_thread(lines.settle)
    return lines.digest


class _Lines:
    """The entries' file, hashed as it is written; what is there from an interrupted run is read again."""

    def __init__(self, folder: Path, file: IO[bytes], length: int) -> None:
        self._file = file
        self._digest = sha256()
        file.truncate(length)
        with (folder / ENTRIES).open("rb") as there:
            while part := there.read(_PART):
                self._digest.update(part)
        file.seek(length)

    @property
    def digest(self) -> str:
        """Of everything that was written."""
        return self._digest.hexdigest()

    def write(self, text: bytes) -> int:
        """More lines, handed to the system; their bytes."""
        self._digest.update(text)
        self._file.write(text)
        self._file.flush()
        return len(text)

    def settle(self) -> None:
        """Return when what was handed to the system is on the disk."""
        os.fsync(self._file.fileno())


async def _nothing() -> None:
    """What is done while nothing is."""


async def _settled(plan: Plan, folder: Path, lines: _Lines, done: Done, disk: Disk) -> None:
    """Return when what was `done` is on the disk, bundles and all, and a mark says so: it must be there after the power was gone, not only
    after a kill. What is written meanwhile does no harm.
    """
    await asyncio.to_thread(lines.settle)
    await asyncio.to_thread(disk.settle, folder)
    await asyncio.to_thread(_mark, plan, folder, done)


class _Pages:
    """The pages of a range, of which the database makes some ahead, each on a connection of its own."""

    def __init__(self, database: Database, first: int, last: int) -> None:
        self._database, self._next, self._last = database, first, last
        self._coming: deque[asyncio.Future[list[list[bytes]]]] = deque()
        self._ask()

    async def following(self) -> list[list[bytes]]:
        """The next one."""
        page = await self._coming.popleft()
        self._ask()
        return page

    async def close(self) -> None:
        """Ask for no more of them."""
        for coming in self._coming:
            coming.cancel()
        await asyncio.gather(*self._coming, return_exceptions=True)

    def _ask(self) -> None:
        while len(self._coming) < _AHEAD and self._next < self._last:
            self._coming.append(asyncio.ensure_future(_page(self._database, self._next, self._last)))
            self._next += PAGE


async def _page(database: Database, first: int, last: int) -> list[list[bytes]]:
    """The entries tile by tile. Where one is missing, only whole tiles are looked for, and what else is there."""
    end = min(first + PAGE, last)
    found = await store.entries(database.read, first, end)
    starts = range(first, end, merkle.TILE_WIDTH)
    if len(found) == end - first:
        return [found[start - first : start - first + merkle.TILE_WIDTH] for start in starts]
    return [await store.entries(database.read, start, min(start + merkle.TILE_WIDTH, end)) for start in starts]


def _put_page(folder: Path, lines: _Lines, done: Done, *, first: int, page: list[list[bytes]]) -> int:
    """Write the bundles of a page, and its lines; these lines' bytes."""
    width = merkle.TILE_WIDTH
    here = []
    for number, entries in enumerate(page, start=first // width):
        expected = min(width, done.next - number * width)
        if len(entries) == expected:
            # One that is longer than an entry can be is not ours. The lines show it, and the verifier misses the bundle.
            with suppress(Malformed):
                files.put(folder / tiles.bundle_path(number, expected), tiles.bundle(entries))
        here += entries
    text = b"\n".join([*here, b""])
    _note(here, text, done)
    return lines.write(text)


def _note(lines: list[bytes], text: bytes, done: Done) -> None:
    """What the manifest will say of these entries. Nearly always they were all written under one policy: then it is counted, not read."""
    if not lines:
        return
    done.count += len(lines)
    policy = _policy(lines[-1])
    same = policy and text.count(b'%b%b"' % (_POLICY, policy)) == len(lines)
    done.policies |= {one.decode("utf-8", "replace") for one in ({policy} if same else set(map(_policy, lines)))}
    done.first_ts = done.first_ts or _ts(lines[0])
    done.last_ts = _ts(lines[-1])


def _policy(line: bytes) -> bytes:
    at = line.find(_POLICY) + len(_POLICY)
    return line[at : at + 64]


def _ts(raw: bytes) -> str:
    try:
        return str(orjson.loads(raw)["ts"])
    except (ValueError, KeyError, TypeError):
        return ""


async def _tiles(database: Database, size: int, folder: Path) -> None:
    """Every hash tile of the tree."""
    for level in range(levels(size)):
        count = size >> merkle.TILE_HEIGHT * level
        full, rest = divmod(count, merkle.TILE_WIDTH)
        for first in range(0, full, _TILES_AT_ONCE):
            found = await store.tiles(database.read, level, first, min(first + _TILES_AT_ONCE, full))
            await asyncio.to_thread(_put_tiles, folder, level, found)
        edge = await tile(database.read, level, full, rest) if rest else None
        if edge is not None:
            files.put(folder / tiles.tile_path(level, full, rest), edge)


def _put_tiles(folder: Path, level: int, found: dict[int, bytes]) -> None:
    for n, hashes in found.items():
        files.put(folder / tiles.tile_path(level, n), hashes)


async def _notes(database: Database, size: int, folder: Path) -> None:
    """Every checkpoint up to this one, and what was deposited outside."""
    after = -1
    while some := await checkpoints.some(database.read, after, size):
        for one in some:
            files.put(folder / "checkpoints" / str(one.size), one.note.encode())
        after = some[-1].size
    for at, kind, receipt in await store.anchors(database.read, size):
        files.put(folder / "anchors" / f"{at}.{kind}", receipt)


def _words(plan: Plan, folder: Path, vkeys: Sequence[str]) -> None:
    if vkeys:
        files.put(folder / "log.vkey", "".join(f"{key}\n" for key in vkeys).encode())
    files.put(folder / "README.txt", _README.format(origin=plan.origin, first=plan.first, last=plan.last - 1).encode())


def _finish(plan: Plan, folder: Path, done: Done, digest: str) -> None:
    """The manifest, last of all, from what stands on the disk. `digest` is that of the lines, which were hashed as they were written."""
    files.settle(folder)
    point = plan.checkpoint
    told = {"format": FORMAT, "origin": plan.origin, "size": point.size, "root": point.root.hex(), "from": plan.first}
    told |= {"to": plan.last, "asked": plan.asked, "entries": done.count, "first_ts": done.first_ts, "last_ts": done.last_ts}
    told |= {"policies": sorted(done.policies), "tiles": _tiles_digest(folder)}
    rows = [*files.listed(folder, but=frozenset({MANIFEST, MARK, ENTRIES, "tile"})), files.Written(ENTRIES, done.length, digest)]
    told["files"] = [{"path": one.path, "bytes": one.size, "sha256": one.digest} for one in sorted(rows)]
    put_whole(folder / MANIFEST, orjson.dumps(told, option=orjson.OPT_INDENT_2) + b"\n")
    (folder / MARK).unlink()


def _tiles_digest(folder: Path) -> dict[str, int | str]:
    """All files below `tile/` in one digest, and flat memory: that of the lines `SHA-256  path`, as sha256sum writes them."""
    digest, count = sha256(), 0
    for one in files.listed(folder, but=frozenset(), below="tile/"):
        digest.update(f"{one.digest}  {one.path}\n".encode())
        count += 1
    return {"count": count, "sha256": digest.hexdigest()}


_README = """审计日志导出 · Export of an audit log

日志 log    {origin}
条目 entries {first}–{last}

离线验证，无需联网，也无需本系统 · To verify it offline, without a network and without us:

    menshen-verify . --policy policy.txt

policy.txt 写明日志和见证者的公钥，须由其他途径取得（手册、合同、打印的二维码），不可采信本文件夹内的 log.vkey。
policy.txt names the keys of the log and of its witnesses. Take them from elsewhere (the handbook, a contract, a printed code), not from
log.vkey in this folder.

entries.jsonl        一行一条 · one entry a line
tile/                C2SP tlog-tiles：哈希与条目 · hashes and entries
checkpoint           已签名的检查点 · the signed checkpoint
checkpoints/         历次检查点 · every checkpoint so far
anchors/             存于外部的凭证 · what was deposited outside
manifest.json        范围与各文件的 SHA-256 · the range, and the SHA-256 of every file
"""
