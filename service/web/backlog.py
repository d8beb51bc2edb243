"""What waits to be done, for Prometheus: asked of the database when somebody looks, so that every instance tells the same. No labels."""

from collections.abc import Awaitable, Callable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from service.values import Clock
from service.work.model import Backlog

_TOLD = {
    "menshen_jobs_waiting": "Jobs that are due or wait for another try.",
    "menshen_jobs_failed": "Jobs that only a person can end.",
    "menshen_jobs_oldest_seconds": "For how long the oldest of the waiting and failed jobs has been there.",
    "menshen_propagations_overdue": "Recipients that have not confirmed the end of a consent in time, or cannot be told by machine.",
}


class BacklogMeter(Collector):
    """The counts as they were at the last `refresh`; none while the database does not tell."""

    def __init__(self, registry: CollectorRegistry, look: Callable[[], Awaitable[Backlog]], clock: Clock) -> None:
        self._look = look
        self._clock = clock
        self._values: tuple[float, ...] = ()
        registry.register(self)

    async def refresh(self) -> str:
        """Ask the database. What it does not answer is left out: an old number would pass for a new one."""
        self._values = ()
        found = await self._look()
        age = (self._clock() - found.oldest).total_seconds() if found.oldest else 0.0
        self._values = (found.waiting, found.failed, max(age, 0.0), found.overdue)
        return "ok"

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The counts as Prometheus reads them."""
        for (name, words), value in zip(_TOLD.items(), self._values, strict=False):
            yield GaugeMetricFamily(name, words, value=value)
