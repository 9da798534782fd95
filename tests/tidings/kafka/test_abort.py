"""Aborted, timed out, too large for the queue: what was tried again is seen once."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

from tests.eventually import eventually
from tests.tidings.kafka.kit import PRINCIPAL, Copier, Log, Worker, numbers
from tidings.errors import Fatal
from tidings.kafka.settings import LoopSettings
from tidings.log import Partition

if TYPE_CHECKING:
    from deploy.local.stack import Stack

pytestmark = pytest.mark.broker

SMALL = LoopSettings(batch_max_events=50, drain_max_events=50)


class Stubborn(Producer):
    """A producer that fails once, before the third commit, in the way that `failure` says."""

    failure = KafkaError._TIMED_OUT
    at = "commit"

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.commits = self.aborts = self.sends = 0

    def send_offsets_to_transaction(self, *args: Any) -> None:
        """Fail the third time, where asked to."""
        self.sends += 1
        if self.sends == 3 and self.at == "offsets":
            raise KafkaException(KafkaError(self.failure))
        super().send_offsets_to_transaction(*args)

    def commit_transaction(self, *args: Any) -> None:
        """Fail the third time, where asked to; the broker has committed nothing."""
        self.commits += 1
        if self.commits == 3 and self.at == "commit":
            raise KafkaException(KafkaError(self.failure))
        super().commit_transaction(*args)

    def abort_transaction(self, *args: Any) -> None:
        """Count."""
        self.aborts += 1
        super().abort_transaction(*args)


@pytest.mark.parametrize("inboxes", [1, 3])
def test_after_an_abort_only_the_retry_is_seen(log: Log, inboxes: int) -> None:
    """The aborted batch's copies are never seen; the batch is read again from its own first offsets, and seen once."""
    log.set_up(inboxes)
    log.publish(numbers(300))
    made: list[Any] = []

    def aborting(config: dict[str, Any]) -> Producer:
        made.append(type("Aborting", (Stubborn,), {"failure": KafkaError.ILLEGAL_GENERATION, "at": "offsets"})(config))
        return made[0]  # type: ignore[no-any-return]

    with Worker(log, settings=SMALL, producer=aborting) as worker:
        eventually(lambda: log.copied_count() >= 300, "300 copies")

    assert worker.handler.aborts == made[0].aborts == 1
    assert log.copied() == log.expected()
    assert raw_count(log) > 300


