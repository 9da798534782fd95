"""The messages of one feed's partition, column by column: `tidings.log.Run` in Python."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from operator import length_hint

from tidings.log import Message


class FeedRun:
    """Keys and values in order. Its repr holds nothing of them."""

    def __init__(self, topic: str, partition: int, keys: Sequence[bytes], values: Sequence[bytes]) -> None:
        self._topic, self._partition = topic, partition
        self._keys, self._values = keys, values
        self._sent = 0

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Message]:
        for key, value in zip(self._keys, self._values, strict=True):
            yield Message(self._topic, self._partition, key, value)

    def send(self, produce: Callable[..., object]) -> None:
        """See `Run.send`. The interpreter runs once a run and not once a message."""
        values, keys = iter(self._values[self._sent :]), iter(self._keys[self._sent :])
        calls = map(produce, repeat(self._topic), values, keys, repeat(self._partition))
        try:
            deque(calls, maxlen=0)
        except BaseException:
            # The one that was refused is out of the iterator already.
            self._sent = len(self._values) - length_hint(values) - 1
            raise
        self._sent = len(self._values)

    def __repr__(self) -> str:
        return f"FeedRun(topic={self._topic!r}, messages={len(self)})"
