"""How many views stand in feeds whose views are held: by the release blocks that the correction window's committed
offsets lead to. Decision blocks count what waits there, not what was released."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from tidings import topics
from tidings.decisions import parse_anchor
from tidings.deployment import CORRECTION_WINDOW, group_name
from tidings.kafka.admin import Admin
from tidings.kafka.first_records import FirstRecords
from tidings.log import Partition
from tidings.policy.model import Policy
from tidings.releases import decode_release_block


class Released:
    """Asks with `admin` and reads with `first`. Between two looks it keeps the blocks that it has read."""

    def __init__(self, deployment: str, admin: Admin, first: FirstRecords) -> None:
        self._group = group_name(deployment, CORRECTION_WINDOW)
        self._admin = admin
        self._first = first
        self._known: dict[Partition, tuple[str, int]] = {}

    def sequences(self, policy: Policy) -> dict[str, dict[int, int]]:
        """The last sequence of each partition of every such feed of `policy`, by feed. Raises as `Admin` does."""
        counts = {inbox.topic: inbox.partitions for inbox in policy.inboxes}
        held = {view.written_to: counts[view.inbox] for view in policy.views if view.hold_seconds is not None}
        partitions = [Partition(topic, number) for topic, count in held.items() for number in range(count)]
        committed = self._admin.group_offsets(self._group, partitions)
        self._read({partition: anchor for partition, (_, anchor) in committed.items()})
        found: dict[str, dict[int, int]] = defaultdict(dict)
        for topic, number in partitions:
            found[topics.feed_of_held(topic)][number] = self._known.get(Partition(topic, number), ("", 0))[1]
        return found

    def _read(self, anchors: Mapping[Partition, str]) -> None:
        """Read the last block of each partition whose anchor has moved; a partition of the log gives one a round."""
        due: dict[Partition, list[tuple[Partition, str, int]]] = defaultdict(list)
        for partition, text in anchors.items():
            anchor = parse_anchor(text)
            if anchor is not None and self._known.get(partition, ("", 0))[0] != text:
                due[Partition(topics.RELEASES, anchor.partition)].append((partition, text, anchor.offset))
        while due:
            turn = {where: queue.pop() for where, queue in due.items()}
            found = self._first.at({where: offset for where, (_, _, offset) in turn.items()})
            for where, (partition, text, offset) in turn.items():
                record = found[where]
                if record is not None and record.offset == offset and record.value is not None:
                    self._known[partition] = text, decode_release_block(record.value).sequence
            due = {where: queue for where, queue in due.items() if queue}
