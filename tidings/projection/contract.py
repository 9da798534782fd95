"""What the exchange sees of a projection. The reference implements it; a compiled one takes the same place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from tidings.errors import Finding
from tidings.policy.model import View

ProjectionOutcome = Literal["delivered", "withdrawn", "filtered"]


class Scan(Protocol):
    """One event whose bytes are sound, with what the exchange itself needs of its head."""

    @property
    def event_id(self) -> str:
        """A uuid in lower case with hyphens."""
        ...

    @property
    def change(self) -> str:
        """A symbol of the enum `Change`."""
        ...

    @property
    def record_version(self) -> int | None:
        """The authority's version of the fact, where it counts them."""
        ...

    @property
    def received_at_ms(self) -> int:
        """When the connector took the event in, in milliseconds since 1970 (UTC)."""
        ...

    @property
    def subject(self) -> tuple[str, str]:
        """Scheme and value: the inbox's key is `scheme:value`."""
        ...

    @property
    def protection(self) -> str:
        """`NONE`, `LOCATION` or `FULL`."""
        ...

    @property
    def environment(self) -> str:
        """`LIVE` or `SYNTHETIC`."""
        ...

    @property
    def source_agency(self) -> str:
        """Who says that it published the event."""
        ...


class Projected(NamedTuple):
    """What one view makes of one event. `key` and `tail` are empty where `filtered`.

    The feed's value is `wire.header(view.schema_id) + wire.zigzag(sequence) + tail`. A tuple, because one is made for
    every view of every event; its repr holds nothing of the event.
    """

    outcome: ProjectionOutcome
    key: bytes = b""
    tail: bytes = b""

    def __repr__(self) -> str:
        return f"Projected(outcome={self.outcome!r})"


FILTERED = Projected("filtered")


class InboxProjector(Protocol):
    """All views of one inbox under one policy. Pure, never blocks; one thread at a time.

    A scan is only good for the projector that made it.
    """

    def scan(self, schema_id: int, body: bytes) -> Scan:
        """Read the Avro body (without the wire header) of one event, wholly. Raises Reject: `schema_unknown` where the
        policy does not list the id for this inbox, `undecodable` where the bytes are not one whole record of that
        schema, `event_id_invalid` where an id of the head is no lower-case uuid. Nothing else, in bounded time and
        memory."""
        ...

    def findings(self, scan: Scan, now_ms: int) -> tuple[Finding, ...]:
        """All failed checks of the event type, of both severities, at the batch's reading of the clock."""
        ...

    def decide(self, scan: Scan, view: View, flags: Sequence[Finding]) -> Projected:
        """What `view` (one of those that the projector was made with) makes of the event; `flags` are its findings
        that do not refuse it. Validity by date and stops are the caller's. Raises KeyError for a view that is not its
        own."""
        ...
