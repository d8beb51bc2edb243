"""Open alarms, for Prometheus: asked of the database when somebody looks, so that every instance tells the same."""

from collections.abc import Awaitable, Callable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from service.alarms.model import AlarmKind


class AlarmMeter(Collector):
    """The counts as they were at the last `refresh`; none while the database does not tell."""

    def __init__(self, registry: CollectorRegistry, look: Callable[[], Awaitable[Mapping[AlarmKind, int]]]) -> None:
        self._look = look
        self._counts: Mapping[AlarmKind, int] | None = None
        registry.register(self)

    async def refresh(self) -> str:
        """Ask the database. What it does not answer is left out: an old number would pass for a new one."""
        self._counts = None
        self._counts = await self._look()
        return "ok"

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The counts as Prometheus reads them."""
        family = GaugeMetricFamily("menshen_alarms_open", "Alarms that nobody has closed, by kind.", labels=["kind"])
        for kind in AlarmKind if self._counts is not None else ():
            family.add_metric([kind.value], (self._counts or {}).get(kind, 0))
        yield family
