"""The log that these tests run on: the suite's broker, or one that TIDINGS_TEST_BOOTSTRAP names (no TLS)."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.tidings.kafka.kit import Log, PlainCluster


@pytest.fixture(scope="session")
def make_log(request: pytest.FixtureRequest) -> Callable[[], Log]:
    """Makes namespaces of their own on a real broker: topics, group and slots that no other shares."""
    bootstrap = os.environ.get("TIDINGS_TEST_BOOTSTRAP")
    cluster: Any = PlainCluster(bootstrap) if bootstrap else request.getfixturevalue("broker")
    return lambda: Log(cluster, uuid.uuid4().hex[:10])


@pytest.fixture
def log(make_log: Callable[[], Log]) -> Iterator[Log]:
    """A namespace for one test."""
    made = make_log()
    yield made
    made.close()
