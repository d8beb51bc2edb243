"""How many members have sensitive data, for Prometheus: above a threshold somebody has to be named for it (GB/T 45574-2025)."""

from collections.abc import Awaitable, Callable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from service.guardians.model import Alert


class SensitiveMeter(Collector):
    """The count as it was at the last `refresh`; none while the database does not tell."""

    def __init__(self, registry: CollectorRegistry, look: Callable[[], Awaitable[Alert]]) -> None:
        self._look = look
        self._found: Alert | None = None
        registry.register(self)

    async def refresh(self) -> str:
        """Ask the database. What it does not answer is left out: an old number would pass for a new one."""
        self._found = None
        self._found = await self._look()
        return "ok"

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The count and whether the alert is open, as Prometheus reads them."""
        if self._found is not None:
            told = "Distinct members with a sensitive field, children included."
            yield GaugeMetricFamily("menshen_sensitive_members", told, value=self._found.count)
            told = "1 while more of them than the policy's threshold have nobody named for them (SENSITIVE_100K)."
            yield GaugeMetricFamily("menshen_sensitive_alert", told, value=int(self._found.open))
