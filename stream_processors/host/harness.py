"""`TestProcessor`: a processor at work in this process, with no broker: what a test of one is written with.

The same pipeline and the same rows as on Faust; topics are lists, tables are dictionaries with a changelog. It can be
killed between any two writes, and loses then what a process loses.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import fastavro

from stream_processors.host.core import encode_tick
from stream_processors.host.declaration import Json, Processor, Schema
from stream_processors.host.needs import needs_of, quarantine_topic, reads_of
from stream_processors.host.pipeline import Outgoing, Pipeline
from stream_processors.host.rows import Row, names_of
from tidings import wire
from tidings.clock import Clock, StillClock
from tidings.errors import Fatal
from tidings.log import InboxRecord
from tidings.metrics import PROCESSOR_METRICS, MetricStore
from tidings.policy.model import Environment, Policy
from tidings.quarantine import QuarantineRecord, decode_quarantine

_OUTPUT_IDS_FROM, _WRITER_IDS_FROM = 9_000, 10_000


class Killed(Exception):
    """The process died here."""


class _Rows:
    """The tables at one place: what the process has, and what came to the changelog."""

    def __init__(self, owner: TestProcessor) -> None:
        self._owner = owner
        self.local: dict[str, dict[bytes, bytes]] = {}
        self.changelog: dict[str, dict[bytes, bytes]] = {}

    def get(self, table: str, key: bytes) -> bytes | None:
        return self.local.get(table, {}).get(key)

    def put(self, table: str, key: bytes, row: bytes | None) -> None:
        _put(self.local, table, key, row)
        self._owner.step_on()
        _put(self.changelog, table, key, row)

    def items(self, table: str) -> Iterator[tuple[bytes, bytes]]:
        yield from self.local.get(table, {}).items()

    def recover(self) -> None:
        self.local = {table: dict(rows) for table, rows in self.changelog.items()}


class TestProcessor:
    """One processor under test, where `policy` is in force (a small one unless given). `now` is its clock."""

    __test__ = False  # it is no test itself

    def __init__(self, processor: Processor, policy: Policy | None = None, clock: Clock | None = None) -> None:
        self.processor = processor
        self.clock = clock or StillClock()
        given = policy or Policy(version=1, environment=Environment.SYNTHETIC, created_at_ms=0, inboxes=(), views=())
        topics = [topic for topic, _ in needs_of(processor, given).schemas]
        ids = {topic: _OUTPUT_IDS_FROM + number for number, topic in enumerate(topics)}
        self.policy = given.model_copy(update={"system_schema_ids": {**given.system_schema_ids, **ids}})
        self.metrics = MetricStore(PROCESSOR_METRICS)
        self._reads = reads_of(processor, self.policy)
        self._writers: dict[int, Schema] = {}
        self._parsed: dict[int, Any] = {}
        outputs = needs_of(processor, self.policy).schemas
        self._outputs = {topic: fastavro.parse_schema(schema) for topic, schema in outputs}
        self._records: list[InboxRecord] = []
        self._work: list[InboxRecord] = []
        self._taken = self._worked = 0
        self._places = [_Rows(self) for _ in range(processor.partitions)]
        self._sent: dict[str, list[tuple[str, bytes]]] = {topic: [] for topic in topics}
        self._steps_left: int | None = None
        self._enrolled = False
        self.causes: list[str] = []
        self._pipeline = self._new_pipeline()

    def send(
        self, topic: str, value: dict[str, Any], *, at_ms: int | None = None, partition: int = 0,
        schema: Schema | None = None, key: bytes | None = None,
    ) -> None:  # fmt: skip
        """Publish a record and let the processor take it in. `schema` is the writer's, the reader's unless given."""
        declared = self._reads[topic].schema
        writer = schema or declared
        if writer is None:
            raise Fatal(f"{topic} is read with its writer's schema: give one")
        number = next((n for n, each in self._writers.items() if each == writer), _WRITER_IDS_FROM + len(self._writers))
        if number not in self._writers:
            self._writers[number], self._parsed[number] = writer, fastavro.parse_schema(writer)
        out = io.BytesIO()
        fastavro.schemaless_writer(out, self._parsed[number], value)
        self.send_bytes(topic, wire.header(number) + out.getvalue(), at_ms=at_ms, partition=partition, key=key)

    def send_bytes(
        self, topic: str, value: bytes | None, *, at_ms: int | None = None, partition: int = 0, key: bytes | None = None
    ) -> None:
        """Publish whatever bytes, and let the processor take them in."""
        stamp = self.clock.now_ms() if at_ms is None else at_ms
        offset = sum((each.topic, each.partition) == (topic, partition) for each in self._records)
        self._records.append(InboxRecord(topic, partition, offset, stamp, key, value))
        self.run()

    def tick(self, now_ms: int | None = None) -> None:
        """Let it hear how late it is, at every place, as where nothing comes for a while."""
        self.run()
        value = encode_tick(self.clock.now_ms() if now_ms is None else now_ms)
        for place in range(self.processor.partitions):
            self._append(InboxRecord(self._pipeline.work_topic, place, 0, 0, b"", value))
        self.run()

    def run(self) -> None:
        """Take in what is left to take in. Raises Killed where `kill_after` says so, Fatal where it stops."""
        if not self._enrolled:
            self._enrolled = True
            for each in self._pipeline.enrol():
                self._write(each)
        while self._taken < len(self._records):
            for each in self._pipeline.take(self._records[self._taken]):
                self._write(each)
            self._taken += 1
        while self._worked < len(self._work):
            record = self._work[self._worked]
            for each in self._pipeline.work(record, self._places[record.partition]):
                self._write(each)
            self._worked += 1

    def kill_after(self, writes: int) -> None:
        """Die after so many more writes."""
        self._steps_left = writes

    def restart(self, *, back: int = 0, disk_lost: bool = True) -> None:
        """A new process: `back` records of both stages come again, as after a crash. Tables are recovered from their
        changelogs; with `disk_lost` off, what the old process had on its disk is there still, which may be ahead."""
        self._steps_left = None
        self._taken, self._worked = max(0, self._taken - back), max(0, self._worked - back)
        if disk_lost:
            for place in self._places:
                place.recover()
        self._pipeline = self._new_pipeline()
        self._enrolled = False
        self.run()

    def latest(self, topic: str) -> dict[str, dict[str, Any]]:
        """The newest record under each key of a topic written."""
        return {key: self._decoded(topic, value) for key, value in self._sent[topic]}

    def sent(self, topic: str) -> list[tuple[str, dict[str, Any]]]:
        """Every record of a topic written, in order."""
        return [(key, self._decoded(topic, value)) for key, value in self._sent[topic]]

    def set_aside(self) -> list[QuarantineRecord]:
        """What the processor failed on."""
        return [decode_quarantine(value) for _, value in self._sent[quarantine_topic(self.processor)]]

    def rows(self, table: str) -> dict[tuple[str, str], Json]:
        """Every row of a table that is not over, by key and row's name, as its changelog has it."""
        found: dict[tuple[str, str], Json] = {}
        for place in self._places:
            for key, stored in place.changelog.get(table, {}).items():
                row = Row.decode(stored)
                if row.value is not None:
                    found[names_of(key)] = row.value
        return found

    def state(self) -> dict[str, dict[tuple[str, str], Json]]:
        """Every table's rows: what must be the same, however the events came."""
        return {table.name: self.rows(table.name) for table in self.processor.tables}

    def step_on(self) -> None:
        """One write is done. Raises Killed where that was the last."""
        if self._steps_left is not None:
            if self._steps_left == 0:
                raise Killed
            self._steps_left -= 1

    def _write(self, out: Outgoing) -> None:
        self.step_on()
        message = out.message
        if message.topic == self._pipeline.work_topic:
            self._append(InboxRecord(message.topic, message.partition, 0, 0, message.key, message.value))
        else:
            self.causes.append(out.cause)
            self._sent[message.topic].append(((message.key or b"").decode(), message.value or b""))

    def _append(self, record: InboxRecord) -> None:
        self._work.append(record._replace(offset=len(self._work)))

    def _decoded(self, topic: str, value: bytes) -> dict[str, Any]:
        if wire.schema_id_of(value) != self.policy.system_schema_ids[topic]:
            raise Fatal(f"{topic} holds a record of another schema")
        body = io.BytesIO(value[wire.HEADER_BYTES :])
        read: Any = fastavro.schemaless_reader(body, self._outputs[topic], None)
        return dict(read)

    def _new_pipeline(self) -> Pipeline:
        return Pipeline(self.processor, self.policy, self._schema, self.clock, self.metrics, "test")

    def _schema(self, number: int) -> Schema:
        if number not in self._writers:
            raise Fatal("no such schema")
        return self._writers[number]


def _put(tables: dict[str, dict[bytes, bytes]], table: str, key: bytes, row: bytes | None) -> None:
    rows = tables.setdefault(table, {})
    if row is None:
        rows.pop(key, None)
    else:
        rows[key] = row
