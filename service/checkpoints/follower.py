"""Reads the log again after it was written: what will be signed is what stands there, not what somebody meant to write.

What must be true, in numbered steps that the code repeats:

(1) Entries stand at every index from where the follower is to the head's size.
(2) The leaf hash beside each is that of its bytes.
(3) Every tile that became full is stored as the entries make it.
(4) In every lane, numbers go up by one from a `boot` with 0; that of entry 0 may begin with `genesis`.
(5) The columns for search and the subjects' rows say what the entries say.
(6) The tree of all entries is the head's, and at the size of the newest checkpoint it was that checkpoint's.
(7) What is not there was pruned: whole segments of which a table says so and, by the time all has been read, a `prune` entry of the log.
    For their entries the leaf hashes count that stayed.

A page that does not fit is read a second time before anything is said: somebody may prune or restore it between two of our statements.

Its position outlives the process in the database, under the head's MAC: where the tree's root was what, and where each lane was. Who puts
back an older position makes it read more, nothing else.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson

from menshen_verifier import merkle
from service.audit.head import Authority, Head
from service.audit.loading import loaded
from service.audit.reading import store as reading
from service.audit.tree import Tile, Tree
from service.db.engine import Session
from service.errors import LogBroken
from service.hazmat import mac

_LABEL = b"menshen/audit-position/v1"
_CHUNK = 256
"""Entries that are hashed and read before the others in this process have their turn: about a millisecond."""

_MOST_LANES = 20_000
"""Of processes that were killed, lanes stay open for ever. Beyond this number the oldest are forgotten."""


class Follower:
    """`tree` is what was read; `lanes` the number that is due in each lane, the one that was used last at the end."""

    def __init__(self, authority: Authority) -> None:
        self.tree = Tree()
        self.lanes: dict[str, int] = {}
        self._forgot = False
        self._skipped = self._pruned_to = 0
        self._unsaid = False
        self._authority = authority

    async def take_up(self, session: Session, sealed: bytes | None) -> None:
        """Go on from a position that `sealed` once wrote down; from the beginning where there is none, or none of ours."""
        found = self._opened(sealed)
        if found is None:
            return
        tree = await loaded(session, found["size"])
        # Where what is stored no longer comes to that root, nothing is believed: the reading begins anew and finds the very entry.
        if tree is not None and tree.root.hex() == found["root"]:
            self.tree, self.lanes, self._forgot = tree, dict(found["lanes"]), found["forgot"]

    def sealed(self) -> bytes:
        """The position, for `take_up`."""
        body = orjson.dumps(
            {"size": self.tree.size, "root": self.tree.root.hex(), "lanes": list(self.lanes.items()), "forgot": self._forgot}
        )
        return self._authority.digest(_LABEL, body) + body

    async def follow(self, session: Session, head: Head, *, stop: int = 0, root: bytes = b"") -> None:
        """Read on to `head`. At size `stop`, if it lies before us, the tree must have `root`. Raises LogBroken."""
        while self.tree.size < head.size:
            first = self.tree.size
            last = min((first // reading.PAGE + 1) * reading.PAGE, head.size)
            if first < stop < last:
                last = stop
            await self._read(session, first, last)
            if last == stop and self.tree.root != root:
                raise LogBroken(f"rolled back or altered: the first {stop} entries are not those of the signed checkpoint")
        # Step 6.
        if self.tree.size == head.size and self.tree.frontier != head.hashes:
            raise LogBroken(f"the entries up to {head.size} are not those of the head")
        # Step 7. What was pruned between our look at the head and at its row is said behind this head: the next round knows.
        if self._unsaid:
            self._all_said()
        self._unsaid = self._skipped > self._pruned_to

    def _all_said(self) -> None:
        """What a table says alone is not believed. Raises LogBroken."""
        if self._skipped > self._pruned_to:
            raise LogBroken(f"entries {self._pruned_to} to {self._skipped - 1} are missing: no entry says that they were pruned")

    async def _read(self, session: Session, first: int, last: int) -> None:
        try:
            await self._read_page(session, first, last)
        except LogBroken:
            await self._read_page(session, first, last)

    async def _read_page(self, session: Session, first: int, last: int) -> None:
        page = await reading.page(session, first, last)
        if not page.indices and first // reading.SEGMENT in await reading.pruned(session):
            await self._skip(session, first, last)
            return
        # Step 1.
        if list(page.indices) != list(range(first, last)):
            missing = next(index for index in range(first, last) if index not in set(page.indices))
            raise LogBroken(f"entry {missing} is missing")
        tree, made, numbers = self.tree, [], dict[str, int | None]()
        for start in range(0, last - first, _CHUNK):
            raws = page.raws[start : start + _CHUNK]
            leaves = merkle.leaf_hashes(raws)
            _compare(leaves, page.leaves, first=first, start=start)
            pairs = self._number(raws, page.columns[start : start + _CHUNK], first + start, numbers)
            await _compare_subjects(session, pairs, first + start, first + start + len(raws))
            tree, tiles = tree.grown(leaves)
            made += tiles
            await asyncio.sleep(0)
        await _compare_tiles(session, made)
        # All at once and last: a database that goes away in between leaves us where we were.
        self.tree = tree
        self._moved(numbers)

    async def _skip(self, session: Session, first: int, last: int) -> None:
        """Step 7. How far the lanes were is known to the archive alone."""
        width = merkle.TILE_WIDTH * merkle.HASH_BYTES
        stored = await reading.tiles(session, 0, first // merkle.TILE_WIDTH, last // merkle.TILE_WIDTH)
        joined = b"".join(hashes for _, (hashes, _) in sorted(stored.items()) if len(hashes) == width)
        leaves = [joined[at : at + merkle.HASH_BYTES] for at in range(0, len(joined), merkle.HASH_BYTES)]
        if len(leaves) != last - first:
            raise LogBroken(f"entry {first} is missing")
        tree, made = self.tree.grown(leaves)
        await _compare_tiles(session, made)
        self.tree, self.lanes, self._forgot, self._skipped = tree, {}, True, last

    def _number(
        self, raws: Sequence[bytes], columns: Sequence[str], first: int, numbers: dict[str, int | None]
    ) -> list[reading.Pair]:
        """Step 4, and the columns of step 5. `numbers` are the lanes' that these entries moved; None for one that has ended."""
        pairs: list[reading.Pair] = []
        for index, (raw, told) in enumerate(zip(raws, columns, strict=True), start=first):
            try:
                entry = orjson.loads(raw)
                self._next(index, entry, numbers)
                if entry["typ"] == "prune":
                    self._pruned_to = max(self._pruned_to, int(entry["x"]["before"]))
                if reading.columns(entry) != told:
                    raise LogBroken(f"entry {index}: its columns for search say something else")
                pairs += [(index, subject) for subject in entry.get("sub", ())]
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                raise LogBroken(f"entry {index} is no entry") from None
        return pairs

    def _next(self, index: int, entry: dict[str, Any], numbers: dict[str, int | None]) -> None:
        writer, number, kind = entry["w"], entry["s"], entry["typ"]
        due = numbers[writer] if writer in numbers else self.lanes.get(writer)
        begins = due is None and number == 0 and (kind == "boot" or (kind == "genesis" and index == 0))
        if number != due and not begins and not (self._forgot and due is None):
            raise LogBroken(f"entry {index}: the number before it in its lane is missing")
        numbers[writer] = None if kind == "stop" else number + 1

    def _moved(self, numbers: dict[str, int | None]) -> None:
        for writer, number in numbers.items():
            self.lanes.pop(writer, None)
            if number is not None:
                self.lanes[writer] = number
        while len(self.lanes) > _MOST_LANES:
            del self.lanes[next(iter(self.lanes))]
            self._forgot = True

    def _opened(self, sealed: bytes | None) -> dict[str, Any] | None:
        if sealed is None:
            return None
        digest, body = sealed[: mac.DIGEST_SIZE], sealed[mac.DIGEST_SIZE :]
        if not mac.equal(digest, self._authority.digest(_LABEL, body)):
            return None
        found: dict[str, Any] = orjson.loads(body)
        return found


