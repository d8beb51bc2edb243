"""A search: where to look comes from subjects' rows, words and requests; what is found is judged by each entry's own bytes.

What points somewhere can be wrong in two ways. It can point to what is not meant, or to nothing: that is shown, as BROKEN. It can be
missing: that only a replay of the log finds (`audit verify`; `audit who-saw` takes the whole log along for that reason). Entries of
blocks that have no words yet are all looked at, so that nothing is missed because it is new.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from menshen_verifier import merkle
from service.archive.model import SEGMENT
from service.archive.store import entries
from service.audit.entry import dated
from service.audit.index import store as index
from service.audit.index.terms import BLOCK, places, shape, unpacked, words
from service.audit.reading.store import columns
from service.checkpoints.model import Noted
from service.checkpoints.trust import Trust
from service.db.engine import Session
from service.errors import LogBroken, Malformed
from service.inspection import store
from service.inspection.model import Archived, Filter, Line, Status
from service.inspection.proving import Proofs
from service.inspection.store import Stored
from service.values import lineage, utc_text

MOST_LOOKED = 20_000
_EVERYTHING = 2**62
_CHUNK = 256
_BLOCKS = 64
_ABOUT = 1000
_READ_ALONG = 16
_SKEW = timedelta(minutes=1)
Entry = Mapping[str, Any]
Fits = Callable[[int, Entry], bool]
"""Whether what led to an index led there rightly."""


@dataclass(frozen=True, slots=True)
class Log:
    """The log as a search sees it: so many entries, from `low` on here but for the `pruned` segments, and so many blocks with words.

    Of each pruned segment its first and its last moment.
    """

    size: int
    low: int
    indexed: int
    pruned: Mapping[int, tuple[str, str]] = field(default_factory=dict)


@dataclass(slots=True)
class Patience:
    """How many entries one page may still look at, and behind which index it stopped: somebody who asks for what is nowhere, in hundreds
    of fields of one request, would have the whole log read hundreds of times. What the database looks through by itself is cheaper:
    sixteen entries, or a block's words, count as one.
    """

    left: int = MOST_LOOKED
    stopped: int | None = None

    def ends(self, last: int, count: int) -> bool:
        """So many more were looked at, down to index `last`."""
        self.left -= count
        if self.left > 0:
            return False
        self.stopped = last
        return True

    def spent(self, last: int, count: int) -> bool:
        """Whether it is over before so many more are looked at below index `last`."""
        if self.left <= 0:
            self.stopped = last
            return True
        self.left -= count
        return False


@dataclass(frozen=True, slots=True)
class Found:
    """A page of lines. The next one begins before index `end`, if there is `more`."""

    lines: list[Line]
    end: int | None
    more: bool

    @property
    def cursor(self) -> str | None:
        """`end`, as it is handed out."""
        return None if self.end is None else str(self.end)


@dataclass(frozen=True, slots=True)
class _Way:
    """Where to look, the newest first."""

    indices: AsyncIterator[Sequence[int]]
    fits: Fits = lambda _at, _entry: True


async def look(session: Session, origin: str) -> Log:
    """The log as it stands. One statement."""
    found = await store.look(session, origin)
    return Log(found.size, found.low, min(found.indexed, found.size // BLOCK), found.pruned)


async def begun(session: Session, log: Log, origin: str) -> datetime | None:
    """When a log began that goes on from another; None of a first log, before which there was nothing. Its name says which it is, whatever
    its entry 0 says. Raises LogBroken where that is no entry.
    """
    try:
        said = await _began(session, log, origin)
        return datetime.fromisoformat(said) if said else None
    except (Malformed, ValueError):
        raise LogBroken("entry 0, or what its segment says of it, is none") from None


async def _began(session: Session, log: Log, origin: str) -> str:
    if lineage(origin).number == 1:
        return ""
    for raw in await entries(session, 0, 1):
        return str(dated(raw)["ts"])
    # Entry 0 was archived and pruned: its segment's first moment is its own.
    return log.pruned.get(0, ("", ""))[0]


async def point(session: Session, trust: Trust) -> Noted | None:
    """The checkpoint up to which entries are proven: what an auditor would take, and nothing that only a row says."""
    found = await trust.surest(session)
    return None if found is None else Noted(found.size, found.root, found.note)


def pending(lines: Sequence[Line]) -> list[int]:
    """Of which lines a proof is worth asking for."""
    return [line.index for line in lines if line.status is Status.PENDING]


def proven(lines: Sequence[Line], proofs: Proofs) -> list[Line]:
    """The same lines, those PROVEN whose leaf is under the checkpoint."""
    return [_surely(line, proofs.leaf(line.index)) for line in lines]


def archived(log: Log, wanted: Filter) -> tuple[Archived, ...]:
    """The segments that were pruned and may hold what is wanted, neighbours together."""
    found: list[Archived] = []
    for n, (first, last) in sorted(log.pruned.items()):
        if last >= _earlier(wanted.since) and first < _later(wanted.until):
            here = found.pop() if found and found[-1].last == n - 1 else Archived(n, n, first, last)
            found.append(Archived(here.first, n, min(here.since, first), max(here.until, last)))
    return tuple(found)


async def find(
    session: Session,
    log: Log,
    wanted: Filter,
    *,
    before: int | None = None,
    patience: Patience | None = None,
    few: int = _CHUNK,
) -> AsyncIterator[Line]:
    """Every entry that is wanted, the newest first, and beside them what is broken on the way; as far as `patience` goes. `few` is how many
    are looked at first.
    """
    end = log.size if before is None else min(before, log.size)
    patience, at_once = patience or Patience(left=_EVERYTHING), min(few, _CHUNK)
    way = _way(session, log, wanted, end, patience)
    async for group in way.indices:
        for some in _chunks(group, _CHUNK, first=at_once):
            at_once = _CHUNK
            rows = await _rows(session, some)
            for at in some:
                line = judged(at, rows.get(at), log, way.fits)
                if line.status is Status.BROKEN or (line.archived and not line.entry) or wanted.accepts(line.entry):
                    yield line
            if patience.ends(some[-1], len(some)):
                return


async def page(
    session: Session, log: Log, wanted: Filter, first: int, *, before: int | None, patience: Patience | None = None
) -> Found:
    """The first so many of them; fewer, and more behind them, where patience ended."""
    found, patience = list[Line](), patience or Patience()
    # One more than the page has tells whether there is another; where all that is led to is wanted, none is read for nothing.
    async for line in find(session, log, wanted, before=before, patience=patience, few=first + 1):
        found.append(line)
        if len(found) > first:
            break
    lines = found[:first]
    end = patience.stopped if patience.stopped is not None else (lines[-1].index if lines else None)
    return Found(lines, end, len(found) > first or patience.stopped is not None)


def judged(at: int, row: Stored | None, log: Log, fits: Fits = lambda _at, _entry: True) -> Line:
    """The entry at an index, held to its leaf hash, its columns and whatever led to it."""
    if row is None:
        gone = at // SEGMENT in log.pruned
        return Line(at, {}, Status.PENDING if gone else Status.BROKEN, archived=gone)
    try:
        entry = dated(row.raw)
    except Malformed:
        return Line(at, {}, Status.BROKEN, row.leaf.hex(), row.raw)
    whole = merkle.leaf_hash(row.raw) == row.leaf and columns(entry) == row.told and fits(at, entry)
    return Line(at, entry, Status.PENDING if whole else Status.BROKEN, row.leaf.hex(), row.raw)


def _surely(line: Line, leaf: bytes | None) -> Line:
    """Of what is archived, the leaf hash stayed, and what it is of must come to it. Whole in itself and not what was signed here is BROKEN:
    whoever can edit rows can make a hash, too, and nobody shall wait for a checkpoint that has long refuted it.
    """
    if line.status is not Status.PENDING or leaf is None:
        return line
    if line.leaf != leaf.hex() and line.entry:
        return replace(line, status=Status.BROKEN)
    return replace(line, status=Status.PROVEN, leaf=leaf.hex())


def _earlier(moment: datetime | None) -> str:
    """A minute, as instances' clocks differ."""
    return utc_text(moment - _SKEW) if moment else ""


