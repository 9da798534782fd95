"""What a broker lets each principal use, behind one interface: `client_quotas` speaks the broker's own protocol; where
something else holds the quotas (Strimzi's KafkaUser), another implementation takes its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

QUOTA_NAMES = ("producer_byte_rate", "consumer_byte_rate", "request_percentage")


class Quotas(Protocol):
    """Reads and sets user quotas, with Kafka's names: bytes a second, and percent of a request thread."""

    def describe(self) -> dict[str, dict[str, int]]:
        """The quotas of every principal that has some. Raises Retriable where the broker does not answer."""
        ...

    def set(self, quotas: Mapping[str, Mapping[str, int]]) -> None:
        """Set each principal's quotas to exactly these. Raises Retriable; can be repeated."""
        ...
