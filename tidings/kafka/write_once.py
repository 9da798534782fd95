"""Writes an agency's records exactly once across restarts: each transaction holds a token of the caller's, which a
later run reads back.

The token is the metadata of an offset, committed in the same transaction for a group of the agency's own (ADR 0013).
The offset is one of the agency's notices, the only topic that a publisher may read: it moves nobody, and the group has
no members.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as Delivered

from tidings import topics
from tidings.clock import Clock, Deadline, SystemClock
from tidings.closing import Closing
from tidings.deployment import once_name
from tidings.errors import Fatal, Finding, ReasonCode, Reject, Retriable, TidingsError
from tidings.kafka.clients import Config, open_producer, transactional_config
from tidings.kafka.cluster import Cluster
from tidings.kafka.errors import Abortable, ClientStuck, error_of, translate
from tidings.kafka.produce import is_too_large
from tidings.kafka.retry import retry
from tidings.kafka.settings import LoopSettings
from tidings.kafka.transact import QUEUE_FULL_POLL_S, Probe, Transactor
from tidings.log import Message, Partition, Position, Transaction
from tidings.provisioning.topic_plan import INBOX_MESSAGE_MAX_BYTES

TOKEN_MAX_BYTES = 1_000
"""The broker keeps 4,096 bytes beside an offset (`offset.metadata.max.bytes`); a token is shorter."""

RECORD_MAX_BYTES = INBOX_MESSAGE_MAX_BYTES - 256
"""Of key and value together: a batch of one record adds at most 61 + 28 bytes, and the broker weighs the batch.
Source: Kafka 4.3 documentation, "Message Format"."""

_BY_KEY = -1  # RD_KAFKA_PARTITION_UA: the partitioner decides
_NOT_ALLOWED = "AUTHORIZATION_FAILED"
_TOO_LARGE = "MSG_SIZE_TOO_LARGE"
_NEVER = frozenset({"TOPIC_AUTHORIZATION_FAILED", "UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION"})


class Record(NamedTuple):
    """One record to write; its key says to which partition of `topic`."""

    topic: str
    key: bytes | None
    value: bytes | None

    def __repr__(self) -> str:
        return f"Record({self.topic})"


class Place(NamedTuple):
    """Where a record came to stand."""

    topic: str
    partition: int
    offset: int


Placed = Callable[[Sequence[Place]], None]


class Undecided(Fatal):
    """The broker stayed away in a commit, or the client is stuck: what was made, only a new one's `position` says."""

    action = "open a new writer, and go on from its position"
    exit_code = 75


class OnceWriter(Closing):
    """Writes as `principal`, one transaction at a time, under a `name` of which there is one holder: the newest.

    ```python
    with OnceWriter(cluster, "gro", "outbox") as writer:
        done = writer.position()
        for records, token in batches_after(done):
            writer.write(records, token)
    ```

    Who calls: one thread. May it block: for a minute where the broker is away. `tidings plan` gives every publisher
    what it needs. What holds afterwards: the records of every transaction up to the one with the token `position` gives
    are in their topics once, in the order of `write` for each key, and no others are.
    """

    def __init__(
        self,
        cluster: Cluster,
        principal: str,
        name: str,
        *,
        clock: Clock | None = None,
        settings: LoopSettings | None = None,
        placing: bool = False,
        probe: Probe = lambda _step: None,
    ) -> None:
        """Take `name` over from whoever holds it, whose open transaction is aborted.

        Args: `name` is an id; `placing` says that `write` is asked for places, which costs a report a record; `probe`
        hears the steps of a transaction, for tests. Raises ValueError where `name` is
        none, Retriable where the broker is away, Fatal where `principal` may not write.
        """
        if not topics.is_id(name):
            raise ValueError(f"{name!r} is not an id: use a-z, 0-9 and inner hyphens")
        self._clock = clock or SystemClock()
        self._settings = settings or LoopSettings()
        self._mark = Partition(topics.notices(principal), 0)
        self._placing = placing
        self._ended = False
        group = once_name(principal, name)
        try:
            producer = open_producer(_producer_config(cluster, principal, group, self._settings, placing=placing))
            # It asks for the group's offset and never joins.
            self._group = Consumer({**cluster.consumer_config(principal, group), "log_level": 0})
            self._producer = producer
        except KafkaException as exception:
            failure = translate(error_of(exception), f"opening {group}")
            raise failure from None
        self._batch = _Batch(())
        self._probe = probe
        self._transactor = Transactor(producer, self._settings, self._clock, self._reached)
        try:
            self._transactor.start()
        except BaseException as failure:
            self._group.close()
            if str(failure).endswith(_NOT_ALLOWED):
                raise Fatal(f"{principal} may not write: it is stopped, or not in the policy: {failure}") from None
            raise

    def position(self) -> str | None:
        """The token of the last committed transaction of this name, whoever wrote it; None where there is none, or
        where it is older than the broker keeps offsets of a group without members (`offsets.retention.minutes`).

        Raises Retriable where the broker is away, Fatal where `principal` may not ask.
        """
        deadline = Deadline(self._clock, self._settings.start_budget_ms / 1000)
        [mark] = retry(self._ask, "asking for the position", deadline, self._clock)
        return mark.metadata or None

    def write(self, records: Iterable[Record], token: str, placed: Placed | None = None) -> None:
        """Write `records`, none or more, and `token` in one transaction; returns once it is committed.

        Args: `placed` is told where each record stands, in order, before the commit: what it keeps is never less than
        what is committed. What it raises passes, and nothing is written.

        Raises:
            Retriable: it was aborted, nothing was written; the same call may be made again.
            Reject: `event_too_large`; nothing was written, and no call with that record will be.
            Undecided: the broker stayed away in the commit, or restarted and left the client stuck; this writer takes
                nothing more.
            Fenced: a newer client holds the name; this writer takes nothing more.
            Fatal: `principal` may not write; this writer takes nothing more.
            ValueError: a token that is empty or longer than `TOKEN_MAX_BYTES` in UTF-8; `placed` where this writer was
                not made `placing`.
        """
        if placed is not None and not self._placing:
            raise ValueError("this writer was not made to say places")
        if not 0 < len(token.encode()) <= TOKEN_MAX_BYTES:
            raise ValueError(f"a token has 1 to {TOKEN_MAX_BYTES} bytes")
        if self._ended:
            raise Fatal("this writer has ended: open a new one, and go on from its position")
        batch = _Batch(records, placed)
        if batch.largest_bytes() > RECORD_MAX_BYTES:
            raise Reject([Finding(ReasonCode.EVENT_TOO_LARGE)])
        try:
            self._run(batch, token)
        except TidingsError as failure:
            answer = failure
        else:
            return
        self._ended = isinstance(answer, Fatal)
        raise answer

    def close(self) -> None:
        """Abort what is open and let the connections go. Raises nothing of the broker's: what cannot be aborted here is
        aborted by the name's next holder, or at its time-out."""
        self._abandon()
        self._group.close()

    def _run(self, batch: _Batch, token: str) -> None:
        self._batch = batch
        self._transactor.abort()  # One that could not be aborted at once, the broker having been away.
        work = Transaction((), offsets={self._mark: 0}, runs=(batch,))
        positions = {self._mark: Position(self._mark, 0, token)}
        answer: TidingsError
        try:
            self._transactor.run(work, work.offsets, positions, self._group.consumer_group_metadata())
        except Abortable as aborted:
            answer = batch.refusal() or Retriable(str(aborted))
        except ClientStuck as stuck:
            answer = Undecided(str(stuck))
        except Fatal as fatal:
            self._abandon()
            answer = Reject([Finding(ReasonCode.EVENT_TOO_LARGE)]) if is_too_large(fatal) else fatal
        except Retriable as unknown:
            answer = unknown if self._transactor.is_open else Undecided(str(unknown))
        except BaseException:
            self._ended = True
            self._abandon()
            raise
        else:
            return
        raise answer

    def _abandon(self) -> None:
        with suppress(TidingsError):  # what was said before is the reason
            self._transactor.abandon()

    def _reached(self, step: str) -> None:
        if step == "offsets" and self._batch.placed is not None:
            deadline = Deadline(self._clock, self._settings.work_budget_ms / 1000)
            while not self._batch.told():
                if deadline.expired():
                    raise Abortable("delivering: no report within the budget")
                self._producer.poll(QUEUE_FULL_POLL_S)
        self._probe(step)

    def _ask(self) -> list[TopicPartition]:
        asked = [TopicPartition(*self._mark)]
        found: list[TopicPartition] = self._group.committed(asked, self._settings.commit_call_ms / 1000)
        for each in found:
            if each.error is not None:
                raise translate(each.error, f"asking for the position on {each.topic}")
        return found

    def __repr__(self) -> str:
        return f"OnceWriter({self._mark.topic})"