def _later(moment: datetime | None) -> str:
    return utc_text(moment + _SKEW) if moment else "9"


async def _rows(session: Session, some: Sequence[int]) -> dict[int, Stored]:
    """A run of neighbours is one range."""
    if some[0] - some[-1] == len(some) - 1:
        return await store.between(session, some[-1], some[0] + 1)
    return await store.at(session, some)


def _way(session: Session, log: Log, wanted: Filter, end: int, patience: Patience) -> _Way:
    """The narrowest first. Whatever the way, `accepts` decides."""
    if wanted.subjects is not None:
        names = wanted.subjects
        return _Way(_about(session, names, end), lambda _, entry: not set(names).isdisjoint(entry.get("sub", ())))
    if wanted.request:
        return _Way(_of_request(session, wanted.request, end))
    if wanted.token or wanted.addresses:
        return _Way(_holding(session, log, wanted, end, patience))
    asked = [set(group) for group in wanted.words()]
    if asked:
        # In a block without words yet everything is looked at, and nothing has pointed to an entry.
        tail = log.indexed * BLOCK
        fits = lambda at, entry: at >= tail or all(group.intersection(words(shape(entry))) for group in asked)  # noqa: E731
        return _Way(_having(session, log, wanted, end, patience), fits)
    return _Way(_everything(session, log, wanted, end))


