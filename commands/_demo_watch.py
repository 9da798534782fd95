"""What the demo sees while it runs: the feeds as their subscribers have them, and the workers' own counters."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tidings.clock import Clock, Deadline
from tidings.errors import Retriable, TidingsError
from tidings.kafka.cluster import Cluster
from tidings.kafka.tail import tail
from tidings.policy.model import Policy
from tidings.projection import view_head

Place = tuple[str, int, int]


@dataclass
class Watcher:
    """Reads every feed in its own thread. `arrivals` maps (feed, partition, sequence) to milliseconds since 1970."""

    cluster: Cluster
    policy: Policy
    clock: Clock
    arrivals: dict[Place, int] = field(default_factory=dict)
    by_agency: Counter[str] = field(default_factory=Counter)
    failure: TidingsError | None = None
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to read."""
        self._thread = threading.Thread(target=self._run, name="feeds", daemon=True)
        self._thread.start()

    def wait_for(self, views: int, seconds: float) -> None:
        """Return once `views` views have come. Raises Retriable after `seconds`, and what the reading raised."""
        deadline = Deadline(self.clock, seconds)
        while len(self.arrivals) < views and self.failure is None:
            if deadline.expired():
                raise Retriable(f"{len(self.arrivals)} of {views} views reached the demo's subscriber in time")
            self.clock.sleep(0.05)

    def stop(self) -> None:
        """End reading. Raises what the reading raised."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        agencies = {view.feed: view.subscriber for view in self.policy.views}
        try:
            for arrival in tail(self.cluster, "admin", sorted(agencies), self.clock, lambda: not self._stop.is_set()):
                record = arrival.record
                if record.value is not None:
                    sequence = view_head(record.value).sequence
                    self.arrivals[record.topic, record.partition, sequence] = arrival.at_ms
                    self.by_agency[agencies[record.topic]] += 1
        except TidingsError as error:
            self.failure = error


@dataclass(frozen=True, slots=True)
class Counters:
    """The workers' counters, summed over all workers."""

    events: Counter[str]
    reasons: Counter[str]
    latency_buckets: Counter[float] = field(default_factory=Counter)

    def latency_below_ms(self) -> dict[str, int]:
        """The histogram's bounds below which half and 99 % of the events were committed; empty without events."""
        total = self.latency_buckets[float("inf")]
        bounds = sorted(self.latency_buckets)
        return {
            name: round(min(bound for bound in bounds if self.latency_buckets[bound] >= total * share / 100) * 1000)
            for name, share in (("p50", 50), ("p99", 99))
            if total and self.latency_buckets[bounds[-2]] >= total * share / 100
        }

    @property
    def decided(self) -> int:
        """How many events have been decided."""
        return sum(self.events.values())


def counters(ports: Sequence[int]) -> Counters:
    """Read the metrics endpoint of every worker; one that does not answer now counts as nothing."""
    events: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    buckets: Counter[float] = Counter()
    for port in ports:
        for name, labels, value in _samples(port):
            if name == "tidings_events_total":
                events[labels["outcome"]] += int(value)
            elif name == "tidings_rejections_total":
                reasons[labels["reason"]] += int(value)
            elif name == "tidings_latency_seconds_bucket":
                buckets[float(labels["le"])] += int(value)
    return Counters(events, reasons, buckets)


def _samples(port: int) -> Iterable[tuple[str, dict[str, str], float]]:
    try:
        text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=2.0).text
    except httpx.HTTPError:
        return
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value


def ready(ports: Sequence[int], partitions: int) -> bool:
    """Whether all workers are ready and own `partitions` inbox partitions together."""
    owned = 0
    for port in ports:
        try:
            answer = httpx.get(f"http://127.0.0.1:{port}/ready", timeout=2.0)
        except httpx.HTTPError:
            return False
        if not answer.is_success:
            return False
        owned += len(answer.json().get("partitions", ()))
    return owned == partitions


def percentiles(values: Sequence[int]) -> dict[str, int]:
    """The 50th and 99th percentile and the maximum, by nearest rank; empty where there are no values."""
    ordered = sorted(values)
    if not ordered:
        return {}
    at = {name: ordered[max(0, -(-len(ordered) * share // 100) - 1)] for name, share in (("p50", 50), ("p99", 99))}
    return {**at, "max": ordered[-1]}
