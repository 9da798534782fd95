"""Workers that join and leave under load, and starts that must not happen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from confluent_kafka import Message, TopicPartition

from tests.eventually import eventually
from tests.tidings.kafka.kit import Copier, Log, Worker, numbers
from tidings.errors import Fatal
from tidings.kafka.held import Held
from tidings.kafka.polling import Inboxes
from tidings.kafka.settings import LoopSettings
from tidings.log import InboxRecord, Partition

pytestmark = pytest.mark.broker

PROTOCOLS = ["consumer", "classic"]


def settings_of(protocol: str) -> LoopSettings:
    """Small batches, so that rebalances meet many of them."""
    return LoopSettings(batch_max_events=20, drain_max_events=20, shared_max_events=5, group_protocol=protocol)  # type: ignore[arg-type]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_eight_inboxes_are_shared_four_and_four(log: Log, protocol: str) -> None:
    """Eight inboxes of one partition go to two workers as 4 and 4."""
    log.set_up(8)
    settings = settings_of(protocol)

    with Worker(log, 0, settings=settings) as first, Worker(log, 1, settings=settings) as second:
        eventually(lambda: (len(first.partitions), len(second.partitions)) == (4, 4), "4 and 4")
        assert first.partitions.isdisjoint(second.partitions)


def joined_and_left_under_load(log: Log, protocol: str) -> tuple[Log, BaseException | None]:
    """A second worker joins and leaves twice while records come; until everything is copied."""
    log.set_up(8)
    settings = settings_of(protocol)
    stop = threading.Event()
    published = 0

    def load() -> None:
        nonlocal published
        while not stop.is_set():
            log.publish(numbers(160, published))
            published += 160
            stop.wait(0.1)

    feeder = threading.Thread(target=load)
    with Worker(log, 0, settings=settings) as first:
        eventually(lambda: len(first.partitions) == 8, "the first worker's start")
        feeder.start()
        try:
            for round_ in range(2):
                with Worker(log, 1 + round_, settings=settings) as second:
                    eventually(lambda second=second: second.handler.batches and len(second.partitions) == 4, "a share")  # type: ignore[misc]
                eventually(lambda: len(first.partitions) == 8, "everything back", 90)
        finally:
            stop.set()
            feeder.join()
        eventually(lambda: log.finished() >= published, "all copies", 90)
    return log, first.failure


@pytest.fixture(scope="module")
def moves(make_log: Callable[[], Log]) -> Iterator[dict[str, Future[tuple[Log, BaseException | None]]]]:
    """What became of it under each protocol, both begun at once: most of it waits for sessions to end."""
    with ThreadPoolExecutor(len(PROTOCOLS)) as pool:
        yield {protocol: pool.submit(joined_and_left_under_load, make_log(), protocol) for protocol in PROTOCOLS}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_joining_and_leaving_under_load(
    moves: dict[str, Future[tuple[Log, BaseException | None]]], protocol: str
) -> None:
    """While a second worker joins and leaves twice under load, every record is copied once and in order."""
    log, failure = moves[protocol].result()

    assert failure is None
    assert log.copied() == log.expected()


def test_a_held_record_does_not_survive_a_rebalance() -> None:
    """A polled record is dropped when the drain serves a revocation; what is still owned is read again."""

    class Script:
        """A client whose drain serves a revocation of `gone`."""

        def __init__(self) -> None:
            self.seeks: list[tuple[str, int]] = []

        def poll(self, _seconds: float) -> object:
            """One record of `gone`."""
            return record("gone", 7)

        def consume(self, _count: int, _seconds: float) -> list[object]:
            """The revocation is served, then one record of `kept`."""
            assignment.on_revoke(self, [TopicPartition("gone", 0)])  # type: ignore[arg-type]
            return [record("kept", 3)]

        def seek(self, target: TopicPartition) -> None:
            """Note it."""
            self.seeks.append((target.topic, target.offset))

    from tidings.clock import StillClock
    from tidings.kafka.assignment import Assignment
    from tidings.log import Position

    handler = Copier(None)  # type: ignore[arg-type]
    assignment = Assignment(handler, LoopSettings(), StillClock())
    for topic, offset in (("gone", 5), ("kept", 2)):
        assignment.positions[Partition(topic, 0)] = Position(Partition(topic, 0), offset, "genesis")
    script, held = Script(), Held()

    Inboxes(script, assignment, held, LoopSettings(), StillClock()).fill()  # type: ignore[arg-type]

    assert held.events == 0
    assert handler.given == [Partition("gone", 0)]
    assert script.seeks == [("kept", 2)]


def record(topic: str, offset: int) -> Message:
    """What a poll returns."""
    return Message(topic=topic, partition=0, offset=offset, key=b"k", value=b"v", timestamp=(2, 0))


def test_no_committed_offset_is_fatal(log: Log) -> None:
    """An inbox partition without a committed offset stops the worker; nothing is copied."""
    log.set_up(genesis=False)
    log.publish(numbers(10))

    with Worker(log) as worker:
        worker.join()

    assert isinstance(worker.failure, Fatal)
    assert "no committed offset" in str(worker.failure)
    assert log.copied_count() == 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_offset_out_of_range_is_fatal(log: Log, protocol: str) -> None:
    """A committed offset that the log does not hold stops the worker, and is never reset."""
    log.set_up(genesis=False)
    log.publish(numbers(10))
    inbox = Partition(log.inboxes[0], 0)
    log.commit({inbox: 5_000})

    with Worker(log, settings=settings_of(protocol)) as worker:
        worker.join()

    assert isinstance(worker.failure, Fatal)
    assert "not in its log" in str(worker.failure)
    assert log.committed(inbox)[0] == 5_000


def test_the_handler_cannot_take(log: Log) -> None:
    """Fatal raised while taking partitions, inside the client's callback, stops the worker."""
    log.set_up(genesis=False)
    log.publish(numbers(10))
    log.commit({Partition(log.inboxes[0], 0): 5}, anchor="0:999")

    with Worker(log) as worker:
        worker.join()

    assert isinstance(worker.failure, Fatal)
    assert "no block at the anchor" in str(worker.failure)