async def _about(session: Session, subjects: Sequence[str], before: int) -> AsyncIterator[Sequence[int]]:
    while subjects and (found := await store.about(session, subjects, before, _ABOUT)):
        yield found
        before = found[-1] if len(found) == _ABOUT else 0


async def _of_request(session: Session, request: str, before: int) -> AsyncIterator[Sequence[int]]:
    while found := await store.of_request(session, request, before, _ABOUT):
        yield found
        before = found[-1] if len(found) == _ABOUT else 0


async def _everything(session: Session, log: Log, wanted: Filter, end: int) -> AsyncIterator[Sequence[int]]:
    """By time alone: the blocks in which something happened then."""
    async for first, last in _runs(session, log, wanted, end):
        yield range(last - 1, first - 1, -1)


async def _holding(session: Session, log: Log, wanted: Filter, end: int, patience: Patience) -> AsyncIterator[Sequence[int]]:
    """A token or an address: too many different ones for words, and asked for after an incident, in a window. The database reads."""
    needles = [f'"tok":"{wanted.token}"'.encode()] if wanted.token else [f'"ip":"{one}"'.encode() for one in wanted.addresses]
    async for first, last in _runs(session, log, wanted, end):
        if patience.spent(last, (last - first) // _READ_ALONG):
            return
        if found := await store.holding(session, needles, first, last):
            yield found


async def _having(session: Session, log: Log, wanted: Filter, end: int, patience: Patience) -> AsyncIterator[Sequence[int]]:
    """By words: what has none yet is looked at whole, then block by block the places that have them all."""
    asked = wanted.words()
    yield range(end - 1, max(log.indexed * BLOCK, log.low) - 1, -1)
    for some in _chunks(await _blocks(session, log, wanted, end), _BLOCKS * 4):
        if patience.spent((some[0] + 1) * BLOCK, len(some)):
            return
        found = await index.having(session, [word for group in asked for word in group], some[-1], some[0])
        there = [at for block in some for at in _places(block, asked, found) if at < end]
        if there:
            yield there


def _places(block: int, asked: Sequence[Sequence[str]], found: Mapping[tuple[str, int], bytes]) -> list[int]:
    """Where in a block one word of each group stands, the last place first."""
    bits = (1 << BLOCK) - 1
    for group in asked:
        union = 0
        for word in group:
            union |= unpacked(found.get((word, block), b""))
        bits &= union
    return [block * BLOCK + place for place in reversed(places(bits))]


async def _runs(session: Session, log: Log, wanted: Filter, end: int) -> AsyncIterator[tuple[int, int]]:
    """What lies in the time that is asked for, as ranges of neighbours, the newest first."""
    tail = max(log.indexed * BLOCK, log.low)
    if tail < end:
        yield tail, end
    run: list[int] = []
    for block in await _blocks(session, log, wanted, end):
        if run and (run[-1] != block + 1 or len(run) == _BLOCKS):
            yield _range(run, log, end)
            run = []
        run.append(block)
    if run:
        yield _range(run, log, end)


def _range(run: Sequence[int], log: Log, end: int) -> tuple[int, int]:
    return max(run[-1] * BLOCK, log.low), min((run[0] + 1) * BLOCK, end)


async def _blocks(session: Session, log: Log, wanted: Filter, end: int) -> Sequence[int]:
    """The blocks with words in which something happened in the time that is asked for, the newest first."""
    last = min(log.indexed, -(-end // BLOCK))
    found: Sequence[int] = range(last - 1, log.low // BLOCK - 1, -1)
    if wanted.since is not None or wanted.until is not None:
        found = await index.spanning(session, last, wanted.first, wanted.end)
    # Words of what was pruned lead nowhere; `archived` tells that they are there.
    return [block for block in found if block >= log.low // BLOCK and block * BLOCK // SEGMENT not in log.pruned]


def _chunks(some: Sequence[int], most: int, *, first: int | None = None) -> Iterator[Sequence[int]]:
    """Parts of `most`; the first of them of `first`."""
    begun = most if first is None else first
    if some:
        yield some[:begun]
    for start in range(begun, len(some), most):
        yield some[start : start + most]
