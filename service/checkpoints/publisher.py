"""Follows the log, signs what it has read, stores the note, has it cosigned. Any instance can; one does, and two do no harm.

Each round takes what has been appended since the last, so a busy log gets a checkpoint a round and not one an entry. A log that does not
fit is never signed again by this process: its journal is told to answer nothing, and the connection that made it the one that follows is
given up, so that the next instance looks for itself and comes to the same end.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from menshen_verifier.checkpoint import Checkpoint
from menshen_verifier.note import Key
from service.audit import store as log
from service.audit.head import Authority, Head, Seen, check_seen
from service.audit.journal import Ack
from service.checkpoints import store
from service.checkpoints.cosigning import Cosigning
from service.checkpoints.follower import Follower
from service.checkpoints.model import Cosigners, Published, Signer, State
from service.checkpoints.notes import note_of
from service.checkpoints.patrol import Patrol
from service.checkpoints.signing import Later, Signing
from service.checkpoints.trust import Trust
from service.checkpoints.waiting import PATIENCE_SECONDS, Waiting
from service.db.engine import Database, Duplicate, Session
from service.errors import LogBroken, ServiceError
from service.values import Clock

_log = logging.getLogger(__name__)

_ROUND_SECONDS = 0.5
"""Between rounds while nobody waits: what was appended is signed within a second."""

_SHORT_SECONDS = 0.05
_SAVE_SECONDS = 60.0
_CLOSE_SECONDS = 2.0

Break = Callable[[LogBroken], None]
"""Told once, when this log must not be written or answered from any more."""


class Publisher:
    """`elect` is False behind a transaction pooler, where a connection cannot be told from another: then every instance publishes.

    `patience` is how long, in seconds, an answer waits for its checkpoint.
    """

    def __init__(
        self,
        *,
        database: Database,
        authority: Authority,
        signer: Signer,
        clock: Clock,
        broken: Break,
        cosigners: Cosigners | None = None,
        elect: bool = True,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self.state = State()
        self.signer = signer
        self.cosigners = cosigners
        self._database = database
        self._own = database.own()
        self._authority = authority
        self._clock = clock
        self._broken = broken
        self._elect = elect
        self._follower: Follower | None = None
        self._patrol = Patrol(authority)
        parties, quorum = (cosigners.parties, cosigners.quorum) if cosigners else ((), 0)
        self._trust = Trust(authority.origin, lambda: signer.keys, parties=parties, quorum=quorum)
        self._newest: Published | None = None
        self._seen: Seen | None = None
        self._waiting = Waiting(patience)
        self._signing = Signing(signer, origin=authority.origin, clock=clock)
        self._cosigning = self._witnessed_by(cosigners) if cosigners else None
        self._saved = -_SAVE_SECONDS

    @property
    def keys(self) -> tuple[Key, ...]:
        """The log's keys in use, the newest first."""
        return self.signer.keys

    async def reached(self, size: int, ack: Ack) -> None:
        """See `service.audit.journal.Assurance`."""
        await self._waiting.until(size, ack, self.state)

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop` is set. Ends early only when the log is broken."""
        cosigning = asyncio.create_task(self._keep_cosigned())
        try:
            while not stop.is_set() and not self.state.breaker:
                await self._try()
                await self._pause(stop)
        finally:
            cosigning.cancel()
            await asyncio.gather(cosigning, return_exceptions=True)

    async def once(self) -> None:
        """One round: read what was appended, sign it, store the note. Raises LogBroken, having broken off; any other ServiceError to say
        that it was not possible this time.
        """
        try:
            async with self._own.single() as session:
                with suppress(Later):
                    await self._turn(session)
        except LogBroken as problem:
            await self._break_off(problem)
            raise
        self._waiting.settle(self.state)

    async def close(self) -> None:
        """Sign what is there as the last word, as far as database and signer let us, and give everything back."""
        with suppress(Exception):
            async with asyncio.timeout(_CLOSE_SECONDS):
                if not self.state.breaker:
                    await self.once()
                    async with self._own.single() as session:
                        await self._save(session, force=True)
        self._waiting.end(None)
        for close in (self._own.close, self.signer.close, *([self._cosigning.close] if self._cosigning else [])):
            with suppress(Exception):
                await close()

    def _witnessed_by(self, cosigners: Cosigners) -> Cosigning:
        return Cosigning(cosigners, database=self._database, state=self.state, waiting=self._waiting, clock=self._clock)

    async def _turn(self, session: Session) -> None:
        if not self._elect or await store.elected(session, self._authority.origin):
            await self._round(session)
        else:
            await self._watch(session)

    async def _round(self, session: Session) -> None:
        head = await log.head(session, self._authority.origin)
        if head is None:
            raise LogBroken("the head's row is gone")
        self._authority.check(head)
        check_seen(head, self._seen)
        self._seen = Seen(head.size, head.root)
        follower = self._follower or await self._begin(session, head)
        self._noted(head)
        await self._follow(follower, session, head)
        self._follower = follower
        self.state.leading, self.state.verified = True, follower.tree.size
        if follower.tree.size > self.state.signed:
            await self._publish(session, Checkpoint(self._authority.origin, follower.tree.size, follower.tree.root))
        self._noted(head)
        await self._only_ours(session)
        # Before anything that nobody waits for: the patrol's page is some ten milliseconds.
        self._waiting.settle(self.state)
        await self._save(session)
        if self._newest is not None:
            await self._patrol.step(session, self._newest, pressed=bool(self._waiting))

    async def _begin(self, session: Session, head: Head) -> Follower:
        """Take up what was published last: a note that we signed, and a log that is not shorter."""
        last = await self.signer.open()
        if last > head.size:
            raise LogBroken(f"rolled back: the log has {head.size} entries, and the signer has signed {last}")
        self._newest = await store.newest(session)
        if self._newest is not None:
            self._signing.believe(self._newest)
            if self._newest.size > head.size:
                raise LogBroken(f"rolled back: the log has {head.size} entries, and {self._newest.size} are signed")
            self._took(self._newest)
        follower = Follower(self._authority)
        await follower.take_up(session, await store.position(session, self._authority.origin))
        return follower

    async def _follow(self, follower: Follower, session: Session, head: Head) -> None:
        newest = self._newest
        if newest is None or follower.tree.size > newest.size:
            await follower.follow(session, head)
        elif follower.tree.size == newest.size and follower.tree.root != newest.root:
            raise LogBroken(f"the first {newest.size} entries are not those of the signed checkpoint")
        else:
            await follower.follow(session, head, stop=newest.size, root=newest.root)

    async def _publish(self, session: Session, checkpoint: Checkpoint) -> None:
        lines = await self._signing.lines(session, checkpoint, old=self.state.signed)
        made = Published(checkpoint.size, checkpoint.root, note_of(checkpoint, lines), self._clock())
        self._signing.believe(made)
        try:
            await store.publish(session, made)
        except Duplicate:
            there = await store.at(session, made.size)
            if there is None or there.root != made.root:
                raise LogBroken(f"another root is published at size {made.size}") from None
            await self._signing.believe_another(there)
            made = there
        self._took(made)

    def _took(self, made: Published) -> None:
        state, self._newest = self.state, made
        state.signed, state.signed_at = made.size, made.signed_at
        # The row says so; whoever waits for witnesses is told when their signatures do.
        if made.witnessed_at is not None and self._trust.believes(made, cosigned=True):
            state.cosigned, state.cosigned_at = made.size, made.witnessed_at
        if self._cosigning is not None:
            self._cosigning.newest(made)

    def _noted(self, head: Head) -> None:
        state = self.state
        state.size = max(head.size, state.size)
        if head.size > state.signed:
            state.tail_since = state.tail_since or self._clock()
        else:
            state.tail_since = None

    async def _only_ours(self, session: Session) -> None:
        """Whether the newest row is one of this log's: another, somebody wrote there to hide it. Raises LogBroken."""
        newest = await store.newest(session)
        if newest is not None and newest.size > self.state.signed:
            await self._signing.believe_another(newest)

    async def _watch(self, session: Session) -> None:
        """Another instance follows. What it published counts for those who wait here."""
        self.state.leading, self._follower = False, None
        if not self.signer.keys:
            await self.signer.open()
        head = await log.head(session, self._authority.origin)
        newest = await store.newest(session)
        if newest is not None and newest.size > self.state.signed:
            await self._signing.believe_another(newest)
            self._took(newest)
        cosigned = await self._trust.newest(session, cosigned=True) if self.cosigners else None
        if cosigned is not None:
            self.state.cosigned, self.state.cosigned_at = cosigned.size, cosigned.witnessed_at
        if head is not None:
            self._noted(head)

    async def _save(self, session: Session, *, force: bool = False) -> None:
        """The follower's position, once a minute: what lies behind it need not be read again after a restart."""
        now = asyncio.get_running_loop().time()
        if self._follower is None or (now < self._saved + _SAVE_SECONDS and not force):
            return
        self._saved = now
        with suppress(Duplicate):
            await store.move_position(session, self._authority.origin, self._follower.sealed())

    async def _break_off(self, problem: LogBroken) -> None:
        if self.state.breaker:
            return
        self.state.breaker = problem.detail
        _log.critical("the audit log is broken, and is not signed: %s", problem.detail)
        self._broken(problem)
        self._waiting.end(problem)
        with suppress(Exception):
            await self._own.close()

    async def _pause(self, stop: asyncio.Event) -> None:
        """Until the next round: shorter while somebody waits, and over at once when somebody comes."""
        ends = [asyncio.ensure_future(event.wait()) for event in (stop, self._waiting.arrived)]
        await asyncio.wait(ends, timeout=_SHORT_SECONDS if self._waiting else _ROUND_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()
        self._waiting.arrived.clear()

    async def _try(self) -> None:
        """Whatever a round raises, the next begins anew; on another connection, should that have been the reason."""
        try:
            await self.once()
            if self.state.problem:
                _log.warning("checkpoints are signed again")
            self.state.problem = ""
        except LogBroken:
            return
        except Exception as problem:  # noqa: BLE001  (the log goes on without a signature, and the age of its unsigned tail tells)
            code = problem.code if isinstance(problem, ServiceError) else "INTERNAL"
            if self.state.problem != code:
                _log.error("no checkpoint can be signed: %s", type(problem).__name__)
            self.state.problem = code
            with suppress(Exception):
                await self._own.close()

    async def _keep_cosigned(self) -> None:
        if self._cosigning is not None:
            try:
                await self._cosigning.run()
            except LogBroken as problem:
                await self._break_off(problem)
