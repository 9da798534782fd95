"""A running exchange under hot changes: revoked, stopped, lifted, acknowledged, and by which policy each decided."""

from __future__ import annotations

import json
import os
import signal
import uuid
from typing import Any

import pytest

from tests.commands.conftest import Running
from tests.commands.kit import children, decided, decided_events, fetch_error, refused_reads, write_error
from tests.eventually import eventually
from tidings import topics
from tidings.catalogue import default_catalogue_dir
from tidings.decisions import Entry, Outcome
from tidings.errors import ReasonCode, TidingsError
from tidings.kafka.produce import RecordProducer
from tidings.kafka.read import LogReader
from tidings.kafka.tally import account_of

pytestmark = pytest.mark.stack

DENIED = "TOPIC_AUTHORIZATION_FAILED"
INBOX = "inbox.gro.death-registered"
BENEFITS = "feed.dwp.bereavement-benefits.v3.death-registered"


def death() -> dict[str, Any]:
    """The typical death of the samples, as a new event."""
    path = default_catalogue_dir() / "samples" / "death-registered" / "pass-typical.json"
    event: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return {**event, "event_id": str(uuid.uuid4())}


def views_in(running: Running, feed: str) -> int:
    """How many views stand in a feed."""
    with LogReader(running.life.cluster, "admin") as reader:
        return sum(1 for _ in reader.read_to_end(feed))


def last_entry(running: Running, inbox: str) -> Entry:
    """The newest decision about an event of an inbox, and that of the block's policy."""
    blocks = [block for block in decided(running.life.cluster) if block.inbox == inbox and block.entries]
    return max(blocks, key=lambda block: block.decided_at_ms).entries[-1]


def send_raw(running: Running, event: dict[str, Any]) -> Entry:
    """Put a death into the inbox past the publisher's own checks and rights; its decision."""
    from producers.publisher import EventPublisher

    cluster, errors = running.life.cluster, []
    before = decided_events(cluster)
    record = EventPublisher(cluster, "gro").encoder("death-registered").encode(event)
    producer = RecordProducer(cluster, "admin")

    def report(error: TidingsError | None) -> None:
        errors.append(error)

    producer.send(record.topic, record.key, record.value, report)
    producer.flush()
    assert errors == [None]
    eventually(lambda: decided_events(cluster) == before + 1, "the event is decided")
    return last_entry(running, INBOX)


def test_a_stopped_agreement_stops_at_the_next_batch_until_lifted(running: Running) -> None:
    """Its worker acknowledges; the feed gets nothing and may not be read; the others go on; then all is back."""
    life = running.life
    before = views_in(running, BENEFITS)
    stopped = life.tidings("stop", "agreement", "bereavement-benefits")

    assert stopped.code == 0, stopped.err
    assert "Every worker has taken up policy" in stopped.out
    assert refused_reads(life.cluster, "dwp", [BENEFITS]) == {BENEFITS: DENIED}
    running.publish("gro", "death-registered", death())
    assert views_in(running, BENEFITS) == before
    assert last_entry(running, INBOX).outcome is Outcome.DELIVERED
    assert life.tidings("plan").code == 0, "an apply carries the stop over"
    assert "says so already" in life.tidings("stop", "agreement", "bereavement-benefits").out

    lifted = life.tidings("stop", "agreement", "bereavement-benefits", "--lift")
    assert lifted.code == 0, lifted.err
    running.publish("gro", "death-registered", death())
    assert views_in(running, BENEFITS) == before + 1
    assert fetch_error(life.cluster, "dwp", BENEFITS) is None


def test_a_stopped_publisher_is_rejected_and_hears_of_it(running: Running) -> None:
    """The broker refuses its writes; what still comes in is rejected; the notice is for it alone."""
    life = running.life
    assert life.tidings("stop", "publisher", "gro").code == 0
    assert write_error(life.cluster, "gro", INBOX) == DENIED

    event = death()
    entry = send_raw(running, event)

    assert entry.outcome is Outcome.REJECTED
    assert [finding.code for finding in entry.findings] == [ReasonCode.PUBLISHER_STOPPED]
    heard = life.tidings("notices", "--as", "gro")
    assert f"{INBOX}/" in heard.out
    assert "publisher_stopped" in heard.out
    assert refused_reads(life.cluster, "nhs-pds", [topics.notices("gro")]) == {topics.notices("gro"): DENIED}
    assert life.tidings("stop", "publisher", "gro", "--lift").code == 0
    running.publish("gro", "death-registered", death())


