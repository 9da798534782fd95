"""What a broker lets each principal use. The client library has no quota call, so the work is behind one interface:
`deploy.local` asks the broker's own `ConfigCommand`; in Kubernetes, Strimzi's KafkaUser holds them."""

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


class NoQuotas:
    """Where quotas are somebody else's (Strimzi): describes none and sets none; the plan then leaves them out."""

    def describe(self) -> dict[str, dict[str, int]]:
        """See `Quotas.describe`."""
        return {}

    def set(self, quotas: Mapping[str, Mapping[str, int]]) -> None:
        """See `Quotas.set`."""
