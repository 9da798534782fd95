"""The log that these tests run on: the suite's broker, or one that TIDINGS_TEST_BOOTSTRAP names (no TLS)."""

from __future__ import annotations

import os
import uuid
from typing import Any

import pytest

from tests.tidings.kafka.kit import Log, PlainCluster


@pytest.fixture
def log(request: pytest.FixtureRequest) -> Log:
    """A namespace of its own on a real broker: topics, group and slots that no other test shares."""
    bootstrap = os.environ.get("TIDINGS_TEST_BOOTSTRAP")
    cluster: Any = PlainCluster(bootstrap) if bootstrap else request.getfixturevalue("broker")
    return Log(cluster, uuid.uuid4().hex[:10])
