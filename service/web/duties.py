"""Tasks that are past their day, for Prometheus: asked of the database when somebody looks, so that every instance tells the same."""

from collections.abc import Awaitable, Callable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry


class DutyMeter(Collector):
    """The count as it was at the last `refresh`; none while the database does not tell."""

    def __init__(self, registry: CollectorRegistry, look: Callable[[], Awaitable[int]]) -> None:
        self._look = look
        self._count: int | None = None
        registry.register(self)

    async def refresh(self) -> str:
        """Ask the database. What it does not answer is left out: an old number would pass for a new one."""
        self._count = None
        self._count = await self._look()
        return "ok"

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The count as Prometheus reads it."""
        if self._count is not None:
            yield GaugeMetricFamily("menshen_duties_overdue", "Tasks of the law that are open past their day.", value=self._count)
