"""What the exchange said of each record is learnt from its committed offsets and from notices, with a publisher's
access alone. The exchange is played by the test, on a real broker."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from commands._await_decisions import await_decisions
from producers.journal import Decision, Fate, Journal, JournalRecord
from tests.commands.kit import CHECKOUT
from tests.commands.publishing_process import publish
from tests.tidings.kafka.kit import commit_offsets
from tests.tidings.kafka.test_write_once import Agency, new_agency
from tidings import topics
from tidings.deployment import group_name
from tidings.errors import Finding, ReasonCode
from tidings.notices import Notice, NoticeOutcome, encode_notice

if TYPE_CHECKING:
    from tidings.kafka.cluster import Cluster

pytestmark = pytest.mark.broker

PUBLISHED = 6
REUSED = (Finding(ReasonCode.EVENT_ID_REUSED),)


@pytest.fixture
def agency(broker: Cluster) -> Agency:
    """A publisher of deaths that nobody had before."""
    return new_agency(broker)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The example's seven deaths, one of which is refused."""
    return Path(shutil.copy(CHECKOUT / "examples" / "death-extract.xml", tmp_path / "deaths.xml"))


def published(journal: Journal) -> list[JournalRecord]:
    """What was sent of the file."""
    return [each for each in journal.records() if each.fate is Fate.PUBLISHED]


def tell(agency: Agency, record: JournalRecord, outcome: NoticeOutcome, *, late: bool = False) -> None:
    """Write the exchange's notice of a record."""
    assert record.inbox is not None
    assert record.partition is not None
    assert record.offset is not None
    findings = REUSED if outcome is NoticeOutcome.REJECTED else ()
    notice = Notice(outcome, record.inbox, record.partition, record.offset, record.event_id, 1, findings, 1, 0, late)
    producer = Producer(agency.cluster.producer_config("admin"))
    producer.produce(topics.notices(agency.name), encode_notice(notice, 1))
    assert producer.flush(30) == 0


def decide(agency: Agency, records: list[JournalRecord]) -> None:
    """Commit the exchange's offsets after the last of the records in each partition."""
    ends: Counter[tuple[str, int]] = Counter()
    for each in records:
        where = (str(each.inbox), int(each.partition or 0))
        ends[where] = max(ends[where], int(each.offset or 0) + 1)
    consumer = Consumer(agency.cluster.consumer_config("admin", group_name(agency.cluster.deployment)))
    commit_offsets(consumer, [TopicPartition(*where, end) for where, end in ends.items()])


def test_what_is_decided_and_was_not_told_of_is_accepted(agency: Agency, file: Path, tmp_path: Path) -> None:
    """Nothing is, while the exchange stands still; then all but what notices name; a late notice comes after all."""
    path = tmp_path / "journal.sqlite"
    publish(agency.cluster, agency.name, file, path)
    with Journal(path) as journal:
        assert not await_decisions(agency.cluster, agency.name, journal, 0.5)
        assert {each.decision for each in published(journal)} == {None}

        first, second, *rest = published(journal)
        tell(agency, first, NoticeOutcome.REJECTED)
        tell(agency, second, NoticeOutcome.QUARANTINED)
        decide(agency, published(journal))
        assert await_decisions(agency.cluster, agency.name, journal, 30)
        assert [each.decision for each in published(journal)] == [
            Decision.REJECTED, Decision.QUARANTINED, *[Decision.ACCEPTED] * len(rest)
        ]  # fmt: skip
        assert published(journal)[0].said == REUSED

        tell(agency, second, NoticeOutcome.ACCEPTED, late=True)
        assert await_decisions(agency.cluster, agency.name, journal, 30)
        assert Counter(each.decision for each in published(journal)) == {Decision.ACCEPTED: 5, Decision.REJECTED: 1}


def test_without_its_journal_all_that_stood_there_is_waited_for(agency: Agency, file: Path, tmp_path: Path) -> None:
    """Places are not known then; notices are found by their event ids."""
    kept, lost = tmp_path / "kept.sqlite", tmp_path / "lost.sqlite"
    publish(agency.cluster, agency.name, file, kept)
    publish(agency.cluster, agency.name, file, lost, received_at_ms=None)
    with Journal(kept) as journal:
        records = published(journal)
    with Journal(lost) as journal:
        decide(agency, records[:1])
        assert not await_decisions(agency.cluster, agency.name, journal, 0.5)
        tell(agency, records[0], NoticeOutcome.FLAGGED)
        decide(agency, records)
        assert await_decisions(agency.cluster, agency.name, journal, 30)
        assert Counter(each.decision for each in published(journal)) == {
            Decision.FLAGGED: 1, Decision.ACCEPTED: PUBLISHED - 1
        }  # fmt: skip
