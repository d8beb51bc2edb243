"""Full replay: read every stored byte, rebuild the tree, and say whether this is the log that was written, and where it is not.

What must be true, in numbered steps that the code repeats:

 (1) The head's row is there, its MAC is ours, and its frontier folds to its root.
 (2) The log is not smaller than the remembered head, nor another one of the same size.
 (3) Entries stand at every index from 0 to the head's size, and at none beyond.
 (4) The leaf hash beside each entry is that of its bytes.
 (5) Every full tile is stored as the entries make it, and no other tile is.
 (6) The tree of all entries is the head's. Its subtrees' hashes in the head narrow down what is wrong, tiles pin it to the hash.
 (7) At the remembered size, the tree had the remembered root: the log has grown from there.
 (8) The columns for search say what the entries say.
 (9) So do the subjects' rows, and the words of every block that is indexed.
(10) In every lane, numbers go up by one from a `boot` with 0 (of entry 0, a `genesis`): no entry was lost between the service and the tree.
(11) What waits in `audit_pending` was put there by us, and its numbers go on where its lane stands in the tree.
(12) Entries that are not here were pruned, and the log says so in a `prune` entry. For them the leaf hashes of the tiles that stayed are
     read, which must come to the same head; their bytes, columns and lanes are verified in the archive.

It trusts the MAC's key and, as far as it is there, the remembered head. What it cannot find out without witnesses: an older state that
was put back together with an older remembered head.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from menshen_verifier import merkle
from service.audit import pending
from service.audit.findings import Finding, Part, Report, Verdict
from service.audit.head import Authority, Head, Seen, check_seen
from service.audit.index import store as index
from service.audit.index.store import Indexed
from service.audit.index.terms import BLOCK
from service.audit.reading import store
from service.audit.reading.store import Named, Page, Pair, Tiles
from service.audit.replay import Break, Place, Replay
from service.audit.store import Waiting
from service.audit.store import head as read_head
from service.audit.tree import Tile, Tree
from service.db.engine import Database, Session
from service.errors import LogBroken, Malformed
from service.values import Progress, unwatched


@dataclass(frozen=True, slots=True)
class _State:
    """What one snapshot shows of the log apart from its entries."""

    head: Head | None
    end: int
    entry_outside: int | None
    subject_outside: int | None
    block_outside: int | None
    indexed: int
    tiles: dict[int, int]
    waiting: list[Waiting]
    pruned: frozenset[int]


async def verify(database: Database, authority: Authority, remembered: Seen | None, *, progress: Progress = unwatched) -> Report:
    """Replay the log as it stands now; what is appended meanwhile is left for the next time. Raises StoreUnavailable."""
    state = await _state(database, authority)
    head = state.head or authority.head(Tree())
    findings = _head_findings(state, authority, remembered)
    replay = Replay(head, remembered)
    if state.head is not None:
        await _read_all(replay, database, state, progress)
        findings += _pruned_findings(replay)
        findings += _entry_findings(replay, head, state) or _side_findings(replay, head, state, remembered)
        findings += _waiting_findings(replay, state, authority)
    return Report(
        verdict=findings[0].verdict if findings else Verdict.OK,
        findings=tuple(findings),
        size=head.size,
        root=head.root.hex(),
        entries=replay.tree.size,
        remembered=remembered.size if remembered else None,
        waiting=len(state.waiting),
        pruned=replay.skipped,
    )


async def _state(database: Database, authority: Authority) -> _State:
    async with database.snapshot() as session:
        head = await read_head(session, authority.origin)
        size = head.size if head else 0
        outside = await store.outside(session, size)
        words = await index.outside(session, size // BLOCK), min(await index.indexed(session), size // BLOCK)
        end, tiles, waiting = await store.end(session, size), await store.tile_counts(session), await store.waiting(session)
        return _State(head, end, *outside, *words, tiles, waiting, await store.pruned(session))


def _head_findings(state: _State, authority: Authority, remembered: Seen | None) -> list[Finding]:
    """Steps 1 and 2. Only a head that is ours can be an older one."""
    head = state.head
    if head is None:
        lost = state.entry_outside is not None or remembered is not None
        return [Finding(Verdict.REMOVED, Part.HEAD, 0, 0)] if lost else []
    try:
        authority.check(head)
    except LogBroken:
        return [Finding(Verdict.ALTERED, Part.HEAD, 0, max(head.size - 1, 0))]
    try:
        check_seen(head, remembered)
    except LogBroken:
        assert remembered is not None
        return [Finding(Verdict.ROLLED_BACK, Part.HEAD, min(head.size, remembered.size - 1), remembered.size - 1)]
    return []


async def _read_all(replay: Replay, database: Database, state: _State, progress: Progress) -> None:
    """Steps 3 to 10 as far as they need the rows: entries in their order, subjects beside them, tiles as they become full."""
    end = state.end
    async with aclosing(store.subjects(database, end)) as named, aclosing(_pages(database, end, state.indexed)) as pages:
        subjects = _Subjects(named)
        async for number, (page, tiles, words) in pages:
            first = number * store.PAGE
            made, pairs = _taken_in(replay, page, tiles, first=first, pruned=first // store.SEGMENT in state.pruned)
            if words is not None and page.indices:
                replay.compare_words(number, words)
            await _compare_tiles(replay, database, made, tiles)
            pairs.sort()
            if not await subjects.are(number, pairs) and Part.SUBJECTS not in replay.places:
                replay.compare_subjects(pairs, await store.pairs(database.read, first, first + store.PAGE))
            progress(replay.tree.size, end)


def _taken_in(replay: Replay, page: Page, tiles: Tiles, *, first: int, pruned: bool) -> tuple[list[Tile], list[Pair]]:
    """A page as its entries make it; of one that was pruned, as the leaves say that stayed."""
    return (replay.skip(first, first + store.PAGE, tiles), []) if pruned and not page.indices else replay.read(page)


async def _compare_tiles(replay: Replay, database: Database, made: list[Tile], stored: Tiles) -> None:
    """Those of level 0 came with their page; the few above are asked for one by one."""
    replay.compare_tiles([tile for tile in made if tile.level == 0], stored)
    for tile in made:
        if tile.level > 0:
            replay.compare_tiles([tile], await store.tiles(database.read, tile.level, tile.n, tile.n + 1))


_Read = tuple[Page, Tiles, Indexed | None]


async def _pages(database: Database, end: int, indexed: int) -> AsyncGenerator[tuple[int, _Read]]:
    """Pages with their tiles. The database works on the next one while we work on this one."""
    async with database.snapshot() as session:
        count = -(-end // store.PAGE)
        following = asyncio.ensure_future(_page(session, 0, end, indexed))
        try:
            for number in range(count):
                page = await following
                if number + 1 < count:
                    following = asyncio.ensure_future(_page(session, number + 1, end, indexed))
                    # Two turns of the loop, which sends at the end of one: the request is on its way before the work begins.
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)
                yield number, page
        finally:
            following.cancel()
            await asyncio.wait({following})


async def _page(session: Session, number: int, end: int, indexed: int) -> _Read:
    first, last = number * store.PAGE, min((number + 1) * store.PAGE, end)
    page = await store.page(session, first, last)
    tiles = await store.tiles(session, 0, first // merkle.TILE_WIDTH, last // merkle.TILE_WIDTH)
    return page, tiles, await index.stored(session, number) if number < indexed else None


def _pruned_findings(replay: Replay) -> list[Finding]:
    """Step 12. A table says that they were pruned; only the log itself is believed."""
    if replay.skipped <= replay.pruned_to:
        return []
    return [Finding(Verdict.REMOVED, Part.ENTRY, replay.pruned_to, replay.skipped - 1)]


def _entry_findings(replay: Replay, head: Head, state: _State) -> list[Finding]:
    """Steps 3 to 6, when the entries are not those of the head: one finding, as near as the evidence goes."""
    if replay.sound == head.size and Part.ENTRY not in replay.places:
        return []
    size = replay.tree.size
    if size < head.size:
        verdict = Verdict.REMOVED
    else:
        verdict = Verdict.ALTERED if size == head.size and state.entry_outside is None else Verdict.INSERTED
    end = next((end for start, end in merkle.spans(head.size) if start == replay.sound), head.size)
    place = _nearest(replay, verdict, Place(replay.sound, end - 1))
    if size < head.size and size <= place.last:
        place = Place(size, head.size - 1)
    return [Finding(verdict, Part.ENTRY, max(place.first, replay.sound), place.last)]


def _nearest(replay: Replay, verdict: Verdict, otherwise: Place) -> Place:
    """The evidence that comes first, of what lies behind the sound part."""
    found = [replay.places[part] for part in (Part.ENTRY, Part.LEAF, Part.TILE) if part in replay.places]
    if replay.break_ is not None:
        found.append(_broken_at(replay.break_, removed=verdict is Verdict.REMOVED))
    behind = [place for place in found if place.last >= replay.sound or place.first < 0]
    return min(behind, key=lambda place: place.last, default=otherwise)


def _broken_at(where: Break, *, removed: bool) -> Place:
    """What was taken out stood somewhere since the lane's last entry; what was put in or changed shows itself."""
    return Place(where.before + 1 if removed else where.at, where.at)


