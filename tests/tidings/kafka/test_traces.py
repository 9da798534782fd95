"""Traces: one a batch, its steps below it, and on the wire to a receiver as OpenTelemetry's collector is one."""

from __future__ import annotations

import gzip
import itertools
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from tidings.errors import Fatal
from tidings.kafka.snapshot import Snapshot
from tidings.kafka.traces import BATCH, ENDPOINT_VARIABLES, STEPS, StepTraces, step_traces

READ = ["metadata", "idle", "polled"]
COMMITTED = [*READ, "decided", "begun", "produced", "blocks", "offsets", "committed", "done"]
SWITCH = ["metadata", "begun", "produced", "blocks", "offsets", "committed", "done", "idle", "polled"]


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    """Keeps the spans that were made."""
    return InMemorySpanExporter()


@pytest.fixture
def traces(exporter: InMemorySpanExporter) -> StepTraces:
    """Traces by a clock that is a nanosecond on at each step."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return StepTraces(provider.get_tracer("test"), itertools.count(1).__next__)


def _hear(traces: StepTraces, *turns: list[str]) -> None:
    for step in itertools.chain.from_iterable(turns):
        traces.probe(step)


def _batches(exporter: InMemorySpanExporter) -> list[ReadableSpan]:
    return [span for span in exporter.get_finished_spans() if span.name == BATCH]


def test_a_committed_batch_is_one_trace(traces: StepTraces, exporter: InMemorySpanExporter) -> None:
    """The steps are below it, one after another without a gap, and it says how large the batch was."""
    _hear(traces, COMMITTED)
    traces.observe(Snapshot(batch_events=7, batch_messages=21, lag_seconds=0.25))
    traces.end()

    [batch] = _batches(exporter)
    steps = [span for span in exporter.get_finished_spans() if span is not batch]
    assert [span.name for span in steps] == list(STEPS.values())
    assert {span.parent.span_id for span in steps if span.parent} == {batch.context.span_id}
    assert len({span.context.trace_id for span in (*steps, batch)}) == 1
    assert [span.start_time for span in (batch, *steps[1:])] == [2, *(span.end_time for span in steps[:-1])]
    assert batch.end_time == steps[-1].end_time == 10
    assert batch.attributes is not None
    assert dict(batch.attributes) == {
        "messaging.system": "kafka", "messaging.batch.message_count": 7, "tidings.batch.messages": 21,
        "tidings.lag_seconds": 0.25,
    }  # fmt: skip


def test_an_aborted_batch_says_how_far_it_came(traces: StepTraces, exporter: InMemorySpanExporter) -> None:
    """The turn after it is a trace of its own."""
    _hear(traces, COMMITTED[:6], COMMITTED, READ)

    aborted, committed = _batches(exporter)
    assert (aborted.status.status_code, aborted.status.description) == (StatusCode.ERROR, "aborted after: produced")
    assert committed.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize("turn", [READ, SWITCH])
def test_a_turn_without_a_batch_leaves_none(
    turn: list[str], traces: StepTraces, exporter: InMemorySpanExporter
) -> None:
    """An idle worker sends nothing; the switch of a policy is no batch."""
    _hear(traces, turn, READ)

    assert exporter.get_finished_spans() == ()


def test_a_switch_before_a_batch_is_none_of_it(traces: StepTraces, exporter: InMemorySpanExporter) -> None:
    """The batch begins where it was polled."""
    _hear(traces, [*SWITCH, *COMMITTED[3:]], READ)

    [batch] = _batches(exporter)
    assert batch.start_time == SWITCH.index("idle") + 1
    assert len(exporter.get_finished_spans()) == 1 + len(STEPS)


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ExportTraceServiceRequest]]:
    """What a receiver of OTLP over HTTP got, told to the worker by OpenTelemetry's own variable."""
    got: list[ExportTraceServiceRequest] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            assert self.path == "/v1/traces"
            got.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setenv(ENDPOINT_VARIABLES[0], f"http://127.0.0.1:{server.server_port}")
        yield got
        server.shutdown()
        thread.join()


def test_they_are_sent_where_the_variable_says(received: list[ExportTraceServiceRequest]) -> None:
    """With the part's and the worker's names; the last batch too, when the worker ends."""
    with step_traces("exchange", "exchange-main-0") as traces:
        assert traces is not None
        _hear(traces, COMMITTED, COMMITTED)

    [sent] = [resource for request in received for resource in request.resource_spans]
    names = {each.key: each.value.string_value for each in sent.resource.attributes}
    assert (names["service.name"], names["service.instance.id"]) == ("tidings-exchange", "exchange-main-0")
    spans = [span.name for scope in sent.scope_spans for span in scope.spans]
    assert sorted(spans) == sorted([BATCH, *STEPS.values()] * 2)


def test_there_are_none_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variable nothing is made ready."""
    for name in ENDPOINT_VARIABLES:
        monkeypatch.delenv(name, raising=False)

    with step_traces("exchange", "exchange-main-0") as traces:
        assert traces is None


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for, and OpenTelemetry is not installed."""
    monkeypatch.setenv(ENDPOINT_VARIABLES[0], "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)

    with pytest.raises(Fatal, match=r"pip install 'tidings\[traces\]'"), step_traces("exchange", "w"):
        pass
