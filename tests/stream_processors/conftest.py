"""The small country on the session's broker, shared by the tests of the wired exchange."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from deploy.local.stack import Stack
    from tests.stream_processors.broker_site import Site
    from tidings.kafka.cluster import Cluster


@pytest.fixture(scope="session")
def site(broker: Cluster) -> Iterator[Site]:
    """The small country, with whatever the tests before have left in its topics: compare with what stood before."""
    from tests.stream_processors.broker_site import Site

    made = Site(broker)
    yield made
    made.close()


@pytest.fixture(scope="session")
def cluster_file(one_broker: Stack) -> Path:
    """What `--cluster` is given."""
    return one_broker.cluster_file
