"""An independent oracle: what the feeds must hold, and what must wait, from the inboxes alone.

It walks each inbox partition in offset order, in one process, with the reference projection, its own naive
deduplication and its own framing checks. It shares no stage, no window and no state with the exchange. Of the exchange
it takes one reading only, which nothing else can know: by which clock each event was decided.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tidings import wire
from tidings.clock import utc_date
from tidings.errors import Finding, Reject, Severity
from tidings.keys import KeyRing
from tidings.log import InboxRecord, Partition
from tidings.partitions import partition_of
from tidings.policy.in_force import in_force
from tidings.policy.model import Inbox, Policy, View
from tidings.projection import InboxProjector, Scan, reference_projector

Place = tuple[Partition, int]
"""An offset of an inbox partition."""

_SOUND_ID = re.compile(
    rb"\x00.{4}\x48([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", re.DOTALL | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the oracle says of one record: `accepted`, `rejected` (with every code) or `duplicate`."""

    outcome: str
    codes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FeedRecord:
    """One record of a feed, sequence and all. Its repr holds nothing of it."""

    key: bytes = field(repr=False)
    value: bytes = field(repr=False)


@dataclass(slots=True)
class Oracle:
    """`decided_at_ms` gives the clock reading by which each place was decided."""

    policy: Policy
    keys: KeyRing = field(repr=False)
    decided_at_ms: Mapping[Place, int] = field(repr=False)
    verdicts: dict[Place, Verdict] = field(default_factory=dict, repr=False)
    feeds: dict[Partition, list[FeedRecord]] = field(default_factory=lambda: defaultdict(list), repr=False)

    def walk(self, records: Sequence[InboxRecord]) -> None:
        """Judge every record of the inboxes; `records` are in offset order within each partition."""
        for inbox in self.policy.inboxes:
            views = [view for view in self.policy.views if view.inbox == inbox.topic]
            projector = reference_projector(inbox, views, self.keys, self.policy.version)
            seen: dict[tuple[int, bytes], list[InboxRecord]] = defaultdict(list)
            for record in records:
                if record.topic == inbox.topic:
                    self._judge(record, inbox, views, projector, seen)

    def _judge(
        self,
        record: InboxRecord,
        inbox: Inbox,
        views: Sequence[View],
        projector: InboxProjector,
        seen: dict[tuple[int, bytes], list[InboxRecord]],
    ) -> None:
        place = (Partition(record.topic, record.partition), record.offset)
        now_ms = self.decided_at_ms[place]
        same_id = _same_id(record, inbox.deduplication_window_events, seen)
        if any((each.key, each.value) == (record.key, record.value) for each in same_id):
            self.verdicts[place] = Verdict("duplicate")
            return
        codes = {"event_id_reused"} if same_id else set()
        flags: list[Finding] = []
        codes |= _around(record, inbox)
        scan: Scan | None = None
        if record.value is not None:
            try:
                scan = projector.scan(wire.schema_id_of(record.value), record.value[wire.HEADER_BYTES :])
            except Reject as refusal:
                codes |= {finding.code.value for finding in refusal.findings}
            else:
                found = projector.findings(scan, now_ms)
                codes |= {finding.code.value for finding in found if finding.severity is Severity.REJECT}
                flags = [finding for finding in found if finding.severity is Severity.FLAG]
                codes |= self._against(record, scan, inbox)
        if codes or scan is None:
            self.verdicts[place] = Verdict("rejected", frozenset(codes))
            return
        self.verdicts[place] = Verdict("accepted")
        for view in views:
            if in_force(view, utc_date(now_ms), scan.change):
                self._deliver(scan, view, flags, projector, record.partition)

    def _against(self, record: InboxRecord, scan: Scan, inbox: Inbox) -> set[str]:
        scheme, value = scan.subject
        wrong = {
            "key_mismatch": record.key is not None and record.key != f"{scheme}:{value}".encode(),
            "source_mismatch": scan.source_agency != inbox.agency,
            "environment_mismatch": scan.environment != self.policy.environment.value,
        }
        return {code for code, is_wrong in wrong.items() if is_wrong}

    def _deliver(
        self, scan: Scan, view: View, flags: Sequence[Finding], projector: InboxProjector, number: int
    ) -> None:
        made = projector.decide(scan, view, flags)
        if made.outcome != "filtered":
            feed = self.feeds[Partition(view.written_to, number)]
            value = wire.header(view.schema_id) + wire.zigzag(len(feed) + 1) + made.tail
            feed.append(FeedRecord(made.key, value))


def _around(record: InboxRecord, inbox: Inbox) -> set[str]:
    wrong = {
        "null_key": record.key is None,
        "null_value": record.value is None,
        "partition_mismatch": record.key is not None and partition_of(record.key, inbox.partitions) != record.partition,
    }
    return {code for code, is_wrong in wrong.items() if is_wrong}


def _same_id(record: InboxRecord, window: int, seen: dict[tuple[int, bytes], list[InboxRecord]]) -> list[InboxRecord]:
    """The earlier records of the partition with the same event id, at most `window` offsets back."""
    match = None if record.value is None else _SOUND_ID.match(record.value)
    if match is None:
        return []
    earlier = seen[record.partition, match[1].lower()]
    found = [each for each in earlier if each.offset >= record.offset - window]
    earlier.append(record)
    return found
