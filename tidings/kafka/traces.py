"""Traces of a worker: one trace a batch, the steps of its transaction as spans, sent by OpenTelemetry's own exporter.

Optional: it needs the extra `traces`, and is on where OpenTelemetry's own `OTEL_EXPORTER_OTLP_ENDPOINT` says where to
send them (its other variables hold as well). A span has times, counts and the worker's name: nothing of an event, not
even its id. Names of attributes: OpenTelemetry's semantic conventions for messaging.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

from tidings.errors import Fatal
from tidings.kafka.snapshot import Snapshot

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

ENDPOINT_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
BATCH = "batch"
STEPS = {
    "polled": "poll",
    "decided": "decide",
    "begun": "begin",
    "produced": "produce views",
    "blocks": "produce decision blocks",
    "offsets": "send offsets",
    "committed": "commit",
    "done": "settle",
}
"""The span that ends where the loop's probe is told a word."""


class StepTraces:
    """Makes spans of what the loop tells its probe and its observer. A turn without a batch leaves none.

    Args: `tracer` makes the spans; `now_ns` is the time since the epoch in nanoseconds.
    """

    def __init__(self, tracer: Tracer, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._tracer, self._now_ns = tracer, now_ns
        self._steps: list[tuple[str, int]] = []
        self._last = Snapshot()

    def probe(self, step: str) -> None:
        """Hear of a step of the loop (`tidings.kafka.loop`); the first of a turn ends the turn before."""
        if step == "metadata":
            self.end()
        self._steps.append((step, self._now_ns()))

    def observe(self, snapshot: Snapshot) -> None:
        """Hear how the loop stands."""
        self._last = snapshot

    def end(self) -> None:
        """Make the spans of the turn that is over, if it had a batch."""
        steps, self._steps = self._steps, []
        words = [word for word, _ in steps]
        if "decided" not in words:
            return
        from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

        turn = steps[words.index("polled") - 1 :]  # a policy's switch, which may stand before, is none of it
        root = self._tracer.start_span(BATCH, kind=SpanKind.CONSUMER, start_time=turn[0][1])
        root.set_attribute("messaging.system", "kafka")
        if words[-1] == "done":
            root.set_attribute("messaging.batch.message_count", self._last.batch_events)
            root.set_attribute("tidings.batch.messages", self._last.batch_messages)
            root.set_attribute("tidings.lag_seconds", self._last.lag_seconds)
        else:
            root.set_status(Status(StatusCode.ERROR, f"aborted after: {words[-1]}"))
        below = set_span_in_context(root)
        for (_, began), (word, ended) in pairwise(turn):
            self._tracer.start_span(STEPS[word], below, start_time=began).end(ended)
        root.end(turn[-1][1])


@contextmanager
def step_traces(part: str, worker: str) -> Iterator[StepTraces | None]:
    """The traces of a part's worker of that name, sent until the end of the block; None where nothing says whereto.

    Raises Fatal where they are asked for and OpenTelemetry is not installed.
    """
    if not any(os.environ.get(name) for name in ENDPOINT_VARIABLES):
        yield None
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise Fatal("traces are asked for, and OpenTelemetry is not installed: pip install 'tidings[traces]'") from None
    resource = Resource.create({"service.name": f"tidings-{part}", "service.instance.id": worker})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    traces = StepTraces(provider.get_tracer("tidings"))
    try:
        yield traces
        traces.end()
    finally:
        provider.shutdown()