def _side_findings(replay: Replay, head: Head, state: _State, remembered: Seen | None) -> list[Finding]:
    """Steps 3 to 10, when the entries are those of the head: what else is not as it should be."""
    findings = []
    if state.entry_outside is not None:
        findings.append(Finding(Verdict.INSERTED, Part.ENTRY, state.entry_outside, state.entry_outside))
    if replay.remembered_root is not None and remembered is not None and replay.remembered_root != remembered.root:
        findings.append(Finding(Verdict.ROLLED_BACK, Part.HEAD, 0, remembered.size - 1))
    if replay.break_ is not None:
        findings.append(Finding(Verdict.REMOVED, Part.NUMBERS, *_broken_at(replay.break_, removed=True)))
    tiles = {level: count - (head.size >> merkle.TILE_HEIGHT * (level + 1)) for level, count in state.tiles.items()}
    for part in (Part.LEAF, Part.TILE, Part.COLUMNS, Part.SUBJECTS, Part.TERMS):
        if part in replay.places:
            gone = part is Part.TILE and min(tiles.values(), default=-1) < 0
            findings.append(Finding(Verdict.REMOVED if gone else Verdict.ALTERED, part, *replay.places[part]))
    if state.subject_outside is not None:
        findings.append(Finding(Verdict.INSERTED, Part.SUBJECTS, state.subject_outside, state.subject_outside))
    if state.block_outside is not None:
        findings.append(Finding(Verdict.INSERTED, Part.TERMS, state.block_outside * BLOCK, (state.block_outside + 1) * BLOCK - 1))
    if max(tiles.values(), default=0) > 0:
        findings.append(Finding(Verdict.INSERTED, Part.TILE, head.size, head.size))
    return findings


