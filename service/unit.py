"""The door: one transaction, one audit entry, one commit.

Nothing personal is read or changed except through here. A `Reader` has no vault, so it can open nothing; a `Unit` has one,
and every
unit ends in an audit entry that is durable before anybody is told anything (promise 6). A refusal is an answer too: whatever
ends a unit, the entry says so before the caller hears of it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from policies.terms import Catalogue
from service.audit.entry import Draft
from service.audit.journal import Journal
from service.db.engine import Database, Duplicate, Retry, Session
from service.errors import Conflict, LogBroken, RecordUnavailable, ServiceError
from service.values import Call, Chance, Clock, new_id
from service.vault.vault import Vault

T = TypeVar("T")
_TRIES = 6
_BACKOFF_SECONDS = 0.01


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


class AnotherFirst(Exception):
    """Work that needs another unit before it. Nothing of it stands and nobody is told anything: whoever raises it sees to it that the same
    work is run again, and that time to its entry.
    """


class Units:
    """Opens units: `disclose` to read personal data, `change` to write, `read` for what is nobody's."""

    def __init__(
        self, *, database: Database, vault: Vault, journal: Journal, catalogue: Catalogue, clock: Clock, chance: Chance
    ) -> None:
        self.database = database
        self.vault = vault
        self.journal = journal
        self.catalogue = catalogue
        self._clock = clock
        self._chance = chance

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
        await self.journal.append(draft, call)
        return found

    async def change(self, call: Call, draft: Draft, work: Callable[[Unit], Awaitable[T]]) -> T:
        """Run `work` in one transaction together with its entry. It may run several times: a collision starts it anew.

        Raises AnotherFirst, unrecorded, where the work does; RecordUnavailable when the change stands but its entry has not reached the
        tree in time; it will.
        """
        for attempt in range(_TRIES):
            own = replace(draft, subjects=list(draft.subjects), extra=dict(draft.extra))
            try:
                return await self._attempt(call, own, work)
            except (Retry, Duplicate):
                # Two requests met at one row. The next try sees what the other one did and answers accordingly.
                await asyncio.sleep(_BACKOFF_SECONDS * 2**attempt)
            except AnotherFirst:
                raise
            except Exception as problem:
                await self._record_failure(call, own, problem)
                raise
        conflict = Conflict()
        await self._record_failure(call, draft, conflict)
        raise conflict

    async def _attempt(self, call: Call, draft: Draft, work: Callable[[Unit], Awaitable[T]]) -> T:
        async with self.database.write() as transaction:
            done = await work(self._unit(transaction, call, draft))
            await self.journal.commit(draft, call, transaction)
        return done

    async def _record_failure(self, call: Call, draft: Draft, problem: Exception) -> None:
        """A refusal, a broken seal, a fault: the record says that it was tried and what came of it, without a value."""
        if isinstance(problem, RecordUnavailable | LogBroken):
            return
        # Another id than the one that rows were to name: perhaps nobody can say whether those stand.
        failed = replace(draft, subjects=list(draft.subjects), extra=dict(draft.extra), fields=(), count=0, entry_id="")
        failed.deny(problem.code if isinstance(problem, ServiceError) else "INTERNAL")
        await self.journal.append(failed, call)

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
