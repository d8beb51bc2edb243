"""Putting stretches together: one tree, all checkpoints compared on the way, every writer's count, and what time it was.

`Replay` is fed with stretches in their order and keeps of each only what the next one needs.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from menshen_verifier import merkle
from menshen_verifier.export import Export
from menshen_verifier.findings import Finding, Part, Verdict
from menshen_verifier.known import Known
from menshen_verifier.lanes import Lanes
from menshen_verifier.stretch import WIDTH, Clock, Mark, Stretch

_MOST_FINDINGS = 1000
_YEAR_9999 = 253402300799


@dataclass(slots=True)
class Compared:
    """The roots of known checkpoints against the tree's. `fitting` and `failing` are sizes; of the latter the smallest comes first."""

    count: int = 0
    unchecked: int = 0
    fitting: int = -1
    failing: list[int] = field(default_factory=list)
    before: int = 0
    """The largest size that fitted before the first that failed."""
    agreed: int = 0
    """The same, of those that the auditor brought."""
    foreign: bool = False
    """Whether the first that failed is one of the auditor's."""
    cosigned: int | None = None
    newest_time: int | None = None
    lost: int | None = None
    first: int = 0
    begun: int | None = None
    """The earliest second by which the quorum had seen whatever lies before `first`."""

    def fits(self, size: int, *, witnessed: bool, ours: bool, seen: int | None, times: Sequence[int]) -> None:
        """The tree of this size has the signed root. Only then it counts when the quorum saw it."""
        self.count += 1
        self.fitting = max(self.fitting, size)
        if not self.failing:
            self.before = max(self.before, size)
            self.agreed = max(self.agreed, size) if ours else self.agreed
        if witnessed:
            self.cosigned = max(self.cosigned or 0, size)
        if witnessed and times and size >= self.first:
            self.begun = min(max(times), self.begun or max(times))
        if seen is not None:
            self.newest_time = max(self.newest_time or 0, seen)

    def cannot(self, size: int, *, ours: bool) -> None:
        """Of the tree of this size too little is left. Of one that the auditor brought that has to be told: it proves nothing now."""
        self.unchecked += 1
        if ours:
            self.lost = min(size, self.lost or size)

    def fails(self, size: int, *, ours: bool) -> None:
        """It has another one."""
        self.foreign = ours if not self.failing else self.foreign
        if len(self.failing) < _MOST_FINDINGS:
            self.failing.append(size)


