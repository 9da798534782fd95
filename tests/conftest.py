"""The real things that tests may ask for: one secured broker, one whole stack, a factory of stacks of one's own, and a
PostgreSQL with an outbox.

Those of the session are shared by all tests that ask: whoever writes to them takes names of its own.
"""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings

if TYPE_CHECKING:
    from deploy.local.stack import Stack
    from tests.postgres import Postgres
    from tests.producers.outbox.kit import Outbox
    from tidings.kafka.cluster import Cluster

    StackFactory = Callable[..., Stack]

# What picks the tests that CI's processes take apart.
_APART = ("broker", "stack")

# That examples take long to make says how much else the machine does (brokers, beside each other), and nothing of ours.
# What CI draws is the same each time, so that no change is refused for what it did not touch; "thorough" draws anew.
# No `explain`: the lines that failing examples have in common take a trace, under which a shrinking takes minutes.
_QUIET: dict[str, Any] = {
    "deadline": None,
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow],
    "phases": [Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
}
settings.register_profile("thorough", **_QUIET)
settings.register_profile("beside-brokers", **_QUIET, max_examples=25, derandomize=True, database=None)
settings.load_profile(os.environ.get("TIDINGS_HYPOTHESIS", "beside-brokers"))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A run that asks for a mark (`-m stack`) imports the files that name it and no others: importing all of them costs
    each of CI's processes some 15 seconds of the processor."""
    wanted = str(config.getoption("markexpr")).partition(" and ")[0]
    if wanted in _APART and collection_path.suffix == ".py" and not _names(collection_path, wanted):
        return True
    return None


def pytest_itemcollected(item: pytest.Item) -> None:
    """Raise UsageError for a test whose mark does not stand in its file: a run that asks for it would not find it."""
    for mark in _APART:
        if item.get_closest_marker(mark) and not _names(item.path, mark):
            raise pytest.UsageError(f"{item.nodeid} is marked {mark}: write `mark.{mark}` in its file")


def pytest_collection_finish() -> None:
    """Modules, classes and test items stay until the end: let the collector not go through them again and again."""
    gc.collect()
    gc.freeze()


@cache
def _names(file: Path, mark: str) -> bool:
    return re.search(rf"\bmark\.{mark}\b", file.read_text("utf-8")) is not None


@pytest.fixture(scope="module")
def stack_factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackFactory]:
    """Makes secured stacks on free ports, each in its own folder, and throws them away at the end of the module.

    `stack_factory(brokers=3)` gives three brokers; `registry=True` adds registry and gate; `data=` names the folder.
    Seconds each: for tests that need a stack of their own.
    """
    from tests.stacks import bring_up, throw_away

    made: list[Path] = []

    def make(*, brokers: int = 1, registry: bool = False, data: Path | None = None) -> Stack:
        folder = data or tmp_path_factory.mktemp("stack") / "data"
        made.append(folder)
        return bring_up(folder, brokers=brokers, registry=registry)

    yield make
    for folder in dict.fromkeys(made):
        throw_away(folder)


@pytest.fixture(scope="session")
def one_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A one-broker Kafka with TLS, SCRAM and ACLs, no registry; once a session."""
    yield from _for_the_session(tmp_path_factory.mktemp("one-broker") / "data", registry=False)


@pytest.fixture(scope="session")
def spare_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A second one, for tests that restart it, or whose topics have the names of a country's. Ask it for its `cluster`
    when you need it: that changes with a restart."""
    yield from _for_the_session(tmp_path_factory.mktemp("spare-broker") / "data", registry=False)


@pytest.fixture(scope="session")
def broker(one_broker: Stack) -> Cluster:
    """The session's broker as clients see it. Principals: admin, exchange."""
    return one_broker.cluster


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole local stack: one broker, registry and gate; about half a minute, once a session."""
    yield from _for_the_session(tmp_path_factory.mktemp("whole-stack") / "data", registry=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real cluster with a login for each of the outbox's roles."""
    from producers.outbox.create_sql import create_sql
    from tests.needs import need_postgresql
    from tests.postgres import Postgres
    from tests.producers.outbox.kit import DATABASE, LOGINS

    need_postgresql()
    server = Postgres()
    try:
        server.start()
        with server.connect("postgres") as session:
            session.execute(f"CREATE DATABASE {DATABASE}")
        with server.connect(DATABASE) as session:
            session.execute(create_sql())
            for login, role in LOGINS.items():
                session.execute(f"CREATE ROLE {login} LOGIN IN ROLE {role}")
        yield server
    finally:
        server.remove()


@pytest.fixture
def outbox(postgres: Postgres) -> Iterator[Outbox]:
    """The session's outbox, emptied, its slots under names that nobody wrote under yet."""
    from tests.producers.outbox.kit import emptied

    made = emptied(postgres)
    yield made
    made.close()


def _for_the_session(folder: Path, *, registry: bool) -> Iterator[Stack]:
    from tests.stacks import bring_up, throw_away

    running = bring_up(folder, registry=registry)
    try:
        yield running
    finally:
        throw_away(folder)
