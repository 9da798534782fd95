"""The promise, whole: real files and a simulated country through two workers that are killed three times on the way."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.country import Progress, Publishing, Workers, apply
from tests.acceptance.oracle import FeedRecord, Oracle
from tests.eventually import eventually
from tests.outcomes.country import agreements_of
from tests.outcomes.real_files import AGENCIES, missing, read_table
from tidings import topics
from tidings.clock import StillClock, utc_date
from tidings.decisions import Block, BlockKind, Entry, verify_chain
from tidings.errors import Finding
from tidings.kafka.read import LogReader
from tidings.kafka.tally import account_of
from tidings.keys import KeyRing
from tidings.log import InboxRecord, Partition
from tidings.policy.in_force import in_force

if TYPE_CHECKING:
    from collections.abc import Callable

    from deploy.local.stack import Stack
    from tidings.account import Account
    from tidings.policy.model import Policy

pytestmark = [pytest.mark.stack, pytest.mark.timeout(3_600)]

EVENTS = int(os.environ.get("TIDINGS_ACCEPTANCE_EVENTS", "6000"))
SEED, BAD = 20_261_124, 0.02
KILLS: tuple[tuple[float, tuple[int, ...]], ...] = ((0.10, (0,)), (0.35, (0, 1)), (0.65, (1,)))
"""At which share of the records decided which slots' workers are killed."""
PATIENCE_S = 120 + EVENTS / 200


@dataclass
class Finished:
    """The country after the run, and all that its topics hold, read read_committed."""

    stack: Stack
    policy: Policy
    publishing: Publishing
    inbox: list[InboxRecord]
    chains: dict[Partition, list[Block]]
    feeds: dict[Partition, list[FeedRecord]]
    account: Account


