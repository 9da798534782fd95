"""Quotas by the broker's own protocol: confluent-kafka has no such call, and `kafka.admin.ConfigCommand` starts a Java
virtual machine for every principal (16 agencies: half a minute of two cores; this: well under a second).

Sockets, TLS, SCRAM and encoding are aiokafka's; only the layout of one request is ours.
Source: KIP-546; Kafka protocol guide, DescribeClientQuotas (key 48) and AlterClientQuotas (key 49), version 0.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import DescribeClientQuotasRequest
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Float64, Int16, Int32, Schema, String

from tidings.errors import Fatal, Retriable
from tidings.kafka.cluster import MECHANISM, Cluster
from tidings.kafka.quotas import QUOTA_NAMES

_USER = "user"
_ANY_NAMED = 2
_TIMEOUT_MS = 15_000
_TEXT = String("utf-8")
_ENTITY = Array(("entity_type", _TEXT), ("entity_name", _TEXT))
T = TypeVar("T")


class AlterClientQuotasResponse(Response):
    """One error code for each entry."""

    API_KEY = 49
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("entries", Array(("error_code", Int16), ("error_message", _TEXT), ("entity", _ENTITY))),
    )


class AlterClientQuotasStruct(RequestStruct):
    """Version 0 of the request."""

    API_KEY = 49
    API_VERSION = 0
    RESPONSE_TYPE = AlterClientQuotasResponse
    SCHEMA = Schema(
        (
            "entries",
            Array(("entity", _ENTITY), ("ops", Array(("key", _TEXT), ("value", Float64), ("remove", Boolean)))),
        ),
        ("validate_only", Boolean),
    )


class AlterClientQuotas(Request[AlterClientQuotasStruct]):
    """Sets and removes quotas: entries of ([(type, name)], [(quota, value, remove)])."""

    API_KEY = 49

    def __init__(self, entries: list[Any]) -> None:
        self._entries = entries

    def build(self, request_struct_class: type[AlterClientQuotasStruct]) -> AlterClientQuotasStruct:
        """The request as it goes over the wire."""
        return request_struct_class(self._entries, False)


class ClientQuotas:
    """Reads and sets the user quotas of `cluster` as `principal`. Implements `tidings.kafka.quotas.Quotas`."""

    def __init__(self, cluster: Cluster, principal: str = "admin") -> None:
        self._cluster = cluster
        self._principal = principal

    def describe(self) -> dict[str, dict[str, int]]:
        """See `Quotas.describe`."""
        return self._run(self._describe)

    def set(self, quotas: Mapping[str, Mapping[str, int]]) -> None:
        """See `Quotas.set`. Raises Fatal where a quota has a name that Kafka does not know, or is refused."""
        unknown = {name for quota in quotas.values() for name in quota} - set(QUOTA_NAMES)
        if unknown:
            raise Fatal(f"quotas: {', '.join(sorted(unknown))} is not one of {', '.join(QUOTA_NAMES)}")
        if quotas:
            self._run(lambda client: self._set(client, quotas))

    async def _describe(self, client: AIOKafkaClient) -> dict[str, dict[str, int]]:
        answer = await client.send(
            client.get_random_node(), DescribeClientQuotasRequest([(_USER, _ANY_NAMED, None)], False)
        )
        _check(answer.error_code)
        return {
            name: {quota: round(value) for quota, value in values}
            for entity, values in answer.entries
            for kind, name in entity
            if kind == _USER and name is not None
        }

    async def _set(self, client: AIOKafkaClient, quotas: Mapping[str, Mapping[str, int]]) -> None:
        there = await self._describe(client)
        entries = []
        for name, quota in quotas.items():
            ops = [(key, float(value), False) for key, value in sorted(quota.items())]
            ops += [(key, 0.0, True) for key in sorted(there.get(name, {}).keys() - quota.keys())]
            entries.append(([(_USER, name)], ops))
        answer = await client.send(client.get_random_node(), AlterClientQuotas(entries))
        for entry in answer.entries:
            _check(entry[0])

    def _run(self, work: Callable[[AIOKafkaClient], Awaitable[T]]) -> T:
        try:
            return asyncio.run(self._connected(work))
        except (TimeoutError, KafkaError, OSError) as error:
            failure = Retriable(f"quotas: the broker does not answer: {type(error).__name__}")
        raise failure

    async def _connected(self, work: Callable[[AIOKafkaClient], Awaitable[T]]) -> T:
        client = AIOKafkaClient(
            bootstrap_servers=self._cluster.bootstrap_servers,
            client_id=f"tidings-{self._principal}",
            request_timeout_ms=_TIMEOUT_MS,
            security_protocol="SASL_SSL",
            sasl_mechanism=MECHANISM,
            sasl_plain_username=self._principal,
            sasl_plain_password=self._cluster.password(self._principal),
            ssl_context=ssl.create_default_context(cafile=str(self._cluster.ca_file)),
        )
        try:
            await client.bootstrap()
            return await work(client)
        finally:
            await client.close()


def _check(error_code: int) -> None:
    if error_code:
        raise Fatal(f"quotas: the broker refuses with code {error_code}")
