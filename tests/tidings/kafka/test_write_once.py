"""The once-writer on a real broker, with the credentials and the access that `tidings apply` gives a publisher."""

from __future__ import annotations

import os
import signal
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from deploy.local.files import make_password
from tests.eventually import eventually
from tests.stacks import come_back
from tests.tidings.kafka.once_process import BATCH_RECORDS, BATCHES, batch, run
from tests.tidings.provisioning.kit import TODAY, inbox, policy
from tidings import topics
from tidings.errors import Fatal, ReasonCode, Reject, Retriable
from tidings.kafka.admin import Admin, Topic
from tidings.kafka.cluster import Cluster
from tidings.kafka.errors import Abortable, Fenced
from tidings.kafka.read import read_to_end
from tidings.kafka.settings import LoopSettings
from tidings.kafka.write_once import RECORD_MAX_BYTES, OnceWriter, Place, Record, Undecided
from tidings.provisioning.access import access_of
from tidings.provisioning.topic_plan import INBOX_MESSAGE_MAX_BYTES

if TYPE_CHECKING:
    from deploy.local.stack import Stack

pytestmark = pytest.mark.broker

PARTITIONS = 3


@dataclass(frozen=True)
class Agency:
    """A publisher with one inbox and nothing else."""

    cluster: Cluster
    name: str

    @property
    def topic(self) -> str:
        """Its inbox."""
        return topics.inbox(self.name, "death-registered")

    def writer(self, name: str = "test", **more: object) -> OnceWriter:
        """A once-writer of its own."""
        return OnceWriter(self.cluster, self.name, name, **more)  # type: ignore[arg-type]

    def records(self, *values: bytes) -> list[Record]:
        """Records of one key."""
        return [Record(self.topic, b"k", value) for value in values]

    def seen(self) -> list[bytes]:
        """What a read_committed reader sees of its inbox, by partition."""
        return [each.value or b"" for each in read_to_end(self.cluster, "admin", self.topic)]


def new_agency(cluster: Cluster) -> Agency:
    """An agency that nobody had before, with what `apply` makes for it."""
    agency = Agency(cluster, f"gro-{uuid.uuid4().hex[:8]}")
    admin = Admin(cluster)
    admin.set_password(agency.name, make_password(cluster.credentials_dir / f"{agency.name}.password"))
    wanted = [
        Topic(agency.topic, PARTITIONS, 1, {"max.message.bytes": str(INBOX_MESSAGE_MAX_BYTES)}),
        Topic(topics.notices(agency.name), 1, 1),
    ]
    admin.create_topics(wanted)
    admin.wait_for_topics({each.name: each.partitions for each in wanted})
    made = access_of(policy(inbox(agency.name)), (agency.name,), TODAY, cluster.deployment)
    admin.create_acls({entry for entry in made if entry.principal == agency.name})
    return agency


@pytest.fixture
def agency(broker: Cluster) -> Agency:
    """A publisher on the session's broker."""
    return new_agency(broker)


def test_the_position_is_the_token_of_the_last_transaction(agency: Agency) -> None:
    """None before any; then the last token, for this writer and for a later one; also of a transaction without
    records; another name has its own."""
    with agency.writer() as writer:
        assert writer.position() is None
        writer.write(agency.records(b"1", b"2"), "two")
        writer.write([], "still two, é")
        assert writer.position() == "still two, é"
        assert repr(writer) == f"OnceWriter(notices.{agency.name})"

    with agency.writer() as writer, agency.writer("other") as other:
        assert writer.position() == "still two, é"
        assert other.position() is None
    assert agency.seen() == [b"1", b"2"]


def test_keys_go_where_java_would_put_them(agency: Agency) -> None:
    """Each record stands in the partition of its key by murmur2, in the order it was written."""
    from tidings.partitions import partition_of

    with agency.writer() as writer:
        for number in range(BATCHES):
            writer.write(batch(agency.topic, number), str(number))

    read = list(read_to_end(agency.cluster, "admin", agency.topic))
    assert len(read) == BATCHES * BATCH_RECORDS
    assert all(each.partition == partition_of(each.key or b"", PARTITIONS) for each in read)
    by_key = {key: [int(each.value or b"") for each in read if each.key == key] for key in {each.key for each in read}}
    assert all(values == sorted(values) for values in by_key.values())


