"""Administration of a cluster: topics, ACLs, credentials and group offsets, typed, each call within a deadline.

A thin face over the client's AdminClient: it knows nothing of agreements, and translates every client error to ours
(Retriable: call again; Fatal: not this way, for one a refused right). All calls are idempotent where Kafka's are not:
making what is there, or deleting what is gone, is no error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource, ConfigSource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.admin._scram import ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion
from confluent_kafka.cimpl import NewTopic

from tidings.acl import Acl
from tidings.clock import Clock, Deadline, SystemClock
from tidings.errors import Fatal, Retriable
from tidings.kafka._acls import bind, bind_filter, unbind
from tidings.kafka.cluster import Cluster
from tidings.kafka.errors import error_of, translate
from tidings.kafka.retry import retry
from tidings.log import Partition

_SCRAM_ITERATIONS = 4096
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as wanted or as found. `config` holds the settings that were set for this topic itself."""

    name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str] = field(default_factory=dict)


class Admin:
    """Administers `cluster` as `principal`. One call at a time, from any thread; nothing to close.

    Every method may raise Retriable (broker away, deadline passed) and Fatal (refused, malformed); the text names what
    was being done and the code, and nothing else.
    """

    def __init__(
        self,
        cluster: Cluster,
        principal: str = "admin",
        *,
        deadline_seconds: float = 30.0,
        clock: Clock | None = None,
    ) -> None:
        self._deadline_seconds = deadline_seconds
        self._clock = clock or SystemClock()
        self._config = cluster.client_config(principal) | {
            "reconnect.backoff.ms": 50,
            "reconnect.backoff.max.ms": 500,
            "log_level": 0,
        }
        self._client = AdminClient(self._config)

    # Topics

    def topics(self) -> dict[str, int]:
        """The partition count of every topic that the principal may see, Kafka's own left out."""
        found = self._call("listing topics", lambda: self._client.list_topics(timeout=self._deadline_seconds))
        return {name: len(topic.partitions) for name, topic in found.topics.items() if not name.startswith("__")}

    def cluster_id(self) -> str:
        """The cluster's own id, which stays the same whatever its addresses. Raises Retriable where none answers."""
        metadata = self._call(
            "asking for the cluster", lambda: self._client.list_topics(timeout=self._deadline_seconds)
        )
        return str(metadata.cluster_id)

    def describe_topics(self, names: Iterable[str]) -> dict[str, Topic]:
        """The topics of `names` that exist, with the settings made for each itself (defaults are left out)."""
        metadata = self._call("describing topics", lambda: self._client.list_topics(timeout=self._deadline_seconds))
        wanted = [name for name in dict.fromkeys(names) if name in metadata.topics]
        if not wanted:
            return {}
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in wanted]
        asked = self._ask(self._client.describe_configs, "describing topics", resources)
        settings = {resource.name: entries for resource, entries in asked.items()}
        return {
            name: Topic(
                name,
                len(metadata.topics[name].partitions),
                max((len(each.replicas) for each in metadata.topics[name].partitions.values()), default=0),
                {key: entry.value for key, entry in settings[name].items() if _is_own(entry)},
            )
            for name in wanted
        }

    def create_topics(self, topics: Sequence[Topic]) -> None:
        """Make `topics`, and return once every broker knows them. One that exists stays as it is."""
        if not topics:
            return
        wanted = [
            NewTopic(
                each.name,
                num_partitions=each.partitions,
                replication_factor=each.replication_factor,
                config=dict(each.config),
            )
            for each in topics
        ]
        self._ask(self._client.create_topics, "creating topics", wanted, but=KafkaError.TOPIC_ALREADY_EXISTS)
        self.wait_for_topics({each.name: each.partitions for each in topics})

    def alter_topic(self, name: str, config: Mapping[str, str | None]) -> None:
        """Set the named settings of one topic; None takes one back to its default. Others stay."""
        entries = [
            ConfigEntry(
                key,
                value,
                incremental_operation=AlterConfigOpType.DELETE if value is None else AlterConfigOpType.SET,
            )
            for key, value in config.items()
        ]
        if entries:
            resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)
            self._ask(self._client.incremental_alter_configs, "altering a topic", [resource])

    def delete_topics(self, names: Sequence[str]) -> None:
        """Delete topics with all that is in them. One that is gone already is no error."""
        if names:
            self._ask(
                self._client.delete_topics,
                "deleting topics",
                list(names),
                but=KafkaError.UNKNOWN_TOPIC_OR_PART,
            )

    def wait_for_topics(self, partitions: Mapping[str, int]) -> None:
        """Return once each topic shows that many partitions, each with a leader. Raises Retriable at the deadline."""

        def ready() -> bool:
            found = self._client.list_topics(timeout=self._deadline_seconds).topics
            return all(
                name in found
                and len(found[name].partitions) >= count
                and all(each.leader >= 0 for each in found[name].partitions.values())
                for name, count in partitions.items()
            )

        self._wait("waiting for topics", ready)

    def wait_for_brokers(self, count: int) -> None:
        """Return once `count` brokers are in the cluster's metadata. Raises Retriable at the deadline."""
        self._wait("waiting for brokers", lambda: len(self._client.list_topics(timeout=1.0).brokers) >= count)

    def wait_for_replicas(self) -> None:
        """Return once every partition, those of Kafka's own topics too, has all its replicas in sync: only then may the
        next broker be stopped. Raises Retriable at the deadline."""

        def whole() -> bool:
            found = self._client.list_topics(timeout=self._deadline_seconds)
            partitions = [each for topic in found.topics.values() for each in topic.partitions.values()]
            return all(each.leader >= 0 and set(each.isrs) >= set(each.replicas) for each in partitions)

        self._wait("waiting for replicas to be in sync", whole)

    # Access

    def acls(self) -> set[Acl]:
        """Every ACL in force. Raises Fatal where one is of a kind that we never make (it may widen access)."""
        found = self._result("listing ACLs", self._client.describe_acls(bind_filter(), **self._timeout()))
        return {unbind(each) for each in found}

    def create_acls(self, acls: Iterable[Acl]) -> None:
        """Put ACLs in force, and return once they are: the controller answers before a broker has heard of them.

        One that is in force already is no error.
        """
        wanted = set(acls)
        if wanted:
            self._ask(self._client.create_acls, "creating ACLs", [bind(each) for each in wanted])
            self._wait("waiting for ACLs", lambda: wanted <= self.acls())

    def delete_acls(self, acls: Iterable[Acl]) -> None:
        """Take exactly these ACLs away, and return once they are. One that is not in force is no error."""
        gone = set(acls)
        if gone:
            self._ask(self._client.delete_acls, "deleting ACLs", [bind_filter(each) for each in gone])
            self._wait("waiting for ACLs to go", lambda: not gone & self.acls())

    def principals(self) -> set[str]:
        """Every principal that has a SCRAM-SHA-512 credential."""
        found = self._result(
            "listing credentials", self._client.describe_user_scram_credentials(request_timeout=self._deadline_seconds)
        )
        return {
            name
            for name, each in found.items()
            if any(info.mechanism == ScramMechanism.SCRAM_SHA_512 for info in each.scram_credential_infos)
        }

    def set_password(self, principal: str, password: str) -> None:
        """Give `principal` this password (SCRAM-SHA-512), whatever it had before. It crosses TLS, salted."""
        self.set_passwords({principal: password})

    def set_passwords(self, passwords: Mapping[str, str]) -> None:
        """The same for many principals in one call."""
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _SCRAM_ITERATIONS)
        upsertions = [
            UserScramCredentialUpsertion(principal, info, password.encode())
            for principal, password in passwords.items()
        ]
        if upsertions:
            self._ask(self._client.alter_user_scram_credentials, "setting credentials", upsertions)

    # Group offsets

    def group_offsets(self, group: str, partitions: Iterable[Partition]) -> dict[Partition, tuple[int, str]]:
        """The committed offset and its metadata for those of `partitions` that have one in `group`.

        A consumer asks, one that never joins: the AdminClient of confluent-kafka 2.16.1 crashes the process where the
        broker answers its call for offsets with an error of the whole group (as while the coordinator loads).
        """
        wanted = [TopicPartition(each.topic, each.partition) for each in dict.fromkeys(partitions)]
        if not wanted:
            return {}
        consumer = Consumer(self._config | {"group.id": group, "enable.auto.commit": False})
        try:
            deadline = Deadline(self._clock, self._deadline_seconds)
            found = retry(
                lambda: consumer.committed(wanted, timeout=max(0.1, deadline.remaining())),
                "listing offsets",
                deadline,
                self._clock,
            )
        finally:
            consumer.close()
        for each in found:
            if each.error is not None:
                raise translate(each.error, "listing offsets")
        return {
            Partition(each.topic, each.partition): (each.offset, each.metadata or "")
            for each in found
            if each.offset >= 0
        }

    # How every call is made

    def _timeout(self) -> dict[str, float]:
        return {"request_timeout": self._deadline_seconds}

    def _ask(self, call: Callable[..., Any], doing: str, items: list[Any], *, but: int | None = None) -> dict[Any, Any]:
        """One call for many items, one future for each: their results. An error `but` counts as None."""
        futures = self._call(doing, lambda: call(items, **self._timeout()))
        results: dict[Any, Any] = {}
        for item, future in futures.items():
            results[item] = self._result(doing, future, but=but)
        return results

    def _result(self, doing: str, future: Any, *, but: int | None = None) -> Any:
        return self._call(doing, lambda: future.result(self._deadline_seconds + 5.0), but=but)

    def _call(self, doing: str, call: Callable[[], Any], *, but: int | None = None) -> Any:
        try:
            return call()
        except KafkaException as exception:
            error = error_of(exception)
            if but is not None and error.code() == but:
                return None
            failure = translate(error, doing)
        except TimeoutError:
            failure = Retriable(f"{doing}: no answer within {self._deadline_seconds:.0f} s")
        except (TypeError, ValueError):
            failure = Fatal(f"{doing}: malformed request")
        raise failure from None

    def _wait(self, doing: str, ready: Callable[[], bool]) -> None:
        deadline = Deadline(self._clock, self._deadline_seconds)
        while True:
            try:
                if self._call(doing, ready):
                    return
            except Retriable:
                if deadline.expired():
                    raise
            if deadline.expired():
                raise Retriable(f"{doing}: not there within {self._deadline_seconds:.0f} s")
            self._clock.sleep(_POLL_SECONDS)


def _is_own(entry: ConfigEntry) -> bool:
    return ConfigSource(entry.source) is ConfigSource.DYNAMIC_TOPIC_CONFIG  # the client gives a number or the member