class Replay:
    """The log from its first entry on. `known` are the checkpoints apart from those under `checkpoints/`, which stretches open."""

    def __init__(self, export: Export, known: Iterable[Known], *, first: int, tolerance: int) -> None:
        self.size = 0
        self.frontier: tuple[bytes, ...] | None = ()
        self.entries = 0
        self.nothing = 0
        self.lanes = Lanes(partial=first > 0)
        self.compared = Compared(first=first)
        self.findings: list[Finding] = []
        self.differing: list[Finding] = []
        self.first_ts, self.last_ts = b"", b""
        self._known = sorted(known, key=lambda one: one.checkpoint.size)
        self._clocks = _Clocks(self._say, tolerance)
        self._tiles = _Tiles(export, self._say)

    @property
    def root(self) -> bytes | None:
        """Of everything so far."""
        return None if self.frontier is None else merkle.root(self.frontier)

    def goes_on(self, stretch: Stretch) -> None:
        """The next stretch."""
        before = self.frontier
        self._push(stretch)
        for mark in stretch.marks:
            self._compare(mark, self._at(mark, before))
        self._clocks.check(stretch.clocks, self._timed(stretch.marks))
        self.lanes.joined(stretch.lanes)
        self._tiles.push(1, stretch.roots)
        self.entries += stretch.entries
        self.nothing = self.nothing + 1 if stretch.empty else 0
        self.findings += stretch.findings[: _MOST_FINDINGS - len(self.findings)]
        self.differing += stretch.differing[: _MOST_FINDINGS - len(self.differing)]
        if stretch.clocks:
            self.first_ts = self.first_ts or stretch.clocks[0].earliest
            self.last_ts = stretch.clocks[-1].latest

    def ends(self) -> None:
        """There is no further stretch: the partial tiles of the upper levels are due."""
        self._tiles.flush()

    def gives_up(self, size: int) -> None:
        """Of all that is left, up to `size`, nothing is expected to be there."""
        self.frontier = None
        self.findings.append(Finding(Verdict.REMOVED, Part.TILE, self.size, max(self.size, size - 1)))

    def _push(self, stretch: Stretch) -> None:
        inner, width = stretch.frontier, min(WIDTH, stretch.task.size - self.size)
        if inner is None or self.frontier is None:
            self.frontier = None
        elif width == WIDTH:
            self.frontier = merkle.extend(self.size // WIDTH, self.frontier, inner).frontier
        else:
            self.frontier = (*self.frontier, *inner)
        self.size += width

    def _at(self, mark: Mark, before: tuple[bytes, ...] | None) -> bytes | None:
        """The tree's root at a mark. The stretch's own frontier goes behind that of all before it; at its end it is the whole's."""
        if mark.size == self.size:
            return self.root
        if mark.frontier is None or before is None:
            return None
        return merkle.root((*before, *mark.frontier))

    def _compare(self, mark: Mark, root: bytes | None) -> None:
        """Step 5, for the export's checkpoint of that size and for all others that are known."""
        here = [one for one in self._known if one.checkpoint.size == mark.size]
        # What the auditor brought may be from before its last cosignatures: how fresh the log is, the export has to show.
        signed = [(one.checkpoint.root, one.witnessed, one.ours, None if one.ours else one.seen, one.times) for one in here]
        if mark.root is not None:
            signed.append((mark.root, mark.witnessed, False, mark.seen, mark.times))
        # Where two heads of this size part, it is behind a smaller one: this one must not count as fitting before it fails.
        for one, witnessed, ours, seen, times in sorted(signed, key=lambda head: head[0] == root):
            if root is None:
                self.compared.cannot(mark.size, ours=ours)
            elif one == root:
                self.compared.fits(mark.size, witnessed=witnessed, ours=ours, seen=seen, times=times)
            else:
                self.compared.fails(mark.size, ours=ours)
        if mark.forged:
            self._say(Finding(Verdict.ALTERED, Part.CHECKPOINT, mark.size, mark.size))

    def _timed(self, marks: list[Mark]) -> list[tuple[int, list[int]]]:
        """The sizes at which a witness of ours said what time it was."""
        found = []
        for mark in marks:
            times = [*mark.times, *(time for one in self._known if one.checkpoint.size == mark.size for time in one.times)]
            if times:
                found.append((mark.size, sorted(times)))
        return found

    def _say(self, finding: Finding) -> None:
        if len(self.findings) < _MOST_FINDINGS:
            self.findings.append(finding)


class _Clocks:
    """Entries before a cosigned size were written before the witness's time, those behind it afterwards, give or take `tolerance`."""

    def __init__(self, say: Callable[[Finding], None], tolerance: int) -> None:
        self._say = say
        self._tolerance = tolerance
        self._floor = b""
        self._latest: Clock | None = None

    def check(self, clocks: list[Clock], timed: list[tuple[int, list[int]]]) -> None:
        """Both are in the order of the log, and no clock reaches over a size that is timed."""
        waiting = list(timed)
        for clock in clocks:
            while waiting and waiting[0][0] <= clock.first:
                self._passed(waiting.pop(0)[1])
            if clock.earliest < self._floor:
                self._say(Finding(Verdict.ALTERED, Part.CLOCK, clock.first, clock.last))
            if self._latest is None or clock.latest > self._latest.latest:
                self._latest = clock
        for _, times in waiting:
            self._passed(times)

    def _passed(self, times: list[int]) -> None:
        ceiling = _moment(times[0] + self._tolerance, b".999999Z")
        if self._latest is not None and self._latest.latest > ceiling:
            self._say(Finding(Verdict.ALTERED, Part.CLOCK, self._latest.first, self._latest.last))
        self._floor = max(self._floor, _moment(times[-1] - self._tolerance, b".000000Z"))
        self._latest = None


def _moment(seconds: int, fraction: bytes) -> bytes:
    """As entries write it, so that the two can be compared as they stand."""
    inside = min(max(seconds, 0), _YEAR_9999)
    return datetime.fromtimestamp(inside, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode() + fraction


class _Tiles:
    """The levels above the leaves: each tile holds the roots of 256 full ones below it."""

    def __init__(self, export: Export, say: Callable[[Finding], None]) -> None:
        self._export = export
        self._say = say
        self._rows: dict[int, list[bytes]] = {}
        self._done: dict[int, int] = {}

    def push(self, level: int, hashes: list[bytes]) -> None:
        """The next hashes of a level."""
        row = self._rows.setdefault(level, [])
        row += hashes
        if len(row) == merkle.TILE_WIDTH:
            self._compare(level)
            self.push(level + 1, [merkle.tile_root(row)])
            row.clear()

    def flush(self) -> None:
        """The partial ones at the right edge."""
        for level, row in sorted(self._rows.items()):
            if row:
                self._compare(level)

    def _compare(self, level: int) -> None:
        row, n = self._rows[level], self._done.get(level, 0)
        self._done[level] = n + 1
        stored = self._export.tile(level, n, len(row))
        if stored != row:
            covers = merkle.TILE_WIDTH ** (level + 1)
            verdict = Verdict.REMOVED if stored is None else Verdict.ALTERED
            last = n * covers + len(row) * merkle.TILE_WIDTH**level - 1
            self._say(Finding(verdict, Part.TILE, n * covers, last))
