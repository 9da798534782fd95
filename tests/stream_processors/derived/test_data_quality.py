"""The scorecards: what each measure counts, how it drifts, and that late blocks still count."""

from __future__ import annotations

from typing import Any

import pytest

from stream_processors.derived.data_quality import KEPT_DAYS, MONTH_DAYS, PROCESSOR
from stream_processors.host.declaration import DAY_MS
from stream_processors.host.harness import TestProcessor
from tests.compliance.processor_events import policy
from tests.stream_processors.world import INBOX
from tidings import topics
from tidings.clock import StillClock, utc_date
from tidings.errors import ReasonCode

CARDS = topics.scorecards("gro")
NOW_MS = StillClock().now_ms()
TODAY = f"death-registered/{utc_date(NOW_MS)}"


def entry(outcome: str = "DELIVERED", *findings: tuple[ReasonCode, str], **more: Any) -> dict[str, Any]:
    """One decision."""
    made: dict[str, Any] = {
        "offset": 0, "event_id": None, "subject_tag": None, "tag_epoch": "2026-06", "change": "CREATED",
        "record_version": None, "received_at": NOW_MS, "outcome": outcome, "flagged": False, "late": False,
        "findings": [{"code": code.value, "path": path, "severity": "reject"} for code, path in findings],
        "agreements": [], "publisher_signature": None,
    }  # fmt: skip
    return made | more


def block(*entries: dict[str, Any], at_ms: int = NOW_MS, kind: str = "BATCH") -> dict[str, Any]:
    """One decision block of the register office's deaths."""
    return {
        "format": 1, "kind": kind, "inbox": INBOX, "partition": 0, "part": 1, "parts": 1, "first_offset": 0,
        "last_offset": 0, "previous_hash": bytes(32), "policy_version": 1, "policy_hash": "", "decided_at": at_ms,
        "worker": "w", "entries": list(entries), "sequences": [], "replays_to": -1,
    }  # fmt: skip


@pytest.fixture
def quality() -> TestProcessor:
    """The processor with nothing taken in."""
    return TestProcessor(PROCESSOR, policy())


def measures(card: dict[str, Any], what: str = "share") -> dict[str, Any]:
    """One column of a scorecard's measures."""
    return {each["name"]: each[what] for each in card["measures"]}


def test_every_measure_is_counted(quality: TestProcessor) -> None:
    """Ten events, each with one thing to say."""
    quality.send(
        topics.DECISIONS,
        block(
            entry("REJECTED", (ReasonCode.REQUIRED_MISSING, "deceased.names")),
            entry("REJECTED", (ReasonCode.DATE_IMPOSSIBLE, "occurred_on"), (ReasonCode.WIRE_FORMAT, "")),
            entry("DUPLICATE"),
            entry("QUARANTINED", received_at=None, change=None),
            entry("DELIVERED", (ReasonCode.PATTERN_MISMATCH, "occurred_on"), flagged=True),
            entry("FILTERED", change="CORRECTED"),
            entry("WITHDRAWN", change="ANNULLED"),
            entry("REJECTED", change="CORRECTED"),
            entry("DELIVERED", received_at=NOW_MS - DAY_MS - 1),
            entry("DELIVERED"),
        ),
    )
    card = quality.latest(CARDS)[TODAY]

    assert (card["publisher"], card["event_type"], card["events"]) == ("gro", "death-registered", 10)
    assert measures(card) == {
        "rejected": 0.3, "flagged": 0.1, "duplicate": 0.1, "quarantined": 0.1, "late": 0.1, "corrected": 0.2,
    }  # fmt: skip
    assert [(each["path"], each["missing"], each["invalid"]) for each in card["fields"]] == [
        ("deceased.names", 1, 0),
        ("occurred_on", 0, 2),
    ]
    assert card["fields"][1]["invalid_share"] == 0.2
    assert set(measures(card, "drift").values()) == {None}


def test_drift_is_against_the_month_before(quality: TestProcessor) -> None:
    """A tenth was rejected through the month; half is today."""
    for ago in range(1, MONTH_DAYS + 1):
        at_ms = NOW_MS - ago * DAY_MS
        entries = [entry("REJECTED", received_at=at_ms), *[entry(received_at=at_ms)] * 9]
        quality.send(topics.DECISIONS, block(*entries, at_ms=at_ms))
    quality.send(topics.DECISIONS, block(*[entry("REJECTED")] * 5, *[entry()] * 5))
    card = quality.latest(CARDS)[TODAY]

    assert card["month_events"] == 10 * MONTH_DAYS
    assert measures(card, "drift")["rejected"] == pytest.approx(0.4)
    assert measures(card, "surprise")["rejected"] == pytest.approx(0.4 / (0.1 * 0.9 / 10) ** 0.5)
    assert measures(card, "surprise")["duplicate"] is None


def test_a_replay_out_of_quarantine_is_no_new_event(quality: TestProcessor) -> None:
    """It was counted when it was set aside."""
    quality.send(topics.DECISIONS, block(entry("QUARANTINED"), entry()))
    quality.send(topics.DECISIONS, block(entry(late=True), kind="REPLAY"))

    assert quality.latest(CARDS)[TODAY]["events"] == 2


def test_a_block_that_comes_late_counts_in_its_day(quality: TestProcessor) -> None:
    """And a block of a day that is kept no more is counted nowhere, and sends nothing."""
    quality.send(topics.DECISIONS, block(entry()), at_ms=NOW_MS)
    quality.send(topics.DECISIONS, block(entry(), at_ms=NOW_MS - 2 * DAY_MS), partition=1)
    quality.send(topics.DECISIONS, block(entry(), at_ms=NOW_MS - (KEPT_DAYS + 1) * DAY_MS), partition=1)

    assert set(quality.latest(CARDS)) == {TODAY, f"death-registered/{utc_date(NOW_MS - 2 * DAY_MS)}"}
    assert quality.set_aside() == []
