"""What the edges ask of the archive. Hashes are anybody's; whoever takes entries is recorded, and so is whoever was refused them."""

from collections.abc import Sequence
from pathlib import Path

from menshen_verifier import merkle
from menshen_verifier.tiles import parse_bundle
from service.approvals import exports
from service.approvals.exports import Export
from service.archive import proofs, queries, store, tiles
from service.archive.exporting import Done, Plan, export, planned, unfinished
from service.archive.files import own_folder, told
from service.archive.keeping import SegmentOperations
from service.archive.model import Where
from service.archive.queries import Asked
from service.audit.entry import named_in
from service.audit.head import Authority
from service.checkpoints.model import Noted
from service.db.engine import Session
from service.errors import RecordUnavailable
from service.unit import Unit, Units
from service.values import ActorKind, Call, Progress, unwatched

EXPORT = "audit.export"
VERIFY = "audit.verify"
SEARCH = "audit.search"
_MOST_READERS = 1000


class ArchiveOperations(SegmentOperations):
    """See the module. `_edges`: who was recorded as reading the tile at the end, and which tile that was; each instance's own."""

    def __init__(self, units: Units) -> None:
        super().__init__(units)
        self._edges: dict[tuple[ActorKind, str, frozenset[str]], int] = {}

    async def checkpoint(self, *, signed: bool = False) -> Noted | None:
        """The newest checkpoint that an auditor takes (see `proofs.covering`), with `signed` the newest that our key signed; None before
        the first. It tells how much happened here, and nothing of what.
        """
        return await (
            self._signed(self.units.database.read) if signed else proofs.covering(self.units.database.read, self.units.trust, 0)
        )

    async def tile(self, where: Where) -> bytes | None:
        """A tile of hashes of the published tree, None for what that does not have."""
        newest = await self._signed(self.units.database.read)
        if newest is None or where.level is None or not where.within(newest.size):
            return None
        return await tiles.tile(self.units.database.read, where.level, where.n, where.width)

    async def _signed(self, session: Session) -> Noted | None:
        """Not what a row says: what lies beyond the signed tree leaves the house for nobody."""
        return await self.units.trust.newest(session, cosigned=False)

    async def bundle(self, call: Call, where: Where) -> bytes | None:
        """Entries of the published tree, for whoever may export them; recorded as the range that was asked for, before they are handed out.
        The tile at the end is recorded once for each machine that reads it, "and on" as it grows: else a mirror would never have all of a
        log to which each of its looks adds an entry. A person's every look is recorded, and counted (LB-07).

        None for what the published tree does not have, or what was archived and pruned.
        """
        draft = self.duty("audit", "entries")
        draft.extra |= {"first": where.n * merkle.TILE_WIDTH, "width": where.width}
        grows = where.width < merkle.TILE_WIDTH and call.actor.kind is ActorKind.SERVICE
        reader = (call.actor.kind, call.actor.name, call.actor.roles)
        if grows and self._edges.get(reader) == where.n:
            return await self._bundle(self.units.database.read, where)
        if grows:
            draft.extra["and_on"] = True

        async def work(unit: Unit) -> bytes | None:
            self.require(call, EXPORT)
            found = await self._bundle(unit.session, where)
            unit.draft.shown = named_in(parse_bundle(found) if found else ())
            unit.draft.count = where.width if found is not None else 0
            return found

        found = await self.units.disclose(call, draft, work)
        if grows and found is not None:
            if len(self._edges) >= _MOST_READERS:
                self._edges.clear()
            self._edges[reader] = where.n
        return found

    async def _bundle(self, session: Session, where: Where) -> bytes | None:
        newest = await self._signed(session)
        if newest is None or not where.within(newest.size):
            return None
        return await tiles.bundle(session, where.n, where.width)

    async def proof(self, call: Call, authority: Authority, index: int) -> str:
        """The text of a `.tlog-proof` for one entry, recorded. Raises as `proof_of` does."""
        draft = self.duty("audit", "proof")
        draft.extra["index"] = index

        async def work(unit: Unit) -> str:
            self.require(call, VERIFY)
            text = await proofs.proof_of(unit.session, authority, index, trust=self.units.trust)
            unit.draft.shown = named_in(await store.entries(unit.session, index, index + 1), each=1)
            unit.draft.count = 1
            return text

        return await self.units.disclose(call, draft, work)

    async def export(
        self,
        call: Call,
        asked: Asked,
        folder: Path,
        *,
        origin: str,
        vkeys: Sequence[str] = (),
        recipient: str = "",
        progress: Progress = unwatched,
    ) -> tuple[Plan, Done]:
        """Write an export into `folder`. The entry that says so is in the log, and as sure as the log can make it, before the first byte is
        written; a run that takes up an interrupted one is an entry of its own. Raises BadInput, RecordUnavailable, and as `exports.admit`.
        """
        with told():
            own_folder(folder)
        draft = self.duty("export", "audit")
        draft.extra |= {"asked": asked.text}

        async def work(unit: Unit) -> tuple[Plan, bool]:
            self.require(call, EXPORT)
            first, end = await queries.range_of(unit.session, asked)
            going_on = unfinished(folder, asked.text)
            newest = await proofs.covering(unit.session, self.units.trust, first + 1)
            if newest is None:
                raise RecordUnavailable("no checkpoint has been signed yet")
            plan = going_on or planned(origin, newest, asked.text, first=first, end=end)
            grows = going_on is None and plan.last == newest.size
            unit.draft.count = plan.last - plan.first
            unit.draft.extra |= {"from": plan.first, "to": plan.last, "and_on": grows, "again": going_on is not None}
            if not await exports.admit(unit, Export("audit", recipient, asked.text), rows=unit.draft.count):
                # Or somebody took the log in slices that are each small.
                unit.draft.shown = named_in(await store.entries(unit.session, plan.first, plan.last))
            return plan, grows

        plan, grows = await self.units.disclose(call, draft, work)
        # What was asked for up to the end goes up to the end of the checkpoint that covers the entry that was just written.
        newest = await proofs.covering(self.units.database.read, self.units.trust, plan.last) if grows else None
        plan = plan if newest is None else planned(origin, newest, asked.text, first=plan.first, end=None)
        return plan, await export(self.units.database, plan, folder, vkeys=vkeys, progress=progress)

    async def entry(self, call: Call, index: int) -> bytes | None:
        """The bytes of one entry, recorded; None where it is not here."""
        draft = self.duty("audit", "show")
        draft.extra["index"] = index

        async def work(unit: Unit) -> bytes | None:
            self.require(call, SEARCH)
            found = await store.entries(unit.session, index, index + 1)
            unit.draft.shown = named_in(found, each=1)
            unit.draft.count = len(found)
            return found[0] if found else None

        return await self.units.disclose(call, draft, work)
