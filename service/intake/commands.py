"""The verbs of intake: check a file, or load it, in batches that each stand or fall with their audit entry and their progress.

A member's id follows, under a key, from the import and the row's number. So whoever carries on after a kill can tell which rows
had been made members, and writes the reject file anew, complete, without anything having been kept of it.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from service.audit.entry import Draft
from service.errors import Forbidden
from service.intake import store
from service.intake.admission import Sealed, admit, seal
from service.intake.batch import NUMBER, REMEMBERED, Batch, Feed, Judgement, Keyed, Known, Refusal, judge
from service.intake.job import Job
from service.intake.model import Candidate, Code, ImportBusy, RawRow, Run, Tally
from service.intake.report import RejectFile
from service.intake.seen import Memory
from service.members.model import Lookup
from service.unit import Unit, Units
from service.values import Call, MemberId, new_id

ACT = "member.import"
"""What roles.toml must allow."""

BATCH = 500
"""Rows in a transaction, at most: as many subjects as one audit entry can name."""


@dataclass(slots=True)
class Outcome:
    """What came of it. `carried_on`: rows that an earlier run had done; `already`: all of them, so that nothing was changed."""

    import_id: str
    tally: Tally = field(default_factory=Tally)
    carried_on: int = 0
    already: bool = False


class Intake:
    """One file on its way in: for one `check` or one `load`. Both raise FileProblem and, on the record, Forbidden."""

    def __init__(
        self,
        units: Units,
        call: Call,
        job: Job,
        *,
        rejects: RejectFile,
        progress: Callable[[int], None] = lambda _: None,
        size: int = BATCH,
    ) -> None:
        self._units = units
        self._call = call
        self._job = job
        self._rejects = rejects
        self._progress = progress
        self._size = size
        self._labels = job.labels()
        self._memory = Memory(REMEMBERED)
        self._reader = job.reader()
        self._feed = Feed(job.table, self._read)
        self.outcome = Outcome(units.vault.mac("idempotency", job.identity()).hex())
        self._seed = units.vault.mac("idempotency", b"menshen/import-member/v1\0" + self.outcome.import_id.encode())

    async def check(self) -> Outcome:
        """Judge every row, against the database too, and change nothing.

        One entry records the comparison: which of these phones are members' is nothing to be found out in secret.
        """

        # What is not written cannot be found in the database when the next row claims it too.
        self._memory = Memory(self._labels)

        async def work(unit: Unit) -> None:
            await self._catch_up(unit)
            while batch := await self._next(self._size):
                self._settle(batch, judge(batch, await self._known(unit, batch)))
            unit.draft.count = self.outcome.tally.read

        await self._units.disclose(self._call, self._draft("access", "import.check"), work)
        self._rejects.publish()
        return self.outcome

    async def load(self) -> Outcome:
        """Make members of all rows that can be, going on where an earlier run stopped. Raises ImportBusy."""
        await self._units.disclose(self._call, self._draft("access", "import.begin"), self._catch_up)
        await self._store_all()
        self._rejects.publish()
        if self.outcome.tally.read and not self.outcome.already:
            await self._units.change(self._call, self._draft("change", "import.finish"), self._finish)
        return self.outcome

    async def _catch_up(self, unit: Unit) -> None:
        """Go through the rows that an earlier run had done, to know again what became of each."""
        self._allow(unit)
        run = await store.run(unit.session, self.outcome.import_id)
        if run is None:
            return
        # Judged as of the first run's moment, every row is judged as it was then.
        self._job = replace(self._job, now=run.started_at)
        self._reader = self._job.reader()
        unit.draft.count = self.outcome.carried_on = run.rows_done
        self.outcome.already = run.finished_at is not None
        while self._feed.position < run.rows_done and (
            batch := await self._next(min(self._size, run.rows_done - self._feed.position))
        ):
            ids = {self._name(keyed.candidate.row): keyed.candidate.row for keyed in batch.keyed()}
            made = frozenset(ids[member_id] for member_id in await store.existing(unit.session, tuple(ids)))
            self._settle(batch, judge(batch, await self._known(unit, batch, made=made)))

    async def _store_all(self) -> None:
        """Store each batch while the next one is being read and sealed."""
        stored: asyncio.Task[None] | None = None
        try:
            while batch := await self._next(self._size):
                sealed = await seal(self._units.vault, batch, self._name)
                if stored is not None:
                    await stored
                stored = asyncio.create_task(self._store(batch, sealed))
            if stored is not None:
                await stored
        finally:
            if stored is not None and not stored.done():
                await asyncio.wait((stored,))

    async def _store(self, batch: Batch, sealed: Mapping[int, Sealed]) -> None:
        """One batch: members, consents, progress and entry in one transaction."""

        async def work(unit: Unit) -> Judgement:
            self._allow(unit)
            run = await store.run(unit.session, self.outcome.import_id, lock=True)
            if (run.rows_done if run else 0) != batch.first or (run and run.finished_at):
                raise ImportBusy
            judgement = judge(batch, await self._known(unit, batch))
            await admit(unit, judgement.made, sealed, origin=self._origin(), gesture=self._job.mapping.gesture)
            await self._note(unit, batch, judgement, run)
            return judgement

        self._settle(batch, await self._units.change(self._call, self._draft("change", "import"), work))

    async def _note(self, unit: Unit, batch: Batch, judgement: Judgement, run: Run | None) -> None:
        """How far it has come, beside the rows that are counted."""
        duplicates = sum(any(reject.code is Code.DUPLICATE for reject in refusal) for refusal in judgement.refused)
        rejected = len(judgement.refused) - duplicates
        counts = (batch.end, len(judgement.made), rejected, duplicates)
        if run is None:
            await store.begin(unit.session, self.outcome.import_id, now=self._job.now, counts=counts)
        else:
            await store.advance(unit.session, self.outcome.import_id, counts=counts)
        unit.draft.extra |= {"first": batch.first, "rows": batch.end - batch.first, "rejected": rejected, "duplicate": duplicates}

    async def _finish(self, unit: Unit) -> None:
        tally = self.outcome.tally
        await store.finish(unit.session, self.outcome.import_id, now=unit.now)
        unit.draft.count = tally.made
        unit.draft.extra |= {"rows": tally.read, "rejected": tally.rejected, "duplicate": tally.duplicates}

    async def _known(self, unit: Unit, batch: Batch, *, made: frozenset[int] | None = None) -> Known:
        """What the database and this file's earlier rows hold of all that these rows claim."""
        asked = (claim for keyed in batch.keyed() for claim in keyed.claims if claim[0] != NUMBER)
        held = await store.held(unit.session, asked, generation=unit.vault.lookup_generation)
        return Known(held=held, memory=self._memory, labels=self._labels, made=made)

    async def _next(self, size: int) -> Batch | None:
        self._job.table.check_unchanged()
        return await self._feed.next(size)

    def _settle(self, batch: Batch, judgement: Judgement) -> None:
        """Count what has come of a batch, now that it stands."""
        for keyed in judgement.made:
            self._memory.add(keyed.claims, keyed.candidate.line)
            self.outcome.tally.add_made(keyed.candidate)
        for refusal in judgement.refused:
            self.outcome.tally.add_refused(refusal)
            self._rejects.add(refusal)
        self.outcome.tally.read += len(batch.rows)
        self._progress(len(batch.rows))

    def _read(self, number: int, row: RawRow) -> Keyed | Refusal:
        candidate = self._reader.read(number, row)
        if not isinstance(candidate, Candidate):
            return candidate
        lookup, mark = self._units.vault.lookup, self._units.vault.mark
        return Keyed.of(
            candidate,
            tuple([Lookup(key, lookup(key, text), kind, mark(key, text)) for key, text, kind in candidate.lookups]),
        )

    def _name(self, row: int) -> MemberId:
        """The id of the member that this row becomes: a UUIDv7 like any other to whoever has not the key."""
        return new_id(self._job.now, lambda size: blake2b(row.to_bytes(8), key=self._seed, digest_size=size).digest())

    def _origin(self) -> dict[str, str]:
        return {"import": self.outcome.import_id, "file": self._job.table.examined.digest.hex()}

    def _draft(self, typ: str, operation: str) -> Draft:
        return Draft(typ=typ, operation=operation, extra={**self._origin(), "purposes": self._job.purposes()})

    def _allow(self, unit: Unit) -> None:
        roles = unit.catalogue.roles
        if not any(ACT in roles[role].may for role in unit.call.actor.roles & roles.keys()):
            raise Forbidden
