"""Decision blocks as data. Times are milliseconds since 1970 (UTC); offsets are the inbox partition's own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tidings.errors import Finding


class BlockKind(StrEnum):
    """Why a block was written: a batch was decided, a policy was taken up, quarantined events were replayed."""

    BATCH = "BATCH"
    POLICY_SWITCH = "POLICY_SWITCH"
    REPLAY = "REPLAY"


class Outcome(StrEnum):
    """What became of an event. Accepted means one of the first three, or `HELD`: every view of it waits."""

    DELIVERED = "DELIVERED"
    WITHDRAWN = "WITHDRAWN"
    FILTERED = "FILTERED"
    REJECTED = "REJECTED"
    DUPLICATE = "DUPLICATE"
    QUARANTINED = "QUARANTINED"
    HELD = "HELD"

    @property
    def accepted(self) -> bool:
        """Whether the event was weighed against the agreements in force."""
        return self in _ACCEPTED


_ACCEPTED = frozenset({Outcome.DELIVERED, Outcome.WITHDRAWN, Outcome.FILTERED, Outcome.HELD})


class ViewOutcome(StrEnum):
    """What one agreement in force made of an accepted event; `HELD`: its view, or withdrawal, waits (see releases)."""

    DELIVERED = "DELIVERED"
    WITHDRAWN = "WITHDRAWN"
    FILTERED = "FILTERED"
    HELD = "HELD"


@dataclass(frozen=True, slots=True)
class AgreementOutcome:
    """What one agreement in force made of one event: `agreement` is the feed's topic.

    `sequence` and `commitment` (16 bytes) are None where nothing was written. Of a view that is held they are those in
    the topic where it waits.
    """

    agreement: str
    outcome: ViewOutcome
    sequence: int | None = None
    commitment: bytes | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What was decided for one event.

    `event_id` is None where the record holds none that is a uuid; `subject_tag` (16 bytes, keyed for `tag_epoch`),
    `change`, `record_version` and `received_at_ms` are None where the event could not be decoded or was not looked
    at. `late` marks a quarantined event decided again on an operator's request: it takes the place of the earlier
    `QUARANTINED` entry of the same offset in every account.
    """

    offset: int
    outcome: Outcome
    tag_epoch: str
    event_id: str | None = None
    subject_tag: bytes | None = None
    change: str | None = None
    record_version: int | None = None
    received_at_ms: int | None = None
    flagged: bool = False
    late: bool = False
    findings: tuple[Finding, ...] = ()
    agreements: tuple[AgreementOutcome, ...] = ()
    publisher_signature: bytes | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """One part of what one transaction decided for one inbox partition.

    Blocks tile the partition: `first_offset` is the block before's `last_offset` + 1, gaps in the log included. A
    policy switch or a replay finishes no new offset: its `last_offset` is `first_offset` - 1. Parts count from 1;
    `sequences` (last sequence of each feed's partition of the same number) and `replays_to` (the last position of
    `exchange.replays` that this partition has answered, -1 for none) stand in the last part only, and there in full.
    """

    kind: BlockKind
    inbox: str
    partition: int
    first_offset: int
    last_offset: int
    previous_hash: bytes
    policy_version: int
    policy_hash: str
    decided_at_ms: int
    worker: str
    part: int = 1
    parts: int = 1
    entries: tuple[Entry, ...] = ()
    sequences: tuple[tuple[str, int], ...] = ()
    replays_to: int = -1
