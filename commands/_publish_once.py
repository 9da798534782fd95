"""Publishes one file, each record once, however often it is begun: by `OnceWriter`, with a `Journal` of each record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from commands._judge import judge
from commands._published_file import PublishedFile
from connectors.sources.base import Outcome
from producers.encode import WireEvent
from producers.journal import Journal, JournalRecord
from producers.publisher import EventPublisher
from tidings import topics
from tidings.clock import Clock, Deadline, SystemClock
from tidings.errors import BadUsage, Fatal, Retriable
from tidings.kafka.cluster import Cluster
from tidings.kafka.read import LogReader
from tidings.kafka.write_once import OnceWriter, Place, Record, Undecided

BATCH_RECORDS = 1_000
BATCH_BYTES = 4 * 1024 * 1024
RETRY_SECONDS = 120.0
_BACKOFF_SECONDS = 0.2

Progress = Callable[[JournalRecord], None]
Probe = Callable[[str], None]


class Token(BaseModel):
    """What is committed with each batch: the ordinal of its last record, when the file came in, and whether that was
    the file's end."""

    model_config = ConfigDict(extra="forbid", strict=True)

    ordinal: int = Field(ge=0)
    received_at_ms: int
    whole: bool

    def written(self) -> str:
        """As it is committed."""
        return orjson.dumps(self.model_dump()).decode()


@dataclass(frozen=True, slots=True)
class Sent:
    """How a file stands after a run: whether this run sent anything, and how many records it went on after."""

    sent: int
    went_on_after: int
    whole_before: bool