def test_a_new_inbox_is_followed(log: Log) -> None:
    """After the handler's list of inboxes changes, the worker subscribes to the new list and takes the new inbox."""
    log.set_up(2)
    handler = Copier(log, topics=log.inboxes[:1])

    with Worker(log, handler=handler) as worker:
        eventually(lambda: len(worker.partitions) == 1, "the first inbox")
        handler.topics = list(log.inboxes)
        eventually(lambda: len(worker.partitions) == 2, "the second inbox")
        log.publish(numbers(100))
        eventually(lambda: log.copied_count() >= 100, "copies of both")

    assert log.copied() == log.expected()


def test_an_idle_worker_acknowledges(log: Log) -> None:
    """An idle turn's blocks are committed with the unchanged offset and a new anchor for each owned partition."""
    log.set_up(2)

    with Worker(log) as worker:
        eventually(lambda: len(worker.partitions) == 2, "both inboxes")
        worker.handler.switch = True
        eventually(lambda: worker.snapshots[-1].transactions == 1, "the acknowledgement")

    marks = [log.committed(Partition(topic, 0)) for topic in log.inboxes]
    assert [offset for offset, _ in marks] == [0, 0]
    assert all(anchor.startswith("0:") for _, anchor in marks)


def test_quiet_partitions_share_and_busy_ones_do_not() -> None:
    """Few records of several partitions are one batch; one with many has its own, bounded by events and bytes."""
    held = Held()
    for topic, count in (("a", 3), ("b", 2), ("c", 40)):
        held.add(Partition(topic, 0), [InboxRecord(topic, 0, offset, 0, b"k", b"x" * 99) for offset in range(count)])
    settings = LoopSettings(shared_max_events=10, batch_max_bytes=1_500)

    sizes = []
    while batch := held.next_batch(settings, 30):
        sizes.append({partition.topic: len(records) for partition, records in batch.items()})

    assert sizes == [{"a": 3, "b": 2}, {"c": 15}, {"c": 15}, {"c": 10}]
    assert (held.events, held.bytes) == (0, 0)


def test_a_busy_partition_is_alone_however_few_of_its_records_fit() -> None:
    """Three large records fill most of a batch: a quiet partition, which would still fit, waits for the next."""
    held = Held()
    for topic, count, size in (("busy", 20, 399), ("quiet", 2, 9)):
        held.add(Partition(topic, 0), [InboxRecord(topic, 0, at, 0, b"k", b"x" * size) for at in range(count)])

    batch = held.next_batch(LoopSettings(shared_max_events=10, batch_max_bytes=1_500), 30)

    assert {partition.topic: len(records) for partition, records in batch.items()} == {"busy": 3}


def test_what_is_left_of_a_partition_keeps_its_place() -> None:
    """A partition that does not fit into one batch waits longest: it is in the next one, however much came after."""
    held = Held()
    for topic, count in (("a", 12), ("b", 12)):
        held.add(Partition(topic, 0), [InboxRecord(topic, 0, offset, 0, None, b"x") for offset in range(count)])
    settings = LoopSettings(shared_max_events=5)

    taken = [[(partition.topic, len(records)) for partition, records in held.next_batch(settings, 10).items()]]
    held.add(Partition("a", 0), [InboxRecord("a", 0, 12, 0, None, None)])
    taken += [[(partition.topic, len(records)) for partition, records in held.next_batch(settings, 10).items()]]

    assert taken == [[("a", 10)], [("a", 3)]]
    assert (held.events, held.bytes) == (12, 12)
