"""A copy of the log in a folder, from which lost entries may come back: a mirror's, an export, archived segments.

How this can hurt: whoever can write to the folder chooses what our database will say. So nothing in it is believed but what the log's own
key signed, under the witnesses that the settings name; the entries must come to that root from where the database stands.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from menshen_verifier import merkle, tiles
from menshen_verifier.checkpoint import Checkpoint, parse_checkpoint
from menshen_verifier.consistency import check_consistency, consistency_spans
from menshen_verifier.errors import Forged, Malformed
from menshen_verifier.export import Export
from menshen_verifier.note import parse_note
from service.archive import checking
from service.archive.model import SEGMENT, TailRefused
from service.checkpoints.trust import Trust

PAGE = 8 * merkle.TILE_WIDTH
_SEGMENTS = "seg-*"

Pages = Iterator[list[bytes]]


@dataclass(frozen=True, slots=True)
class Copy:
    """Entries `first` to `size` (not included) of the log; `root` is the signed log's at `size`, `checkpoint` the one that says so.

    `pages` reads entries anew from the disk. `root_at` tells a root that is proven to be the signed log's, None where the folder cannot
    show it. `checked`: the entries themselves were held against the checkpoint already.
    """

    first: int
    size: int
    root: bytes
    checkpoint: Checkpoint
    pages: Callable[[int, int], Pages]
    root_at: Callable[[int], bytes | None]
    checked: bool = False


def copy_in(folder: Path, trust: Trust, *, at: int) -> Copy:
    """The copy in `folder`, for a database that has `at` entries. Raises TailRefused, Malformed."""
    try:
        if (folder / checking.MANIFEST).is_file() and (folder / checking.CHECKPOINT).is_file() and _is_segment(folder):
            return _of_segments(lambda _: folder, trust, first=_number(folder), numbers=[_number(folder)])
        if not (folder / checking.CHECKPOINT).is_file():
            return _in_archive(folder, trust, at=at)
        return _of_tiles(Export(folder), trust)
    except (OSError, Malformed, ValueError):
        raise TailRefused("TAIL_NOT_A_COPY") from None


def _of_tiles(export: Export, trust: Trust) -> Copy:
    """A mirror's folder or an export: tiles of hashes for the whole tree, bundles for the range that it has."""
    point = _trusted(export.checkpoint(), trust)
    has = export.manifest(origin=point.origin, size=point.size)
    proven = _Proven(export, point)
    root = point.root if has.end == point.size else proven.root_at(has.end)
    if (has.origin, has.size) != (point.origin, point.size) or root is None:
        raise TailRefused("TAIL_DOES_NOT_FIT", f"size {has.end}")
    return Copy(has.first, has.end, root, point, lambda first, last: _bundles(export, first, last, point.size), proven.root_at)


def _in_archive(base: Path, trust: Trust, *, at: int) -> Copy:
    """A folder of segments: those from the one on in which the database ends, as far as there is no gap."""
    first, numbers = at // SEGMENT, list[int]()
    while (checking.folder_of(base, first + len(numbers)) / checking.MANIFEST).is_file():
        numbers.append(first + len(numbers))
    if not numbers:
        raise TailRefused("TAIL_GAP" if any(base.glob(_SEGMENTS)) else "TAIL_NOT_A_COPY")
    return _of_segments(lambda n: checking.folder_of(base, n), trust, first=first, numbers=numbers)


def _of_segments(folder_of: Callable[[int], Path], trust: Trust, *, first: int, numbers: Sequence[int]) -> Copy:
    """Each verifies alone (`checking.py`); the last one's path to its checkpoint says what all before it must come to."""
    roots = {}
    for n in numbers:
        point = _trusted((folder_of(n) / checking.CHECKPOINT).read_bytes(), trust)
        roots[n] = checking.check(folder_of(n), trust.origin, n, trust.keys).root
    before = checking.before(folder_of(numbers[-1]), numbers[-1])
    root = merkle.root(merkle.extend(numbers[-1], before, [roots[numbers[-1]]]).frontier)

    def pages(start: int, last: int) -> Pages:
        for n in numbers:
            low, high = max(start - n * SEGMENT, 0), min(last - n * SEGMENT, SEGMENT)
            entries = checking.entries(folder_of(n), n, roots[n])[low:high] if low < high else []
            yield from (entries[at : at + PAGE] for at in range(0, len(entries), PAGE))

    size = (numbers[-1] + 1) * SEGMENT
    return Copy(first * SEGMENT, size, root, point, pages, {size: root}.get, checked=True)


def _trusted(raw: bytes, trust: Trust) -> Checkpoint:
    """The checkpoint in this note, if the log's own key signed it and, where witnesses are configured, their quorum cosigned."""
    found = parse_checkpoint(parse_note(raw).text)
    if found.origin != trust.origin:
        raise TailRefused("TAIL_OF_ANOTHER_LOG")
    if not trust.signed(raw):
        raise TailRefused("TAIL_NOT_SIGNED")
    if trust.lacks(raw.decode()):
        raise TailRefused("TAIL_NOT_WITNESSED")
    return found


def _bundles(export: Export, first: int, last: int, size: int) -> Pages:
    """Entries as they are read now, page by page. Raises TailRefused where some are not there."""
    width = merkle.TILE_WIDTH
    page: list[bytes] = []
    for n in range(first // width, -(-last // width)):
        wide = min(width, size - n * width)
        try:
            entries = tiles.parse_bundle(export.bundle(n, wide) or b"")
        except (OSError, Malformed):
            entries = []
        if len(entries) != wide:
            raise TailRefused("TAIL_DOES_NOT_FIT", f"entries {n * width}-{n * width + wide - 1}")
        page += entries[max(first - n * width, 0) : last - n * width]
        if len(page) >= PAGE:
            yield page
            page = []
    if page:
        yield page


class _Proven:
    """Roots of the signed log at smaller sizes, from the folder's tiles of hashes, each proven by what the signed root is made of."""

    def __init__(self, export: Export, point: Checkpoint) -> None:
        self._export = export
        self._point = point

    def root_at(self, size: int) -> bytes | None:
        """None where the tiles do not show it."""
        try:
            root = merkle.root([self._subtree(first, last) for first, last in merkle.spans(size)])
            proof = [self._span(first, last) for first, last in consistency_spans(size, self._point.size)]
            check_consistency(size, root, self._point.size, self._point.root, proof)
        except (OSError, Forged, Malformed, ValueError):
            return None
        return root

    def _span(self, first: int, last: int) -> bytes:
        return merkle.root([self._subtree(first + start, first + end) for start, end in merkle.spans(last - first)])

    def _subtree(self, first: int, last: int) -> bytes:
        """From the highest hashes that there are: never over the edge of a tile."""
        level = ((last - first).bit_length() - 1) // merkle.TILE_HEIGHT
        shift = level * merkle.TILE_HEIGHT
        n, at = divmod(first >> shift, merkle.TILE_WIDTH)
        hashes = self._export.tile(level, n, min(merkle.TILE_WIDTH, (self._point.size >> shift) - n * merkle.TILE_WIDTH))
        if hashes is None:
            raise Malformed("a tile of hashes is missing")
        return merkle.extend(0, (), hashes[at : at + (last - first >> shift)]).frontier[0]


def _is_segment(folder: Path) -> bool:
    return checking.number_of(folder) is not None


def _number(folder: Path) -> int:
    found = checking.number_of(folder)
    assert found is not None
    return found
