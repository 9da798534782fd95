"""Which group protocol a worker joins with: the new one (KIP-848) where the broker has it, else the classic one.

The broker is asked by joining: a broker without the new protocol answers the first heartbeat with an error that ends
the consumer, before anything was assigned. Then, and only then, the worker joins again with `cooperative-sticky`.
Source: KIP-848, "ConsumerGroupHeartbeat API"; librdkafka 2.11, `rd_kafka_cgrp_consumer_group_heartbeat`.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from confluent_kafka import Consumer

from tidings.errors import Fatal
from tidings.kafka.settings import GroupProtocol

_log = structlog.get_logger(__name__)

UNSUPPORTED = frozenset({"UNSUPPORTED_VERSION", "_UNSUPPORTED_FEATURE"})
"""What a consumer of the new protocol ends with on a broker that does not have it, or has it switched off."""


class Connector:
    """Opens a slot's consumers, all with the same protocol until `fall_back`. For the loop's one thread."""

    def __init__(self, opening: Callable[[GroupProtocol], Consumer], protocol: GroupProtocol) -> None:
        self._opening = opening
        self.protocol: GroupProtocol = protocol

    def __call__(self) -> Consumer:
        """A new consumer, not yet subscribed."""
        return self._opening(self.protocol)

    def fall_back(self) -> None:
        """From now on open consumers of the classic protocol. Raises Fatal where that is what was refused."""
        if self.protocol == "classic":
            raise Fatal("joining: the broker has no group protocol that this client has")
        self.protocol = "classic"
        _log.warning("the broker has no consumer group protocol (KIP-848): joining with cooperative-sticky")