def test_a_live_event_is_refused_by_a_synthetic_exchange(running: Running) -> None:
    """And by the publisher's own library before that."""
    from producers.publisher import EventPublisher

    event = {**death(), "environment": "LIVE"}
    with EventPublisher(running.life.cluster, "gro") as publisher:
        found = publisher.check("death-registered", event)
    assert ReasonCode.ENVIRONMENT_MISMATCH in {finding.code for finding in found}

    entry = send_raw(running, event)
    assert entry.outcome is Outcome.REJECTED
    assert ReasonCode.ENVIRONMENT_MISMATCH in {finding.code for finding in entry.findings}


def test_a_worker_that_does_not_answer_is_named(running: Running) -> None:
    """Apply and stop say which partitions have not taken the policy up, and end with 75; later they have."""
    life = running.life
    [worker] = children(running.process.pid)
    os.kill(worker, signal.SIGSTOP)
    try:
        stopped = life.tidings("stop", "agreement", "pension-stop", "--wait-seconds", "0.5")
    finally:
        os.kill(worker, signal.SIGCONT)

    partitions = sum(inbox.partitions for inbox in life.policy().inboxes)
    assert stopped.code == 75
    assert f"is published, and {partitions} partitions have not taken it up: inbox." in stopped.err
    lifted = life.tidings("stop", "agreement", "pension-stop", "--lift")
    assert "Every worker has taken up policy" in lifted.out, lifted.err


def test_a_removed_agreement_ends_its_feed_and_its_access(running: Running) -> None:
    """Plan says who would no longer see what; apply takes the entry away; what comes after is not delivered."""
    life = running.life
    before = views_in(running, BENEFITS)
    version = life.policy().version
    (life.folder / "bereavement-benefits.yaml").rename(life.folder.parent / "away.yaml")

    planned = life.tidings("plan")
    assert planned.code == 2
    assert "dwp by bereavement-benefits of death-registered: ended" in planned.out
    assert f"dwp: may no longer read topic {BENEFITS}" in planned.out
    applied = life.tidings("apply", "--quiet")
    assert applied.code == 0, applied.err
    assert f"Every worker has taken up policy {version + 1}." in applied.out
    running.publish("gro", "death-registered", death())

    assert views_in(running, BENEFITS) == before
    assert refused_reads(life.cluster, "dwp", [BENEFITS]) == {BENEFITS: DENIED}
    assert life.tidings("feed", "bereavement-benefits", "--as", "dwp").code == 1
    (life.folder.parent / "away.yaml").rename(life.folder / "bereavement-benefits.yaml")
    assert life.tidings("apply", "--quiet").code == 0
    assert life.tidings("plan").code == 0


def test_an_agreement_changed_in_force_holds_the_apply_up(running: Running) -> None:
    """One more field, approved by nobody: refused with file and line, and nothing changes."""
    life = running.life
    path = life.folder / "bereavement-benefits.yaml"
    text, version = path.read_text("utf-8"), life.policy().version
    path.write_text(text.replace("retention_days: ", "retention_days: 1"), "utf-8")
    try:
        applied = life.tidings("apply")
    finally:
        path.write_text(text, "utf-8")

    assert applied.code == 65
    assert "bereavement-benefits.yaml:" in applied.err
    assert "[changed-in-force]" in applied.err
    assert life.policy().version == version


def test_every_switch_decided_by_its_own_version(running: Running) -> None:
    """After all of the above: each block names the policy that decided it, and the account balances by version."""
    versions = [block.policy_version for block in decided(running.life.cluster) if block.inbox == INBOX]
    account = account_of(running.life.cluster, "admin")

    assert len(set(versions)) >= 8
    assert max(versions) == running.life.policy().version
    assert account.imbalances() == []
    assert len({version for _, version in account.settled}) >= 5
