"""What an agency's own code publishes with: checked before it is sent, confirmed before it counts."""

from __future__ import annotations

import json
import marshal
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from producers.encode import Encoder, WireEvent
from producers.inbox_writer import inbox_writer
from tidings.catalogue import Catalogue, EventType, default_catalogue_dir, load_catalogue
from tidings.checks import Checker, FolderLists, ReferenceLists
from tidings.clock import Clock, SystemClock
from tidings.errors import BadInput, Fatal, Finding, Problem, ReasonCode, Reject, Retriable, Severity, TidingsError
from tidings.kafka.cluster import Cluster
from tidings.kafka.produce import RecordProducer, is_too_large
from tidings.kafka.schema_ids import inbox_schema_id
from tidings.kafka.write_once import RECORD_MAX_BYTES
from tidings.policy.model import Environment
from tidings.projection.native import NativeWriter
from tidings.wire import header

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")

_NO_SCHEMA = header(0)

# What it cannot write, or writes so that no reader takes it (NaN, a lone surrogate), is left to the encoder.
_as_json = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


def _text(event: Any) -> bytes | None:
    """The event as JSON, where it is of JSON's own types alone."""
    try:
        marshal.dumps(event)  # takes no subclass, which JSON would hide and the encoder refuses
        return _as_json(event).encode()
    except (TypeError, ValueError, RecursionError):
        return None


class Sender(Protocol):
    """What a publisher sends through; `tidings.kafka.produce.RecordProducer` is one, a test's list another."""

    def send(
        self, topic: str, key: bytes | None, value: bytes | None, delivered: Callable[[TidingsError | None], None]
    ) -> None:
        """Queue one record."""
        ...

    def flush(self) -> None:
        """Wait until every record was reported on."""
        ...


