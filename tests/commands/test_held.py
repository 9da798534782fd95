"""Views that wait, on the whole stack: applied, read by the correction window alone, never released after a stop."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.conftest import Running
from tests.commands.kit import fetch_error, refused_reads, running_exchange
from tests.eventually import eventually
from tidings import topics
from tidings.decisions import ViewOutcome
from tidings.deployment import CORRECTION_WINDOW, group_name
from tidings.kafka.admin import Admin
from tidings.kafka.observe import Observer
from tidings.kafka.read import LogReader
from tidings.kafka.tally import account_of, blocks
from tidings.provisioning.access import MONITOR
from tidings.releases import Release, ReleaseEntry, decode_release_block

pytestmark = pytest.mark.stack

AGREEMENT = "pension-credit-couples"
FEEDS = tuple(topics.feed("dwp", AGREEMENT, 1, f"partnership-{kind}") for kind in ("registered", "ended"))
HELD = tuple(map(topics.held, FEEDS))


def settled(reader: LogReader) -> list[ReleaseEntry]:
    """Every entry of every release block."""
    records = reader.read_to_end(topics.RELEASES)
    return [entry for each in records for entry in decode_release_block(each.value or b"").entries]


def test_what_waits_is_for_the_window_and_a_stop_wins(running: Running, tmp_path: Path) -> None:
    """The samples' views wait; nobody but the window reads them. Stopped, they are settled and not released, also when
    the stop is lifted; the account balances throughout, and the monitor counts what was released: nothing."""
    life = running.life
    assert refused_reads(life.cluster, "dwp", list(HELD)) == dict.fromkeys(HELD, "TOPIC_AUTHORIZATION_FAILED")
    assert fetch_error(life.cluster, "dwp", FEEDS[0]) is None
    with LogReader(life.cluster, "admin") as reader:
        held = sum(
            made.outcome is ViewOutcome.HELD
            for block in blocks(reader)
            for entry in block.entries
            for made in entry.agreements
        )
        assert held == sum(1 for _ in reader.read_all_to_end(HELD)) > 0
        assert account_of(life.cluster, "admin").imbalances() == []
        partitions = [each for topic in HELD for each in reader.partitions(topic)]
        ends = dict.fromkeys(partitions, 0)
        for record in reader.read_all_to_end(HELD):
            ends[record.topic, record.partition] = record.offset + 1  # type: ignore[index]  # a Partition is a tuple
        with running_exchange(life.stack.cluster_file, tmp_path / "window.log", tmp_path, CORRECTION_WINDOW):
            admin, group = Admin(life.cluster), group_name(life.cluster.deployment, CORRECTION_WINDOW)
            eventually(
                lambda: all(at >= ends[each] for each, (at, _) in admin.group_offsets(group, partitions).items()),
                "the window has read what waits",
            )
            assert settled(reader) == []
            with Observer(life.cluster, MONITOR) as monitor:
                seen = monitor.look()
                assert (seen.holding_feeds, seen.windows) == (len(FEEDS), 1)
            assert life.tidings("stop", "agreement", AGREEMENT).code == 0
            eventually(lambda: len(settled(reader)) == held, "what waits is settled")
            assert life.tidings("stop", "agreement", AGREEMENT, "--lift").code == 0
        assert {entry.outcome for entry in settled(reader)} <= {Release.STOPPED, Release.REPLACED}
        assert list(reader.read_all_to_end(FEEDS)) == []
    with Observer(life.cluster, MONITOR) as monitor:
        assert [feed.views for feed in monitor.look().feeds if feed.agreement == AGREEMENT] == [0, 0]
    account = account_of(life.cluster, "admin")
    assert account.imbalances() == []
    assert sum(row["held"] for row in account.rows.values()) == held