@pytest.mark.parametrize("step", ["begun", "produced", "offsets", "committed"])
def test_killed_at_any_step_the_next_run_goes_on(agency: Agency, step: str) -> None:
    """SIGKILL in an open transaction, or between a commit and whatever comes next: every record is there once."""
    assert run(agency.cluster, agency.name, agency.topic, step=step) == -signal.SIGKILL
    assert run(agency.cluster, agency.name, agency.topic) == 0

    assert sorted(map(int, agency.seen())) == list(range(BATCHES * BATCH_RECORDS))


def test_a_newer_run_fences_the_one_before(agency: Agency) -> None:
    """What the one before writes after that is refused, and none of it is seen; it ends for good."""
    older = agency.writer()
    older.write(agency.records(b"1"), "1")
    with agency.writer() as newer:
        with pytest.raises(Fenced):
            older.write(agency.records(b"not seen"), "2")
        assert newer.position() == "1"
        newer.write(agency.records(b"2"), "2")
        with pytest.raises(Fatal, match="open a new one"):
            older.write(agency.records(b"not seen"), "3")
    older.close()

    assert agency.seen() == [b"1", b"2"]


def test_a_newer_run_aborts_what_the_one_before_has_open(agency: Agency) -> None:
    """A holder that stands still inside its transaction is fenced there; nothing of it is seen."""
    inside, go_on = threading.Event(), threading.Event()
    failures: list[BaseException] = []

    def stand_still(step: str) -> None:
        if step == "produced":
            inside.set()
            assert go_on.wait(60)

    def hold() -> None:
        try:
            with agency.writer(probe=stand_still) as older:
                older.write(agency.records(b"not seen"), "1")
        except BaseException as failure:  # noqa: BLE001 -- whatever it is, the test judges it
            failures.append(failure)

    holder = threading.Thread(target=hold)
    holder.start()
    assert inside.wait(60)
    with agency.writer() as newer:
        assert newer.position() is None
        newer.write(agency.records(b"1"), "1")
    go_on.set()
    holder.join(60)

    assert [type(each) for each in failures] == [Fenced]
    assert agency.seen() == [b"1"]


def test_a_record_that_is_too_large_is_refused_alone(agency: Agency) -> None:
    """Nothing of its transaction is written; the largest that is taken is taken by the broker, too; the next call
    goes on. Bytes that no compression makes smaller."""
    key, largest = b"k" * 10, os.urandom(RECORD_MAX_BYTES - 10)
    with agency.writer() as writer:
        with pytest.raises(Reject) as refused:
            writer.write([*agency.records(b"not seen"), Record(agency.topic, key, largest + b"x")], "1")
        assert [each.code for each in refused.value.findings] == [ReasonCode.EVENT_TOO_LARGE]
        assert writer.position() is None

        writer.write([Record(agency.topic, key, largest)] * 5, "2")

    assert agency.seen() == [largest] * 5


def test_places_are_told_before_the_commit(agency: Agency) -> None:
    """Where each record stands, in the order of writing; what the caller raises then keeps all of it from the log."""
    places: list[Place] = []
    records = batch(agency.topic, 0)
    with agency.writer(placing=True) as writer:
        writer.write(records, "1", places.extend)
        writer.write([], "2", places.extend)

        def full(_places: object) -> None:
            raise OSError("the disk is full")

        with pytest.raises(OSError, match="full"):
            writer.write(agency.records(b"not seen"), "3", full)

    there = {(r.partition, r.offset): r.value for r in read_to_end(agency.cluster, "admin", agency.topic)}
    assert [there[each.partition, each.offset] for each in places] == [each.value for each in records]
    assert len(there) == BATCH_RECORDS
    with agency.writer() as writer:
        assert writer.position() == "2"
        with pytest.raises(ValueError, match="places"):
            writer.write(records, "3", places.extend)


@pytest.mark.parametrize("token", ["", "é" * 501])
def test_a_token_has_bounds(agency: Agency, token: str) -> None:
    """An empty token would be no position at all, a long one would be refused by the broker in the middle."""
    with agency.writer() as writer, pytest.raises(ValueError, match="1 to 1000 bytes"):
        writer.write([], token)


@pytest.mark.parametrize("name", ["", "a.b", "../x", "A"])
def test_a_name_is_an_id(broker: Cluster, name: str) -> None:
    """So that a writer's group and transactional id stay under the agency's prefix."""
    with pytest.raises(ValueError, match="not an id"):
        OnceWriter(broker, "exchange", name)


