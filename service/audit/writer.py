"""The one writer of this process: group commit for reads, numbered commits for changes, and what to do when the database fails.

Three tasks: one writes batches, one tells callers whose time is up, one brings in what other instances left behind when they died.
A read's number is used up when its batch is in the tree, a change's when its transaction is committed; so after any kill every
lane's numbers are without a gap.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial

from service.audit import pending, store
from service.audit.appending import Appender, Failed, Placed
from service.audit.batch import MOST_WAITING, PATIENCE_SECONDS, Batch, Item, Queue
from service.audit.changes import Changes, Commit
from service.audit.entry import Draft, Entry
from service.audit.head import Authority, Mac
from service.audit.journal import Ack, Assurance, Receipt
from service.audit.lanes import SYSTEM, AddressMac, Scribe, TokenMac, unnamed
from service.audit.remembered import RememberedHead
from service.db.engine import Database, Transaction
from service.errors import ConfigError, LogBroken, Malformed, RecordUnavailable, ServiceError
from service.values import Call, Chance, Clock

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.1
_PAUSE_SECONDS = 0.05
_SWEEP_SECONDS = 3.0
_ORPHAN_SECONDS = 5.0


class Writer:
    """See `service.audit.journal.Journal`. `mac` is the head's key in use; `address_mac` and `token_mac` those of callers."""

    def __init__(
        self,
        *,
        database: Database,
        mac: Mac,
        origin: str,
        policy: str,
        clock: Clock,
        chance: Chance,
        remembered: RememberedHead,
        address_mac: AddressMac,
        token_mac: TokenMac = unnamed,
    ) -> None:
        self.authority = Authority(origin, mac)
        self.remembered = remembered
        self._database = database
        self._clock = clock
        self._scribe = Scribe(policy=policy, chance=chance, address_mac=address_mac, token_mac=token_mac)
        self._appender = Appender(database=database, authority=self.authority, remembered=remembered)
        self._queue = Queue()
        self._reads = self._scribe.lane("read")
        self._changes = Changes(database=database, authority=self.authority, scribe=self._scribe, clock=clock, queue=self._queue)
        self._tasks: list[asyncio.Task[None]] = []
        self._open = False
        self._failing = False
        self._broken: LogBroken | None = None
        self._assurance: Assurance | None = None
        self._acks: Mapping[str, Ack] = {}

    def assure(self, assurance: Assurance, acks: Mapping[str, Ack]) -> None:
        """From now on entries of these types (or `type/operation`) are answered only when `assurance` has seen to it."""
        self._assurance, self._acks = assurance, acks

    async def append(self, draft: Draft, call: Call) -> Receipt:
        """See `Journal.append`."""
        self._admit()
        receipt = await self._queued(draft, call)
        if self._acks:
            await self._assured(draft, receipt)
        return receipt

    async def commit(self, draft: Draft, call: Call, transaction: Transaction) -> Awaitable[Receipt]:
        """See `Journal.commit`."""
        self._admit()
        entered = await self._committed(self._changes.commit, draft, call, transaction=transaction)
        return self._then_assured(draft, entered) if self._ack(draft) is not Ack.COMMITTED else entered

    async def start(self) -> None:
        """See `Journal.start`. Also raises ConfigError for a database that cannot hold the log's bytes."""
        try:
            await self._check_settings()
            await self._appender.open()
            await self._adopt(timedelta(0))
        except BaseException:
            await self._let_go()
            raise
        self._open = True
        while self._queue and not self._failing and self._broken is None:
            await self._write_batch()
        self._tasks = [asyncio.create_task(_kept_up(task)) for task in (self._write, self._expire, self._sweep)]

    async def close(self) -> None:
        """See `Journal.close`."""
        if self._open and self._broken is None:
            # Whatever keeps us from it: a log without `stop` is one whose process was killed, and nothing worse.
            with suppress(Exception):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._say_stop()
        self._open = False
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._queue.expire(float("inf"))
        await self._let_go()

    def health(self) -> str:
        """See `Journal.health`."""
        if self._broken is not None:
            return "broken"
        return "ok" if self._open and not self._failing else "unavailable"

    def fail(self, problem: LogBroken) -> None:
        """Somebody who read the log again found that it does not fit: nothing is written or answered any more, until a restart."""
        if self._broken is None:
            self._break(problem)

    def _ack(self, draft: Draft) -> Ack:
        return self._acks.get(f"{draft.typ}/{draft.operation}") or self._acks.get(draft.typ) or Ack.COMMITTED

    async def _assured(self, draft: Draft, receipt: Receipt) -> None:
        if self._assurance is not None and (ack := self._ack(draft)) is not Ack.COMMITTED:
            await self._assurance.reached(receipt.size, ack)

    async def _then_assured(self, draft: Draft, entered: Awaitable[Receipt]) -> Receipt:
        receipt = await entered
        await self._assured(draft, receipt)
        return receipt

    def _admit(self) -> None:
        if self._broken is not None:
            raise LogBroken(self._broken.detail)
        if not self._open or len(self._queue) >= MOST_WAITING:
            raise RecordUnavailable("the audit log takes no entries now")

    async def _queued(self, draft: Draft, call: Call) -> Receipt:
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._queue.put(Item(answer, draft, call))
        return await answer

    async def _committed(
        self, commit: Commit, draft: Draft, call: Call, *, transaction: Transaction
    ) -> "asyncio.Future[Receipt]":
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        try:
            await commit(draft, call, transaction, Item(answer))
        except BaseException:
            # Nobody will ask for it; if the entry is in the queue all the same, it goes into the tree without being waited for.
            answer.cancel()
            raise
        return answer

    async def _say_stop(self) -> None:
        """The last number of each lane that was used: an orderly end, which a kill does not have."""
        self._open = False
        while self._changes.used:
            async with self._database.write() as transaction:
                entered = await self._committed(self._changes.end, Draft(typ="stop"), SYSTEM, transaction=transaction)
            await entered
        if self._reads.next:
            await self._queued(Draft(typ="stop"), SYSTEM)

    async def _let_go(self) -> None:
        await self._appender.close()
        self.remembered.close()

    async def _check_settings(self) -> None:
        """A database that does not wait for its disk acknowledges what a power cut takes back: say so aloud."""
        encoding, flushes, pages = await store.settings(self._database.read)
        if encoding.replace("-", "").upper() != "UTF8":
            raise ConfigError("MENSHEN_DATABASE_URL: the database's encoding must be UTF8")
        if flushes != "on" or pages in {"off", "0", "1"}:
            _log.warning("the database does not wait for its disk: a power cut may take acknowledged audit entries")

    async def _write(self) -> None:
        while self._broken is None:
            await self._queue.arrived.wait()
            await self._write_batch()

    async def _write_batch(self) -> None:
        """Take the next batch out of the queue and put it into the tree."""
        try:
            batch = self._queue.next_batch(self._reads, self._scribe, self._clock())
        except Exception as problem:  # noqa: BLE001  (nothing was sent, and the queue is as it was: the next round takes it again)
            await self._failed(problem)
        else:
            await self._put_in(batch)

    async def _put_in(self, batch: Batch) -> None:
        """Into the tree, or back to whoever waits. Tried again for as long as somebody does.

        While entries fail, an empty batch is tried, too: an instance that gets no calls must see that the database is back.
        """
        doubt = False
        while batch.entries or self._failing:
            try:
                late = partial(self._late, batch)
                placed = await self._appender.append(batch.entries, batch.pending, late=late, doubt=doubt)
                self._succeeded(batch, placed)
            except LogBroken as problem:
                self._break(problem)
                return
            except Exception as problem:  # noqa: BLE001  (of what nobody thought of, nobody knows whether it came before or after)
                doubt = doubt or not isinstance(problem, Failed)
                await self._failed(problem)
            else:
                return
            if not batch.wanted:
                self._give_up(batch, doubt=doubt)
                return

    def _late(self, batch: Batch) -> list[Entry]:
        return self._queue.late_reads(batch, self._scribe, self._clock())

    def _succeeded(self, batch: Batch, placed: Placed) -> None:
        batch.settle(placed)
        self._queue.done(batch)
        if self._failing:
            self._failing = False
            _log.warning("audit entries are written again")

    async def _failed(self, problem: Exception) -> None:
        """Health says so from now on. The log line has the kind of the problem: a driver's message may quote what it was given."""
        before, self._failing = self._failing, True
        if not before:
            _log.error("audit entries cannot be written: %s", _kind(problem))
        await asyncio.sleep(_PAUSE_SECONDS)

    def _give_up(self, batch: Batch, *, doubt: bool) -> None:
        """Nobody waits any more. Reads are dropped; if they may be there all the same, their numbers must not be given twice."""
        if doubt and batch.reads:
            self._reads = self._scribe.lane("read")
        self._queue.put_back(batch)

    def _break(self, problem: LogBroken) -> None:
        """Fail closed until a restart: the log is not what this process left, and somebody must look."""
        _log.critical("the audit log is broken: %s", problem.detail)
        self._broken = problem
        self._queue.fail_all(problem)

    async def _expire(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            self._queue.expire(loop.time())

    async def _sweep(self) -> None:
        while self._broken is None:
            await asyncio.sleep(_SWEEP_SECONDS)
            with suppress(ServiceError):
                await self._adopt(timedelta(seconds=_ORPHAN_SECONDS))
            if self._failing:
                self._queue.arrived.set()

    async def _adopt(self, age: timedelta) -> None:
        """Queue what has waited in the database for so long: its own instance is not coming back for it."""
        for row in await store.orphans(self._database.read, self._clock() - age):
            try:
                self._queue.put(Item(entry=pending.entry_in(row, self.authority)))
            except Malformed as problem:
                _log.critical("a row of audit_pending is not ours and stays out of the log: %s", problem.detail)


async def _kept_up(task: Callable[[], Awaitable[None]]) -> None:
    """Run `task` until it is over. One that ended at an error nobody thought of would take the log with it, and nobody would know."""
    while True:
        try:
            return await task()
        except Exception as problem:  # noqa: BLE001  (that is what this is for)
            _log.error("a task of the audit log begins anew: %s", _kind(problem))
            await asyncio.sleep(_PAUSE_SECONDS)


def _kind(problem: Exception) -> str:
    """The name of what went wrong first; no text that anybody gave it."""
    return type(problem.__cause__ or problem).__name__
