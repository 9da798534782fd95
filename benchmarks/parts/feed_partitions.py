"""How long a burst takes that touches many feed partitions at once: an event to each of the inbox's partitions, and
each view of each of them read by a subscriber, read_committed.

The exchange is told to put quiet partitions together without its usual bound (`shared_max_events`), so that one
transaction can touch all of them: that is what is asked about.
"""

from __future__ import annotations

import statistics
import time

import typer
from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.broker import ADMIN, PLAIN
from benchmarks.contender import BUILD, Contender
from benchmarks.expected import expected_views
from benchmarks.feeds import Feeds
from benchmarks.input import fill, make_events
from benchmarks.measure import Failed
from benchmarks.parts.latency import wait_for_backlog, whom
from benchmarks.processes import Watched, watched
from benchmarks.results import Results
from benchmarks.settings import Settings
from benchmarks.site import Site, partitions_of, site
from benchmarks.tasks import task_for
from producers.encode import WireEvent
from tidings.partitions import partition_of

PARTITIONS = (1, 3, 10, 33, 100, 333, 1_000)
"""Of the inbox; three times as many are of feeds."""
BURSTS, _WARM_UP = 20, 5
_SHARED_MAX_EVENTS = 5_000
_PATIENCE_S = 60.0


def run(settings: Settings, results: Results) -> None:
    """One broker a number of partitions."""
    contender = whom(settings, "tidings")
    points = results.points("feed_partitions")
    if contender is None:
        return
    for number in PARTITIONS[:2] if settings.quick else PARTITIONS:
        with site(partitions=number, short_lived=settings.quick) as made:
            try:
                taken = _bursts(contender, made, settings)
            except Failed as failure:
                typer.echo(f"{number} partitions: {failure}", err=True)
                continue
        points.append(
            {
                "feed_partitions": number * len(made.feeds),
                "p50_ms": round(statistics.median(taken), 1),
                "max_ms": round(max(taken), 1),
            }
        )
        typer.echo(str(points[-1]))
        results.save()


def _bursts(contender: Contender, made: Site, settings: Settings) -> list[float]:
    """Milliseconds from the first `produce()` of a burst to the last view of it."""
    number, name = made.inbox.partitions, "bursts"
    bursts = 3 if settings.quick else BURSTS + _WARM_UP
    chosen = _one_a_partition(made, number * bursts * 3 + 500, bursts + 1)
    fill(made, chosen.pop())
    made.start(name)
    state = BUILD / "state" / f"{name}-{number}"
    state.mkdir(parents=True, exist_ok=True)
    expected = expected_views(made, chosen[0])
    task = task_for(contender, made, name, expected, state, shared_max_events=_SHARED_MAX_EVENTS)
    argv = contender.argv(task.write(state / "task.json"))
    with Feeds(made.broker.cluster(PLAIN, name), made) as feeds, watched(argv, state / "0.log") as process:
        wait_for_backlog(feeds, process, number)
        consumer = Consumer(made.cluster.consumer_config(ADMIN, "bursts"))
        starts = feeds.ends()
        consumer.assign([TopicPartition(*each, starts[each]) for each in partitions_of(made.feeds, number)])
        producer = Producer(made.cluster.publisher_config(ADMIN))
        try:
            taken = [_burst(burst, producer, consumer, process, len(made.feeds)) for burst in chosen]
        finally:
            consumer.close()
    return taken[1 if settings.quick else _WARM_UP :]


def _burst(burst: list[WireEvent], producer: Producer, consumer: Consumer, process: Watched, views: int) -> float:
    began = time.monotonic()
    for event in burst:
        producer.produce(event.topic, event.value, event.key)
    producer.flush(_PATIENCE_S)
    left = len(burst) * views
    while left > 0:
        message = consumer.poll(0.1)
        if message is not None:
            left -= sum(each.error() is None for each in [message, *consumer.consume(10_000, 0)])
        elif process.ended() or time.monotonic() - began > _PATIENCE_S:
            raise Failed(f"{left} views of a burst did not come: {process.tail()}")
    return (time.monotonic() - began) * 1000


def _one_a_partition(made: Site, wanted: int, bursts: int) -> list[list[WireEvent]]:
    """So many bursts, each of one event a partition, no event twice."""
    number = made.inbox.partitions
    by_partition: list[list[WireEvent]] = [[] for _ in range(number)]
    for event in make_events(made.inbox, pool=wanted, subjects=True):
        mine = by_partition[partition_of(event.key or b"", number)]
        if len(mine) < bursts:
            mine.append(event)
    if any(len(each) < bursts for each in by_partition):
        raise Failed("too few events for every partition")
    return [list(burst) for burst in zip(*by_partition, strict=True)]
