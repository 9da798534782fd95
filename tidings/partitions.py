"""Which partition a key belongs to, as Kafka's Java client and librdkafka's `murmur2_random` count it.

Source: org.apache.kafka.common.utils.Utils.murmur2 (Kafka 4.3.1), BuiltInPartitioner.partitionForKey.
"""

from __future__ import annotations

_MASK = 0xFFFFFFFF
_M = 0x5BD1E995


def murmur2(data: bytes) -> int:
    """The 32-bit unsigned murmur2 hash that Kafka uses for keys."""
    length = len(data)
    h = (0x9747B28C ^ length) & _MASK
    whole = length & ~3
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little")
        k = (k * _M) & _MASK
        k ^= k >> 24
        k = (k * _M) & _MASK
        h = ((h * _M) & _MASK) ^ k
    rest = data[whole:]
    if rest:
        h ^= int.from_bytes(rest, "little")
        h = (h * _M) & _MASK
    h ^= h >> 13
    h = (h * _M) & _MASK
    h ^= h >> 15
    return h


def partition_of(key: bytes, partitions: int) -> int:
    """The partition (0..partitions-1) of `key`. Raises ValueError where `partitions` is below 1."""
    if partitions < 1:
        raise ValueError("a topic has at least one partition")
    return 0 if partitions == 1 else (murmur2(key) & 0x7FFFFFFF) % partitions
