"""Quix Streams 3.28, exactly-once, in an environment of its own (`requirements/bench.txt`)."""

from __future__ import annotations

import sys
from operator import itemgetter
from typing import Any

from benchmarks.contender import Contender
from benchmarks.contenders._by_hand import views_by_hand
from benchmarks.contenders._environment import environment, peer
from benchmarks.task import Task, read_task

_COMMIT_S = 1.0

CONTENDER = Contender(
    name="quix",
    what="Quix Streams 3.28 (Python), exactly-once; fastavro as in the loop by hand",
    events=40_000,
    order=6,
    prepare=environment,
    command=peer("quix"),
)


def run(task: Task) -> None:
    """Until SIGTERM, which Quix Streams serves by itself."""
    from quixstreams import Application
    from quixstreams.kafka import ConnectionConfig
    from quixstreams.models import Serializer

    clients = {name.replace(".", "_"): value for name, value in task.clients.items() if name != "client.id"}
    application = Application(
        broker_address=ConnectionConfig(**clients),
        consumer_group=task.group,
        processing_guarantee="exactly-once",
        auto_offset_reset="earliest",
        auto_create_topics=False,
        commit_interval=_COMMIT_S,
        state_dir=task.state,
        consumer_extra_config={"fetch.queue.backoff.ms": 5},
        producer_extra_config={"linger.ms": 0, "compression.type": "lz4", "retry.backoff.ms": 2},
        loglevel="WARNING",
    )

    class Value(Serializer):
        """A view is carried as (feed, key, value)."""

        def __call__(self, value: Any, ctx: Any) -> bytes:
            del ctx
            return bytes(value[2])

    inbox = application.topic(task.inbox, key_deserializer="bytes", value_deserializer="bytes")
    views = application.dataframe(inbox).apply(views_by_hand(task))
    for number, view in enumerate(task.views):
        feed = application.topic(view.feed, key_serializer="bytes", value_serializer=Value())
        views.apply(itemgetter(number)).to_topic(feed, key=itemgetter(1))
    application.run()


def main() -> None:
    """Run the task of the command line."""
    run(read_task(sys.argv[1]))


if __name__ == "__main__":
    main()