class FilePublication:
    """One run over one file.

    Who calls: `tidings publish`, one thread. What holds afterwards: every record of the file stands in its inbox once,
    or is refused or set aside here, and the journal says which. Killed at any point, the next run ends with the same.
    """

    def __init__(
        self,
        file: PublishedFile,
        journal: Journal,
        publisher: EventPublisher,
        *,
        cluster: Cluster,
        agency: str,
        clock: Clock | None = None,
        batch_records: int = BATCH_RECORDS,
        probe: Probe = lambda _step: None,
    ) -> None:
        """`publisher` checks and encodes; what is sent goes through a once-writer of this file's own."""
        self._file, self._journal, self._publisher = file, journal, publisher
        self._cluster, self._agency = cluster, agency
        self._clock = clock or SystemClock()
        self._batch_records = batch_records
        self._probe = probe
        self._sent = 0
        self._last: str | None = None
        self._unknown: list[JournalRecord] = []

    def run(self, received_at_ms: int | None, progress: Progress) -> Sent:
        """Publish what is left. Args: `received_at_ms` as given on the command line, or None.

        Raises Retriable where the cluster is away, Fatal where another run has taken over or the agency may not write,
        BadUsage where `received_at_ms` is not that of the first run, BadInput where the file changes.
        """
        self._writer = self._open()
        try:
            done = self._position(received_at_ms)
            if done.whole and self._journal.count() == done.ordinal:
                return Sent(0, done.ordinal, whole_before=True)
            self._journal.cut(done.ordinal)
            self._begin(done)
            self._go_on(done, progress)
        finally:
            self._writer.close()
        return Sent(self._sent, done.ordinal, whole_before=done.whole)

    def _open(self) -> OnceWriter:
        name = f"publish-{self._file.content[:40]}"
        return OnceWriter(self._cluster, self._agency, name, placing=True, probe=self._probe)

    def _position(self, given_ms: int | None) -> Token:
        """How far an earlier run came, by the broker; by the journal where the broker has forgotten."""
        self._last = self._writer.position()
        written = self._last or self._journal.fact("committed")
        if written is None:
            received = given_ms if given_ms is not None else self._file.changed_ms
            return Token(ordinal=0, received_at_ms=received, whole=False)
        try:
            done = Token.model_validate_json(written)
        except ValidationError:
            raise Fatal(f"the position of {self._file.name} is not one of ours: {self._writer!r}") from None
        if given_ms not in (None, done.received_at_ms):
            message = "this file was begun with another time; a run goes on with what it began with: leave it away"
            raise BadUsage("--received-at", "received-at-changed", message)
        return done

    def _begin(self, done: Token) -> None:
        facts = {"file": self._file.name, "source": self._file.connector.spec.name}
        if self._journal.fact("notices_from") is None:
            facts["notices_from"] = str(self._notices_end() if done.ordinal == 0 else 0)
        self._journal.note(**facts)

    def _notices_end(self) -> int:
        with LogReader(self._cluster, self._agency) as reader:
            partitions = reader.partitions(topics.notices(self._agency))
            return max(reader.ends(partitions).values())

    def _go_on(self, done: Token, progress: Progress) -> None:
        batch: list[tuple[JournalRecord, WireEvent | None]] = []
        waiting_bytes = ordinal = 0
        outcomes: Iterator[Outcome] = self._file.outcomes(
            self._agency, self._cluster.environment.value, done.received_at_ms
        )
        for ordinal, outcome in enumerate(outcomes, 1):
            if ordinal <= done.ordinal:
                self._again(ordinal, outcome, done.ordinal, progress)
                continue
            record, wire = judge(ordinal, outcome, self._publisher)
            batch.append((record, wire))
            waiting_bytes += 0 if wire is None else len(wire.value or b"")
            progress(record)
            if len(batch) >= self._batch_records or waiting_bytes >= BATCH_BYTES:
                self._commit(batch, Token(ordinal=ordinal, received_at_ms=done.received_at_ms, whole=False))
                batch, waiting_bytes = [], 0
        if ordinal < done.ordinal:
            raise Fatal(f"{self._file.name} has fewer records than were published of it: was tidings changed since?")
        if not done.whole:
            self._commit(batch, Token(ordinal=ordinal, received_at_ms=done.received_at_ms, whole=True))

    def _again(self, ordinal: int, outcome: Outcome, last: int, progress: Progress) -> None:
        """A record of an earlier run, which came to `last`; one that this machine's journal does not know is judged
        again, and not sent."""
        if not self._journal.has(ordinal):
            record, _ = judge(ordinal, outcome, self._publisher)
            self._unknown.append(record)
            progress(record)
        if ordinal == last or len(self._unknown) >= BATCH_RECORDS:
            self._journal.put(self._unknown)
            self._unknown = []

    def _commit(self, batch: Sequence[tuple[JournalRecord, WireEvent | None]], token: Token) -> None:
        """Write a batch once, by as many tries as a broker that comes and goes needs."""
        records = [Record(wire.topic, wire.key, wire.value) for _, wire in batch if wire is not None]

        def ahead(places: Sequence[Place]) -> None:
            there = iter(places)
            self._journal.put(record if wire is None else record.placed(*next(there)) for record, wire in batch)
            self._probe("journal")

        deadline = Deadline(self._clock, RETRY_SECONDS)
        while not self._written(records, token.written(), ahead, deadline):
            self._clock.sleep(_BACKOFF_SECONDS)
        self._sent += len(records)
        self._probe("committed")
        self._journal.note(committed=token.written())

    def _written(
        self, records: Sequence[Record], token: str, ahead: Callable[[Sequence[Place]], None], deadline: Deadline
    ) -> bool:
        try:
            self._writer.write(records, token, ahead)
        except Undecided:
            return self._taken_up(token)
        except Retriable:
            if deadline.expired():
                raise
            return False
        self._last = token
        return True

    def _taken_up(self, token: str) -> bool:
        """Open a new writer, where the one before could not tell. Returns whether `token` was committed."""
        self._writer.close()
        self._writer = self._open()
        position = self._writer.position()
        if position not in (token, self._last):
            raise Fatal(f"another run has gone on with {self._file.name}: leave it to that one")
        committed = position == token
        self._last = position
        return committed