def _producer_config(cluster: Cluster, principal: str, group: str, settings: LoopSettings, *, placing: bool) -> Config:
    return {
        **cluster.publisher_config(principal),
        **transactional_config(group, settings),
        # A commit sends what lingers at once: until then a batch fills up. Places are waited for before the commit.
        "linger.ms": 5 if placing else 50,
        "delivery.report.only.error": not placing,
    }


class _Batch:
    """A run of records (see `tidings.log.Run`) that keeps why the broker refused one."""

    def __init__(self, records: Iterable[Record], placed: Placed | None = None) -> None:
        self.placed = placed
        self._records = list(records)
        self._places: list[Place | None] = [None] * len(self._records)
        self._waiting = len(self._records)
        self._sent = 0
        self._refused: set[str] = set()

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Message]:
        return (Message(each.topic, _BY_KEY, each.key, each.value) for each in self._records)

    def largest_bytes(self) -> int:
        """Key and value of the largest record."""
        return max([len(key or b"") + len(value or b"") for _, key, value in self._records], default=0)

    def send(self, produce: Callable[..., object]) -> None:
        """See `tidings.log.Run`."""
        report: Callable[..., None] = self._refuse
        for topic, key, value in islice(self._records, self._sent, None):
            if self.placed is not None:
                report = partial(self._report, self._sent)
            produce(topic, value, key, _BY_KEY, report)
            self._sent += 1

    def refusal(self) -> TidingsError | None:
        """What makes writing the same again useless, where the broker said so of a record."""
        if _TOO_LARGE in self._refused:
            return Reject([Finding(ReasonCode.EVENT_TOO_LARGE)])
        return next((Fatal(f"delivering: {name}") for name in sorted(self._refused & _NEVER)), None)

    def told(self) -> bool:
        """Tell where all records stand, once the broker has said so of each. Raises Abortable where it refused one."""
        if self._refused:
            raise Abortable(f"delivering: {min(self._refused)}")
        if self._waiting or self.placed is None:
            return False
        self.placed([each for each in self._places if each is not None])
        return True

    def _refuse(self, error: KafkaError | None, _delivered: Delivered) -> None:
        if error is not None:
            self._refused.add(error.name())

    def _report(self, at: int, error: KafkaError | None, delivered: Delivered) -> None:
        if error is not None:
            self._refuse(error, delivered)
            return
        topic, partition, offset = delivered.topic(), delivered.partition(), delivered.offset()
        if topic is not None and partition is not None and offset is not None:
            self._places[at] = Place(topic, partition, offset)
            self._waiting -= 1
