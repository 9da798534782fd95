"""The nouns of the stages: what goes in, what `validate` and `mask` make of it. Nothing here has a repr of a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tidings.deduplication import Sighting
from tidings.errors import Finding, ReasonCode, Severity
from tidings.log import InboxRecord, Partition
from tidings.policy.model import View
from tidings.projection import Projected, Scan


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one inbox partition in offset order, each with what the deduplication window says of it.

    `late` marks a replay out of quarantine, which goes by offset and bypasses the window.
    """

    partition: Partition
    records: Sequence[InboxRecord] = field(repr=False)
    sightings: Sequence[Sighting]
    late: bool = False

    def slice(self, start: int, end: int) -> Batch:
        """The part of the batch from `start` up to, not including, `end`."""
        return Batch(self.partition, self.records[start:end], self.sightings[start:end], self.late)


class Verdict(StrEnum):
    """What `validate` says of a record, or that our own code failed on it."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Fault:
    """Where our own code failed on an event: never the value, never the exception's text.

    `error` is the exception's class, `where` the module and line that raised it.
    """

    code: ReasonCode
    error: str
    where: str


@dataclass(frozen=True, slots=True)
class Judged:
    """One record after `validate`. `scan` is None where the record could not be read, or was not looked at.

    `findings` holds every reason of either severity; `fault` is set where, and only where, it is quarantined.
    """

    offset: int
    timestamp_ms: int
    verdict: Verdict
    event_id: str | None
    schema_id: int | None
    scan: Scan | None = field(default=None, repr=False)
    findings: tuple[Finding, ...] = ()
    fault: Fault | None = None

    @property
    def flags(self) -> tuple[Finding, ...]:
        """The findings that do not refuse the event."""
        if not self.findings:
            return ()
        return tuple(finding for finding in self.findings if finding.severity is Severity.FLAG)


@dataclass(frozen=True, slots=True)
class Column:
    """What one view makes of each event of a batch; None where it is not in force for the event."""

    view: View
    projected: Sequence[Projected | None]


@dataclass(frozen=True, slots=True)
class Masked:
    """A batch after `validate` and `mask`: one column for each view of the inbox, as long as `judged`."""

    judged: Sequence[Judged]
    columns: Sequence[Column]
