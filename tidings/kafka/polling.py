"""Reads the inboxes into `Held`: subscribing, polling, draining, and distrusting whatever a rebalance touched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby, repeat
from operator import attrgetter, methodcaller
from typing import cast

from confluent_kafka import Consumer, KafkaError
from confluent_kafka import Message as Polled

from tidings.clock import Clock, Deadline
from tidings.errors import Fatal
from tidings.kafka.assignment import Assignment
from tidings.kafka.errors import ProtocolUnsupported, SlotBusy, fatal_reason
from tidings.kafka.group_protocol import UNSUPPORTED
from tidings.kafka.held import Held
from tidings.kafka.settings import LoopSettings
from tidings.log import InboxRecord, Partition


def _timestamp_ms(message: Polled) -> int:
    return message.timestamp()[1]


_COLUMNS = (Polled.topic, Polled.partition, Polled.offset, _timestamp_ms, Polled.key, Polled.value)
_ERROR = methodcaller("error")
_PARTITION = attrgetter("topic", "partition")
_new_tuple = cast("Callable[[type[InboxRecord], tuple[object, ...]], InboxRecord]", tuple.__new__)

# A new inbox's name reaches every broker's metadata within this time, or it is not there.
UNKNOWN_TOPIC_BUDGET_S = 30.0

# The client goes on by itself after these; all else stops the worker.
_PASSING = frozenset({"_TRANSPORT", "_ALL_BROKERS_DOWN", "_TIMED_OUT", "_RESOLVE", "_MAX_POLL_EXCEEDED", "_WAIT_COORD"})


class Inboxes:
    """The subscribed inboxes of one worker."""

    def __init__(
        self, consumer: Consumer, assignment: Assignment, held: Held, settings: LoopSettings, clock: Clock
    ) -> None:
        self._consumer = consumer
        self._assignment = assignment
        self._held = held
        self._settings = settings
        self._clock = clock
        self._topics: tuple[str, ...] = ()
        self._unknown: Deadline | None = None

    def follow(self, topics: Sequence[str]) -> None:
        """Subscribe to the explicit list `topics`, where it is not the list subscribed to already."""
        wanted = tuple(sorted(topics))
        if wanted == self._topics:
            return
        self._topics = wanted
        if not wanted:
            self._consumer.unsubscribe()
            return
        assignment = self._assignment
        self._consumer.subscribe(
            list(wanted),
            on_assign=assignment.on_assign,
            on_revoke=assignment.on_revoke,
            on_lost=assignment.on_revoke,
        )

    def fill(self) -> None:
        """Poll one record, then drain what is there, within the bounds, into `Held`.

        Where a poll served the group, nothing stays held: every partition touched and still owned is read again.
        Raises Fatal where an inbox cannot be read on, SlotBusy where the slot is not free,
        ProtocolUnsupported where the broker has not the group protocol, or a callback's failure.
        """
        settings = self._settings
        touched: set[Partition] = set()
        self._assignment.changed = False
        first = self._consumer.poll(settings.poll_timeout_ms / 1000)
        polled = [] if first is None else [first]
        while True:
            self._assignment.check()
            touched |= self._hold(polled)
            room = min(settings.drain_max_events, settings.batch_max_events - self._held.events)
            if not polled or room <= 0 or self._held.bytes >= settings.batch_max_bytes or self._assignment.changed:
                break
            polled = self._consumer.consume(room, 0)
        if self._assignment.changed:
            self._held.clear()
            self._assignment.rewind(self._consumer, touched)

    def _hold(self, polled: list[Polled]) -> set[Partition]:
        errors = [error for error in map(_ERROR, polled) if error is not None]
        if errors:
            polled = [message for message in polled if message.error() is None]
        partitions: set[Partition] = set()
        for (topic, number), records in groupby(records_of(polled), _PARTITION):
            partitions.add(Partition(topic, number))
            self._held.add(Partition(topic, number), list(records))
        for error in errors:
            self._refuse(error)
        if partitions:
            self._unknown = None
        return partitions

    def _refuse(self, error: KafkaError) -> None:
        """Raise Fatal for an error that the client does not get over by itself."""
        name = error.name()
        if name == "_AUTO_OFFSET_RESET":
            raise Fatal("an inbox's committed offset is not in its log any more: see the runbook before any reset")
        if error.fatal() or name == "_FATAL":
            name = fatal_reason(error)
            if name == "UNRELEASED_INSTANCE_ID" and not self._assignment.taken:
                raise SlotBusy("joining: the group still has another process in this slot")
            if name in UNSUPPORTED and not self._assignment.taken:
                raise ProtocolUnsupported(f"joining: {name}")
            raise Fatal(f"reading inboxes: {name}")
        if not (name in _PASSING or error.retriable() or name == "UNKNOWN_TOPIC_OR_PART"):
            raise Fatal(f"reading inboxes: {name}")
        if name == "UNKNOWN_TOPIC_OR_PART":
            self._unknown = self._unknown or Deadline(self._clock, UNKNOWN_TOPIC_BUDGET_S)
            if self._unknown.expired():
                raise Fatal("reading inboxes: an inbox of the policy does not exist")


def record_of(message: Polled) -> InboxRecord:
    """A polled message as a stage sees it."""
    return records_of([message])[0]


def records_of(messages: Sequence[Polled]) -> list[InboxRecord]:
    """Polled messages, none of them an error, as a stage sees them.

    Column by column: the interpreter runs a few times a batch and not several times a message.
    """
    rows = zip(*(map(column, messages) for column in _COLUMNS), strict=True)
    return list(map(_new_tuple, repeat(InboxRecord), rows))
