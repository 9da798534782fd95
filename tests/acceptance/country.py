"""The example country on a real stack: applied, published to, worked by processes that can be killed, and read out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter, defaultdict, deque
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

from connectors.sources.base import SourceRecord
from producers.publisher import EventPublisher
from producers.simulator import Settings, simulate
from tests.eventually import eventually
from tests.outcomes.real_files import AGENCIES, Expected, outcomes, read_table
from tidings.clock import Clock, SystemClock
from tidings.deployment import group_name
from tidings.kafka.produce import RecordProducer
from tidings.policy.model import Policy

if TYPE_CHECKING:
    from deploy.local.stack import Stack

CHECKOUT = Path(__file__).resolve().parents[2]
PACE_EVENTS = 20


class Sent(NamedTuple):
    """What must become of one record: `accepted`, `rejected` or `duplicate`, with the codes that the sender expects
    (with or without their paths; an empty tuple where the sender does not say)."""

    outcome: str
    codes: tuple[str, ...] = ()


Record = tuple[str, bytes | None, bytes | None]
"""Topic, key, value."""


def apply(stack: Stack) -> Policy:
    """Apply the example country. Returns the policy in force."""
    from commands._apply import apply_plan
    from commands._context import planner

    stack.wait_registry()
    with planner(stack.cluster_file, CHECKOUT / "agreements", None) as makes:
        return apply_plan(makes, makes.plan(), lambda _line: None)


class Publishing(threading.Thread):
    """Publishes the real files that are there and `events` simulated ones, each agency with its own credentials.

    `sent` says of every record, in the order of sending, what must become of it; `real` has the outcome table's line of
    each event that a real file's record became. With `rate`, so many events a second at most; `enough()` ends it early.
    """

    def __init__(self, stack: Stack, events: int, seed: int, files: list[str], rate: float = 0.0) -> None:
        super().__init__(daemon=True)
        self._rate, self._enough = rate, threading.Event()
        self._stack, self._events, self._seed, self._files = stack, events, seed, files
        self._publishers: dict[str, EventPublisher] = {}
        self._clock: Clock = SystemClock()
        self.sent: dict[Record, deque[Sent]] = defaultdict(deque)
        self.real: dict[str, Expected] = {}
        self.expected: Counter[str] = Counter()
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Publish it all; what fails is kept for the test."""
        try:
            for file in self._files:
                self._publish_file(file)
            for each in simulate(self._events, Settings(seed=self._seed)):
                publisher = self._publisher(each.agency)
                record = each.wire(publisher.encoder(each.event_type))
                self._note((record.topic, record.key, record.value), Sent(each.expected, each.codes))
                publisher.send(record)
                if self._rate and self.total % PACE_EVENTS == 0:
                    self._enough.wait(PACE_EVENTS / self._rate)
                if self._enough.is_set():
                    break
            for publisher in self._publishers.values():
                publisher.flush()
        except BaseException as failure:  # noqa: BLE001 -- handed to the test, which judges it
            self.failure = failure

    def enough(self) -> None:
        """Send no more."""
        self._enough.set()

    def check(self) -> None:
        """Raise what publishing failed with, if it did."""
        if self.failure is not None:
            raise self.failure

    @property
    def total(self) -> int:
        """How many records were sent so far."""
        return self.expected.total()

    def _publish_file(self, file: str) -> None:
        publisher = self._publisher(AGENCIES[file])
        table = {each.record: each for each in read_table() if each.file == file}
        for outcome in outcomes(file, self._stack.cluster.environment.value):
            if isinstance(outcome, SourceRecord):
                record = publisher.encoder(outcome.event_type).encode(outcome.event)
                expected = table[outcome.number]
                due = "rejected" if expected.outcome == "rejected" else "accepted"
                self.real[outcome.event["event_id"]] = expected
                self._note((record.topic, record.key, record.value), Sent(due, expected.rejected_for))
                publisher.send(record)

    def _publisher(self, agency: str) -> EventPublisher:
        if agency not in self._publishers:
            sender = RecordProducer(self._stack.cluster, agency)
            self._publishers[agency] = EventPublisher(self._stack.cluster, agency, sender=sender)
        return self._publishers[agency]

    def _note(self, record: Record, sent: Sent) -> None:
        self.sent[record].append(sent)
        self.expected[sent.outcome] += 1


class Workers:
    """Processes of `tidings run exchange`, one a slot; `log` takes what they say. Whatever runs at the end is ended."""

    def __init__(self, stack: Stack, log: Path) -> None:
        self._stack, self._log = stack, log
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self.killed = 0

    def start(self, slot: int) -> None:
        """Start the worker of a slot, a successor where it had one."""
        command = [
            sys.executable, "-m", "commands.run", "exchange", "--slot", str(slot),
            "--cluster", str(self._stack.cluster_file), "--parent", str(os.getpid()),
        ]  # fmt: skip
        with self._log.open("ab") as log:
            self._running[slot] = subprocess.Popen(command, cwd=CHECKOUT, stdout=log, stderr=log)

    def kill(self, *slots: int) -> None:
        """`kill -9` the workers of these slots and see them gone. Raises AssertionError where one had ended before."""
        for slot in slots:
            assert self._running[slot].poll() is None, f"worker {slot} had ended: {self._said()}"
            self._running[slot].kill()
        for slot in slots:
            assert self._running[slot].wait(30) == -signal.SIGKILL
            self.killed += 1

    def replace(self, slot: int) -> None:
        """Drain the worker of a slot and start its successor, as a rolling update does."""
        process = self._running[slot]
        eventually(partial(handles, process, signal.SIGTERM), f"worker {slot} starts", 30)
        process.terminate()
        code = process.wait(60)
        assert code == 0, f"worker {slot} ended with {code}: {self._said()}"
        self.start(slot)

    def drain(self) -> None:
        """SIGTERM all, once they listen to it, and wait. Raises AssertionError where one does not end with 0."""
        for slot, process in self._running.items():
            eventually(partial(handles, process, signal.SIGTERM), f"worker {slot} starts", 30)
        for process in self._running.values():
            process.terminate()
        codes = {slot: process.wait(60) for slot, process in self._running.items()}
        assert set(codes.values()) == {0}, f"{codes}: {self._said()}"

    def _said(self) -> str:
        return self._log.read_text()[-2_000:]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for process in self._running.values():
            if process.poll() is None:
                process.kill()
                process.wait(30)


def handles(process: subprocess.Popen[bytes], number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal: one that has only just been started has none yet, and ends.

    Source: proc_pid_status(5), SigCgt. True for one that has ended.
    """
    if process.poll() is not None:
        return True
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    mask = next(int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:"))
    return bool(mask >> (number - 1) & 1)


class Progress:
    """How far the exchange is, by the offsets that it has committed."""

    def __init__(self, stack: Stack, policy: Policy) -> None:
        from confluent_kafka import Consumer, TopicPartition

        group = group_name(stack.cluster.deployment)
        # It asks for the group's offsets and never joins it.
        self._consumer = Consumer(stack.cluster.consumer_config("admin", group))
        self._partitions = [
            TopicPartition(inbox.topic, number) for inbox in policy.inboxes for number in range(inbox.partitions)
        ]

    def decided(self) -> int:
        """How many inbox offsets are finished. The publishers write no transactions, so an offset is a record."""
        return sum(max(0, each.offset) for each in self._consumer.committed(self._partitions, timeout=30))

    def close(self) -> None:
        """Let the connection go."""
        self._consumer.close()