def _compare(leaves: list[bytes], stored: bytes, *, first: int, start: int) -> None:
    """Step 2."""
    width = merkle.HASH_BYTES
    if b"".join(leaves) == stored[start * width : (start + len(leaves)) * width]:
        return
    places = enumerate(leaves, start=start)
    at = next(place for place, leaf in places if leaf != stored[place * width : (place + 1) * width])
    raise LogBroken(f"entry {first + at} was altered")


async def _compare_subjects(session: Session, pairs: list[reading.Pair], first: int, last: int) -> None:
    """The subjects' rows of step 5."""
    pairs.sort()
    stored = await reading.pairs(session, first, last)
    if stored != pairs:
        index = min((pair[0] for pair in set(stored) ^ set(pairs)), default=first)
        raise LogBroken(f"entry {index}: whom it is about, the rows for search say otherwise")


async def _compare_tiles(session: Session, made: Sequence[Tile]) -> None:
    """Step 3."""
    for level in {tile.level for tile in made}:
        of_level = [tile for tile in made if tile.level == level]
        stored = await reading.tiles(session, level, of_level[0].n, of_level[-1].n + 1)
        for tile in of_level:
            if stored.get(tile.n) != (tile.hashes, tile.root):
                raise LogBroken(f"tile {tile.n} of level {level} is missing or was altered")
