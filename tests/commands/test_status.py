"""What `tidings status` and `tidings top` make of what is seen; and `status` where there is nothing to see."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console, RenderableType

from commands._advice import advice
from commands._health import ENDPOINT, Health, health_of
from commands._rates import rates, top_of
from commands._status_show import age, status_of
from deploy.prometheus.runbooks import RUNBOOKS
from tests.commands.kit import tidings
from tests.tidings.pictures import FEED, INBOX, NOW_MS, PLACE, WORKER, block, picture
from tidings.clock import StillClock
from tidings.kafka.announce import announced
from tidings.kafka.health import Health as WorkerHealth
from tidings.kafka.snapshot import Snapshot, State
from tidings.log import Partition
from tidings.observation import GroupSeen

STOPPED = Health("broker-1", "stopped", good=False, address="127.0.0.1:9092", log="broker-1.log")
GONE = Health("exchange-main-1", "no answer", good=False, address="", kind=ENDPOINT)
LATE = GroupSeen("dwp.reader", 0, 12, 7_200.0)


def text(shown: RenderableType) -> str:
    """What would stand on a wide terminal."""
    console = Console(file=io.StringIO(), width=200, color_system=None)
    console.print(shown)
    return console.file.getvalue()  # type: ignore[attr-defined]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no-worker": ({"workers": ()}, "tidings run exchange"),
    "no-window": ({"holding_feeds": 2, "windows": 0}, "tidings run correction-window"),
    "policy-behind": ({"policy_version": 4}, "exchange-main-0"),
    "quarantine-not-empty": ({"quarantined": 2}, "2 events"),
    "inbox-waiting": ({"inboxes": (replace(INBOX, waiting_events=1, waiting_seconds=300.0),)}, "death-registered"),
    "subscriber-behind": ({"feeds": (replace(FEED, groups=(LATE,)),)}, "dwp.reader (benefits, death-registered)"),
}


@pytest.mark.parametrize("page", WRONG)
def test_what_is_wrong_has_one_line_of_advice_with_its_runbook(page: str) -> None:
    """Each thing that can be seen to be wrong is named, and the page that it leads to exists."""
    changes, word = WRONG[page]

    [line] = advice(picture(**changes), [])

    assert word in line
    assert f"docs/runbooks/{page}.md" in line
    assert (RUNBOOKS / f"{page}.md").exists()


def test_nothing_is_advised_where_nothing_is_wrong() -> None:
    """A group that is a little behind and an inbox that is being read are no news."""
    little = replace(FEED, groups=(GroupSeen("dwp.reader", 1, 3, 2.0),))

    assert advice(picture(feeds=(little,), inboxes=(replace(INBOX, waiting_events=9, waiting_seconds=1.0),)), []) == []


def test_a_part_that_does_not_run_comes_first() -> None:
    """Also where the broker could not be asked at all."""
    assert "broker-1" in advice(picture(workers=()), [STOPPED])[0]
    assert advice(None, [STOPPED])[0].startswith("broker-1: stopped; `tidings up` starts it")
    assert advice(None, [GONE]) == ["exchange-main-1: no answer (docs/runbooks/worker-down.md)"]


def test_whoever_announced_itself_is_asked(tmp_path: Path) -> None:
    """A worker that serves and has no share yet is not ready; one that was killed gives no answer."""
    health = WorkerHealth(StillClock())
    health.start()
    (tmp_path / "targets").mkdir()
    try:
        with announced(tmp_path / "targets", "exchange-main-0", health.port):
            (tmp_path / "targets" / "exchange-main-1.json").write_text('[{"targets": ["127.0.0.1:1"]}]')
            first, second = health_of(tmp_path, None)
            health.observe(Snapshot(State.RUNNING, StillClock().monotonic(), assigned=True))
            ready, _ = health_of(tmp_path, None)
    finally:
        health.stop()

    assert (first.state, second.state, ready.state) == ("not ready", "no answer", "ready")
    assert (first.good, second.good, ready.good) == (False, False, True)


def test_status_says_which_executors_a_worker_runs(tmp_path: Path) -> None:
    """By number of inboxes, and of what is not native why, with an inbox's name; it is the worker's own word."""
    said = {
        "inbox.gro.a": {"executor": "native", "why_not_native": ""},
        "inbox.gro.b": {"executor": "python", "why_not_native": "the mask of-ours"},
    }
    health = WorkerHealth(StillClock(), about=lambda: {"projection": said})
    health.start()
    (tmp_path / "targets").mkdir()
    try:
        with announced(tmp_path / "targets", "exchange-main-0", health.port):
            [worker] = health_of(tmp_path, None)
    finally:
        health.stop()

    shown = text(status_of(None, [worker], []))
    assert "native: 1 inboxes, python: 1 inboxes, since the mask of-ours (inbox.gro.b)" in shown


def test_status_shows_lag_in_events_and_seconds_the_last_decision_and_the_slowest() -> None:
    """Of one inbox and one feed with two groups."""
    fine = GroupSeen("dwp.fine", 2, 0, 0.0)
    inbox = replace(INBOX, waiting_events=7, waiting_seconds=4.5)
    shown = text(
        status_of(picture(inboxes=(inbox,), feeds=(replace(FEED, groups=(LATE, fine)),)), [STOPPED], ["do it"])
    )

    assert "stopped" in shown
    assert [cell for cell in ("7", "4.5 s", "1.0 s ago") if cell not in shown] == []
    assert "dwp.reader" in shown
    assert "dwp.fine" in shown
    assert "Last decision: 1.0 s ago by exchange-main-0/0, batch of inbox.gro.death-registered/0, policy 3." in shown
    assert "Slowest subscriber: dwp, group dwp.reader, 12 views of benefits (death-registered) unread" in shown
    assert "- do it" in shown


def test_the_name_of_a_group_rules_no_terminal() -> None:
    """A subscriber chooses it: neither markup nor an escape sequence in it is obeyed."""
    bad = replace(FEED, groups=(GroupSeen("dwp.[red]x[/]\x1b[2J", 1, 1, 1.0),))
    shown = text(status_of(picture(feeds=(bad,)), [], []))

    assert "[red]x[/]" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (4.25, "4.2 s"), (180, "3 min"), (7_200, "2 h"), (432_000, "5 d")],
)
def test_ages_are_said_as_people_say_them(seconds: float, words: str) -> None:
    """In the largest unit that is not below one."""
    assert age(seconds) == words


def test_rates_are_what_changed_between_two_looks() -> None:
    """Arriving by ends, decided by offsets, views by sequences; what is in one look only is left out."""
    new = replace(INBOX, partition=Partition("inbox.gro.birth-registered", 0), end=1_000, committed=1_000)
    before = picture(inboxes=(replace(INBOX, committed=10, end=30),), feeds=(replace(FEED, views=5),))
    after = picture(
        at_ms=NOW_MS + 2_000,
        inboxes=(replace(INBOX, committed=20, end=70), new),
        feeds=(replace(FEED, views=35), replace(FEED, feed="feed.ons.x.v1.y", agreement="x", views=9)),
    )
    flow = rates(before, after)

    assert (flow.seconds, flow.arriving, flow.decided) == (2.0, {PLACE.topic: 20.0}, {PLACE.topic: 5.0})
    assert flow.views == {("benefits", "death-registered"): 15.0}
    assert "20 events a second arrive, 5 are decided, 15 views are written; 1 workers." in text(top_of(flow, after))


def test_a_worker_without_partitions_is_not_behind() -> None:
    """It decides nothing, so it has no version to be behind with."""
    idle = replace(WORKER, partitions=0, policy_version=None)

    assert advice(picture(workers=(WORKER, idle)), []) == []
    assert "policy_switch" not in text(status_of(picture(inboxes=(replace(INBOX, block=block()),)), [], []))


def test_status_without_a_stack_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends with 3, and names `tidings up`."""
    monkeypatch.setenv("TIDINGS_CLUSTER", str(tmp_path / "cluster.json"))
    said = tidings("status", "--data", tmp_path / "none")

    assert said.code == 3
    assert "`tidings up`" in said.out
