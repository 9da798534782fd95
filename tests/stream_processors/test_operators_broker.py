"""Policy, quarantine and access rules on a real broker: what stops a worker, what an operator sees and may ask for.

The mutation that each test was seen to catch stands in docs/guides/delivery-evidence.md.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

import stream_processors.executors as wiring
from commands.quarantine import app
from tests.stream_processors.broker_site import (
    ADMIN,
    BENEFITS,
    STATISTICS,
    VIEWS,
    Site,
    Worker,
    eventually,
    failing_on,
    sealed,
)
from tests.stream_processors.world import SUBJECTS
from tidings import topics
from tidings.acl import Acl
from tidings.clock import StillClock, utc_date
from tidings.decisions import Outcome
from tidings.errors import BadInput, BadUsage, Fatal, Retriable
from tidings.kafka.clients import transactional_config
from tidings.kafka.policy_keeper import keep_policy
from tidings.kafka.policy_store import CURRENT, PolicyReader, messages_of
from tidings.kafka.quarantined import held_events
from tidings.kafka.settings import LoopSettings
from tidings.log import Message
from tidings.replays import request_message

pytestmark = pytest.mark.broker


def asked(cluster_file: Path, *arguments: str) -> str:
    """What `tidings quarantine` prints. Raises what it raises."""
    result = CliRunner().invoke(
        app, [*arguments, "--cluster", str(cluster_file)], catch_exceptions=False, env={"COLUMNS": "300"}
    )
    assert result.exit_code == 0, result.output
    return result.output


def _ms(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000)


def _feeds_of(site: Site) -> set[str]:
    """What the subscriber may read by name."""
    return {entry.name for entry in site.admin.acls() if entry.principal == "dwp"}


def test_a_policy_that_was_never_committed_is_not_taken_up(site: Site) -> None:
    """A publisher that died on the way changes nothing, neither for who starts nor for who runs."""
    config = {**site.cluster.producer_config(ADMIN), **transactional_config("test-policy", LoopSettings())}
    producer = Producer(config)
    producer.init_transactions(30)
    with Worker(site) as worker, PolicyReader(site.cluster, ADMIN) as reader:
        reader.load()
        producer.begin_transaction()
        for topic, partition, its_key, its_value in messages_of(sealed(99)):
            producer.produce(topic, its_value, its_key, partition)
        assert producer.flush(30) == 0
        producer.abort_transaction(30)
        entries = site.decided(site.publish(site.fresh(4)))
        assert reader.newer() is None
        assert reader.load().version == site.policy.version
    assert worker.failure is None
    assert len(entries) == 4
    assert max(block.policy_version for block in site.blocks()) == site.policy.version


@pytest.mark.parametrize("damage", ["manifest", "hash"])
def test_a_worker_that_cannot_load_the_policy_stops(site: Site, damage: str) -> None:
    """Running or starting, with events waiting: Fatal, and nothing more is decided until a sound policy is there."""
    good = messages_of(site.policy)
    bad = b"{}" if damage == "manifest" else (good[-1].value or b"").replace(b'"version":', b'"version":9')
    with Worker(site) as worker:
        site.decided(site.publish(site.fresh(1)))
        before = site.standing()
        site.send([Message(topics.POLICY, 0, CURRENT, bad)])
        failure = worker.ended()
    assert isinstance(failure, Fatal)
    assert "policy" in str(failure)
    places = site.publish(site.fresh(2))
    with pytest.raises(Fatal, match="policy"):
        Worker(site)
    assert site.standing() == before
    site.send(good)
    with Worker(site):
        assert {entry.outcome for entry in site.decided(places)} == {Outcome.DELIVERED}


def test_the_limit_of_quarantine_stops_the_worker_before_anything_is_committed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our code fails on eleven events in a row: Fatal, and the log is as it was; mended, all are delivered."""
    before = site.settled()
    one = {"scheme": "nhs_number", "value": SUBJECTS[0]}
    events = site.fresh(11, subject=one)
    places = site.publish(events)
    with monkeypatch.context() as defect:
        defect.setattr(wiring, "native_version", lambda: None)
        defect.setattr(wiring, "generated_projector", failing_on({each["event_id"] for each in events}))
        with Worker(site) as worker:
            failure = worker.ended()
    assert isinstance(failure, Fatal)
    assert "in a row" in str(failure)
    assert "Quillfeather" not in str(failure)
    assert site.standing() == before
    with Worker(site):
        assert {entry.outcome for entry in site.decided(places)} == {Outcome.DELIVERED}


