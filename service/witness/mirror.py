"""A copy of the log, entry by entry, kept by whoever witnesses it (C2SP tlog-mirror): what a database loses is still there, byte for byte.

How this can hurt: a mirror that cosigns what it has not got makes a promise that nobody can keep. So entries are fetched for a checkpoint
that the witness has cosigned, hashed, and held against its root; they are on the disk, with hash tiles that are made of them and not
fetched, before the mirror signs under its own name. The checkpoint is written last: what lies beyond it is of a try that did not end.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from menshen_verifier import merkle
from menshen_verifier.checkpoint import Checkpoint, parse_checkpoint
from menshen_verifier.errors import Malformed
from menshen_verifier.note import parse_note
from menshen_verifier.tiles import bundle_path, parse_bundle, tile_path
from service import files
from service.archive.model import where
from service.background import rest
from service.checkpoints.outside import Outside, Silent
from service.config import private_bytes
from service.errors import ConfigError
from service.values import Clock
from service.witness.cosigner import Cosigner
from service.witness.model import Standing

MOST_BUNDLE = merkle.TILE_WIDTH * (2 + 0xFFFF)
TILES_DO_NOT_FIT = "TILES_DO_NOT_FIT"
DISK = "DISK"
_WIDTH = merkle.HASH_BYTES


@dataclass(slots=True)
class State:
    """How far the copy is, and what is wrong: a code, empty while the last look went well."""

    size: int = 0
    problem: str = ""


@dataclass(slots=True)
class Mirror:
    """One log's copy in `folder`. `newest` tells what the witness has cosigned last; `token` is a file with a bearer token for entries."""

    origin: str
    folder: Path
    tiles: str
    token: Path | None
    newest: Callable[[], Standing]
    cosigner: Cosigner
    outside: Outside
    clock: Clock
    state: State = field(default_factory=State)

    async def once(self) -> None:
        """Catch up with what was cosigned. It raises nothing: what went wrong is in `state`."""
        try:
            await self._caught_up()
            self.state.problem = ""
        except Silent as silent:
            self.state.problem = silent.code
        except Malformed:
            self.state.problem = TILES_DO_NOT_FIT
        except (OSError, ConfigError):
            self.state.problem = DISK

    async def run(self, stop: asyncio.Event, *, seconds: float = 5.0) -> None:
        """Catch up until `stop` is set; every few seconds: what it has not got when a database is lost is lost."""
        while not stop.is_set():
            await self.once()
            await rest(stop, seconds)

    async def _caught_up(self) -> None:
        standing = await asyncio.to_thread(self.newest)
        mine = await asyncio.to_thread(self._own)
        self.state.size = mine
        if standing.size <= mine:
            return
        frontier = await asyncio.to_thread(self._frontier, mine)
        size = mine
        for n in range(mine // merkle.TILE_WIDTH, -(-standing.size // merkle.TILE_WIDTH)):
            width = min(merkle.TILE_WIDTH, standing.size - n * merkle.TILE_WIDTH)
            leaves = await self._fetched(n, width, skip=size - n * merkle.TILE_WIDTH)
            growth = merkle.extend(size, frontier, leaves)
            await asyncio.to_thread(self._keep_hashes, size, growth.rows)
            frontier, size = growth.frontier, size + len(leaves)
        if merkle.root(frontier) != standing.root:
            raise Malformed("mirror: the entries are not those of the checkpoint")
        await asyncio.to_thread(self._sign, standing)
        self.state.size = standing.size

    async def _fetched(self, n: int, width: int, *, skip: int) -> list[bytes]:
        """Get one bundle, keep it, and hash what is new of it. Raises Silent or Malformed."""
        headers = {} if self.token is None else {"authorization": f"Bearer {_line(self.token)}"}
        path = bundle_path(n, width)
        said = await self.outside.ask("GET", f"{self.tiles}/{path}", headers=headers, most=MOST_BUNDLE)
        if said.status != 200:
            raise Silent(f"STATUS_{said.status}")
        entries = parse_bundle(said.body)
        if len(entries) != width:
            raise Malformed("mirror: a bundle of another width")
        await asyncio.to_thread(_write, self.folder / path, said.body)
        return merkle.leaf_hashes(entries[skip:])

    def _own(self) -> int:
        """The size of the copy: what its checkpoint says."""
        try:
            return parse_checkpoint(parse_note((self.folder / "checkpoint").read_bytes()).text).size
        except FileNotFoundError:
            return 0

    def _frontier(self, size: int) -> tuple[bytes, ...]:
        """From the hash tiles, the partial ones that the checkpoint covers among them. Raises Malformed where they are not there."""
        found = []
        for first, last in merkle.spans(size):
            level = ((last - first).bit_length() - 1) // merkle.TILE_HEIGHT
            shift = level * merkle.TILE_HEIGHT
            hashes = self._hashes(level, first >> shift, last >> shift, size=size)
            found.append(merkle.extend(0, (), hashes).frontier[0])
        return tuple(found)

    def _hashes(self, level: int, first: int, last: int, *, size: int) -> list[bytes]:
        """Hashes of one level; never over the edge of a tile. The tile as it was at `size`: a wider one may be of a try that failed."""
        n, at = divmod(first, merkle.TILE_WIDTH)
        width = min(merkle.TILE_WIDTH, (size >> level * merkle.TILE_HEIGHT) - n * merkle.TILE_WIDTH)
        raw = (self.folder / tile_path(level, n, width)).read_bytes()
        hashes = [raw[start : start + _WIDTH] for start in range(0, len(raw), _WIDTH)][at : at + last - first]
        if len(hashes) != last - first:
            raise Malformed("mirror: hashes are missing")
        return hashes

    def _keep_hashes(self, size: int, rows: Sequence[Sequence[bytes]]) -> None:
        """Write what became complete behind what is there, tile by tile."""
        for level, nodes in enumerate(rows):
            at, rest = size >> level * merkle.TILE_HEIGHT, list(nodes)
            while rest:
                n, start = divmod(at, merkle.TILE_WIDTH)
                taken, rest = rest[: merkle.TILE_WIDTH - start], rest[merkle.TILE_WIDTH - start :]
                before = b"".join(self._hashes(level, n * merkle.TILE_WIDTH, at, size=size)) if start else b""
                _write(self.folder / tile_path(level, n, start + len(taken)), before + b"".join(taken))
                at += len(taken)

    def _sign(self, standing: Standing) -> None:
        """The checkpoint, with the log's lines and the mirror's: the last thing that is written."""
        text = parse_note(standing.note.encode()).text
        checkpoint: Checkpoint = parse_checkpoint(text)
        lines = self.cosigner.lines(checkpoint, self.clock())
        _write(self.folder / "checkpoint", (standing.note + "".join(f"{line}\n" for line in lines)).encode())
        _sweep(self.folder, standing.size)


def _sweep(folder: Path, size: int) -> None:
    """Partial tiles and bundles that the newest checkpoint does not need."""
    kinds: list[tuple[int, Callable[[int], str]]] = [
        (0, bundle_path),
        *((level, partial(tile_path, level)) for level in range(8)),
    ]
    for level, path in kinds:
        n, width = divmod(size >> level * merkle.TILE_HEIGHT, merkle.TILE_WIDTH)
        for number in (n, n - 1)[: n + 1]:
            beside = (folder / path(number)).with_name((folder / path(number)).name + ".p")
            for one in beside.glob("*"):
                if number != n or one.name != str(width):
                    one.unlink()


def is_file(path: str) -> bool:
    """Whether a copy can have this. Each file has one address. A file system knows other spellings of it (tile//entries, tile/./entries),
    and one of them would lead past whoever guards the first.
    """
    level, gap, number = path.removeprefix("tile/").partition("/")
    return path == "checkpoint" or (path.startswith("tile/") and bool(gap) and where(level, number) is not None)


def served(mirrors: Mapping[str, Mirror], name: str, path: str) -> bytes | None:
    """A file of one copy, by the hash of its origin; None for what is no file of it."""
    mirror = mirrors.get(name)
    if mirror is None or not is_file(path):
        return None
    try:
        return (mirror.folder / path).read_bytes()
    except OSError:
        return None


def _line(path: Path) -> str:
    """The token, read anew: it is changed as often as its issuer likes."""
    return private_bytes(path, "the witness's settings: token").decode("ascii", "replace").strip()


def _write(path: Path, content: bytes) -> None:
    files.make_folder(path.parent)
    files.put_whole(path, content)
