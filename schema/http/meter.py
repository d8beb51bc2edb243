"""What is counted of the endpoint: answers by status, errors by code, and how long it took. No label is a caller's word.

Plain numbers while serving, and Prometheus' families only when somebody asks: its own counters take a lock for every request.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from time import perf_counter

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Meter(Collector):
    """Counts for a registry of the application's own; `service/web` shows it at /metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._statuses: Counter[int] = Counter()
        self._codes: Counter[str] = Counter()
        self._buckets = [0] * (len(_BOUNDS) + 1)
        self._seconds = 0.0
        registry.register(self)

    def start(self) -> float:
        """When a request came in, on a clock of the meter's own."""
        return perf_counter()

    def done(self, started: float, status: int) -> None:
        """Count one answer."""
        took = perf_counter() - started
        self._seconds += took
        self._buckets[bisect_left(_BOUNDS, took)] += 1
        self._statuses[status] += 1

    def error(self, code: str) -> None:
        """Count one error in an answer."""
        self._codes[code] += 1

    def collect(self) -> Iterator[CounterMetricFamily | HistogramMetricFamily]:
        """The counts as Prometheus reads them."""
        answers = CounterMetricFamily("menshen_graphql_answers", "Answers by HTTP status.", labels=["status"])
        for status, count in sorted(self._statuses.items()):
            answers.add_metric([str(status)], count)
        errors = CounterMetricFamily("menshen_graphql_errors", "Errors in answers, by code.", labels=["code"])
        for code, count in sorted(self._codes.items()):
            errors.add_metric([code], count)
        seconds = HistogramMetricFamily("menshen_graphql_seconds", "From the request to the answer, in seconds.")
        bounds = [*(str(bound) for bound in _BOUNDS), "+Inf"]
        seconds.add_metric([], list(zip(bounds, accumulate(self._buckets), strict=True)), self._seconds)
        yield from (answers, errors, seconds)
