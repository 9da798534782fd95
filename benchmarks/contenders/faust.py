"""Faust (faust-streaming), at least once, in an environment of its own (`requirements/bench.txt`): one agent, the
three sends of an event awaited together."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from benchmarks.contender import Contender
from benchmarks.contenders._by_hand import views_by_hand
from benchmarks.contenders._environment import environment, peer
from benchmarks.task import Task, read_task

_COMMIT_S = 1.0

CONTENDER = Contender(
    name="faust",
    what="Faust (faust-streaming, Python), at least once; fastavro as in the loop by hand",
    events=8_000,
    order=7,
    prepare=environment,
    command=peer("faust"),
)


def run(task: Task) -> None:
    """Until SIGTERM, which Faust serves by itself."""
    import faust
    from faust.worker import Worker

    app = faust.App(
        task.group,
        broker=f"kafka://{task.clients['bootstrap.servers']}",
        datadir=task.state,
        consumer_auto_offset_reset="earliest",
        broker_commit_interval=_COMMIT_S,
        topic_disable_leader=True,
        web_enabled=False,
        key_serializer="raw",
        value_serializer="raw",
    )
    make = views_by_hand(task)
    inbox = app.topic(task.inbox, key_type=bytes, value_type=bytes)
    feeds = {view.feed: app.topic(view.feed, key_type=bytes, value_type=bytes) for view in task.views}

    @app.agent(inbox)
    async def views(stream: Any) -> None:
        async for value in stream:
            await asyncio.gather(*[feeds[feed].send(key=key, value=made) for feed, key, made in make(value)])

    del views
    Worker(app, loglevel="WARNING").execute_from_commandline()


def main() -> None:
    """Run the task of the command line."""
    run(read_task(sys.argv[1]))


if __name__ == "__main__":
    main()