def _waiting_findings(replay: Replay, state: _State, authority: Authority) -> list[Finding]:
    """Step 11. It stands behind the last entry, so that is the index."""
    expected = dict(replay.lanes)
    findings = []
    for row in state.waiting:
        try:
            pending.entry_in(row, authority)
        except Malformed:
            findings.append(Finding(Verdict.INSERTED, Part.WAITING, replay.tree.size, replay.tree.size))
            continue
        due = expected.get(row.writer, row.number if replay.skipped else 0)
        if row.number != due:
            verdict = Verdict.REMOVED if row.number > due else Verdict.INSERTED
            findings.append(Finding(verdict, Part.WAITING, replay.tree.size, replay.tree.size))
        expected[row.writer] = row.number + 1
    return findings


class _Subjects:
    """The subjects' rows in the order of the log, held to what the entries name page by page."""

    def __init__(self, pages: AsyncIterator[Named]) -> None:
        self._pages = pages
        self._next: Named | None = None
        self._ended = False

    async def are(self, number: int, pairs: list[Pair]) -> bool:
        """Whether those of page `number` are exactly these pairs, which are in order."""
        if self._next is None and not self._ended:
            self._next = await anext(self._pages, None)
            self._ended = self._next is None
        here = self._next if self._next is not None and self._next.number == number else None
        if here is not None:
            self._next = None
        return here == (store.named(pairs) if pairs else None)
