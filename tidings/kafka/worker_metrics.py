"""What a worker shows of itself beside its exchange's metrics: read from the health's snapshot when it is asked."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import Metric

from tidings import metrics
from tidings.kafka.health import Health
from tidings.metrics import MetricStore


class WorkerMetrics(MetricStore):
    """Register it where the exchange's store is registered. It costs the loop nothing."""

    def __init__(self, health: Health) -> None:
        super().__init__(metrics.WORKER_METRICS)
        self._health = health

    def collect(self) -> Iterator[Metric]:
        """See `MetricStore.collect`."""
        self.set(metrics.TURN_AGE, self._health.turn_age())
        self.set(metrics.READY, float(self._health.ready()))
        self.set(metrics.PARTITIONS, float(self._health.partitions()))
        yield from super().collect()
