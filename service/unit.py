"""The door: one transaction, one audit entry, one commit.

Nothing personal is read or changed except through here. A `Reader` has no vault, so it can open nothing; a `Unit` has one,
and every
unit ends in an audit entry that is durable before anybody is told anything (promise 6). A refusal is an answer too: whatever
ends a unit, the entry says so before the caller hears of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeVar

from policies.terms import Catalogue
from service.audit.entry import Draft
from service.audit.journal import Journal
from service.checkpoints.trust import NOBODY, Trust
from service.db.engine import Database, Duplicate, Retry, Session
from service.errors import Conflict, LogBroken, RecordUnavailable, ServiceError
from service.values import Actor, ActorKind, Call, Chance, Clock, new_id
from service.vault.vault import Vault

T = TypeVar("T")
_TRIES = 6
_BACKOFF_SECONDS = 0.01
_SYSTEM = Actor(ActorKind.SYSTEM, "watch", frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """What a query works with: a session, the policy, the moment. It has no vault."""

    session: Session
    catalogue: Catalogue
    now: datetime
    call: Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit(Reader):
    """A Reader that can also seal and open, and owes one audit entry: `draft`, which the work fills in."""

    vault: Vault
    draft: Draft
    chance: Chance

    def new_id(self) -> str:
        """A fresh UUIDv7 of this unit's moment."""
        return new_id(self.now, self.chance)


Raising = Callable[[Unit], Awaitable[object]]
"""Raises one alarm, in a unit of its own."""


class Watch(Protocol):
    """Whoever stands at the door and looks at what passes it, before it is answered."""

    def counts(self, call: Call, draft: Draft) -> bool:
        """Whether it must be counted, in one transaction with its entry, before anybody is told."""

    async def admit(self, unit: Unit) -> None:
        """Count it. Raises Refused where it is too much."""

    def owed(self, call: Call, draft: Draft, now: datetime) -> Sequence[Raising]:
        """The alarms that this entry is the reason for. They are raised before it is answered."""


class Unwatched:
    """Nobody stands there: in tools that tell nobody anything."""

    def counts(self, call: Call, draft: Draft) -> bool:  # noqa: ARG002 - the protocol's
        """Nothing is counted."""
        return False

    async def admit(self, unit: Unit) -> None:
        """Everything is admitted."""

    def owed(self, call: Call, draft: Draft, now: datetime) -> Sequence[Raising]:  # noqa: ARG002 - the protocol's
        """Nothing is owed."""
        return ()


class AnotherFirst(Exception):
    """Work that needs another unit before it. Nothing of it stands and nobody is told anything: whoever raises it sees to it that the same
    work is run again, and that time to its entry.
    """


class Units:
    """Opens units: `disclose` to read personal data, `change` to write, `read` for what is nobody's."""

    def __init__(
        self,
        *,
        database: Database,
        vault: Vault,
        journal: Journal,
        catalogue: Catalogue,
        clock: Clock,
        chance: Chance,
        watch: Watch | None = None,
        trust: Trust = NOBODY,
    ) -> None:
        self.database = database
        self.vault = vault
        self.journal = journal
        self.catalogue = catalogue
        self.trust = trust
        self._clock = clock
        self._chance = chance
        self._watch = watch or Unwatched()

    async def read(self, call: Call, work: Callable[[Reader], Awaitable[T]]) -> T:
        """Run `work` on one snapshot. It can open nothing, so nothing is recorded."""
        async with self.database.snapshot() as session:
            return await work(Reader(session=session, catalogue=self.catalogue, now=self._clock(), call=call))

    async def disclose(self, call: Call, draft: Draft, work: Callable[[Unit], Awaitable[T]]) -> T:
        """Run `work`, make its entry durable, then hand out what it found. Raises RecordUnavailable instead of answering."""
        try:
            found = await work(self._unit(self.database.read, call, draft))
        except Exception as problem:
            await self._record_failure(call, draft, problem)
            raise
        if self._watch.counts(call, draft):
            # The count, the entry and nothing else: what was found is in hand, and is let go of where it would be too much.
            await self.change(call, draft, _nothing_more)
            return found
        await self.journal.append(draft, call)
        await self._raise_owed(call, draft)
        return found

    async def change(self, call: Call, draft: Draft, work: Callable[[Unit], Awaitable[T]]) -> T:
        """Run `work` in one transaction together with its entry. It may run several times: a collision starts it anew.

        Raises AnotherFirst, unrecorded, where the work does; RecordUnavailable when the change stands but its entry has not reached the
        tree in time; it will.
        """
        for attempt in range(_TRIES):
            own = replace(draft, subjects=list(draft.subjects), shown=list(draft.shown), extra=dict(draft.extra))
            try:
                done = await self._attempt(call, own, work)
            except (Retry, Duplicate):
                # Two requests met at one row. The next try sees what the other one did and answers accordingly.
                await asyncio.sleep(_BACKOFF_SECONDS * 2**attempt)
            except AnotherFirst:
                raise
            except Exception as problem:
                await self._record_failure(call, own, problem)
                raise
            else:
                # It stands. Whatever comes of the alarm, it is not done again.
                await self._raise_owed(call, own)
                return done
        conflict = Conflict()
        await self._record_failure(call, draft, conflict)
        raise conflict

    async def _attempt(self, call: Call, draft: Draft, work: Callable[[Unit], Awaitable[T]]) -> T:
        async with self.database.write() as transaction:
            unit = self._unit(transaction, call, draft)
            done = await work(unit)
            if self._watch.counts(call, draft):
                await self._watch.admit(unit)
            entered = await self.journal.commit(draft, call, transaction)
        # The connection has gone back: while the tree is slow, whoever waits for it must not keep everybody else from the database.
        await entered
        return done

    async def _record_failure(self, call: Call, draft: Draft, problem: Exception) -> None:
        """A refusal, a broken seal, a fault: the record says that it was tried and what came of it, without a value."""
        if isinstance(problem, RecordUnavailable | LogBroken):
            return
        # Another id than the one that rows were to name: perhaps nobody can say whether those stand.
        failed = replace(draft, subjects=list(draft.subjects), extra=dict(draft.extra), fields=(), count=0, entry_id="")
        failed.deny(problem.code if isinstance(problem, ServiceError) else "INTERNAL")
        await self.journal.append(failed, call)
        await self._raise_owed(call, failed)

    async def _raise_owed(self, call: Call, draft: Draft) -> None:
        """Raise what the watch has seen. Raises what keeps it from being raised: then nobody is answered, either."""
        for raising in self._watch.owed(call, draft, self._clock()):
            own = Call(_SYSTEM, call.request_id)
            await self.change(own, Draft(typ="admin", operation="raiseAlarm"), raising)

    def _unit(self, session: Session, call: Call, draft: Draft) -> Unit:
        return Unit(
            session=session,
            catalogue=self.catalogue,
            now=self._clock(),
            call=call,
            vault=self.vault,
            draft=draft,
            chance=self._chance,
        )


async def _nothing_more(unit: Unit) -> None:
    """The work of a unit that has only to be counted and entered."""
