"""The host's parts: what Faust would do otherwise, and what is filled in from a policy."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from stream_processors.host.declaration import DAY_MS, Processor, Reads, Table, Writes, window_of
from stream_processors.host.discover import FOLDER, load_processor, processor_names
from stream_processors.host.harness import TestProcessor
from stream_processors.host.needs import fill, needs_of
from stream_processors.host.on_faust.connection import READ_AT_ONCE
from stream_processors.host.on_faust.quiet import hush_libraries
from stream_processors.host.on_faust.transport import CommittedThread, HostConsumer, read_committed
from stream_processors.host.rows import row_key
from tests.compliance.processor_events import LINKED, policy
from tests.stream_processors import world
from tidings.acl import Acl, Operation, Resource
from tidings.errors import Fatal
from tidings.provisioning.access import managed_principals
from tidings.provisioning.processors import processor_principals

CANARY = "Quillfeather"


class _Setting:
    _isolation_level = "read_uncommitted"


def test_the_client_is_told_to_read_committed_records() -> None:
    """And a version of it that cannot be told is Fatal, not silently wrong."""
    assert read_committed(_Setting())._isolation_level == "read_committed"
    with pytest.raises(Fatal, match="read committed"):
        read_committed(object())


class _Message:
    def ack(self, consumer: HostConsumer) -> bool:
        return consumer.ack(self)  # type: ignore[arg-type]


def test_only_what_is_done_is_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faust acknowledges a record that it skips at a rebalance: the host's consumer does not take that."""
    taken: list[Any] = []
    monkeypatch.setattr(driver.Consumer, "ack", lambda _self, message: taken.append(message) or True)
    consumer = HostConsumer.__new__(HostConsumer)
    skipped, worked = _Message(), _Message()

    assert not consumer.ack(skipped)  # type: ignore[arg-type]
    consumer.done(worked)  # type: ignore[arg-type]
    assert not consumer.ack(skipped)  # type: ignore[arg-type]
    assert taken == [worked]


WORK, FEED = TP("work", 0), TP("feed", 0)


@pytest.mark.parametrize(
    ("active", "waits", "asked"),
    [
        ({WORK, FEED}, True, [({WORK}, 0)]),
        ({WORK, FEED}, False, [({WORK}, 0), ({WORK, FEED}, 1.0)]),
        ({FEED}, True, [({FEED}, 1.0)]),
        (None, True, [(None, 1.0)]),
    ],
)
def test_work_comes_before_what_waits_to_be_read(active: Any, waits: bool, asked: list[Any]) -> None:
    """Records of the work topic are given while there are any; an empty set would stand for every topic."""
    seen: list[Any] = []

    async def fetched_records(partitions: Any, *, timeout: float, max_records: int) -> dict[TP, list[int]]:
        assert max_records == READ_AT_ONCE
        seen.append((partitions, timeout))
        return {WORK: [1]} if waits else {}

    client = SimpleNamespace(
        _closed=False,
        _fetcher=SimpleNamespace(
            _closed=False,
            fetched_records=fetched_records,
            _subscriptions=SimpleNamespace(fetch_context=contextlib.nullcontext),
        ),
    )
    thread: Any = CommittedThread.__new__(CommittedThread)
    thread.consumer = SimpleNamespace(flow_active=True, app=SimpleNamespace(work_topic="work"))

    asyncio.run(thread._fetch_records(client, active, timeout=1.0, max_records=READ_AT_ONCE))

    assert seen == asked


def test_nothing_that_a_library_says_is_in_our_log() -> None:
    """Who warned, and how badly, is."""
    hush_libraries()
    with structlog.testing.capture_logs() as lines:
        logging.getLogger("faust.topics").warning("error message k=%r", CANARY)
        logging.getLogger("aiokafka.producer").info("sent %s", CANARY)

    assert [(line["event"], line["client"]) for line in lines] == [("library warns", "faust.topics")]
    assert CANARY not in str(lines)


def test_names_are_filled_in_from_the_policy() -> None:
    """A topic for each publisher, all feeds, or itself."""
    made = policy()

    assert fill("scorecards.{publisher}", made) == ("scorecards.gro",)
    linked = tuple(sorted(view.feed for view in LINKED))
    assert fill("{feed}", made) == tuple(sorted((world.BENEFITS.feed, world.STATISTICS.feed, *linked)))
    assert fill("{feed}", made, "life-event-journey") == linked
    assert fill("{feed}", made, "another") == fill("journeys.{subscriber}", made, "another") == ()
    assert fill("journeys.{subscriber}", made) == ("journeys.dwp",)
    assert fill("exchange.decisions", made) == ("exchange.decisions",)


def test_a_publisher_may_read_what_is_for_it() -> None:
    """So may a subscriber, and nobody else."""

    def readers(name: str, topic: str) -> set[str]:
        entries = needs_of(load_processor(name), policy()).access()
        return {each.principal for each in entries if each.name == topic and each.operation is Operation.READ}

    assert readers("data-quality", "scorecards.gro") == {"gro"}
    assert readers("life-event-journey", "journeys.dwp") == {"dwp"}


def test_a_processor_with_nothing_to_read_says_so() -> None:
    """No agreement is in its linkage group: it does not wait for what cannot come."""
    with pytest.raises(Fatal, match="nothing to read"):
        TestProcessor(load_processor("life-event-journey"))


def test_whose_access_is_managed() -> None:
    """A plan knows every processor by its entries; who only knows agreements leaves them alone."""
    gone = Acl("processor-gone", Operation.READ, Resource.GROUP, "processor-gone.")

    assert processor_principals([gone]) == {"processor-gone"}
    assert "processor-gone" not in managed_principals([gone], ("dwp",))


def test_a_declaration_is_checked() -> None:
    """Tables have names of their own, and none has the host's."""
    for name in ("time", "twice"):
        with pytest.raises(ValueError, match="names of their own"):
            Processor("x", "X.", (Reads("t"),), (), (Table(name), Table("twice")), lambda _e: (), lambda _p, _s: None)


@pytest.mark.parametrize(
    "topic", ["inbox.{publisher}.death-registered", "feed.dwp.x", "exchange.decisions", "quarantine"]
)
def test_no_processor_writes_what_is_the_exchanges(topic: str) -> None:
    """Its declaration is its access: such a one is refused."""
    writes = (Writes(topic, {"type": "record", "name": "R", "fields": []}, 1),)
    with pytest.raises(ValueError, match="belongs to the exchange"):
        Processor("x", "X.", (Reads("t"),), writes, (), lambda _e: (), lambda _p, _s: None)


def test_the_folder_is_the_list() -> None:
    """Each file is a processor, and what is none is refused."""
    assert "data-quality" in processor_names()
    assert len(processor_names()) == len(list(FOLDER.glob("[a-z]*.py")))
    for name in ("no-such", "../data-quality", "data_quality"):
        with pytest.raises(Fatal, match="there is no processor"):
            load_processor(name)


def test_windows_and_row_keys() -> None:
    """Windows lie end to end; two keys never make one."""
    assert window_of(DAY_MS + 1, DAY_MS) == DAY_MS == window_of(2 * DAY_MS - 1, DAY_MS)
    with pytest.raises(ValueError, match="separator"):
        row_key("a", "b\x1fc")
