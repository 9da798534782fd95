"""A real Prometheus that scrapes a real run: every panel, template variable, rule and runbook's query returns series.

What each panel returned is left in `build/panels.json`, and in the file that `TIDINGS_PANELS` names as a table.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.prometheus.runbooks import RUNBOOKS
from producers.publisher import EventPublisher
from producers.simulation.settings import Settings
from producers.simulator import simulate
from stream_processors.host.core import enrolled
from stream_processors.host.discover import load_processor
from tests.commands.conftest import Running
from tests.commands.kit import (
    CHECKOUT,
    at_work,
    children,
    decided_events,
    reader_of,
    running_exchange,
    tidings,
)
from tests.commands.test_running import BENEFITS, death
from tests.deploy.dashboards import Asked, as_table, choices, count_series
from tests.eventually import eventually
from tests.needs import need_prometheus
from tests.postgres import Postgres
from tests.producers.outbox.kit import Outbox, emptied, rows_of
from tidings.kafka.cluster import Cluster
from tidings.kafka.observe import Observer

pytestmark = pytest.mark.stack

EVENTS, ROWS = 60, 5
DERIVED = ("data-quality", "risk-monitor")
GROUP = "dwp.observed"
_INLINE = re.compile(r"`([^`\n]*tidings_[a-z][^`\n]*)`")


@pytest.fixture(scope="module")
def reading(running: Running) -> None:
    """A subscriber has read one view of a feed and committed it."""
    consumer = reader_of(running.life.cluster, "dwp", **{"group.id": GROUP})
    consumer.subscribe([BENEFITS])
    try:
        found: list[Any] = []

        def came() -> bool:
            message = consumer.poll(0.5)
            if message is not None and message.error() is None:
                found.append(message)
            return bool(found)

        eventually(came, "a view comes")
        consumer.commit(message=found[0], asynchronous=False)
    finally:
        consumer.close()


@pytest.fixture(scope="module")
def asked(
    running: Running,
    reading: None,  # noqa: ARG001 -- a panel shows what it did
    postgres: Postgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Asked]:
    """Prometheus beside the stack, once it has seen events of every fate come and a subscriber read."""
    need_prometheus()
    from deploy.prometheus.observe import TARGETS, observe, stop_observing

    stack = running.life.stack
    logs = tmp_path_factory.mktemp("processors")
    with ExitStack() as processors:
        outbox = processors.enter_context(closing(emptied(postgres)))
        for name in (*DERIVED, "correction-window"):
            log = logs / f"{name}.log"
            processors.enter_context(running_exchange(stack.cluster_file, log, stack.data / TARGETS, part=name))
        relay = ("outbox", "run", "--as", "gro", "--sessions", "1", "--database", outbox.dsn())
        processors.enter_context(at_work(relay, stack.cluster_file, logs / "relay.log", stack.data / TARGETS))
        url = observe(stack.data, stack.cluster_file, port=None, every_s=1.0)
        processors.callback(stop_observing, stack.data)
        prometheus = Asked(url)
        eventually(
            lambda: prometheus.series("up == 1") == 6, "worker, monitor, processors, window and relay are scraped"
        )
        eventually(lambda: prometheus.series("tidings_observed_timestamp_seconds > 0") == 1, "the monitor has looked")
        _publish_all_fates(running)
        eventually(lambda: prometheus.series("rate(tidings_flags_total[20s])") > 0, "the flag is scraped twice")
        eventually(lambda: prometheus.series("tidings:freshness_errors:ratio_3d") > 0, "rules are evaluated")
        eventually(
            lambda: prometheus.series("rate(tidings_held_settled_total[20s])") > 0, "the window is scraped twice"
        )
        eventually(lambda: prometheus.series("tidings_held_views") > 0, "the window has its share")
        eventually(lambda: prometheus.series("tidings_quality_share") > 0, "scorecards are made")
        _relay_rows(running.life.cluster, outbox)
        eventually(
            lambda: prometheus.series("rate(tidings_outbox_batch_rows_bucket[20s]) > 0") > 0, "the relay is scraped"
        )
        for query in _worked_in(running):
            eventually(lambda query=query: prometheus.series(query) == 1, "each processor works in what flows")  # type: ignore[misc]
        yield prometheus


def _publish_all_fates(running: Running) -> None:
    """Simulated events, a fifth of them bad, and one that is flagged."""
    cluster = running.life.cluster
    before = decided_events(cluster)
    publishers: dict[str, EventPublisher] = {}
    for each in simulate(EVENTS, Settings(seed=11, people=20_000, bad_share=0.2)):
        publisher = publishers.setdefault(each.agency, EventPublisher(cluster, each.agency))
        publisher.send(each.wire(publisher.encoder(each.event_type)))
    flagged = death()
    flagged["usual_residence"]["postcode"] = "none"
    publishers["gro"].publish("death-registered", flagged)
    for publisher in publishers.values():
        publisher.flush()
    eventually(lambda: decided_events(cluster) == before + EVENTS + 1, "all is decided")


def _worked_in(running: Running) -> list[str]:
    """For each processor a query for its parts beyond those that the policy alone gives it."""
    policy = running.life.policy()
    return [
        f'tidings_processor_parts_total{{worker=~"processor-{name}-.*"}} > {given}'
        for name in DERIVED
        for given in (len(enrolled(load_processor(name), policy)),)
    ]


def _relay_rows(cluster: Cluster, outbox: Outbox) -> None:
    """Sound rows, and one that the relay refuses."""
    before = decided_events(cluster)
    rows = rows_of(ROWS, seed=12)
    outbox.insert([*rows, (rows[0][0], {"event_id": str(uuid4())})])
    eventually(lambda: outbox.states() == {"sent": ROWS, "refused": 1}, "the relay has finished every row")
    eventually(lambda: decided_events(cluster) == before + ROWS, "what it sent is decided")


@pytest.mark.prometheus
def test_every_template_variable_has_values(asked: Asked) -> None:
    """Grafana would offer something to choose at the top of each dashboard."""
    assert [choice for choice in choices() if not asked.values(choice)] == []


@pytest.mark.prometheus
def test_every_panel_returns_series(asked: Asked) -> None:
    """Each query of each panel, as Grafana would send it, gives a number for some value of the variables."""
    counts = count_series(asked)
    out = CHECKOUT / "build" / "panels.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(counts, indent=1) + "\n")
    if table := os.environ.get("TIDINGS_PANELS"):
        Path(table).write_text(as_table(asked, counts), "utf-8")

    assert counts
    assert [query for query, count in counts.items() if not count] == []


@pytest.mark.prometheus
def test_every_rule_can_be_evaluated(asked: Asked) -> None:
    """Prometheus has tried each one and reports no error."""
    rules = asked.rules()
    eventually(lambda: all(rule["health"] != "unknown" for rule in asked.rules()), "every rule is evaluated")

    assert len(rules) > 30
    assert [(rule["name"], rule.get("lastError")) for rule in asked.rules() if rule["health"] != "ok"] == []


@pytest.mark.prometheus
def test_what_the_runbooks_ask_prometheus_returns_series(asked: Asked) -> None:
    """Each expression over our metrics that stands in a runbook."""
    found = {expr for page in RUNBOOKS.glob("*.md") for expr in _INLINE.findall(page.read_text("utf-8"))}

    assert len(found) >= 4
    assert [expr for expr in sorted(found) if not asked.series(expr)] == []


@pytest.mark.prometheus
def test_a_second_observe_finds_the_first(asked: Asked, running: Running) -> None:
    """The command says where it is, and starts nothing twice."""
    from deploy.prometheus.observe import watching

    before = watching(running.life.stack.data)
    said = tidings("observe", "--data", running.life.stack.data)

    assert said.code == 0, said.err
    assert asked.url in said.out
    assert watching(running.life.stack.data) == before


@pytest.mark.usefixtures("reading")
def test_status_and_top_show_the_run(running: Running) -> None:
    """The whole picture by command, from the broker: who reads, who is behind, who decided; and what flows."""
    life = running.life
    shown = tidings("status", "--data", life.stack.data)
    flow = tidings("top", "--for", "1", "--cluster", life.stack.cluster_file)

    assert shown.code == 0, shown.err
    for words in ("broker-1", "exchange-main-0", "inbox.gro.death-registered", GROUP, "Last decision:"):
        assert words in shown.out
    assert f"Slowest subscriber: dwp, group {GROUP}" in shown.out
    assert flow.code == 0, flow.err
    assert "0 are decided" in flow.out


def test_what_waits_is_seen_while_no_worker_works(running: Running) -> None:
    """An event published to a worker that stands still waits, by number and age, and makes every feed of it stale."""
    cluster = running.life.cluster
    [worker] = children(running.process.pid)
    before = decided_events(cluster)
    with Observer(cluster) as observer, EventPublisher(cluster, "gro") as publisher:
        assert sum(each.waiting_events for each in observer.look().inboxes) == 0
        os.kill(worker, signal.SIGSTOP)
        try:
            publisher.publish("death-registered", death())
            publisher.flush()
            eventually(
                lambda: max(each.waiting_seconds for each in observer.look().inboxes) > 0.2, "it is seen to wait", 8
            )
            seen = observer.look()
        finally:
            os.kill(worker, signal.SIGCONT)
        eventually(lambda: decided_events(cluster) == before + 1, "it is decided at last")
        after = observer.look()

    assert [(each.event_type, each.waiting_events) for each in seen.inboxes if each.waiting_events] == [
        ("death-registered", 1)
    ]
    stale = {feed.event_type for feed in seen.feeds if feed.freshness_seconds}
    assert stale == {"death-registered"}
    assert sum(each.waiting_events for each in after.inboxes) == 0
    assert [feed.views for feed in after.feeds if feed.feed == BENEFITS] == [
        feed.views + 1 for feed in seen.feeds if feed.feed == BENEFITS
    ]
