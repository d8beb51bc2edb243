"""The worker: takes what is due, has it done, writes down what came of it. There may be as many as there are instances.

It never ends by itself. Whatever a handler throws is a try that did not work: the type is logged, the job waits for the next one.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog

from service.background import rest
from service.db.engine import Database
from service.errors import ServiceError
from service.values import Clock
from service.work import store
from service.work.model import Backoff, Job, Lane, Outcome

LEASE = timedelta(seconds=60)
"""How long a claim lasts. Longer than any try can take, so that nobody is overtaken while at it."""

PATIENCE = timedelta(seconds=50)
"""How long a try may take: it is over before its claim is."""

_POLL_SECONDS = 1.0
_log = structlog.get_logger("menshen.work")


class Worker:
    """Works on lanes side by side, over one connection of its own for the bookkeeping. `patience`: a try that takes longer is ended,
    because the others of its lane wait for it.
    """

    def __init__(
        self, *, database: Database, lanes: Sequence[Lane], clock: Clock, backoff: Backoff, patience: timedelta = PATIENCE
    ) -> None:
        self._own = database.own()
        self._turn = asyncio.Lock()
        self._lanes = tuple(lanes)
        self._clock = clock
        self._backoff = backoff
        self._patience = patience.total_seconds()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, and end what has been begun."""
        await asyncio.gather(*(self._serve(lane, stop) for lane in self._lanes))

    async def once(self) -> int:
        """Do everything that is due now; how many tries it took."""
        tries = 0
        for lane in self._lanes:
            while done := await self._round(lane):
                tries += done
        return tries

    async def close(self) -> None:
        """Give the connection back."""
        await self._own.close()

    async def _serve(self, lane: Lane, stop: asyncio.Event) -> None:
        while not stop.is_set():
            if await self._round(lane) == 0:
                await rest(stop, _POLL_SECONDS)

    async def _round(self, lane: Lane) -> int:
        """Claim a handful and do them side by side. 0 also when the database is away: then it is tried again."""
        try:
            jobs = await self._claim(lane)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the worker lives on, and its message is nobody's business
            _log.error("work_not_claimed", type=type(problem).__name__, key=lane.kind)
            return 0
        await asyncio.gather(*(self._do(lane, job) for job in jobs))
        return len(jobs)

    async def _claim(self, lane: Lane) -> list[Job]:
        async with self._turn, self._own.single() as session:
            return await store.claim(
                session, kind=lane.kind, recipient=lane.recipient, now=self._clock(), lease=LEASE, width=lane.width
            )

    async def _do(self, lane: Lane, job: Job) -> None:
        try:
            async with asyncio.timeout(self._patience):
                outcome = await lane.handler(job)
        except Exception as problem:  # noqa: BLE001 - a job that fails in a way nobody thought of waits, and the others go on
            _log.error("job_failed", type=type(problem).__name__, key=lane.kind, attempt=job.attempts)
            outcome = Outcome(problem.code if isinstance(problem, ServiceError) else "INTERNAL")
        try:
            await self._settle(job, outcome)
        except Exception as problem:  # noqa: BLE001 - not written down: the lease runs out, and it is done again
            _log.error("job_not_settled", type=type(problem).__name__, key=lane.kind)

    async def _settle(self, job: Job, outcome: Outcome | None) -> None:
        if outcome is None:
            return
        now = self._clock()
        async with self._turn, self._own.single() as session:
            if outcome.state is not None:
                await store.settle(session, job, outcome.state, outcome.code, now=now)
            else:
                await store.postpone(session, job, outcome.code, until=now + (outcome.after or self._backoff.after(job)))
