"""How mail is received, for Prometheus: a provider that sees too many complaints (0.3 %) lets nothing through any more (EM-07)."""

from collections.abc import Awaitable, Callable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from service.inbound.queries import Volumes


class ReceivedMeter(Collector):
    """The day's figures as they were at the last `refresh`; none while the database does not tell."""

    def __init__(self, registry: CollectorRegistry, look: Callable[[], Awaitable[Volumes]]) -> None:
        self._look = look
        self._found: Volumes | None = None
        registry.register(self)

    async def refresh(self) -> str:
        """Ask the database. What it does not answer is left out: an old number would pass for a new one."""
        self._found = None
        self._found = await self._look()
        return "ok"

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Numbers and shares by the policy's own sending domains."""
        if self._found is None:
            return
        numbers = GaugeMetricFamily("menshen_mail_day", "Mail of the last 24 hours.", labels=["domain", "outcome"])
        shares = GaugeMetricFamily("menshen_mail_complaint_ratio", "Complaints over mail sent, 24 hours.", labels=["domain"])
        for (domain, outcome), number in sorted(self._found.items()):
            numbers.add_metric([domain, outcome], number)
        for domain in sorted({domain for domain, _ in self._found}):
            shares.add_metric([domain], self._ratio(domain))
        yield numbers
        yield shares

    def _ratio(self, domain: str) -> float:
        found = self._found or {}
        return found.get((domain, "COMPLAINED"), 0) / max(found.get((domain, "SENT"), 0), 1)
