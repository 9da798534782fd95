"""The last block of each partition of a log, found by the anchors that stand beside committed offsets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from tidings.decisions import parse_anchor
from tidings.kafka.first_records import FirstRecords
from tidings.log import Partition

B = TypeVar("B")


class LastBlocks(Generic[B]):
    """Reads blocks of `topic` with `first`. Between two looks it keeps those that it has read."""

    def __init__(self, first: FirstRecords, topic: str, decode: Callable[[bytes], B]) -> None:
        self._first = first
        self._topic = topic
        self._decode = decode
        self._known: dict[Partition, tuple[str, B]] = {}

    def get(self, partition: Partition) -> B | None:
        """The last block that was read of `partition`, or None."""
        known = self._known.get(partition)
        return None if known is None else known[1]

    def follow(self, anchors: Mapping[Partition, str]) -> None:
        """Read the last block of each partition whose anchor has moved; a partition of the log gives one a round.

        Raises as `FirstRecords.at`.
        """
        due: dict[Partition, list[tuple[Partition, str, int]]] = defaultdict(list)
        for partition, text in anchors.items():
            anchor = parse_anchor(text)
            known = self._known.get(partition)
            if anchor is not None and (known is None or known[0] != text):
                due[Partition(self._topic, anchor.partition)].append((partition, text, anchor.offset))
        while due:
            turn = {where: queue.pop() for where, queue in due.items()}
            found = self._first.at({where: offset for where, (_, _, offset) in turn.items()})
            for where, (partition, text, offset) in turn.items():
                record = found[where]
                if record is not None and record.offset == offset and record.value is not None:
                    self._known[partition] = (text, self._decode(record.value))
            due = {where: queue for where, queue in due.items() if queue}
