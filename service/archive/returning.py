"""A lost tail comes back: after a fail-over or the restore of an older dump, entries that were acknowledged are missing in the database,
and somebody remembers them (this machine, the signer, a witness), so nothing starts.

What must be true, in numbered steps that the code repeats:

(1) No instance runs.
(2) The copy's checkpoint is the log's own (`copies.py`).
(3) The database's head is ours, its right edge folds to it, and the entries at the edge hash to their leaves.
(4) The database's log is the beginning of the copy's: what is there, grown by the copy's entries, comes to the signed root.
(5) What this machine and the witnesses remember is what comes of it. Where somebody remembers more than the copy has, it is brought back as
    far as it goes, and nothing else is written: an entry of today in the place of one that was signed would be a fork.
(6) In one transaction the entries go to their places, byte for byte, and behind them one that says so.

The entries come back; what they tell of does not: the members' tables are as old as the dump. So every change among them is written into a
report, for a person to do again: ids, pseudonyms and codes, and no value.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from menshen_verifier import merkle
from service.archive import files
from service.archive.copies import Copy, Pages
from service.archive.model import TailRefused
from service.archive.store import partitions_ahead
from service.audit import store as log
from service.audit.absent import gone
from service.audit.entry import Draft, Entry, opened
from service.audit.head import Authority, Head, Seen
from service.audit.inclusion import span_root
from service.audit.lanes import SYSTEM, Scribe
from service.audit.loading import loaded
from service.audit.reading import store as reading
from service.audit.regrowing import regrow
from service.audit.remembered import RememberedHead
from service.audit.tree import Tree
from service.checkpoints import store as checkpoints
from service.checkpoints.model import Cosigners
from service.db.engine import Database
from service.errors import InstanceRunning, LogBroken, Malformed
from service.values import Call, Clock, Progress

OPERATION = "restoreTail"
CHANGING = frozenset({"change", "consent", "erase", "policy", "key", "admin", "result", "prune"})
"""Types of entries that stand for a change in other tables, where they say that it was allowed."""

_TOLD = ("id", "ts", "typ", "op", "act", "sub", "con", "pur", "fld", "ref")


@dataclass(frozen=True, slots=True)
class House:
    """Whose log it is, and who remembers it: `remembered` this machine, `signed` the size that the signer signed last."""

    database: Database
    authority: Authority
    remembered: RememberedHead
    cosigners: Cosigners | None
    signed: int


class Standing(NamedTuple):
    """The log as the database has it."""

    head: Head
    tree: Tree


@dataclass(slots=True)
class Lost:
    """What is missing in the database and is in the copy: entries `first` to `end` (not included). Somebody remembers `known` entries.

    `counts` are entries by type, `changes` those that changed something, by type and operation. `report` is the digest of what was told of
    them.
    """

    first: int
    end: int
    known: int
    counts: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    report: bytes = b""

    @property
    def still(self) -> int:
        """How many entries will still be missing."""
        return max(self.known - self.end, 0)


Tell = Callable[[bytes], object]
"""Takes a line of the report."""


@asynccontextmanager
async def alone(house: House, *, elect: bool) -> AsyncIterator[None]:
    """Step 1: by the lock of this machine and, with `elect`, by that which the instance that publishes holds. Raises InstanceRunning."""
    own = house.database.own()
    with house.remembered.alone():
        try:
            async with own.single() as session:
                if elect and not await checkpoints.elected(session, house.authority.origin):
                    raise InstanceRunning
                yield
        finally:
            await own.close()


async def standing(house: House) -> Standing:
    """Step 3. Raises LogBroken."""
    session = house.database.read
    head = await log.head(session, house.authority.origin)
    if head is None:
        raise await gone(session, house.authority.origin)
    house.authority.check(head)
    tree = await loaded(session, head.size)
    if tree is None or tree.frontier != head.hashes:
        raise LogBroken(f"what is stored does not come to the head of {head.size} entries: `menshen audit verify`")
    if (await reading.outside(session, head.size)) != (None, None):
        raise LogBroken(f"rows stand behind the head's {head.size} entries: `menshen audit verify`")
    edge = head.size - head.size % merkle.TILE_WIDTH
    page = await reading.page(session, edge, head.size)
    if b"".join(merkle.leaf_hashes(page.raws)) != b"".join(await log.leaves(session, edge, head.size)):
        raise LogBroken(f"entries from {edge} on were altered: `menshen audit verify`")
    return Standing(head, tree)


async def examine(house: House, copy: Copy, at: Standing, tell: Tell, *, progress: Progress) -> Lost:
    """Steps 4 and 5, and what the missing entries tell; nothing is written. Raises TailRefused, LogBroken, RecordUnavailable."""
    await _fits(house, copy, at.head)
    lost, digest = Lost(at.head.size, copy.size, copy.size), sha256()
    tree = at.tree
    for page in copy.pages(at.head.size, copy.size):
        for index, raw in enumerate(page, start=tree.size):
            if line := _counted(lost, _entry(raw, index), index):
                digest.update(line)
                tell(line)
        tree, _ = tree.grown(merkle.leaf_hashes(page))
        progress(tree.size - lost.first, lost.end - lost.first)
    if (tree.size, tree.root) != (copy.size, copy.root):
        raise TailRefused("TAIL_FORKED" if copy.checked else "TAIL_DOES_NOT_FIT")
    lost.known, lost.report = await _known(house, copy, at), digest.digest()
    return lost


async def bring_back(
    house: House, copy: Copy, at: Standing, lost: Lost, *, scribe: Scribe, call: Call, clock: Clock, progress: Progress
) -> Head:
    """Step 6. Raises as `regrow` does."""
    said = [] if lost.still else _said(copy, lost, scribe, call, clock)
    head = await regrow(
        house.database,
        house.authority,
        ([opened(raw) for raw in page] for page in copy.pages(lost.first, lost.end)),
        before=at.head,
        tree=at.tree,
        size=copy.size,
        root=copy.root,
        said=said,
        ahead=partitions_ahead,
        progress=progress,
    )
    if said:
        house.remembered.write(house.authority, Seen(head.size, head.root))
    return head


async def _fits(house: House, copy: Copy, head: Head) -> None:
    """Whether the copy is one that goes on from where the database ends, as far as roots can tell."""
    if copy.size <= head.size:
        there = await span_root(house.database.read, 0, copy.size)
        raise TailRefused("TAIL_SHORTER" if there == copy.root else "TAIL_FORKED")
    if copy.first > head.size:
        raise TailRefused("TAIL_GAP", f"{head.size}-{copy.first - 1}")
    signed = copy.root_at(head.size)
    if signed is not None and signed != head.root:
        raise TailRefused("TAIL_FORKED", f"size {head.size}")


async def _known(house: House, copy: Copy, at: Standing) -> int:
    """Step 5: how many entries anybody remembers. Raises TailRefused where it was another past."""

    async def root_at(size: int) -> bytes | None:
        if size <= at.head.size:
            return await span_root(house.database.read, 0, size)
        return copy.root if size == copy.size else _grown(at.tree, copy.pages(at.head.size, size)).root

    seen = house.remembered.read(house.authority)
    if seen is not None and seen.size <= copy.size and await root_at(seen.size) != seen.root:
        raise TailRefused("TAIL_FORKED", f"size {seen.size}")
    witnessed = await house.cosigners.seen() if house.cosigners is not None else 0
    if house.cosigners is not None:
        await house.cosigners.agree(copy.size, root_at)
    return max(copy.size, house.signed, witnessed, seen.size if seen else 0)


def _entry(raw: bytes, index: int) -> Entry:
    """Bytes that are no entry were never in our log."""
    try:
        return opened(raw)
    except Malformed:
        raise TailRefused("TAIL_DOES_NOT_FIT", f"entry {index}") from None


def _grown(tree: Tree, pages: Pages) -> Tree:
    for page in pages:
        tree, _ = tree.grown(merkle.leaf_hashes(page))
    return tree


def _counted(lost: Lost, entry: Entry, index: int) -> bytes:
    """The report's line of an entry that stands for a change; nothing of any other."""
    lost.counts[entry.typ] += 1
    if entry.typ not in CHANGING or entry.dec != "allow":
        return b""
    said: dict[str, Any] = orjson.loads(entry.raw)
    lost.changes[f"{entry.typ}/{said.get('op', '')}"] += 1
    told = {"index": index, **{key: said[key] for key in _TOLD if key in said}}
    told["act"] = {key: said["act"][key] for key in ("k", "id") if key in said["act"]}
    return orjson.dumps(told) + b"\n"


