"""How far the log's signature is, for Prometheus: what the publisher of this process knows. No labels but the witnesses' own names."""

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from service.checkpoints.model import State
from service.values import Clock

_TOLD = {
    "menshen_audit_size": "Entries of the audit log, as this instance last saw it.",
    "menshen_audit_verified_size": "Entries that this instance has read again since it was started; 0 while another instance does.",
    "menshen_audit_signed_size": "Entries under the newest signed checkpoint.",
    "menshen_audit_cosigned_size": "Entries under the newest checkpoint that enough witnesses cosigned.",
    "menshen_audit_unsigned_seconds": "For how long entries have been there that no checkpoint covers; 0 while all are covered.",
    "menshen_audit_broken": "1 once this instance found that the log is not what was written: it answers nothing any more.",
}


class CheckpointMeter(Collector):
    """Read from the publisher's state, which costs nothing: no question goes to the database."""

    def __init__(self, registry: CollectorRegistry, state: Callable[[], State], clock: Clock) -> None:
        self._state = state
        self._clock = clock
        registry.register(self)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """As Prometheus reads it."""
        state = self._state()
        tail = (self._clock() - state.tail_since).total_seconds() if state.tail_since else 0.0
        values = (state.size, state.verified, state.signed, state.cosigned, max(tail, 0.0), int(bool(state.breaker)))
        for (name, words), value in zip(_TOLD.items(), values, strict=True):
            yield GaugeMetricFamily(name, words, value=value)
        failing = GaugeMetricFamily("menshen_audit_witness_failing", "1 for a witness that did not cosign.", labels=["witness"])
        for name in state.witnesses:
            failing.add_metric([name], 1)
        yield failing
