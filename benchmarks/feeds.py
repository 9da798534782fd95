"""The feeds of a site as one run finds and leaves them: how far it is, and what it wrote."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.broker import ADMIN
from benchmarks.site import Site, partitions_of
from tidings.closing import Closing
from tidings.deployment import group_name
from tidings.kafka.admin import Admin
from tidings.kafka.cluster import Cluster
from tidings.kafka.read import LogReader
from tidings.log import InboxRecord, Partition


class Feeds(Closing):
    """From where the feeds end now. `cluster` has the deployment of the run. Use it in a `with`."""

    def __init__(self, cluster: Cluster, made: Site) -> None:
        count = made.inbox.partitions
        self._reader = LogReader(cluster, ADMIN)
        self._admin, self._group = Admin(cluster), group_name(cluster.deployment)
        self._inbox = partitions_of([made.inbox.topic], count)
        self._feeds = [partitions_of([feed], count) for feed in made.feeds]
        self._all = [partition for each in self._feeds for partition in each]
        self._began = self._reader.ends(self._all)

    def close(self) -> None:
        """Let the connections go."""
        self._reader.close()

    def progress(self) -> int:
        """Events of which the first feed has the view, give or take the open transaction and its marks."""
        return self._written(0)

    def ends(self) -> dict[Partition, int]:
        """Where every partition of every feed ends now."""
        return self._reader.ends(self._all)

    def complete(self, events: int) -> bool:
        """Whether every feed has as many records."""
        return all(self._written(view) >= events for view in range(len(self._feeds)))

    def committed(self) -> int:
        """The events that the run's group has committed."""
        return sum(offset for offset, _anchor in self._admin.group_offsets(self._group, self._inbox).values())

    def records(self, view: int) -> Iterator[InboxRecord]:
        """What was committed to one feed since, partition by partition."""
        for partition in self._feeds[view]:
            end = self._reader.ends([partition])[partition]
            yield from self._reader.read_range(partition, self._began[partition], end)

    def _written(self, view: int) -> int:
        ends = self._reader.ends(self._feeds[view])
        return sum(end - self._began[partition] for partition, end in ends.items())