def _said(copy: Copy, lost: Lost, scribe: Scribe, call: Call, clock: Clock) -> Sequence[Entry]:
    """The entry that says what was brought back, in a lane of its own."""
    draft = Draft(typ="admin", operation=OPERATION, count=lost.end - lost.first)
    draft.extra = {
        "first": lost.first,
        "last": lost.end - 1,
        "checkpoint": copy.checkpoint.size,
        "root": copy.checkpoint.root.hex(),
        "types": [f"{typ}={count}" for typ, count in sorted(lost.counts.items())],
        "changes": sum(lost.changes.values()),
        "report": lost.report.hex(),
    }
    lane, now = scribe.lane("read"), clock()
    told = (scribe.write(lane, 1, draft, call, now=now), scribe.write(lane, 2, Draft(typ="stop"), SYSTEM, now=now))
    return [*scribe.opening(lane, now), *told]


@asynccontextmanager
async def reported(path: Path | None) -> AsyncIterator[Tell]:
    """A report that is at `path` when this ends well, of its owner alone; without a path nobody is told. Raises BadInput."""
    if path is None:
        yield lambda _line: None
        return
    part = path.with_name(f"{path.name}.part")
    with files.told(), files.opened(part) as file:
        yield file.write
        file.flush()
    with files.told():
        files.settle(path.parent)
        part.replace(path)