@pytest.fixture(scope="module")
def finished(stack_factory: Callable[..., Stack], tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Publish while two workers run; kill them on the way, start successors; wait until all is decided; drain.

    On a stack of its own: the account is over everything that its topics hold.
    """
    stack = stack_factory(registry=True)
    policy = apply(stack)
    files = [file for file in AGENCIES if file not in missing()]
    publishing = Publishing(stack, EVENTS, SEED, files)
    progress = Progress(stack, policy)
    began = time.monotonic()
    with Workers(stack, tmp_path_factory.mktemp("workers") / "workers.log") as workers:
        for slot in (0, 1):
            workers.start(slot)
        publishing.start()
        whole = EVENTS + len(files)

        def reached(due: float) -> bool:
            publishing.check()
            return progress.decided() >= due

        for share, slots in KILLS:
            eventually(partial(reached, share * whole), f"{share:.0%} decided", PATIENCE_S)
            workers.kill(*slots)
            assert progress.decided() < whole, "all was decided before the kill: publish more events"
            for slot in slots:
                workers.start(slot)
        publishing.join(PATIENCE_S)
        eventually(lambda: reached(publishing.total), "everything decided", PATIENCE_S)
        seconds = time.monotonic() - began
        workers.drain()
    progress.close()
    found = read_out(stack, policy, publishing)
    say(found, seconds, workers.killed)
    return found


def read_out(stack: Stack, policy: Policy, publishing: Publishing) -> Finished:
    """Read every topic to its end; the chains are verified on the way."""
    feeds: dict[Partition, list[FeedRecord]] = {}
    blocks: dict[bytes, list[bytes]] = {}
    with LogReader(stack.cluster, "admin") as reader:
        inbox = list(reader.read_all_to_end(each.topic for each in policy.inboxes))
        for record in reader.read_to_end(topics.DECISIONS):
            blocks.setdefault(record.key or b"", []).append(record.value or b"")
        for record in reader.read_all_to_end({view.written_to for view in policy.views}):
            mine = feeds.setdefault(Partition(record.topic, record.partition), [])
            mine.append(FeedRecord(record.key or b"", record.value or b""))
    chains: dict[Partition, list[Block]] = {}
    for key, values in blocks.items():
        topic, _, number = key.decode().rpartition("/")
        chains[Partition(topic, int(number))] = verify_chain(values)
    return Finished(stack, policy, publishing, inbox, chains, feeds, account_of(stack.cluster, "admin"))


def say(found: Finished, seconds: float, killed: int) -> None:
    """Write the figures where `TIDINGS_ACCEPTANCE_REPORT` says, if it does."""
    path = os.environ.get("TIDINGS_ACCEPTANCE_REPORT")
    if path:
        totals = {column: sum(row.values()) for column, row in found.account.table().items()}
        Path(path).write_text(
            json.dumps(
                {
                    "seconds": round(seconds, 1),
                    "workers_killed": killed,
                    **totals,
                    "imbalances": found.account.imbalances(),
                    "transactions": sum(map(len, found.chains.values())),
                    "reasons": dict(found.account.reasons),
                    "by_event_type": found.account.table(),
                },
                indent=1,
            )
        )


@pytest.fixture(scope="module")
def oracle(finished: Finished) -> Oracle:
    """What the feeds must hold, worked out from the inboxes alone."""
    decided = {
        (where, entry.offset): block.decided_at_ms
        for where, chain in finished.chains.items()
        for block in chain
        for entry in block.entries
    }
    made = Oracle(finished.policy, KeyRing.from_file(finished.stack.cluster.keys_file), decided)
    made.walk(finished.inbox)
    return made


def test_every_real_record_is_what_the_table_says(finished: Finished) -> None:
    """All real files went through the broker: outcome, change, every code, and each agreement that was in force on the
    table's day and on this one told or not told as the table says."""
    if missing():
        pytest.skip(f"real inputs are not beside this checkout: {', '.join(missing())}")
    found = 0
    for block in (block for chain in finished.chains.values() for block in chain):
        days = utc_date(block.decided_at_ms), utc_date(StillClock().now_ms())
        for entry in block.entries:
            expected = finished.publishing.real.get(entry.event_id or "")
            if expected is None:
                continue
            found += 1
            where = (expected.file, expected.record)
            assert (where, entry.outcome.accepted, entry.change) == (
                where,
                expected.outcome != "rejected",
                expected.change,
            )
            said = {severity: tuple(sorted(map(str, each))) for severity, each in by_severity(entry).items()}
            assert (where, said) == (where, {"reject": expected.rejected_for, "flag": expected.flagged_for})
            same = {
                view.agreement
                for view in finished.policy.views
                if len({in_force(view, day, entry.change or "") for day in days}) == 1
            }
            for kind, wanted in (("DELIVERED", expected.delivered_to), ("WITHDRAWN", expected.withdrawn_from)):
                told = agreements_of([each.agreement for each in entry.agreements if each.outcome.value == kind])
                assert (where, set(told) & same) == (where, set(wanted) & same)
    assert found == len(finished.publishing.real) == sum(each.outcome != "set_aside" for each in read_table())


def by_severity(entry: Entry) -> dict[str, list[Finding]]:
    """A decision's findings, apart."""
    return {kind: [each for each in entry.findings if each.severity == kind] for kind in ("reject", "flag")}


def test_what_was_sent_stands_in_the_inboxes_once(finished: Finished) -> None:
    """Publishing itself lost and doubled nothing: otherwise the rest would prove little."""
    inbox = Counter((record.topic, record.key, record.value) for record in finished.inbox)
    assert inbox == {record: len(sent) for record, sent in finished.publishing.sent.items()}


def test_the_account_balances(finished: Finished) -> None:
    """Published = accepted + rejected + duplicate + quarantined, and what was due to agreements was settled."""
    assert finished.account.imbalances() == []
    assert sum(row["published"] for row in finished.account.rows.values()) == finished.publishing.total
    assert sum(row["quarantined"] for row in finished.account.rows.values()) == 0


def test_every_record_is_decided_once(finished: Finished) -> None:
    """Each chain verifies from its first block, and the offsets that it decides are those of the inbox, each once."""
    decided = [
        (where, entry.offset) for where, chain in finished.chains.items() for block in chain for entry in block.entries
    ]
    assert sorted(decided) == sorted((Partition(each.topic, each.partition), each.offset) for each in finished.inbox)
    kinds = {block.kind for chain in finished.chains.values() for block in chain}
    assert kinds <= {BlockKind.BATCH, BlockKind.POLICY_SWITCH}


def test_decisions_are_what_senders_and_oracle_expect(finished: Finished, oracle: Oracle) -> None:
    """Accepted, rejected with the same codes, or duplicate: three sources agree on every record."""
    sent = {record: list(expected) for record, expected in finished.publishing.sent.items()}
    entries = {
        (where, entry.offset): entry
        for where, chain in finished.chains.items()
        for block in chain
        for entry in block.entries
    }
    for record in finished.inbox:
        place = (Partition(record.topic, record.partition), record.offset)
        entry, verdict = entries[place], oracle.verdicts[place]
        outcome = "accepted" if entry.outcome.accepted else entry.outcome.value.lower()
        expected = sent[record.topic, record.key, record.value].pop(0)
        assert outcome == verdict.outcome == expected.outcome, place
        if outcome == "rejected":
            refusing = [finding for finding in entry.findings if finding.severity == "reject"]
            assert {finding.code.value for finding in refusing} == verdict.codes, place
            if expected.codes:
                said = {str(finding) for finding in refusing} | {finding.code.value for finding in refusing}
                assert said >= set(expected.codes), place


def test_the_feeds_are_the_oracle_s_record_by_record(finished: Finished, oracle: Oracle) -> None:
    """Nothing lost, nothing twice, order kept: each feed partition holds the predicted records, byte for byte.

    A feed partition's order is its inbox partition's, and a subject's events are in one inbox partition; sequences are
    part of the bytes and go 1, 2, 3, …
    """
    assert finished.feeds.keys() == oracle.feeds.keys()
    for where, records in finished.feeds.items():
        predicted = oracle.feeds[where]
        assert len(records) == len(predicted), where
        wrong = [at for at, pair in enumerate(zip(records, predicted, strict=True)) if pair[0] != pair[1]]
        assert not wrong, (where, wrong[:3])