def test_quarantine_is_listed_shown_and_replayed_once(
    site: Site, cluster_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command end to end: what failed is told by place and code; asked twice is refused; answered, it is late."""
    before = site.standing().records
    events = site.fresh(3)
    with monkeypatch.context() as defect:
        defect.setattr(wiring, "native_version", lambda: None)
        defect.setattr(wiring, "generated_projector", failing_on({each["event_id"] for each in events[:2]}))
        with Worker(site) as worker:
            places = site.publish(events)
            outcomes = [entry.outcome for entry in site.decided(places)]
    assert worker.failure is None
    assert outcomes == [Outcome.QUARANTINED, Outcome.QUARANTINED, Outcome.DELIVERED]
    one, two, sound = (f"{partition.topic}/{partition.partition}/{offset}" for partition, offset in places)

    listed = asked(cluster_file, "list")
    assert one in listed
    assert two in listed
    assert sound not in listed
    assert "internal" in listed
    assert "ZeroDivisionError" in listed
    shown = asked(cluster_file, "show", one)
    assert events[0]["event_id"] in shown
    assert "tests.stream_processors.broker_site" in shown
    assert "Quillfeather" not in listed + shown

    with pytest.raises(BadUsage, match="not in quarantine"):
        asked(cluster_file, "show", sound)
    with pytest.raises(Fatal):
        asked(cluster_file, "replay", sound)
    with pytest.raises(BadInput):
        asked(cluster_file, "replay", "inbox.gro.death-registered")
    # Two operators look in the same moment and both ask; the second's request goes in as the command would send it.
    held = {(each.partition, each.offset): each.block for each in held_events(site.reader)}
    assert "1 asked for" in asked(cluster_file, "replay", one)
    site.send([request_message(*places[0], held[places[0]])])
    with pytest.raises(Fatal, match="asked for already"):
        asked(cluster_file, "replay", one)
    assert "1 asked for" in asked(cluster_file, "replay", "all")
    with pytest.raises(Fatal, match="asked for already"):
        asked(cluster_file, "replay", "all")
    assert len(site.read(topics.REPLAYS)) == 3

    with Worker(site):
        eventually(lambda: all(len(site.entries()[place]) == 2 for place in places[:2]), "both are answered")
    made = site.entries()
    late = [made[place][1] for place in places[:2]]
    assert [(entry.outcome, entry.late) for entry in late] == [(Outcome.DELIVERED, True)] * 2
    after = site.standing().records
    assert [after[view.feed] - before[view.feed] for view in VIEWS] == [3, 3]
    site.gapless()
    assert "Nothing is in quarantine" in asked(cluster_file, "list")
    with pytest.raises(Fatal):
        asked(cluster_file, "replay", one)
    # Once more, after the answer, to whoever takes over: nothing comes of it.
    site.send([request_message(*places[0], held[places[0]])])
    with Worker(site):
        site.decided(site.publish(site.fresh(1)))
    assert len(site.entries()[places[0]]) == 2


def test_access_ends_and_begins_on_its_day(site: Site) -> None:
    """At the midnight after an agreement's last day its reader's rules go, and a new one's come."""
    ending = BENEFITS.model_copy(update={"valid_until": date(2026, 6, 1), "after_end": "nothing"})
    coming = STATISTICS.model_copy(update={"valid_from": date(2026, 6, 2)})
    site.switch(views=(ending, coming))
    clock = StillClock(at_ms=_ms(2026, 6, 1) + 86_400_000 - 5_000)
    seen: list[tuple[date, bool, bool]] = []

    def going_on() -> bool:
        readers = {entry.name for entry in site.admin.acls() if entry.principal == "dwp"}
        seen.append((utc_date(clock.now_ms()), ending.feed in readers, coming.feed in readers))
        return len(seen) < 9

    keep_policy(site.cluster, site.admin, clock, going_on)
    # The first look is before the keeper's first turn, and each day's rules follow within one turn.
    settled = {each for before, each in pairwise(seen) if before == each}
    assert settled == {(date(2026, 6, 1), True, False), (date(2026, 6, 2), False, True)}
    assert [each for each in seen if each == (date(2026, 6, 2), True, False)] == seen[5:6]
    site.switch()


def test_a_stop_reaches_the_broker_though_it_was_away_at_first(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy that stops an agreement takes its rules away at the next turn that the broker answers, not later."""
    site.switch()
    clock = StillClock(at_ms=_ms(2026, 6, 1))
    turns = iter([True, False])
    keep_policy(site.cluster, site.admin, clock, lambda: next(turns))
    assert BENEFITS.feed in _feeds_of(site)

    remove, refusals = site.admin.delete_acls, [Retriable("the broker is away")]

    def delete(entries: Iterable[Acl]) -> None:
        wanted = list(entries)
        if wanted and refusals:
            raise refusals.pop()
        remove(wanted)

    monkeypatch.setattr(site.admin, "delete_acls", delete)
    after_refusal = 0

    def going_on() -> bool:
        nonlocal after_refusal
        if clock.now_ms() == _ms(2026, 6, 1) + 3_000:
            site.switch(views=(BENEFITS.model_copy(update={"stopped": True}), STATISTICS))
        time.sleep(0.05)  # the keeper's own second is the still clock's; the client needs some real time to fetch
        after_refusal += not refusals
        return after_refusal < 3

    keep_policy(site.cluster, site.admin, clock, going_on)
    assert clock.now_ms() < _ms(2026, 6, 1) + 290_000, "the test itself took the repair's five minutes"
    assert BENEFITS.feed not in _feeds_of(site)
    site.switch()
    turns = iter([True, False])
    keep_policy(site.cluster, site.admin, clock, lambda: next(turns))
