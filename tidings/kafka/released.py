"""How many views stand in feeds whose views are held: by the release blocks that the correction window's committed
offsets lead to. Decision blocks count what waits there, not what was released."""

from __future__ import annotations

from collections import defaultdict

from tidings import topics
from tidings.deployment import CORRECTION_WINDOW, group_name
from tidings.kafka.admin import Admin
from tidings.kafka.first_records import FirstRecords
from tidings.kafka.last_blocks import LastBlocks
from tidings.log import Partition
from tidings.policy.model import Policy
from tidings.releases import decode_release_block


class Released:
    """Asks with `admin` and reads with `first`. Between two looks it keeps the blocks that it has read."""

    def __init__(self, deployment: str, admin: Admin, first: FirstRecords) -> None:
        self._group = group_name(deployment, CORRECTION_WINDOW)
        self._admin = admin
        self._blocks = LastBlocks(first, topics.RELEASES, decode_release_block)

    def sequences(self, policy: Policy) -> dict[str, dict[int, int]]:
        """The last sequence of each partition of every such feed of `policy`, by feed. Raises as `Admin` does."""
        counts = {inbox.topic: inbox.partitions for inbox in policy.inboxes}
        held = {view.written_to: counts[view.inbox] for view in policy.views if view.hold_seconds is not None}
        partitions = [Partition(topic, number) for topic, count in held.items() for number in range(count)]
        committed = self._admin.group_offsets(self._group, partitions)
        self._blocks.follow({partition: anchor for partition, (_, anchor) in committed.items()})
        found: dict[str, dict[int, int]] = defaultdict(dict)
        for topic, number in partitions:
            block = self._blocks.get(Partition(topic, number))
            found[topics.feed_of_held(topic)][number] = 0 if block is None else block.sequence
        return found