def test_without_the_rewind_the_batch_would_be_lost(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant that does not seek back after an abort loses the batch: the test above does see it."""
    log.set_up()
    log.publish(numbers(300))
    monkeypatch.setattr("tidings.kafka.assignment.Assignment.rewind", lambda *_args: None)
    mutant = type("Aborting", (Stubborn,), {"failure": KafkaError.ILLEGAL_GENERATION, "at": "offsets"})

    with Worker(log, settings=SMALL, producer=mutant) as worker:
        eventually(lambda: log.committed(Partition(log.inboxes[0], 0))[0] == 300, "the last offset")

    assert worker.handler.aborts == 1
    assert log.copied() != log.expected()


def test_what_is_too_much_for_the_broker_is_done_in_smaller_batches(log: Log) -> None:
    """A broker that never manages more than eight messages a transaction: each batch that is aborted is halved."""
    log.set_up()
    log.publish(numbers(24))

    class Slow(Producer):
        """Times out where a transaction has more."""

        made = 0

        def begin_transaction(self) -> None:
            """See `Producer`."""
            self.made = 0
            super().begin_transaction()

        def produce(self, topic: str, *args: Any) -> None:
            """Count the copies."""
            self.made += topic == log.output
            super().produce(topic, *args)

        def send_offsets_to_transaction(self, *args: Any) -> None:
            """See `Producer`."""
            if self.made > 8:
                raise KafkaException(KafkaError(KafkaError.ILLEGAL_GENERATION))
            super().send_offsets_to_transaction(*args)

    with Worker(log, settings=replace(SMALL, abort_limit=3), producer=Slow) as worker:
        eventually(lambda: log.copied_count() == 24, "24 copies")

    assert worker.failure is None
    assert worker.handler.aborts >= 1
    assert log.copied() == log.expected()


def test_a_commit_that_timed_out_is_asked_for_again(log: Log) -> None:
    """A time-out of the commit is answered with the same commit, never with an abort."""
    log.set_up()
    log.publish(numbers(300))
    made: list[Stubborn] = []

    def timing_out(config: dict[str, Any]) -> Producer:
        made.append(Stubborn(config))
        return made[0]

    with Worker(log, settings=SMALL, producer=timing_out) as worker:
        eventually(lambda: log.copied_count() >= 300, "300 copies")

    assert (worker.failure, worker.handler.aborts, made[0].aborts) == (None, 0, 0)
    assert log.copied() == log.expected()


def test_a_broker_that_is_silent_during_a_commit_is_asked_again(log: Log, one_broker: Stack) -> None:
    """The broker stands still while a commit is on its way: the calls time out, the same commit is asked for again."""
    log.set_up()
    log.publish(numbers(300))
    [process] = one_broker.state.processes
    asked: list[str] = []
    silent = False

    class Counting(Producer):
        """Notes how each commit ended since the broker is silent; lets it go on after the second that timed out. On a
        busy machine calls may time out, and a transaction be aborted, before that."""

        def commit_transaction(self, *args: Any) -> None:
            """See `Producer`."""
            try:
                super().commit_transaction(*args)
            except KafkaException as exception:
                if silent:
                    asked.append(exception.args[0].name())
                    if len(asked) == 2:
                        os.kill(process.pid, signal.SIGCONT)
                raise

        def abort_transaction(self, *args: Any) -> None:
            """See `Producer`."""
            if silent:
                asked.append("abort")
            super().abort_transaction(*args)

    offsets_sent = 0

    def stop_the_broker(step: str) -> None:
        nonlocal offsets_sent, silent
        offsets_sent += step == "offsets"
        if step == "offsets" and offsets_sent == 3:
            silent = True
            os.kill(process.pid, signal.SIGSTOP)

    settings = replace(SMALL, commit_call_ms=700)
    try:
        with Worker(log, settings=settings, producer=Counting, probe=stop_the_broker) as worker:
            eventually(lambda: len(asked) >= 2, "two calls that timed out", 20)
            eventually(lambda: log.finished() >= 300 or worker.failure is not None, "300 copies")
    finally:
        os.kill(process.pid, signal.SIGCONT)

    assert worker.failure is None
    assert set(asked) == {"_TIMED_OUT"}
    assert log.copied() == log.expected()


def test_a_batch_larger_than_the_producers_queue(log: Log) -> None:
    """A transaction of many times the queue's bound is written in full: a full queue is waited for."""
    log.set_up()
    log.publish(numbers(2_000))

    def narrow(config: dict[str, Any]) -> Producer:
        return Producer({**config, "queue.buffering.max.messages": 100})

    with Worker(log, producer=narrow) as worker:
        eventually(lambda: log.copied_count() >= 2_000, "2,000 copies")

    assert max(len(batch) for batch in worker.handler.batches) > 100
    assert log.copied() == log.expected()


def test_aborts_without_end_stop_the_worker(log: Log) -> None:
    """A batch that can never be committed stops the worker at the limit, with nothing seen and nothing committed."""
    log.set_up()
    log.publish(numbers(10))

    class Hopeless(Stubborn):
        """Never sends an offset."""

        def send_offsets_to_transaction(self, *_args: Any) -> None:
            """Fail always."""
            raise KafkaException(KafkaError(KafkaError.ILLEGAL_GENERATION))

    with Worker(log, settings=LoopSettings(abort_limit=3), producer=Hopeless) as worker:
        worker.join()

    assert isinstance(worker.failure, Fatal)
    assert worker.handler.aborts == 3
    assert log.copied_count() == 0
    assert log.committed(Partition(log.inboxes[0], 0)) == (0, "genesis")


def test_a_handler_out_of_step_is_fatal(log: Log) -> None:
    """A handler that finishes other records than it was given stops the worker before anything is written."""
    log.set_up()
    log.publish(numbers(10))

    class Careless(Copier):
        """Finishes one record too many."""

        def decide(self, records: Any, now_ms: int) -> Any:
            """See `Handler`."""
            work = super().decide(records, now_ms)
            for partition in work.offsets:
                work.offsets[partition] += 1
            return work

    with Worker(log, handler=Careless(log)) as worker:
        worker.join()

    assert isinstance(worker.failure, Fatal)
    assert log.copied_count() == 0


def raw_count(log: Log) -> int:
    """How many copies a reader sees that does not leave out aborted ones."""
    consumer = Consumer(
        {
            **log.cluster.consumer_config(PRINCIPAL, "raw"),
            "isolation.level": "read_uncommitted",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
        }
    )
    from confluent_kafka import TopicPartition

    partitions = log.reader.partitions(log.output)
    consumer.assign([TopicPartition(each.topic, each.partition, 0) for each in partitions])
    ended = count = 0
    while ended < len(partitions):
        message = consumer.poll(10)
        assert message is not None
        if message.error() is None:
            count += 1
        else:
            ended += message.error().code() == KafkaError._PARTITION_EOF  # type: ignore[union-attr]
    consumer.close()
    return count
