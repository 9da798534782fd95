"""Which partition a key goes to, against the figures of Kafka's own test."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.partitions import murmur2, partition_of


@pytest.mark.parametrize(
    ("key", "signed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_is_kafkas(key: bytes, signed: int) -> None:
    """The vectors of org.apache.kafka.common.utils.UtilsTest.testMurmur2 (Kafka 4.3.1)."""
    assert murmur2(key) == signed % 2**32


@given(st.binary(max_size=40), st.integers(1, 50))
def test_a_key_has_one_partition(key: bytes, partitions: int) -> None:
    """Within the topic, and always the same."""
    found = partition_of(key, partitions)

    assert 0 <= found < partitions
    assert found == partition_of(bytes(bytearray(key)), partitions)


def test_a_topic_has_partitions() -> None:
    """None is no topic."""
    with pytest.raises(ValueError, match="at least one"):
        partition_of(b"a", 0)
