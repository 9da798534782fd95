"""What the demo counts at its end: latency by event, and one event with its views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from commands._demo_watch import Place
from tidings import topics
from tidings.catalogue import Catalogue
from tidings.decisions import Outcome, ViewOutcome
from tidings.kafka.clients import ClientSettings
from tidings.kafka.read import LogReader
from tidings.kafka.tally import blocks
from tidings.log import Partition
from tidings.policy.model import Policy
from tidings.projection import decode_view
from tidings.wire import HEADER_BYTES


class Shown(NamedTuple):
    """One event and its views, by `agency (agreement)`."""

    event_type: str
    event: Mapping[str, Any]
    views: Mapping[str, Mapping[str, Any]]


def latencies_ms(cluster: ClientSettings, policy: Policy, arrivals: Mapping[Place, int]) -> list[int]:
    """For every delivery: milliseconds from the event's own record in the inbox to the subscriber's process."""
    with LogReader(cluster, "admin") as reader:
        published = {
            (record.topic, record.partition, record.offset): record.timestamp_ms
            for record in reader.read_all_to_end([inbox.topic for inbox in policy.inboxes])
        }
        return [
            arrived - published[block.inbox, block.partition, entry.offset]
            for block in blocks(reader)
            for entry in block.entries
            for each in entry.agreements
            if each.sequence is not None
            and each.outcome is not ViewOutcome.HELD
            and (arrived := arrivals.get((each.agreement, block.partition, each.sequence))) is not None
        ]


def most_told(cluster: ClientSettings, policy: Policy, catalogue: Catalogue, event_type: str) -> Shown | None:
    """The delivered event of `event_type` that most agencies were told of, with the views that they got."""
    with LogReader(cluster, "admin") as reader:
        best: tuple[int, str, int, int, dict[str, int]] | None = None
        for block in blocks(reader):
            if topics.parse_inbox(block.inbox).event_type != event_type:
                continue
            for entry in block.entries:
                told = {
                    each.agreement: each.sequence
                    for each in entry.agreements
                    if each.sequence is not None and each.outcome is not ViewOutcome.HELD
                }
                if entry.outcome is Outcome.DELIVERED and (best is None or len(told) > best[0]):
                    best = (len(told), block.inbox, block.partition, entry.offset, told)
        if best is None:
            return None
        _, inbox, partition, offset, told = best
        record = reader.record_at(Partition(inbox, partition), offset)
        if record is None or record.value is None:
            return None
        event = decode_view(catalogue.event_types[event_type].schema, record.value)
        return Shown(event_type, event, _views(reader, policy, partition, told))


def _views(reader: LogReader, policy: Policy, partition: int, told: Mapping[str, int]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for view in policy.views:
        if view.feed not in told:
            continue
        where = Partition(view.feed, partition)
        for record in reader.read_range(where, 0, reader.ends([where])[where]):
            if record.value is None or len(record.value) <= HEADER_BYTES:
                continue
            decoded = decode_view(view.view_schema, record.value)
            if decoded["sequence"] == told[view.feed]:
                found[f"{view.subscriber} ({view.agreement})"] = decoded
                break
    return found
