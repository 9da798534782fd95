"""One transaction on the broker: begin, messages, blocks, offsets, commit. The loop's steps 6 to 10."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka import Message as Delivered

from tidings.clock import Clock, Deadline
from tidings.errors import Fatal, Retriable, TidingsError
from tidings.kafka.bounded import Bounded
from tidings.kafka.errors import Abortable, ClientStuck, Overdue, error_of, translate
from tidings.kafka.retry import attempt, retry
from tidings.kafka.settings import LoopSettings
from tidings.log import Message, Partition, Position, Run, Transaction

Probe = Callable[[str], None]
Report = Callable[[KafkaError | None, Delivered], None]

QUEUE_FULL_POLL_S = 0.05
FLUSH_S = 0.05
STUCK_AFTER_S = 5.0


class Transactor:
    """Writes one `Transaction` at a time. `positions` are the partitions owned, for anchors that do not change.

    Args: `reopen` opens a producer in place of one whose transaction the broker has ended before it was asked to commit
    it: that one serves no more. Without it, and after a commit was asked for, `Overdue` is raised.
    """

    def __init__(
        self,
        producer: Producer,
        settings: LoopSettings,
        clock: Clock,
        probe: Probe,
        reopen: Callable[[], Producer] | None = None,
    ) -> None:
        self._producer = producer
        self._reopen = reopen
        self._settings = settings
        self._clock = clock
        self._probe = probe
        self._open = False
        self._bounded = Bounded()

    def start(self) -> None:
        """Take the slot over: fence whoever had it and have the broker end its open transaction. Raises Fatal where the
        slot may not be used, Retriable where the broker stays away."""
        deadline = Deadline(self._clock, self._settings.start_budget_ms / 1000)
        call_s = self._settings.commit_call_ms / 1000
        retry(lambda: self._producer.init_transactions(call_s), "initialising transactions", deadline, self._clock)

    def run(
        self, work: Transaction, offsets: Mapping[Partition, int], positions: Mapping[Partition, Position], group: Any
    ) -> dict[Partition, str]:
        """Commit `work` with `offsets`. Returns the anchor committed with each offset.

        Args: `group` is the group's metadata from before the batch's first poll. Raises Abortable where it was aborted
        (nothing of it will be seen by a read_committed reader), Fatal where the worker must stop, Retriable where the
        broker stayed away for the whole budget of a commit: its outcome is then unknown, and the worker must stop, too.
        """
        deadline = Deadline(self._clock, self._settings.work_budget_ms / 1000)
        try:
            anchors = self._write(work, offsets, positions, group, deadline)
        except (Abortable, Retriable) as failure:
            self._abort_uncommitted()
            raise Abortable(str(failure)) from None
        try:
            self._commit()
        except Abortable:
            self.abort()
            raise
        self._open = False
        return anchors

    @property
    def is_open(self) -> bool:
        """Whether a transaction is open that could not be aborted yet: `abort` may be called again."""
        return self._open

    def abort(self) -> None:
        """Abort what is open. Raises Fatal where this worker is fenced, Retriable where the broker stays away."""
        if not self._open:
            return
        deadline = Deadline(self._clock, self._settings.commit_budget_ms / 1000)
        call_s = self._settings.commit_call_ms / 1000
        retry(lambda: self._producer.abort_transaction(call_s), "aborting", deadline, self._clock)
        self._open = False

    def _abort_uncommitted(self) -> None:
        """Abort what nobody was asked to commit: whatever the broker made of it, a new client may go on from here."""
        try:
            self.abort()
        except Overdue:
            if self._reopen is None:
                raise
            self._producer = self._reopen()
            self.start()
            self._open = False

    def abandon(self) -> None:
        """Abort what is open in one call, on the way out, so that the feeds' readers need not wait for the time-out."""
        if self._open:
            self._open = False
            attempt(lambda: self._producer.abort_transaction(self._settings.commit_call_ms / 1000), "aborting")

    def _write(
        self,
        work: Transaction,
        offsets: Mapping[Partition, int],
        positions: Mapping[Partition, Position],
        group: Any,
        deadline: Deadline,
    ) -> dict[Partition, str]:
        retry(self._producer.begin_transaction, "beginning", deadline, self._clock)
        self._open = True
        self._probe("begun")
        for run in work.runs:
            self._produce_run(run, deadline)
        self._produce(work.messages, deadline)
        self._probe("produced")
        written = self._produce_blocks(work.blocks, deadline)
        self._probe("blocks")
        anchors = {partition: written.get(partition) or positions[partition].anchor for partition in offsets}
        marks = [
            TopicPartition(each.topic, each.partition, offset, metadata=anchors[each])
            for each, offset in offsets.items()
        ]
        retry(lambda: self._send_offsets(marks, group), "sending offsets", deadline, self._clock)
        self._probe("offsets")
        return anchors

    def _produce(self, messages: Iterable[Message], deadline: Deadline, report: Report | None = None) -> None:
        produce = self._producer.produce
        for topic, partition, key, value in messages:
            while True:
                try:
                    produce(topic, value, key, partition, report)
                    break
                except BufferError:
                    self._wait_for_room(deadline)
                    continue
                except KafkaException as exception:
                    failure = refused(error_of(exception), topic)
                raise failure

    def _produce_run(self, run: Run, deadline: Deadline) -> None:
        """A run goes on by itself with the message that was refused."""
        while True:
            try:
                run.send(self._producer.produce)
                break
            except BufferError:
                self._wait_for_room(deadline)
                continue
            except KafkaException as exception:
                failure = refused(error_of(exception), "a feed")
            raise failure

    def _wait_for_room(self, deadline: Deadline) -> None:
        if deadline.expired():
            raise Abortable("producing: the queue stayed full for the whole budget")
        self._producer.poll(QUEUE_FULL_POLL_S)

    def _produce_blocks(
        self, blocks: Mapping[Partition, Iterable[Message]], deadline: Deadline
    ) -> dict[Partition, str]:
        """Produce each partition's blocks and wait for the offset of its last one. Returns the anchors."""
        anchors: dict[Partition, str] = {}
        failures: list[TidingsError] = []
        waiting = 0
        for owner, parts in blocks.items():
            *before, last = parts
            self._produce(before, deadline)

            def report(error: KafkaError | None, delivered: Delivered, owner: Partition = owner) -> None:
                if error is not None:
                    failures.append(translate(error, "delivering a decision block"))
                else:
                    anchors[owner] = f"{delivered.partition()}:{delivered.offset()}"

            waiting += 1
            self._produce([last], deadline, report)
        while len(anchors) < waiting and not failures:
            if deadline.expired():
                raise Abortable("delivering decision blocks: no report within the budget")
            self._producer.flush(FLUSH_S)
        for failure in failures:
            raise failure if isinstance(failure, Fatal) else Abortable(str(failure))
        return anchors

    def _send_offsets(self, marks: list[TopicPartition], group: Any) -> None:
        if not marks:
            return
        call_s = self._settings.commit_call_ms / 1000
        try:
            self._bounded.call(
                lambda: self._producer.send_offsets_to_transaction(marks, group, call_s),
                call_s + STUCK_AFTER_S,
                "sending offsets",
            )
        except ClientStuck:
            self._open = False  # The client answers no other call; the broker aborts it at its time-out.
            raise

    def _commit(self) -> None:
        """Commit, asking the same again after a time-out: a commit whose outcome is unknown is never aborted."""
        deadline = Deadline(self._clock, self._settings.commit_budget_ms / 1000)
        call_s = self._settings.commit_call_ms / 1000
        try:
            retry(lambda: self._producer.commit_transaction(call_s), "committing", deadline, self._clock)
        except (Retriable, Fatal):
            self._open = False  # Its outcome is the broker's to say: nobody may abort it now.
            raise


def refused(error: KafkaError, topic: str) -> TidingsError:
    """Our error where the client refuses to queue a message; `_STATE` means that the transaction has failed already."""
    if error.name() == "_STATE":
        return Abortable(f"producing to {topic}: the transaction has failed")
    return translate(error, f"producing to {topic}")
