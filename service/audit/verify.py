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
 (9) So do the subjects' rows.
(10) In every lane, numbers go up by one from a `boot` with 0: no entry was lost between the service and the tree.
(11) What waits in `audit_pending` was put there by us, and its numbers go on where its lane stands in the tree.

It trusts the MAC's key and, as far as it is there, the remembered head. What it cannot find out without witnesses: an older state that
was put back together with an older remembered head.
"""

from bisect import bisect_right
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from itertools import groupby

from service.audit import pending, store
from service.audit.findings import Finding, Part, Report, Verdict
from service.audit.head import Authority, Head, Seen, check_seen
from service.audit.replay import Break, Pair, Place, Replay
from service.audit.store import Waiting
from service.audit.tree import Tile, Tree
from service.db.engine import Database
from service.errors import LogBroken, Malformed
from service.hazmat import merkle

Progress = Callable[[int, int], None]
"""Entries done, and how many there are."""

_PAGE = 4000


@dataclass(frozen=True, slots=True)
class _State:
    """What one snapshot shows of the log apart from its entries."""

    head: Head | None
    entry_beyond: int | None
    subject_beyond: int | None
    tiles: dict[int, int]
    waiting: list[Waiting]


async def verify(
    database: Database, authority: Authority, remembered: Seen | None, *, progress: Progress = lambda _done, _all: None
) -> Report:
    """Replay the log as it stands now; what is appended meanwhile is left for the next time. Raises StoreUnavailable."""
    state = await _state(database, authority)
    head = state.head or authority.head(Tree())
    findings = _head_findings(state, authority, remembered)
    replay = Replay(head, remembered)
    await _read_all(replay, database, head.size, progress)
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
    )


async def _state(database: Database, authority: Authority) -> _State:
    async with database.snapshot() as session:
        head = await store.head(session, authority.origin)
        beyond = await store.beyond(session, head.size if head else 0)
        return _State(head, *beyond, await store.tile_counts(session), await store.all_waiting(session))


def _head_findings(state: _State, authority: Authority, remembered: Seen | None) -> list[Finding]:
    """Steps 1 and 2. Only a head that is ours can be an older one."""
    head = state.head
    if head is None:
        lost = state.entry_beyond is not None or remembered is not None
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


async def _read_all(replay: Replay, database: Database, size: int, progress: Progress) -> None:
    """Steps 3 to 10 as far as they need the rows: entries in their order, subjects beside them, tiles as they become full."""
    of_size = {"size": size}
    subjects = _Subjects(database.stream(store.SUBJECTS, of_size, size=_PAGE))
    async for rows in database.stream(store.REPLAY, of_size, size=_PAGE):
        made, named = replay.read(rows)
        await _compare_tiles(replay, database, made)
        replay.compare_subjects(named, await subjects.until(rows[-1][0]))
        progress(replay.tree.size, size)
    replay.compare_subjects([], await subjects.until(size))


async def _compare_tiles(replay: Replay, database: Database, made: list[Tile]) -> None:
    for level, tiles in groupby(sorted(made), key=lambda tile: tile.level):
        of_level = list(tiles)
        replay.compare_tiles(of_level, await store.tiles(database.read, level, of_level[0].n, of_level[-1].n))


def _entry_findings(replay: Replay, head: Head, state: _State) -> list[Finding]:
    """Steps 3 to 6, when the entries are not those of the head: one finding, as near as the evidence goes."""
    if replay.sound == head.size and Part.ENTRY not in replay.places:
        return []
    size = replay.tree.size
    if size < head.size:
        verdict = Verdict.REMOVED
    else:
        verdict = Verdict.ALTERED if size == head.size and state.entry_beyond is None else Verdict.INSERTED
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
    if state.entry_beyond is not None:
        findings.append(Finding(Verdict.INSERTED, Part.ENTRY, state.entry_beyond, state.entry_beyond))
    if replay.remembered_root is not None and remembered is not None and replay.remembered_root != remembered.root:
        findings.append(Finding(Verdict.ROLLED_BACK, Part.HEAD, 0, remembered.size - 1))
    if replay.break_ is not None:
        findings.append(Finding(Verdict.REMOVED, Part.NUMBERS, *_broken_at(replay.break_, removed=True)))
    tiles = {level: count - (head.size >> merkle.TILE_HEIGHT * (level + 1)) for level, count in state.tiles.items()}
    for part in (Part.LEAF, Part.TILE, Part.COLUMNS, Part.SUBJECTS):
        if part in replay.places:
            gone = part is Part.TILE and min(tiles.values(), default=-1) < 0
            findings.append(Finding(Verdict.REMOVED if gone else Verdict.ALTERED, part, *replay.places[part]))
    if state.subject_beyond is not None:
        findings.append(Finding(Verdict.INSERTED, Part.SUBJECTS, state.subject_beyond, state.subject_beyond))
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
        due = expected.get(row.writer, 0)
        if row.number != due:
            verdict = Verdict.REMOVED if row.number > due else Verdict.INSERTED
            findings.append(Finding(verdict, Part.WAITING, replay.tree.size, replay.tree.size))
        expected[row.writer] = row.number + 1
    return findings


class _Subjects:
    """The subjects' rows in the order of the log, handed out up to an index."""

    def __init__(self, pages: AsyncIterator[list[Pair]]) -> None:
        self._pages = pages
        self._held: list[Pair] = []

    async def until(self, index: int) -> list[Pair]:
        """All that are left up to and with `index`."""
        while not self._held or self._held[-1][0] <= index:
            page = await anext(self._pages, None)
            if page is None:
                break
            self._held += page
        cut = bisect_right(self._held, index, key=lambda pair: pair[0])
        taken, self._held = self._held[:cut], self._held[cut:]
        return taken
