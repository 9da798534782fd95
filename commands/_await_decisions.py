"""Waits until the exchange has decided a file's records, and writes into the journal what it said of each.

Of an accepted event without a note nothing is told: it is one that lies below the exchange's committed offset of its
inbox, and of which no notice came. The broker shows a publisher that offset of its own inboxes (ADR 0014).
"""

from __future__ import annotations

from dataclasses import replace

from producers.journal import Decision, Journal, JournalRecord
from tidings import topics
from tidings.clock import Clock, Deadline, SystemClock
from tidings.deployment import group_name
from tidings.kafka.admin import Admin
from tidings.kafka.cluster import Cluster
from tidings.kafka.read import LogReader
from tidings.log import Partition
from tidings.notices import Notice, NoticeOutcome, decode_notice

_POLL_SECONDS = 0.25
_DECISIONS = {each: Decision(each.value.lower()) for each in NoticeOutcome}


def await_decisions(
    cluster: Cluster, agency: str, journal: Journal, patience_seconds: float, clock: Clock | None = None
) -> bool:
    """Wait for what is not decided yet; returns whether all is, before the exchange stood still for
    `patience_seconds`.

    Raises Retriable where the broker is away, Fatal where the agency may not ask.
    """
    clock = clock or SystemClock()
    with LogReader(cluster, agency, clock) as reader:
        wanted = {Partition(*where): last + 1 for where, last in journal.waiting().items()}
        unplaced = {kind: _ends(reader, topics.inbox(agency, kind)) for kind in journal.waiting_unplaced()}
        for partition, end in (each for ends in unplaced.values() for each in ends.items()):
            wanted[partition] = max(wanted.get(partition, 0), end)
        committed = _wait(Admin(cluster, agency), group_name(cluster.deployment), wanted, patience_seconds, clock)
        _hear(journal, reader, agency)
    for partition in wanted:
        journal.accept(*partition, committed.get(partition, 0))
    for kind, ends in unplaced.items():
        if all(committed.get(each, 0) >= end for each, end in ends.items()):
            journal.accept_unplaced(kind)
    return all(committed.get(partition, 0) >= offset for partition, offset in wanted.items())


def _ends(reader: LogReader, inbox: str) -> dict[Partition, int]:
    """Where each partition of an inbox ends: what stands last is a transaction's marker, which nobody decides."""
    return {each: end - 1 for each, end in reader.ends(reader.partitions(inbox)).items() if end > 0}


def _wait(
    admin: Admin, group: str, wanted: dict[Partition, int], patience_seconds: float, clock: Clock
) -> dict[Partition, int]:
    """The committed offsets, once they are all there or have not moved for `patience_seconds`."""
    deadline = Deadline(clock, patience_seconds)
    before: dict[Partition, int] = {}
    while True:
        committed = {each: offset for each, (offset, _) in admin.group_offsets(group, wanted).items()}
        if all(committed.get(each, 0) >= offset for each, offset in wanted.items()):
            return committed
        if committed != before:
            before, deadline = committed, Deadline(clock, patience_seconds)
        elif deadline.expired():
            return committed
        clock.sleep(_POLL_SECONDS)


def _hear(journal: Journal, reader: LogReader, agency: str) -> None:
    """Write into the journal what notices say of its records, and from where to read them the next time."""
    [partition] = reader.partitions(topics.notices(agency))
    end = reader.ends([partition])[partition]
    heard: list[JournalRecord] = []
    for each in reader.read_range(partition, int(journal.fact("notices_from") or 0), end):
        notice = None if each.value is None else decode_notice(each.value)
        record = None if notice is None else _record_of(journal, notice)
        if record is not None and notice is not None:
            heard.append(replace(record, decision=_DECISIONS[notice.outcome], said=notice.findings))
    journal.put(heard)
    journal.note(notices_from=str(end))


def _record_of(journal: Journal, notice: Notice) -> JournalRecord | None:
    return journal.find(notice.inbox, notice.partition, notice.offset, notice.event_id)
