"""The exchange on a real broker: the wired handler under the exactly-once loop, ended in between.

`kill -9` of a worker's process is tried in tests/tidings/kafka.
"""

from __future__ import annotations

from collections import Counter

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from tests.eventually import eventually
from tests.stream_processors.broker_site import VIEWS, Killed, Site, Worker, dying
from tests.stream_processors.world import INBOX, PARTITIONS
from tidings.decisions import Outcome
from tidings.log import Message

pytestmark = pytest.mark.broker


def test_the_exchange_delivers_once_through_kills_and_a_switch(site: Site) -> None:
    """Ended before and after a commit, then a policy switch, a repeat and a null: every account balances."""
    site.settled()
    before, known = site.standing().records, site.entries().keys()
    events = site.fresh(100)
    places = site.publish(events)
    for step in ("blocks", "committed"):
        with Worker(site, dying(step, 2)) as worker:
            assert isinstance(worker.ended(), Killed)
    metrics = CollectorRegistry()
    with Worker(site, registry=metrics) as worker:
        first = site.decided(places)
        made = site.switch()
        eventually(
            lambda: {b.partition for b in site.blocks() if b.policy_version == made.version} == set(range(PARTITIONS)),
            "both partitions acknowledged the switch",
        )
        again = site.decided(site.publish(events[-10:]))
        [null] = site.decided(site.send([Message(INBOX, 0, None, None)]))
    assert worker.failure is None

    assert Counter(entry.outcome for entry in first) == {Outcome.DELIVERED: 100}
    assert Counter(entry.outcome for entry in again) == {Outcome.DUPLICATE: 10}
    assert null.outcome is Outcome.REJECTED
    assert len(site.entries().keys() - known) == 111
    assert {len(decisions) for place, decisions in site.entries().items() if place not in known} == {1}
    after = site.standing().records
    assert {view.feed: after[view.feed] - before[view.feed] for view in VIEWS} == {view.feed: 100 for view in VIEWS}
    assert after["notices.gro"] - before["notices.gro"] == 11  # the null, and each repeat
    site.gapless()
    shown = generate_latest(metrics).decode()
    assert 'tidings_events_total{event_type="death-registered",outcome="duplicate"} 10.0' in shown
    assert f"tidings_policy_version {float(made.version)}" in shown
