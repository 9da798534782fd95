"""Where no broker answers the host says so and ends: whoever runs it starts it again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from deploy.local.certificates import certificates
from stream_processors.host.discover import load_processor
from stream_processors.host.harness import TestProcessor
from stream_processors.host.on_faust.connection import Connection
from stream_processors.host.on_faust.host import Host
from stream_processors.host.pipeline import Pipeline
from tests.compliance.processor_events import policy
from tidings.clock import SystemClock
from tidings.errors import Retriable
from tidings.metrics import PROCESSOR_METRICS, MetricStore


def test_a_host_without_a_broker_ends_retriable(tmp_path: Path) -> None:
    """Nothing listens at its address."""
    processor, clock, store = load_processor("data-quality"), SystemClock(), MetricStore(PROCESSOR_METRICS)
    in_force = TestProcessor(processor, policy()).policy
    certificates(tmp_path / "tls", clock)
    connection = Connection("127.0.0.1:1", tmp_path / "tls" / "ca.pem", "nobody", "secret", tmp_path / "data")
    pipeline = Pipeline(processor, in_force, lambda _number: {}, clock, store, "test")
    host = Host(pipeline, connection, clock, store, beat=lambda _ready: None, going_on=lambda: True)

    with pytest.raises(Retriable, match="the broker"):
        asyncio.run(host.run())
    assert "secret" not in repr(connection)