def test_another_agency_s_inbox_is_closed(agency: Agency) -> None:
    """A topic that the agency may not write is Fatal, not tried for ever; nothing of that transaction is seen."""
    other = new_agency(agency.cluster)
    with agency.writer() as writer, pytest.raises(Fatal, match="AUTHORIZATION_FAILED"):
        writer.write([*agency.records(b"not seen"), Record(other.topic, b"k", b"not seen")], "1")

    assert agency.seen() == other.seen() == []


def test_a_stopped_publisher_may_not_take_its_name(agency: Agency) -> None:
    """Without the ACL on its transactional ids, the first call says so."""
    admin = Admin(agency.cluster)
    admin.delete_acls({entry for entry in admin.acls() if entry.principal == agency.name})

    def refused() -> bool:
        try:
            agency.writer().close()
        except Fatal as failure:
            return "AUTHORIZATION_FAILED" in str(failure)
        return False

    eventually(refused, "the broker refuses")


@pytest.fixture
def halted(one_broker: object) -> Callable[[int], None]:
    """Sends the session's broker a signal; it goes on at the end, whatever happened."""
    [process] = one_broker.state.processes  # type: ignore[attr-defined]

    def send(number: int) -> None:
        os.kill(process.pid, number)

    yield send  # type: ignore[misc]
    os.kill(process.pid, signal.SIGCONT)


def test_a_commit_without_an_answer_is_left_to_the_broker(agency: Agency, halted: Callable[[int], None]) -> None:
    """The broker stands still in a commit for longer than the writer asks: whether it was made is said by the next
    writer's position, and going on from there writes each record once."""
    settings = LoopSettings(commit_call_ms=500, commit_budget_ms=1_000)

    def stop_the_broker(step: str) -> None:
        if step == "offsets":
            halted(signal.SIGSTOP)

    with agency.writer(settings=settings, probe=stop_the_broker) as writer:
        with pytest.raises(Undecided) as undecided:
            writer.write(agency.records(b"1"), "1")
        assert undecided.value.exit_code == 75
        halted(signal.SIGCONT)
        with pytest.raises(Fatal, match="open a new one"):
            writer.write(agency.records(b"1"), "1")

    with agency.writer() as writer:
        if writer.position() is None:
            writer.write(agency.records(b"1"), "1")
        writer.write(agency.records(b"2"), "2")
    assert agency.seen() == [b"1", b"2"]


def test_what_was_aborted_may_be_written_again(agency: Agency) -> None:
    """A transaction that fails is aborted and Retriable: nothing of it is seen, and the same call goes through."""
    failing = True

    def fail(step: str) -> None:
        if step == "offsets" and failing:
            raise Abortable("the group moved on")

    with agency.writer(probe=fail) as writer:
        with pytest.raises(Retriable, match="moved on"):
            writer.write(agency.records(b"1"), "1")
        assert writer.position() is None
        failing = False
        writer.write(agency.records(b"1"), "1")
        assert writer.position() == "1"
    assert agency.seen() == [b"1"]


def test_a_broker_that_is_silent_before_the_commit(agency: Agency, halted: Callable[[int], None]) -> None:
    """The broker stands still before the offsets are sent: the call ends all the same, though the client alone would
    wait for ever; the next writer finds nothing committed and writes it once."""
    settings = LoopSettings(commit_call_ms=300, commit_budget_ms=600, work_budget_ms=600)

    def stop_the_broker(step: str) -> None:
        if step == "produced":
            halted(signal.SIGSTOP)

    with agency.writer(settings=settings, probe=stop_the_broker) as writer:
        with pytest.raises((Retriable, Undecided)):
            writer.write(agency.records(b"1"), "1")
        halted(signal.SIGCONT)

    with agency.writer() as writer:
        assert writer.position() is None
        writer.write(agency.records(b"1"), "1")
    assert agency.seen() == [b"1"]


def test_a_broker_that_restarts_loses_and_repeats_nothing(one_broker: Stack) -> None:
    """Down between two transactions and up again: the same writer goes on, or says within its budget that it cannot;
    then the next one does. Every record is there once. (The client alone would wait for ever: see `bounded`.)"""
    from deploy.local.stack import down

    agency = new_agency(one_broker.cluster)
    with agency.writer() as writer:
        for number in range(5):
            writer.write(batch(agency.topic, number), str(number + 1))
        down(one_broker.data)
        come_back(one_broker)
        with suppress(Undecided):
            for number in range(5, 8):
                writer.write(batch(agency.topic, number), str(number + 1))

    assert run(agency.cluster, agency.name, agency.topic) == 0
    assert sorted(map(int, agency.seen())) == list(range(BATCHES * BATCH_RECORDS))