class EventPublisher:
    """Publishes one agency's events to its inboxes.

    ```python
    with EventPublisher(Cluster.load(path), "gro") as publisher:
        flags = publisher.publish("death-registered", event)
    ```

    Who calls: agencies' code and `tidings publish`, in one thread. May it block: while the queue is full, and in
    `flush`. May it raise: Reject with every finding (nothing was sent), Retriable where the broker is away or a
    delivery failed (send the same bytes again: the exchange knows an event_id by its bytes), Fatal and BadInput for
    settings. What holds afterwards: when `flush` or the `with` ended without an error, every event that was accepted
    here is in its inbox.
    """

    def __init__(
        self,
        cluster: Cluster,
        agency: str,
        *,
        catalogue: Catalogue | None = None,
        schema_ids: Mapping[str, int] | None = None,
        lists: ReferenceLists | None = None,
        clock: Clock | None = None,
        sender: Sender | None = None,
    ) -> None:
        """`schema_ids` gives schema ids by event type; a type that is not in it is asked of the registry, once."""
        self._cluster = cluster
        self._agency = agency
        self._catalogue = catalogue or load_catalogue(default_catalogue_dir())
        self._schema_ids = dict(schema_ids or {})
        self._lists = lists or FolderLists()
        self._own_lists = lists is not None
        self._clock = clock or SystemClock()
        self._sender: Sender = sender or RecordProducer(cluster, agency)
        self._checkers: dict[str, Checker] = {}
        self._encoders: dict[str, Encoder] = {}
        self._writers: dict[str, NativeWriter | None] = {}
        self._failures: list[TidingsError] = []
        self.delivered = 0

    def publish(self, event_type: str, event: Mapping[str, Any]) -> tuple[Finding, ...]:
        """Check an event and send it. Returns what is flagged; raises Reject with all findings where one of them
        refuses."""
        record = self.sound(event_type, event)
        if record is not None:
            self.send(record)
            return ()
        findings = self.check(event_type, event)
        if any(finding.severity is Severity.REJECT for finding in findings):
            raise Reject(findings)
        self.send(self.encoder(event_type).encode(event))
        return findings

    def sound(self, event_type: str, event: Mapping[str, Any]) -> WireEvent | None:
        """The record of an event in which `check` finds nothing, where the native extension says so, in half the time;
        None where that is for `check` and the encoder to say. Raises as `encoder`, once there is a record."""
        if event_type not in self._writers:
            known = self._event_type(event_type)
            # The extension has the catalogue's lists.
            made = None if self._own_lists else inbox_writer(known, self._cluster.environment.value, 0)
            self._writers[event_type] = made
        writer = self._writers[event_type]
        if writer is None:
            return None
        [written] = writer.write([_text(event)], self._clock.now_ms(), RECORD_MAX_BYTES)
        return None if written is None else self.encoder(event_type).frame(*written, _NO_SCHEMA)

    def check(self, event_type: str, event: Mapping[str, Any]) -> tuple[Finding, ...]:
        """All that the exchange would find, sorted. Sends nothing. Raises Reject where the event has no readable
        head."""
        if event_type not in self._checkers:
            self._checkers[event_type] = Checker(self._event_type(event_type).checks, self._lists)
        found = [*self._framing(event), *self._checkers[event_type].run(event, self._clock.now_ms())]
        return tuple(sorted(found))

    def send(self, record: WireEvent) -> None:
        """Send a record that was encoded and checked before, or that is meant to be refused (the simulator's)."""
        self._sender.send(record.topic, record.key, record.value, self._report)

    def flush(self) -> int:
        """Wait for every confirmation. Returns how many events were delivered so far; raises Retriable where any was
        not, or Reject (`event_too_large`)."""
        self._sender.flush()
        if self._failures:
            failures, self._failures = self._failures, []
            if all(map(is_too_large, failures)):
                raise Reject([Finding(ReasonCode.EVENT_TOO_LARGE)])
            kind = Fatal if any(isinstance(each, Fatal) for each in failures) else Retriable
            raise kind(f"{len(failures)} events were not delivered; the first: {failures[0]}")
        return self.delivered

    def encoder(self, event_type: str) -> Encoder:
        """The encoder of one event type, with the schema id that the inbox takes."""
        if event_type not in self._encoders:
            schema = self._event_type(event_type).schema
            self._encoders[event_type] = Encoder(self._agency, event_type, self._schema_id(event_type), schema)
        return self._encoders[event_type]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.flush()

    def _report(self, error: TidingsError | None) -> None:
        if error is None:
            self.delivered += 1
        else:
            self._failures.append(error)

    def _event_type(self, name: str) -> EventType:
        found = self._catalogue.event_types.get(name)
        if found is None:
            raise BadInput([Problem("(catalogue)", 0, "event_type", "unknown-event-type", f"there is no {name!r}")])
        if found.owner != self._agency:
            message = f"{self._agency} cannot publish {name}, which belongs to {found.owner}"
            raise BadInput([Problem("(publisher)", 0, "agency", "other-owner", message)])
        return found

    def _schema_id(self, event_type: str) -> int:
        if event_type not in self._schema_ids:
            self._schema_ids[event_type] = inbox_schema_id(self._cluster, self._agency, event_type)
        return self._schema_ids[event_type]

    def _framing(self, event: Mapping[str, Any]) -> list[Finding]:
        """What the exchange holds against the record around the event."""
        try:
            agency, environment = event["source"]["agency"], event["environment"]
            event_id, subject = event["event_id"], event["subject"]
            scheme, value = subject["scheme"], subject["value"]
        except (LookupError, TypeError):
            raise Reject([Finding(ReasonCode.UNDECODABLE)]) from None
        found = []
        if not isinstance(event_id, str) or _UUID.match(event_id) is None:
            found.append(Finding(ReasonCode.EVENT_ID_INVALID, "event_id"))
        if agency != self._agency:
            found.append(Finding(ReasonCode.SOURCE_MISMATCH, "source.agency"))
        if environment != self._cluster.environment.value:
            found.append(Finding(ReasonCode.ENVIRONMENT_MISMATCH, "environment"))
        if not scheme or not value:
            found.append(Finding(ReasonCode.REQUIRED_MISSING, "subject"))
        return found


class DryPublisher(EventPublisher):
    """Checks and encodes as `EventPublisher` does, and sends nothing: it needs neither broker nor registry."""

    def __init__(self, agency: str, environment: Environment, *, clock: Clock | None = None) -> None:
        nowhere = Cluster(
            bootstrap_servers="",
            ca_file=Path(),
            credentials_dir=Path(),
            keys_file=Path(),
            environment=environment,
        )
        catalogue = load_catalogue(default_catalogue_dir())
        ids = dict.fromkeys(catalogue.event_types, 0)
        super().__init__(nowhere, agency, catalogue=catalogue, schema_ids=ids, clock=clock, sender=Nowhere())


class Nowhere:
    """A sender that has delivered everything at once: for a publisher that only checks and encodes."""

    def send(
        self, topic: str, key: bytes | None, value: bytes | None, delivered: Callable[[TidingsError | None], None]
    ) -> None:
        """See `Sender`."""
        del topic, key, value
        delivered(None)

    def flush(self) -> None:
        """See `Sender`."""
        return
