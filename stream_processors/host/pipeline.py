"""What happens to each record, in two stages: `take` makes parts of what is read, `work` makes rows of parts.

Between the two lies the work topic, in which all parts of a key are at one place. Both stages raise Retriable and Fatal
only; an event or a part that fails otherwise is set aside. Records go out with their partition and schema id settled.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import NamedTuple

import fastavro
import structlog

from stream_processors.host.core import Core, decode_part, encode_part, enrolled, parts_of
from stream_processors.host.declaration import Gauge, Part, Processor
from stream_processors.host.decode import Decoder, SchemaById, embedded_schemas
from stream_processors.host.failures import Failures
from stream_processors.host.needs import quarantine_topic, reads_of, work_topic, writes_of
from stream_processors.host.rows import Emission, Store
from tidings import metrics, wire
from tidings.clock import Clock
from tidings.errors import Fatal, Retriable
from tidings.log import InboxRecord, Message
from tidings.metrics import MetricStore
from tidings.partitions import partition_of
from tidings.policy.model import Policy
from tidings.quarantine import encode_quarantine, quarantine_key

_log = structlog.get_logger(__name__)


class Outgoing(NamedTuple):
    """A record to be written, and the event that it comes of: its id, or where it stands."""

    message: Message
    cause: str


class Pipeline:
    """One processor on one site.

    Args:
        ask: gives schemas by id that `policy` does not embed.
        worker: names this process where something is set aside.

    Raises Fatal where `policy` gives the processor nothing to read, or does not know a schema that it writes: `tidings
    apply` registers them.
    """

    def __init__(
        self, processor: Processor, policy: Policy, ask: SchemaById, clock: Clock, store: MetricStore, worker: str
    ) -> None:
        self._reads = reads_of(processor, policy)
        if not self._reads:
            raise Fatal(f"{processor.name} has nothing to read: no agreement is in its linkage group")
        writes = writes_of(processor, policy)
        self.processor = processor
        self.sources = tuple(self._reads)
        self.work_topic = work_topic(processor)
        self._aside_topic = quarantine_topic(processor)
        wanted = (self._aside_topic, *writes)
        unknown = [topic for topic in wanted if not policy.system_schema_ids.get(topic)]
        if unknown:
            raise Fatal(f"the policy does not know the schemas of {', '.join(unknown)}: run `tidings apply`")
        self._ids = {topic: policy.system_schema_ids[topic] for topic in wanted}
        self._schemas = {topic: fastavro.parse_schema(each.schema) for topic, each in writes.items()}
        self._decoder = Decoder(self._reads, embedded_schemas(policy), ask)
        self._core = Core(processor, frozenset(writes), clock, policy)
        self._policy = policy
        self._failures = Failures(worker, policy.version, clock)
        self._clock = clock
        self._metrics = store
        for outcome in ("taken", "set_aside"):
            store.add(metrics.PROCESSOR_EVENTS, 0, outcome)
        self._show(() if processor.shows_first is None else processor.shows_first(policy))

    def take(self, record: InboxRecord) -> list[Outgoing]:
        """The parts of a record, addressed, or where it is set aside. Raises Retriable, Fatal."""

        def parts() -> list[Outgoing]:
            made = parts_of(self.processor, self._decoder.event(record))
            out = [self._addressed(part) for part in made]
            self._metrics.add(metrics.PROCESSOR_EVENTS, 1, "taken")
            return out

        return self._or_aside((record.topic, record.partition, record.offset), parts)

    def enrol(self) -> list[Outgoing]:
        """The parts that the policy itself makes, addressed; none for most processors."""
        return [self._addressed(part) for part in enrolled(self.processor, self._policy)]

    def work(self, record: InboxRecord, store: Store) -> list[Outgoing]:
        """Take a part in, or a tick. What is sent on, or where its event is set aside. Raises Retriable, Fatal."""
        part = decode_part(record.key, record.value or b"{}")
        if isinstance(part, int):
            tick = part
            where, cause = (record.topic, record.partition, record.offset), "tick"
        else:
            where, cause = (part.topic, part.partition, part.offset), part.cause

        def out() -> list[Outgoing]:
            if isinstance(part, int):
                done = self._core.advance(tick, store, record.offset)
            else:
                done = self._core.apply(part, store, record.offset)
            if not isinstance(part, int):
                self._metrics.add(metrics.PROCESSOR_PARTS, 1)
                self._metrics.set(metrics.PROCESSOR_LAG, max(0, self._clock.now_ms() - part.at_ms) / 1000)
            self._metrics.add(metrics.PROCESSOR_LATE, done.late)
            sent = [Outgoing(self._encoded(each), cause) for each in done.emissions]
            if self.processor.shows is not None:
                for each in done.emissions:
                    self._show(self.processor.shows(each.value))
            self._metrics.add(metrics.PROCESSOR_RECORDS, len(sent))
            return sent

        return self._or_aside(where, out)

    def _show(self, gauges: Iterable[Gauge]) -> None:
        for spec, labels, value in gauges:
            self._metrics.set(spec, value, *labels)

    def _or_aside(self, where: tuple[str, int, int], stage: Callable[[], list[Outgoing]]) -> list[Outgoing]:
        try:
            out = stage()
        except (Retriable, Fatal, MemoryError):
            raise
        except Exception as failure:  # noqa: BLE001 -- whatever our code raises on one event sets it aside
            record = self._failures.record(*where, failure)
            self._metrics.add(metrics.PROCESSOR_EVENTS, 1, "set_aside")
            _log.warning("event set aside", inbox=where[0], partition=where[1], offset=where[2], reasons=[record.code])
            value = encode_quarantine(record, self._ids[self._aside_topic])
            message = Message(self._aside_topic, 0, quarantine_key(record), value)
            return [Outgoing(message, "/".join(map(str, where)))]
        self._failures.well()
        return out

    def _addressed(self, part: Part) -> Outgoing:
        key = part.key.encode()
        partition = partition_of(key, self.processor.partitions)
        return Outgoing(Message(self.work_topic, partition, key, encode_part(part)), part.cause)

    def _encoded(self, emission: Emission) -> Message:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, self._schemas[emission.topic], emission.value)
        value = wire.header(self._ids[emission.topic]) + out.getvalue()
        return Message(emission.topic, 0, emission.key.encode(), value)
