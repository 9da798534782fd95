"""The correction window on a real broker, as its own principal: killed by SIGKILL between steps of a release."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.stream_processors.accounts import sequence_of
from tests.stream_processors.correction_window.broker_window import ADMIN, Window, WindowSite, spawn
from tests.stream_processors.correction_window.kit import HOUR_S
from tidings.kafka.admin import Admin
from tidings.kafka.cluster import Cluster
from tidings.kafka.first_records import FirstRecords
from tidings.kafka.released import Released
from tidings.projection import decode_view
from tidings.releases import Release

pytestmark = pytest.mark.broker

STEPS = ["begun", "produced", "offsets", "committed"]
HOUR_MS = HOUR_S * 1_000
WAITING = [
    *((record, "CREATED") for record in range(10)),
    (0, "ANNULLED"), (2, "WITHDRAWN"), (4, "ANNULLED"), (1, "CHANGED"), (0, "CREATED"), (2, "CREATED"),
    (10, "ANNULLED"), (11, "CREATED"), (10, "REINSTATED"), (3, "CORRECTED"),
]  # fmt: skip
ARRIVE = {
    (0, "CORRECTED"): 1, (2, "CORRECTED"): 1, (10, "CORRECTED"): 1, (4, "ANNULLED"): 1, (1, "CREATED"): 1,
    (1, "CHANGED"): 1, (3, "CREATED"): 1, (3, "CORRECTED"): 1, (11, "CREATED"): 1,
    **{(record, "CREATED"): 1 for record in range(5, 10)},
}  # fmt: skip


def killed_and_succeeded(site: WindowSite, step: str) -> WindowSite:
    """Views wait; a window reads them, and at the second release, an hour later, `kill -9` ends it; a successor sees
    to the rest."""
    site.set_up()
    site.hold(WAITING[:7])
    site.hold(WAITING[:7], abort=True)
    site.hold(WAITING[7:])
    victim = spawn(site, step, 2)
    eventually(site.read_to, "everything is in line")
    assert not site.records(site.view.feed)
    site.clock.move(HOUR_MS)
    assert victim.wait(60) == -signal.SIGKILL
    with Window(site) as successor:
        eventually(lambda: len(settled(site)) >= len(WAITING) or successor.failure is not None, "everything is settled")
    assert successor.failure is None
    return site


def settled(site: WindowSite) -> list[Release]:
    """What became of each view."""
    return [entry.outcome for block in site.releases() for entry in block.entries]


@pytest.fixture(scope="module")
def kills(broker: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[WindowSite]]]:
    """What became of each kill, begun all at once: a killed window's session ends 8 s later."""
    folder: Path = tmp_path_factory.mktemp("clocks")
    sites = {step: WindowSite(broker, f"window-{step}", folder / step) for step in STEPS}
    with ThreadPoolExecutor(len(STEPS)) as pool:
        yield {step: pool.submit(killed_and_succeeded, site, step) for step, site in sites.items()}
    for site in sites.values():
        site.close()


@pytest.mark.parametrize("step", STEPS)
def test_a_window_that_is_killed_releases_once(kills: dict[str, Future[WindowSite]], step: str) -> None:
    """kill -9 at this step of a release, then a successor: each view once, none early, in order, corrections whole."""
    site = kills[step].result()
    records = site.records(site.view.feed)
    held = {(each.partition, each.offset): each.timestamp_ms for each in site.records(site.view.written_to)}
    blocks = site.releases()

    assert len(settled(site)) == len(WAITING) == len(held)
    for block in blocks:
        for entry in block.entries:
            assert block.released_at_ms >= held[block.partition, entry.offset] + HOUR_MS
    for number in {record.partition for record in records}:
        mine = [sequence_of(record) for record in records if record.partition == number]
        assert mine == list(range(1, len(mine) + 1))
    assert arrived(site) == ARRIVE
    with FirstRecords(site.cluster, ADMIN) as first:
        seen = Released(site.name, Admin(site.cluster), first).sequences(site.policy)
    assert sum(seen[site.view.feed].values()) == len(records)
    orders = [
        [entry.offset for block in blocks if block.partition == number for entry in block.entries if entry.sequence]
        for number in range(2)
    ]
    assert all(order == sorted(order) for order in orders)


def arrived(site: WindowSite) -> dict[tuple[int, str | None], int]:
    """How often which view of which record stands in the feed."""
    from tests.stream_processors.correction_window.kit import view_of

    names = {
        decode_view(site.view.view_schema, view_of(record, "CREATED")[1])["record_id"]: record for record in range(12)
    }
    found: dict[tuple[int, str | None], int] = {}
    for record in site.records(site.view.feed):
        view = decode_view(site.view.view_schema, record.value or b"")
        what = names[view["record_id"]], "WITHDRAWN" if view["kind"] == "WITHDRAWN" else view["change"]
        found[what] = found.get(what, 0) + 1
    return found
