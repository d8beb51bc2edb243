"""What is left of a log that will be closed, in a folder that proves itself: written, and then verified as a stranger would
(docs/formats/audit-export.md, "A closed log").

log/           an export of every entry that is here; the newest checkpoint that covers some of them lies in it
last.note      the newest note that anybody has of the log, of more entries than there are
policy.txt     whom it was verified under
waiting.jsonl  entries of changes that had not come into the tree
closing.json   all of it in words and digests; the new log's entry 0 holds the digest of this file
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import orjson

from menshen_verifier import merkle, tiles
from menshen_verifier.errors import Forged
from menshen_verifier.errors import Malformed as NotOfItsFormat
from menshen_verifier.export import Export
from menshen_verifier.findings import Part, Report, Verdict
from menshen_verifier.policy import Policy, parse_policy
from menshen_verifier.verify import verify
from service.archive import files, store
from service.archive.exporting import MANIFEST, Plan, export, unfinished
from service.archive.model import GenesisRefused
from service.audit import pending
from service.audit.head import Authority, Head
from service.audit.loading import loaded
from service.audit.reading import store as reading
from service.audit.tree import Tree
from service.checkpoints.model import Noted
from service.db.engine import Database, Session
from service.errors import BadInput, Malformed
from service.values import Progress, utc_text

LOG, LAST, POLICY, WAITING, CLOSING = "log", "last.note", "policy.txt", "waiting.jsonl", "closing.json"
FORMAT = "menshen/audit-closing/v1"
_ASKED = "genesis"
_RECORD = frozenset({Part.ENTRY, Part.FORM, Part.NUMBERS, Part.TILE, Part.LINES, Part.MANIFEST})
"""Parts of which one that is wrong says that what is kept is not what was written. A forged note beside them is told, and keeps nobody."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What lies in the folder: the verdict on it, how many entries a checkpoint covers, and the digests that name it."""

    verdict: Verdict
    first: int
    signed: int
    manifest: bytes
    waiting: int
    waiting_digest: bytes
    segments: list[dict[str, int | str | bool]]


@dataclass(frozen=True, slots=True)
class Believed:
    """The newest checkpoint that covers something of what is left, the newest note of all, whom to believe, and when it is (seconds)."""

    point: Noted
    note: bytes
    policy: bytes
    now: int


async def keep(
    database: Database, authority: Authority, head: Head, folder: Path, *, believed: Believed, progress: Progress
) -> Kept:
    """Write everything but the closing, and verify it. A run that was killed is taken up. Raises BadInput, GenesisRefused."""
    with files.told():
        files.own_folder(folder)
        _ours(folder)
        files.own_folder(folder / LOG)
        await _exported(database, authority.origin, head, folder / LOG, point=believed.point, progress=progress)
    found = await _verified(folder / LOG, parse_policy(believed.policy), now=believed.now)
    if not await _is_the_database(database, head, folder / LOG, first=found.first):
        raise GenesisRefused("GENESIS_NOT_WHOLE", "the folder is of another state")
    # Only now: in the folder of a log that was closed before, these are all that is left of it.
    lines = await waiting(database.read, authority)
    with files.told():
        files.put(folder / LAST, believed.note)
        files.put(folder / POLICY, believed.policy)
        files.put(folder / WAITING, b"".join(lines))
        files.settle(folder)
    manifest = sha256((folder / LOG / MANIFEST).read_bytes()).digest()
    digest = sha256(b"".join(lines)).digest()
    return Kept(found.verdict, found.first, found.size, manifest, len(lines), digest, await _segments(database))


def close(folder: Path, told: dict[str, object]) -> bytes:
    """Write the closing, and return its digest when everything is on the disk."""
    raw = orjson.dumps({"format": FORMAT, **told}, option=orjson.OPT_INDENT_2) + b"\n"
    with files.told():
        files.put(folder / CLOSING, raw)
        files.settle(folder)
    return sha256(raw).digest()


def _ours(folder: Path) -> None:
    """Empty, or begun by a run before this one. Raises BadInput: of a folder that holds other things some would be written over."""
    if not (folder / LOG).is_dir() and any(folder.iterdir()):
        raise BadInput("-o: the folder is not empty, and what it holds is no log that was kept")


async def _exported(database: Database, origin: str, head: Head, folder: Path, *, point: Noted, progress: Progress) -> None:
    """Of all that is here, up to the head: the last entries may lie behind the checkpoint, and are then told as an unsigned tail."""
    if (folder / MANIFEST).is_file():
        return
    first = await store.first_here(database.read)
    # The size is the tree's, the note the checkpoint's: the manifest says so, and the verifier asks for both.
    plan = unfinished(folder, _ASKED) or Plan(origin, Noted(head.size, head.root, point.note), first, head.size, _ASKED)
    if (plan.checkpoint.size, plan.checkpoint.root) != (head.size, head.root):
        raise BadInput("-o: the folder holds what was kept of another state")
    await export(database, plan, folder, progress=progress)


async def _verified(folder: Path, policy: Policy, *, now: int) -> Report:
    """As `menshen-verify` does. Raises GenesisRefused where what is kept is not what was written."""
    try:
        found = await asyncio.to_thread(verify, folder, policy, now=now)
    except (OSError, Forged, NotOfItsFormat) as problem:
        raise GenesisRefused("GENESIS_NOT_WHOLE", type(problem).__name__) from None
    wrong = [one for one in found.findings if one.verdict is Verdict.FORKED or one.part in _RECORD]
    if wrong:
        raise GenesisRefused("GENESIS_NOT_WHOLE", f"{wrong[0].verdict} {wrong[0].first}-{wrong[0].last}")
    return found


async def _is_the_database(database: Database, head: Head, folder: Path, *, first: int) -> bool:
    """Whether the folder's entries, on top of the hashes of what was pruned, come to the very head that is about to go."""
    tree = await loaded(database.read, first)
    return tree is not None and await asyncio.to_thread(_comes_to, Export(folder), tree, head)


def _comes_to(export: Export, tree: Tree, head: Head) -> bool:
    width = merkle.TILE_WIDTH
    for n in range(tree.size // width, -(-head.size // width)):
        try:
            raws = tiles.parse_bundle(export.bundle(n, min(width, head.size - n * width)) or b"")
        except NotOfItsFormat:
            return False
        tree, _ = tree.grown(merkle.leaf_hashes(raws))
    return (tree.size, tree.root) == (head.size, head.root)


async def waiting(session: Session, authority: Authority) -> list[bytes]:
    """Changes that are in the other tables, and whose entries had not come into the tree. A row that is not ours stays out of this, too."""
    found = []
    for row in await reading.waiting(session):
        with suppress(Malformed):
            found.append(pending.entry_in(row, authority).raw + b"\n")
    return found


async def _segments(database: Database) -> list[dict[str, int | str | bool]]:
    """Where older entries lie: their folders stay as they are, and the table that names them goes."""
    return [
        {
            "n": one.n,
            "root": one.root.hex(),
            "where": one.uri,
            "manifest": one.digest.hex(),
            "archived": utc_text(one.archived_at),
            "pruned": one.pruned_at is not None,
        }
        for one in await store.segments(database.read)
    ]
