"""The real things that tests may ask for: a secured broker, a factory of such brokers, the whole stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from deploy.local.stack import Stack
    from tidings.kafka.cluster import Cluster

    StackFactory = Callable[..., Stack]


@pytest.fixture(scope="module")
def stack_factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackFactory]:
    """Makes secured stacks on free ports, each in its own folder, and takes them down at the end of the module.

    `stack_factory(brokers=3)` gives three brokers; `registry=True` adds registry and gate; `data=` names the folder.
    """
    from deploy.local.stack import Options, down, up

    made: list[Path] = []

    def make(*, brokers: int = 1, registry: bool = False, data: Path | None = None) -> Stack:
        folder = data or tmp_path_factory.mktemp("stack") / "data"
        made.append(folder)
        return up(Options(folder, brokers=brokers, registry=registry, default_ports=False))

    yield make
    for folder in dict.fromkeys(made):
        down(folder)


@pytest.fixture(scope="module")
def broker(stack_factory: StackFactory) -> Cluster:
    """A fresh one-broker Kafka with TLS, SCRAM and ACLs, no registry; about 7 s. Principals: admin, exchange."""
    return stack_factory().cluster


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole local stack: one broker, registry and gate; about half a minute, once a session."""
    from deploy.local.stack import Options, down, up

    folder = tmp_path_factory.mktemp("whole-stack") / "data"
    running = up(Options(folder, default_ports=False))
    try:
        yield running
    finally:
        down(folder)
