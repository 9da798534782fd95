"""The exactly-once loop: drives any `tidings.log.Handler`, one Kafka transaction a batch.

Each turn, in this order; the words in brackets are what the probe is told, so that tests can kill the process there:

 1. take the group's metadata, *before* the batch's first poll [metadata];
 2. let the handler switch policy, and follow it to another list of inboxes [idle];
 3. poll one record, then drain with time-out 0, within the bounds [polled];
    whatever a poll serves of the group (assigned, revoked, lost) drops every held record;
 4. take one transaction's records out of those held, a busy partition alone, quiet ones together;
 5. decide [decided];
 6. begin [begun];
 7. produce the messages, each with its partition [produced];
 8. produce the decision blocks and wait for their offsets, which are the anchors [blocks];
 9. send the inbox offsets, with the anchors and the metadata of step 1 [offsets];
10. commit [committed];
11. tell the handler [done].

Where a step says Abortable: abort, tell the handler, drop what is held, seek each of its partitions back to its next
offset in memory, and take half as many events. Where it says Fatal, or a commit's budget ends: stop; nothing is
committed that was not decided, and the successor goes on from the committed offsets.

A batch that is held over several transactions keeps the metadata of its first poll: nothing is polled in between.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer

from tidings.clock import Clock, Deadline, SystemClock
from tidings.errors import Fatal, TidingsError
from tidings.kafka.assignment import Assignment
from tidings.kafka.batch_bound import BatchBound
from tidings.kafka.errors import Abortable, ProtocolUnsupported, SlotBusy, error_of, translate
from tidings.kafka.held import Held
from tidings.kafka.polling import Inboxes
from tidings.kafka.settings import LoopSettings
from tidings.kafka.snapshot import Snapshot, State
from tidings.kafka.transact import Probe, Transactor
from tidings.log import TIMESTAMP_MS, Handler, InboxRecord, Partition, Transaction

Observer = Callable[[Snapshot], None]

JOIN_BACKOFF_S = 0.5


def _no_fall_back() -> None:
    raise Fatal("joining: the broker has not the group protocol")


class Loop:
    """One worker's loop. Only the thread that calls `run` touches the consumer; `stop` may be called from anywhere.

    Args: `connect` and `producer` come from `tidings.kafka.clients`: the loop opens consumers until the group lets go
    of whoever had the slot, and closes them. `fall_back` has `connect` open them with the classic group protocol from
    then on, for a broker that has not the new one; it raises Fatal where it cannot. `reopen` opens a producer like
    `producer`, where the broker has ended that one's transaction. `observer` is given a snapshot once
    a turn, from the loop's thread. `probe` is for tests.
    """

    def __init__(
        self,
        connect: Callable[[], Consumer],
        producer: Producer,
        handler: Handler,
        settings: LoopSettings | None = None,
        *,
        clock: Clock | None = None,
        observer: Observer = lambda _snapshot: None,
        probe: Probe = lambda _step: None,
        fall_back: Callable[[], None] = _no_fall_back,
        reopen: Callable[[], Producer] | None = None,
    ) -> None:
        self._fall_back = fall_back
        self._settings = settings or LoopSettings()
        self._clock = clock or SystemClock()
        self._handler = handler
        self._observer = observer
        self._probe = probe
        self._held = Held()
        self._assignment = Assignment(handler, self._settings, self._clock)
        self._connect = connect
        self._open_consumer()
        self._busy: Deadline | None = None
        self._transactor = Transactor(producer, self._settings, self._clock, probe, reopen)
        self._group: Any = None
        self._snapshot = Snapshot()
        self._aborts_running = 0
        self._bound = BatchBound(self._settings)
        self._stopping = False

    def stop(self) -> None:
        """Ask the loop to finish its transaction and leave. Safe in a signal handler."""
        self._stopping = True

    def run(self) -> None:
        """Run until `stop`, then leave the group. Raises Fatal or Retriable where the process has to end."""
        try:
            self._transactor.start()
            self._tell(state=State.RUNNING)
            while not self._stopping:
                try:
                    self._turn()
                except SlotBusy as busy:
                    self._join_again(busy)
                except ProtocolUnsupported:
                    self._fall_back()
                    self._consumer.close()
                    self._open_consumer()
            self._tell(state=State.STOPPING)
        except KafkaException as exception:
            failure = translate(error_of(exception), "polling")
        else:
            return
        finally:
            self._leave()
        raise failure

    def _turn(self) -> None:
        if not self._held.events:
            self._group = self._consumer.consumer_group_metadata()
        self._probe("metadata")
        now_ms = self._clock.now_ms()
        switch = self._handler.idle(now_ms)
        if switch is not None and not self._transact(switch, {}):
            return
        self._inboxes.follow(self._handler.inboxes())
        self._probe("idle")
        if not self._held.events:
            self._inboxes.fill()
        self._probe("polled")
        batch = self._held.next_batch(self._settings, self._bound.events())
        if batch:
            self._decide(batch)
        else:
            self._tell(lag_seconds=0.0)

    def _open_consumer(self) -> None:
        self._consumer = self._connect()
        self._inboxes = Inboxes(self._consumer, self._assignment, self._held, self._settings, self._clock)

    def _join_again(self, busy: SlotBusy) -> None:
        """Join with a new consumer: this one's error is final. Raises Fatal where the slot stays in use."""
        self._busy = self._busy or Deadline(self._clock, self._settings.start_budget_ms / 1000)
        if self._busy.expired():
            raise Fatal(str(busy))
        self._consumer.close()
        self._clock.sleep(JOIN_BACKOFF_S)
        self._open_consumer()

    def _decide(self, batch: dict[Partition, list[InboxRecord]]) -> None:
        began = self._clock.monotonic()
        now_ms = self._clock.now_ms()
        records = list(chain.from_iterable(batch.values()))
        work = self._handler.decide(records, now_ms)
        self._probe("decided")
        if not self._transact(work, batch):
            return
        messages, seconds = work.message_count(), self._clock.monotonic() - began
        self._bound.committed(len(records), messages, seconds)
        oldest_ms = min(map(TIMESTAMP_MS, records))
        self._tell(
            events=self._snapshot.events + len(records),
            messages=self._snapshot.messages + messages,
            batch_events=len(records),
            batch_messages=messages,
            batch_seconds=seconds,
            lag_seconds=max(0, self._clock.now_ms() - oldest_ms) / 1000,
        )

    def _transact(self, work: Transaction, batch: dict[Partition, list[InboxRecord]]) -> bool:
        """Commit `work` and tell the handler. Returns False where it was aborted, to be read and decided again."""
        offsets = self._offsets(work, batch)
        try:
            anchors = self._transactor.run(work, offsets, self._assignment.positions, self._group)
        except Abortable as failure:
            self._handler.aborted()
            self._again(failure, batch)
            return False
        self._probe("committed")
        self._assignment.finish(offsets, anchors)
        self._handler.committed(anchors)
        self._aborts_running = 0
        self._tell(transactions=self._snapshot.transactions + 1)
        self._probe("done")
        return True

    def _offsets(self, work: Transaction, batch: dict[Partition, list[InboxRecord]]) -> dict[Partition, int]:
        """The offsets to commit. Raises Fatal where the handler finished other records than it was given."""
        due = {partition: records[-1].offset + 1 for partition, records in batch.items()}
        for partition in work.blocks:
            if partition not in due:
                position = self._assignment.positions.get(partition)
                if position is None:
                    raise Fatal(f"a decision block for {partition.topic}/{partition.partition}, which is not owned")
                due[partition] = position.offset
        for partition, offset in work.offsets.items():
            if due.get(partition) != offset:
                raise Fatal(f"the handler finished {partition.topic}/{partition.partition} at {offset}, out of step")
        if not batch.keys() <= work.offsets.keys():
            raise Fatal("the handler left a partition of the batch unfinished")
        return due

    def _again(self, failure: TidingsError, batch: dict[Partition, list[InboxRecord]]) -> None:
        """Go back to where the aborted batch began. Raises Fatal at the limit of aborts in a row."""
        self._aborts_running += 1
        self._bound.aborted(sum(map(len, batch.values())))
        self._assignment.rewind(self._consumer, self._held.clear() | batch.keys())
        self._tell(aborts=self._snapshot.aborts + 1)
        if self._aborts_running >= self._settings.abort_limit:
            raise Fatal(f"{self._aborts_running} aborts in a row, the last: {failure}")
        self._clock.sleep(min(1.0, 0.01 * 2**self._aborts_running))

    def _leave(self) -> None:
        """Abort what is open, as far as that goes, and leave the group; what fails here the time-outs will do."""
        with contextlib.suppress(TidingsError, KafkaException):
            self._transactor.abandon()
        with contextlib.suppress(KafkaException, RuntimeError):
            self._consumer.close()
        self._tell(state=State.STOPPED)

    def _tell(self, **changes: Any) -> None:
        self._snapshot = replace(
            self._snapshot,
            at_monotonic=self._clock.monotonic(),
            assigned=self._assignment.taken > 0,
            partitions=tuple(self._assignment.positions),
            **changes,
        )
        self._observer(self._snapshot)
