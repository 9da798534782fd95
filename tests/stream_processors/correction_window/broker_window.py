"""The correction window on the session's broker: views that wait in a topic of the test's own, a clock that the test
moves, and a window in a process of its own that `kill -9` ends.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from confluent_kafka import Producer
from prometheus_client import CollectorRegistry

from stream_processors.correction_window.on_broker import correction_window_handler
from tests.forked import Forked, forks
from tests.loop_thread import LoopThread
from tests.stream_processors.correction_window.kit import HELD_BENEFITS, held_policy, view_of
from tests.stream_processors.world import PARTITIONS
from tests.tidings.kafka.process import describe, reach
from tidings import topics
from tidings.clock import Deadline, SystemClock, utc_date
from tidings.deployment import CORRECTION_WINDOW, group_name
from tidings.kafka.admin import Admin, Topic
from tidings.kafka.clients import consumer_config, open_consumer, open_producer, producer_config, transactional_config
from tidings.kafka.cluster import Cluster
from tidings.kafka.genesis import start_partitions
from tidings.kafka.loop import Loop
from tidings.kafka.read import LogReader
from tidings.kafka.settings import LoopSettings
from tidings.kafka.worker import Place, run_worker
from tidings.log import InboxRecord, Partition
from tidings.policy.model import Policy
from tidings.projection.held_view import HeldViews
from tidings.provisioning.access import access_of
from tidings.provisioning.topic_plan import topics_of
from tidings.releases import ReleaseBlock, verify_releases

ADMIN = "admin"
LIMIT = 4
"""So many views at most go in one transaction here, so that there are several."""


class MovedClock(SystemClock):
    """The machine's clock, ahead by as many milliseconds as a file says: its processes share it."""

    def __init__(self, file: Path) -> None:
        self.file = file

    @property
    def ahead_ms(self) -> int:
        """How far it is ahead."""
        return int(self.file.read_text() or 0) if self.file.exists() else 0

    def now_ms(self) -> int:
        """See `Clock.now_ms`."""
        return super().now_ms() + self.ahead_ms

    def move(self, ahead_ms: int) -> None:
        """Set it that far ahead, for whoever reads it."""
        new = self.file.with_suffix(".new")
        new.write_text(str(ahead_ms))
        new.replace(self.file)


@dataclass(frozen=True)
class Policies:
    """A policy source with one policy."""

    policy: Policy

    def load(self) -> Policy:
        """See `PolicyReader.load`."""
        return self.policy

    def newer(self) -> Policy | None:
        """See `PolicySource.newer`."""
        return None


class WindowSite:
    """One held feed with a deployment's name of its own."""

    def __init__(self, cluster: Cluster, name: str, file: Path) -> None:
        self.name = name
        self.cluster = deployed(cluster, name)
        self.clock = MovedClock(file)
        self.reader = LogReader(self.cluster, ADMIN)
        self.view = HELD_BENEFITS.model_copy(
            update={
                "agreement": name,
                "feed": topics.feed("dwp", name, 1, "death-registered"),
                "valid_from": date(2000, 1, 1),
                "valid_until": date(9999, 12, 31),
            }
        )
        self.policy = held_policy(1, (self.view,))
        self._heads = HeldViews(self.view.view_schema)
        self._sequences = dict.fromkeys(range(PARTITIONS), 0)

    def set_up(self) -> None:
        """Topics, access, credentials and the committed start, as `tidings apply` makes them."""
        admin = Admin(self.cluster)
        plans = topics_of(self.policy, {"death-registered": 30}, {(self.name, 1): 30})
        mine = {self.view.feed, self.view.written_to, topics.RELEASES}
        wanted = [Topic(each.name, each.partitions, 1, each.config) for each in plans if each.name in mine]
        admin.create_topics(wanted)
        admin.wait_for_topics({each.name: each.partitions for each in wanted})
        password = self.cluster.credentials_dir / f"{CORRECTION_WINDOW}.password"
        if not password.exists():
            password.touch(0o600)
            password.write_text(secrets.token_urlsafe(24))
            admin.set_password(CORRECTION_WINDOW, password.read_text())
        entries = access_of(self.policy, (), utc_date(self.clock.now_ms()), self.name)
        admin.create_acls({each for each in entries if each.principal == CORRECTION_WINDOW})
        start_partitions(self.cluster, ADMIN, self.held(), self.clock, Deadline(self.clock, 30), CORRECTION_WINDOW)

    def held(self) -> list[Partition]:
        """The partitions where views wait."""
        return [Partition(self.view.written_to, number) for number in range(PARTITIONS)]

    def hold(self, views: Sequence[tuple[int, str]], *, abort: bool = False) -> None:
        """Write views in one transaction, as the exchange does: (record, change), each record in its partition."""
        producer = Producer(
            {**self.cluster.producer_config(ADMIN), **transactional_config(f"test-{self.name}", LoopSettings())}
        )
        producer.init_transactions(30)
        producer.begin_transaction()
        sequences = dict(self._sequences)
        for record, change in views:
            key, value = view_of(record, change)
            number = record // 2 % PARTITIONS
            sequences[number] += 1
            producer.produce(self.view.written_to, self._heads.numbered(value, sequences[number]), key, number)
        if abort:
            producer.flush(30)
            producer.abort_transaction(30)
        else:
            producer.commit_transaction(30)
            self._sequences = sequences

    def read_to(self) -> bool:
        """Whether the window's group has committed the end of all that waits."""
        marks = Admin(self.cluster).group_offsets(group_name(self.name, CORRECTION_WINDOW), self.held())
        ends = dict.fromkeys(self.held(), 0)
        ends |= {Partition(each.topic, each.partition): each.offset + 1 for each in self.records(self.view.written_to)}
        return all(marks[each][0] >= end for each, end in ends.items())

    def records(self, topic: str) -> list[InboxRecord]:
        """Every committed record of a topic."""
        return list(self.reader.read_to_end(topic))

    def releases(self) -> list[ReleaseBlock]:
        """All release blocks, after verifying each partition's chain."""
        records = self.records(topics.RELEASES)
        keys = [f"{each.topic}/{each.partition}".encode() for each in self.held()]
        return [block for key in keys for block in verify_releases(r.value or b"" for r in records if r.key == key)]

    def close(self) -> None:
        """Let the connections go."""
        self.reader.close()


