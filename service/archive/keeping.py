"""Segments are archived, pruned and restored: who may, what is recorded, and in which order, so that a kill at any step loses nothing.

archive  the entry that they leave the house · the folder · the folder read again · the row
prune    the folder read again, now · the `prune` entry, as sure as the log makes it · rows or partitions gone, at once with a `result`
restore  the folder read again · rows back, with an entry, at once
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from menshen_verifier.note import Key
from service.archive import checking, store
from service.archive.archiving import archive, closed
from service.archive.checking import Checked
from service.archive.model import PARTITION_SEGMENTS, SEGMENT, Segment, kept_since
from service.audit import store as log
from service.audit.entry import Draft, opened
from service.audit.index import store as index
from service.audit.index.indexer import read
from service.audit.index.terms import BLOCK
from service.audit.reading.store import page
from service.checkpoints.model import Noted
from service.db.engine import Duplicate, Session
from service.desk import Desk
from service.errors import BadInput, Malformed, RecordUnavailable
from service.unit import Reader, Unit
from service.values import Call, Progress, unwatched, utc_text

PRUNE = "audit.prune"

_SIGNED = "no full segment is signed yet: see `menshen audit status`, start the service and its signer, and archive when it has caught up"
_WITNESSED = (
    "no full segment is cosigned yet: see `menshen audit status`, start the service and its witnesses, and archive afterwards"
)


@dataclass(frozen=True, slots=True)
class House:
    """Whose log it is: its name, its keys where we know them, and whether checkpoints count only with cosignatures."""

    origin: str
    keys: Sequence[Key] = ()
    witnessed: bool = False


class SegmentOperations(Desk):
    """See the module."""

    async def segments(self, call: Call) -> list[Segment]:
        """What was archived, and where. No entry: it tells nothing of what the log holds."""
        self.require(call, PRUNE)
        return await store.segments(self.units.database.read)

    async def archive_segments(self, call: Call, house: House, base: Path, *, progress: Progress = unwatched) -> list[Checked]:
        """Archive every segment that is full, signed and not archived yet. Raises RecordUnavailable while none that is full is signed."""
        database = self.units.database
        point, full = await closed(database, witnessed=house.witnessed)
        known = {segment.n for segment in await store.segments(database.read)}
        wanted = [n for n in range(full) if n not in known]
        if not wanted and (point is None or full < await self._full(house.origin)):
            raise RecordUnavailable(_WITNESSED if house.witnessed else _SIGNED)
        if point is None or not wanted:
            return []
        await self._said(call, self._of_segments("export", "segments", first=wanted[0], last=wanted[-1], count=len(wanted)))
        done = []
        for number, n in enumerate(wanted, start=1):
            done.append(await self._archived(call, house, base, n, point=point))
            progress(number, len(wanted))
        return done

    async def _full(self, origin: str) -> int:
        """How many segments the log itself has filled, signed or not."""
        head = await log.head(self.units.database.read, origin)
        return head.size // SEGMENT if head else 0

    async def prune_segments(self, call: Call, house: House, *, months: int, progress: Progress = unwatched) -> list[Segment]:
        """Take away what is older than `months`, as far as it is archived and its archive verifies now; the oldest first, no gaps.

        Raises ConfigError for fewer months than the law allows, Malformed where an archive is not what it was: then nothing is taken away.
        """
        going = await self._prunable(call, months)
        done: list[Segment] = []
        for _, group in groupby(going, key=lambda segment: segment.n // PARTITION_SEGMENTS):
            some = list(group)
            for segment in some:
                await self._still_there(house, segment)
            await self._pruned(call, some, months)
            done += some
            progress(len(done), len(going))
        return done

    async def restore_segment(self, call: Call, house: House, n: int, *, folder: Path | None = None) -> int:
        """Bring a segment's entries back, byte for byte, after verifying its archive; how many. Raises BadInput where they are here."""
        segment = next((one for one in await store.segments(self.units.database.read) if one.n == n), None)
        if segment is None or segment.pruned_at is None:
            raise BadInput("N: this segment was not pruned; its entries are here")
        found = folder or Path(segment.uri)
        await self._still_there(house, segment, folder)
        entries = await asyncio.to_thread(lambda: [opened(raw) for raw in checking.entries(found, n, segment.root)])

        async def work(unit: Unit) -> None:
            self.require(call, PRUNE)
            if await store.count(unit.session, segment.first, segment.end):
                raise BadInput("N: entries of this segment are here")
            await store.restore(unit.session, segment, entries)

        await self.units.change(call, self._of_segments("audit", "restore", first=n, last=n, count=len(entries)), work)
        return len(entries)

    def _of_segments(
        self, typ: str, operation: str, *, first: int, last: int, count: int, **more: int | str | list[str]
    ) -> Draft:
        draft = self.duty(typ, operation)
        draft.count = count
        draft.extra |= {"first_segment": first, "last_segment": last, **more}
        return draft

    async def _said(self, call: Call, draft: Draft) -> None:
        """An entry of its own, durable and acknowledged before this returns; refused where the caller may not."""

        async def work(_: Unit) -> None:
            self.require(call, PRUNE)

        await self.units.disclose(call, draft, work)

    async def _archived(self, call: Call, house: House, base: Path, n: int, *, point: Noted) -> Checked:
        database = self.units.database
        found = await archive(database, n, base, point, origin=house.origin, keys=house.keys)
        stored = await store.tile_root(database.read, 1, n)
        if found.root != stored:
            raise Malformed("audit-segment/v1: the folder is not this log's segment")
        uri = str(checking.folder_of(base, n).resolve())

        async def work(unit: Unit) -> None:
            self.require(call, PRUNE)
            made = Segment(n, found.root, found.size, found.first_ts, found.last_ts, uri, found.digest, unit.now)
            try:
                await store.add_segment(unit.session, made)
            except Duplicate:
                raise BadInput("another run archived this segment at the same time") from None

        draft = self._of_segments(
            "audit", "archived", first=n, last=n, count=1, root=found.root.hex(), manifest=found.digest.hex()
        )
        await self.units.change(call, draft, work)
        return found

    async def _prunable(self, call: Call, months: int) -> list[Segment]:
        """From the oldest on, what is past its time and archived."""

        self.require(call, PRUNE)

        async def since(reader: Reader) -> str:
            return utc_text(kept_since(reader.now, months))

        kept, found = await self.units.read(call, since), []
        for expected, segment in enumerate(await store.segments(self.units.database.read)):
            if segment.n != expected or max(segment.first_ts, segment.last_ts) >= kept:
                break
            if segment.pruned_at is None:
                found.append(segment)
        return found

    async def _still_there(self, house: House, segment: Segment, folder: Path | None = None) -> None:
        """The archive, read again: it is the one that was made, and holds what the log's own tiles say."""
        found = await asyncio.to_thread(checking.check, folder or Path(segment.uri), house.origin, segment.n, house.keys)
        stored = await store.tile_root(self.units.database.read, 1, segment.n)
        if (found.digest, found.root) != (segment.digest, segment.root) or found.root != stored:
            raise Malformed("audit-segment/v1: the archive is not the one that was made of this segment")

    async def _pruned(self, call: Call, some: Sequence[Segment], months: int) -> None:
        """The entry that says what will be gone, and then it is gone. A kill between the two leaves everything here for the next run."""
        first, last = some[0].n, some[-1].n
        draft = self._of_segments("prune", "segments", first=first, last=last, count=sum(one.end - one.first for one in some))
        draft.extra |= {"before": some[-1].end, "months": months, "manifests": [one.digest.hex() for one in some]}
        await self._said(call, draft)
        whole = self.units.database.dialect == "postgresql" and len(some) == PARTITION_SEGMENTS
        for start, end in [(first, last)] if whole else [(one.n, one.n) for one in some]:

            async def work(unit: Unit, start: int = start, end: int = end) -> None:
                self.require(call, PRUNE)
                await _worded(unit.session, (end + 1) * SEGMENT)
                await store.prune(unit.session, start, end, unit.now)

            await self.units.change(
                call, self._of_segments("result", "prune", first=start, last=end, count=end - start + 1), work
            )


async def _worded(session: Session, end: int) -> None:
    """The search's words of what is about to go, where nobody has made them: they are made of the rows, and stay (ADR 27)."""
    for block in range(await index.indexed(session), end // BLOCK):
        made, low, high = read(await page(session, block * BLOCK, (block + 1) * BLOCK), block)
        await index.add(session, block, made, low, high)
