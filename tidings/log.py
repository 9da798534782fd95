"""What a stage sees of the log: records in, messages out, with no client library behind the names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple, Protocol


class Partition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class InboxRecord(NamedTuple):
    """One record as it stands in an inbox. `timestamp_ms` is the broker's own (LogAppendTime)."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None


TIMESTAMP_MS: Callable[[InboxRecord], int] = attrgetter("timestamp_ms")
"""A record's timestamp, for `map`: a batch's are read without a turn of the interpreter for each."""


class Message(NamedTuple):
    """One record to be written. `partition` is always explicit; nothing goes into headers."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Position:
    """Where an inbox partition was left: the committed offset and the anchor committed beside it.

    `anchor` is text of at most 1,000 bytes that the handler wrote (see `Transaction.anchors`): it leads to the last
    decision block, and is `"genesis"` where `tidings apply` made the inbox.
    """

    partition: Partition
    offset: int
    anchor: str


class Run(Protocol):
    """Messages to one partition, in order, which their maker sends cheaper than one could loop over them."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Message]: ...

    def send(self, produce: Callable[..., object]) -> None:
        """Call `produce(topic, value, key, partition)` for each message not yet sent. What it raises passes; the next
        call goes on with the message on which it was raised."""
        ...


@dataclass(frozen=True, slots=True)
class Transaction:
    """What one transaction writes: messages in order, runs of messages, and the inbox offsets that it finishes.

    `offsets` maps each inbox partition to the offset after its last record decided here. `blocks` are the decision
    blocks, last part last, for each partition: the loop produces them, waits for their delivery reports and commits
    `anchors(partition, decisions_partition, offset)` as the offset's metadata.
    """

    messages: Sequence[Message]
    blocks: dict[Partition, Sequence[Message]] = field(default_factory=dict)
    offsets: dict[Partition, int] = field(default_factory=dict)
    runs: Sequence[Run] = ()

    def message_count(self) -> int:
        """How many messages it writes, blocks apart."""
        return len(self.messages) + sum(map(len, self.runs))


class Handler(Protocol):
    """What the exactly-once loop drives. All calls come from the loop's one thread; none may block on a broker
    but `take`. State moves only in `committed`; after `aborted` the handler is as it was before `decide`."""

    def inboxes(self) -> Sequence[str]:
        """The explicit list of topics to subscribe to, by the policy in force."""
        ...

    def take(self, positions: Sequence[Position]) -> None:
        """Partitions were assigned: rebuild their deduplication window and chain. Raises Fatal where the position and
        the last decision block disagree, Retriable where the broker is away."""
        ...

    def give(self, partitions: Sequence[Partition]) -> None:
        """Partitions were revoked or lost: forget them."""
        ...

    def decide(self, records: Sequence[InboxRecord], now_ms: int) -> Transaction:
        """Decide a batch (records of owned partitions, in offset order by partition). Raises Fatal only."""
        ...

    def idle(self, now_ms: int) -> Transaction | None:
        """Called between batches: loads a newer policy where there is one, acknowledged with policy-switch blocks."""
        ...

    def committed(self, anchors: dict[Partition, str]) -> None:
        """The transaction of the last `decide` or `idle` is committed, with these anchors."""
        ...

    def aborted(self) -> None:
        """The transaction of the last `decide` or `idle` was aborted."""
        ...