class Window(LoopThread):
    """A window under its loop in a thread, used in a `with`, which stops it. What ended it is in `failure`."""

    def __init__(self, site: WindowSite) -> None:
        settings = LoopSettings()
        self._reader = LogReader(site.cluster, CORRECTION_WINDOW)
        loop = Loop(
            lambda: open_consumer(consumer_config(site.cluster, CORRECTION_WINDOW, 0, settings, CORRECTION_WINDOW)),
            open_producer(producer_config(site.cluster, CORRECTION_WINDOW, 0, settings, CORRECTION_WINDOW)),
            correction_window_handler("test", self._reader, Policies(site.policy), CollectorRegistry(), LIMIT),
            settings,
            clock=site.clock,
        )
        super().__init__(loop)

    def __exit__(self, *_rest: object) -> None:
        super().__exit__()
        self._reader.close()


def deployed(cluster: Cluster, name: str) -> Cluster:
    """The same cluster, for a deployment of its own."""
    return Cluster(
        bootstrap_servers=cluster.bootstrap_servers, ca_file=cluster.ca_file, deployment=name,
        credentials_dir=cluster.credentials_dir, keys_file=cluster.keys_file, environment=cluster.environment,
    )  # fmt: skip


def spawn(site: WindowSite, step: str, times: int) -> Forked:
    """A window in a process of its own that dies by SIGKILL when it reaches `step` the `times`-th time, once the clock
    was moved. The caller waits for it."""
    spec = {
        "cluster": describe(site.cluster), "name": site.name, "file": str(site.clock.file), "step": step,
        "times": times,
    }  # fmt: skip
    return Forked(__name__, json.dumps(spec))


def main(text: str) -> int:
    """Run the window of a specification."""
    spec = json.loads(text)
    cluster = reach(spec["cluster"])
    site = WindowSite(cluster, spec["name"], Path(spec["file"]))
    with LogReader(site.cluster, CORRECTION_WINDOW) as reader:
        handler = correction_window_handler("victim", reader, Policies(site.policy), None, LIMIT)
        place = Place(0, CORRECTION_WINDOW, part=CORRECTION_WINDOW)
        return run_worker(
            site.cluster, place, handler, clock=site.clock, probe=dying(spec["step"], spec["times"], site.clock)
        )


def dying(step: str, times: int, clock: MovedClock) -> Callable[[str], None]:
    """A probe that kills this process at a step, counted from when the clock was moved."""
    left = times

    def probe(reached: str) -> None:
        nonlocal left
        if reached == step and clock.ahead_ms:
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    return probe


forks(__name__)
