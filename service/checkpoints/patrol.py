"""Reads the whole log again, from its first entry to the newest signature and then from the first again, a page at a time: what somebody
edited long after it was signed, or what rotted, is found though nobody asks.

Each walk does to every entry what the follower did when it was new, and must come to the root that was signed. A page is 2,048 entries, one
each half second and never more than a twentieth of the time: a log of that size is walked through in each round, ten million entries in
three quarters of an hour.
"""

import asyncio
import time

from service.audit import store as log
from service.audit.head import Authority
from service.audit.loading import loaded
from service.audit.reading import store as reading
from service.audit.tree import Tree
from service.checkpoints.follower import Follower
from service.checkpoints.model import Published
from service.db.engine import Session
from service.errors import LogBroken

PAUSE_SECONDS = 0.4
LATE_SECONDS = 5.0
"""How long it gives way to those who wait for a checkpoint; not longer, or whoever always waits would keep it from looking."""

IDLE = 20
"""How many times as long as a page kept this process busy nothing is read."""


class Patrol(Follower):
    """`walks` counts those that came to their end."""

    def __init__(self, authority: Authority, *, pause: float = PAUSE_SECONDS, idle: float = IDLE) -> None:
        super().__init__(authority)
        self.walks = 0
        self._pause, self._idle = pause, idle
        self._goal: Published | None = None
        self._due = 0.0
        self._enough = 0

    async def step(self, session: Session, signed: Published, *, pressed: bool = False) -> None:
        """A page more, if it is time; not yet, for some seconds, while it would keep somebody waiting (`pressed`). `signed` is where a new
        walk ends. Raises LogBroken.
        """
        loop = asyncio.get_running_loop()
        if loop.time() < self._due + (LATE_SECONDS if pressed else 0.0) or signed.size == 0:
            return
        begun = time.thread_time()
        await self._walk(session, signed)
        self._due = loop.time() + max(self._pause, self._idle * (time.thread_time() - begun))

    async def _walk(self, session: Session, signed: Published) -> None:
        goal = self._goal or await self._again(session, signed)
        first = self.tree.size
        await self._read(session, first, min((first // reading.PAGE + 1) * reading.PAGE, goal.size))
        if self.tree.size < goal.size:
            return
        if self.tree.root != goal.root:
            raise LogBroken(f"the first {goal.size} entries are not those of the signed checkpoint")
        if self._skipped > self._pruned_to and await self._further(session, goal, signed):
            return
        self._all_said()
        self._goal = None
        self.walks += 1

    async def _further(self, session: Session, goal: Published, signed: Published) -> bool:
        """What is pruned during a walk is said by an entry behind its goal: so it goes on, once, to where the log is by then."""
        if not self._enough:
            head = await log.head(session, self._authority.origin)
            self._enough = head.size if head else 0
        if signed.size >= self._enough > goal.size:
            self._goal = signed
        return goal.size < self._enough

    async def _again(self, session: Session, signed: Published) -> Published:
        """At the first entry that is here: nothing before it but whole segments, and by the end of the walk an entry that says so."""
        first = await reading.first(session)
        tree = Tree() if first == 0 else await loaded(session, first)
        if tree is None or first % reading.SEGMENT or first >= signed.size:
            raise LogBroken(f"entries before {first} are missing")
        self.tree, self.lanes, self._forgot, self._goal = tree, {}, first > 0, signed
        self._skipped, self._pruned_to, self._enough = first, 0, 0
        return signed
