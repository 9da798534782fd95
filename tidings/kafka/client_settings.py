"""What an agency's own clients are configured with: generated, so that nobody has to know which settings matter."""

from __future__ import annotations

from typing import Any

from tidings.kafka.cluster import Cluster
from tidings.kafka.registry import registry_api

_SECRET = "sasl.password"  # noqa: S105 - the setting's name
_OURS = "logger"  # an object of this process
_JAVA_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule"
_JAVA_NAMES = {
    "bootstrap.servers": "bootstrap.servers",
    "security.protocol": "security.protocol",
    "ssl.ca.location": "ssl.truststore.location",
    "sasl.mechanism": "sasl.mechanism",
    "client.id": "client.id",
    "ssl.endpoint.identification.algorithm": "ssl.endpoint.identification.algorithm",
    "group.id": "group.id",
    "isolation.level": "isolation.level",
    "enable.auto.commit": "enable.auto.commit",
    "auto.offset.reset": "auto.offset.reset",
    "enable.idempotence": "enable.idempotence",
    "acks": "acks",
    "linger.ms": "linger.ms",
    "batch.size": "batch.size",
    "message.max.bytes": "max.request.size",
}


def client_settings(cluster: Cluster, agency: str) -> dict[str, Any]:
    """Settings for librdkafka's clients under `producer` and `consumer`, for the registry's under `registry`, and where
    the password is under `password_file`. No secret is in it. Raises Fatal where `agency` has no credentials here.

    A subscriber begins at the start of a feed that it has never read (`earliest`), since a feed only holds what it may
    know; the group is its own: any that begins with its id and a dot.
    """
    producer, consumer = cluster.publisher_config(agency), cluster.consumer_config(agency, f"{agency}.reader")
    consumer |= {"auto.offset.reset": "earliest", "enable.auto.offset.store": False}
    for settings in (producer, consumer):
        del settings[_SECRET], settings[_OURS]
    return {
        "producer": producer,
        "consumer": consumer,
        "registry": {
            "url": registry_api(cluster) if cluster.registry_url else "",
            "ssl.ca.location": str(cluster.ca_file),
            "basic.auth.user": agency,
        },
        "password_file": str(cluster.credentials_dir / f"{agency}.password"),
    }


def java_properties(settings: dict[str, Any]) -> str:
    """The same for Java's clients, one properties file each under a comment that says which password to fill in."""
    parts = []
    for kind in ("producer", "consumer"):
        lines = [f"# {kind}.properties; the password is the content of {settings['password_file']}"]
        for name, value in settings[kind].items():
            if name in _JAVA_NAMES:
                lines.append(f"{_JAVA_NAMES[name]}={str(value).lower() if isinstance(value, bool) else value}")
        lines.append("ssl.truststore.type=PEM")
        user = settings[kind]["sasl.username"]
        lines.append(f'sasl.jaas.config={_JAVA_LOGIN} required username="{user}" password="";')
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)
