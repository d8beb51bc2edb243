"""Offline verification of an export: no network, no database, no key but the public ones of the policy.

What must be true, in numbered steps that the code repeats:

 (1) The newest checkpoint, and every one that the auditor remembers, is signed by a key of the log in the policy, under the log's name.
 (2) No remembered checkpoint is larger than the export's newest one: else the log was rolled back.
 (3) Of every index from the range's first to its last there are the entry's bytes, in bundles of 256.
 (4) Hashed as RFC 6962 says, they make a tree; what lies outside the range is taken from the tiles of hashes.
 (5) Whenever that tree has the size of a known checkpoint (the export's newest, those under `checkpoints/`, the remembered), it has its
     root. One pass compares all of them, so no consistency proof is needed. If one does not fit and a larger one does, somebody signed
     two histories.
 (6) The tiles of hashes are those of the tree. Where the tree is not the signed one and the tiles are, they show which entry is wrong.
 (7) Every entry is in canonical form and says nothing that its format does not know.
 (8) In every lane, numbers go up by one from a `boot` with 0 (of entry 0, a `genesis`): nothing was lost between the service and the tree.
 (9) What entries say of the time lies between the cosignatures around them, within a tolerance.
(10) entries.jsonl has the same bytes as the bundles.
(11) The newest checkpoint is cosigned by the policy's quorum, and not long ago.
(12) Time stamps under `anchors/`, when asked for, are of these checkpoints and from the given authority.

It trusts SHA-256, the signatures, and that the policy came on another way than the export. What it cannot find out: what was never written
into the log.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from menshen_verifier import judging, known
from menshen_verifier.errors import Malformed
from menshen_verifier.export import LINES, Export, Manifest
from menshen_verifier.findings import Report
from menshen_verifier.known import Known
from menshen_verifier.merkle import TILE_WIDTH
from menshen_verifier.policy import Policy
from menshen_verifier.replay import Replay
from menshen_verifier.rfc3161 import Authority
from menshen_verifier.stretch import WIDTH, Stretch, Task, examined
from menshen_verifier.tiles import parse_bundle
from menshen_verifier.workers import side_by_side

TOLERANCE = 300
"""Seconds by which an instance's clock may differ from a witness's."""

FRESH = 24 * 3600
"""Seconds after which a cosignature no longer says that the log is still the one that witnesses see."""

_MOST_NOTHING = 64
"""Stretches, one after another, of which nothing at all is there: a size that somebody only claims would keep the verifier for ever."""

Progress = Callable[[int, int], None]
"""Entries done, and how many there are."""


def verify(
    folder: Path,
    policy: Policy,
    *,
    now: int,
    since: bytes | None = None,
    notes: Sequence[bytes] = (),
    authority: Authority | None = None,
    fresh: int = FRESH,
    processes: int | None = None,
    progress: Progress = lambda _done, _all: None,
) -> Report:
    """What the export in `folder` is worth. `now` is in seconds since 1970; `since` and `notes` are checkpoints kept from elsewhere.

    Raises Malformed, Forged or OSError where it cannot be found out: no checkpoint, one that the policy's log did not sign, no such folder.
    """
    export = Export(folder)
    given = [*([since] if since is not None else []), *notes]
    kept = known.all_of(policy, export.checkpoint(), given)  # (1)
    newest = kept[0].checkpoint
    manifest = export.manifest(origin=newest.origin, size=newest.size)
    case = judging.Case(export, policy, kept, manifest, size=max(newest.size, manifest.size))
    replay = Replay(export, kept, first=manifest.first, tolerance=TOLERANCE)
    for stretch in _examined(_tasks(case), processes or cores()):  # (3), (4), (6), (7), (10)
        replay.goes_on(stretch)  # (5), (6), (8), (9)
        progress(replay.size, case.size)
        if replay.nothing >= _MOST_NOTHING:
            replay.gives_up(case.size)
            break
    replay.ends()
    return judging.report(
        case, replay, now=now, fresh=fresh, authority=authority, since=_size(kept, since)
    )  # (2), (5), (11), (12)


def cores() -> int:
    """How many processes may run at once."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def _size(kept: list[Known], since: bytes | None) -> int | None:
    return next((one.checkpoint.size for one in kept if one.ours and one.note == since), None)


def _tasks(case: "judging.Case") -> Iterator[Task]:
    """The stretches in their order. Sizes are handed out as they are passed."""
    marks = deque(sorted({*case.export.sizes(), *(one.checkpoint.size for one in case.known)}))
    lines = _offsets(case.export, case.manifest, case.size)
    tiles = -(-case.size // TILE_WIDTH)
    for first in range(0, max(tiles, 1), TILE_WIDTH):
        last = min(first + TILE_WIDTH, tiles)
        here = []
        while marks and marks[0] <= min(last * TILE_WIDTH, case.size):
            here.append(marks.popleft())
        yield Task(
            folder=case.export.folder,
            policy=case.policy,
            size=case.size,
            first=first,
            last=last,
            begin=case.manifest.first,
            end=case.manifest.end,
            marks=tuple(here),
            lines=next(lines),
        )


def _offsets(export: Export, manifest: Manifest, size: int) -> Iterator[int | None]:
    """Where entries.jsonl goes on at each stretch. A bundle has two bytes before each entry, a line one behind it."""
    offset = -_skipped(export, manifest, size) if (export.folder / LINES).is_file() else None
    for first in range(0, size + WIDTH, WIDTH):
        yield None if offset is None else max(offset, 0)
        for n in range(first // TILE_WIDTH, min(first + WIDTH, size) // TILE_WIDTH):
            if offset is None or not manifest.first < (n + 1) * TILE_WIDTH <= manifest.end:
                continue
            length = export.bundle_bytes(n, TILE_WIDTH)
            offset = None if length is None else offset + length - TILE_WIDTH


def _skipped(export: Export, manifest: Manifest, size: int) -> int:
    """The bytes that lines of the first bundle's entries before the range would have."""
    n, before = divmod(manifest.first, TILE_WIDTH)
    if not before:
        return 0
    raw = export.bundle(n, min(TILE_WIDTH, size - n * TILE_WIDTH))
    try:
        return sum(len(entry) + 1 for entry in parse_bundle(raw or b"")[:before])
    except Malformed:
        return 0


def _examined(tasks: Iterable[Task], processes: int) -> Iterator[Stretch]:
    """The stretches in their order; of a log of several, some at a time on other cores."""
    waiting = iter(tasks)
    some = list(islice(waiting, processes))
    if len(some) < 2:
        yield from map(examined, chain(some, waiting))
    else:
        yield from side_by_side(chain(some, waiting), len(some))
