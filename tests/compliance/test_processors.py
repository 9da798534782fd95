"""What every derived processor must hold to, found by its file: nothing is lost, counted twice, leaked or overheard.

The same is tried on a real broker in `test_processors_broker.py`.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
import structlog

from stream_processors.host.declaration import DAY_MS, Event, Json, Part, Processor, State
from stream_processors.host.discover import load_processor, processor_names
from stream_processors.host.failures import FAILURES_IN_A_ROW
from stream_processors.host.harness import Killed, TestProcessor
from stream_processors.host.needs import needs_of
from tests.compliance.processor_events import Given, encoded, given, policy
from tidings.acl import Operation, Resource
from tidings.errors import Fatal, Retriable
from tidings.logs import configure
from tidings.topics import POLICY

CANARY = "Quillfeather"
Build = Callable[..., TestProcessor]


@pytest.fixture(params=processor_names())
def processor(request: pytest.FixtureRequest) -> Processor:
    """Every processor that has a file."""
    return load_processor(request.param)


@pytest.fixture
def records(processor: Processor) -> list[Given]:
    """What it is given."""
    return given(processor, policy())


def run(processor: Processor, records: Iterable[Given]) -> TestProcessor:
    """A processor that has taken `records` in."""
    made = TestProcessor(processor, policy())
    for each in records:
        send(made, each)
    return made


def send(made: TestProcessor, each: Given) -> None:
    """Publish one record."""
    made.send(each.topic, each.value, at_ms=each.at_ms, partition=each.partition, schema=each.schema, key=each.key)


def latest(made: TestProcessor) -> dict[str, Any]:
    """The newest record under each key of everything that it writes."""
    quarantine = f"processor.{made.processor.name}.quarantine"
    return {topic: made.latest(topic) for topic, _ in needs_of(made.processor, policy()).schemas if topic != quarantine}


def test_it_takes_what_it_declared(processor: Processor, records: list[Given]) -> None:
    """Sound records are all taken, and lead to something."""
    made = run(processor, records)

    assert made.set_aside() == []
    assert any(made.state().values()) or any(latest(made).values())
    assert processor.summary.endswith(".")


def test_poison_is_set_aside_and_nothing_else_suffers(processor: Processor, records: list[Given]) -> None:
    """Whatever bytes come, they are set aside with a code, and the rest is as if they had not come."""
    made, sound = TestProcessor(processor, policy()), run(processor, records)
    topic = records[0].topic
    whole = encoded(records[0].schema, records[0].value, 10_000)
    poison = [None, b"", b"\x00", b"not avro at all", b"\x00\x00\x00\xff\xff" + whole[5:]]
    for each in poison:
        made.send_bytes(topic, each)
    for each in records:
        send(made, each)
    made.send_bytes(topic, whole[:-3])
    made.send_bytes(topic, whole + b"\x00")

    assert [each.code for each in made.set_aside()] == [
        "null_value", "wire_format", "wire_format", "wire_format", "schema_unknown", "undecodable", "undecodable",
    ]  # fmt: skip
    assert made.state() == sound.state()


def test_a_defect_sets_one_event_aside_and_changes_no_row(processor: Processor, records: list[Given]) -> None:
    """A step that fails after it has changed rows leaves no trace of them; every other part is taken."""

    def third(then: Callable[[Part, State], None]) -> Processor:
        calls = iter(range(10_000))

        def step(part: Part, state: State) -> None:
            if next(calls) == 2:
                then(part, state)
            else:
                processor.step(part, state)

        return replace(processor, step=step)

    def fails(part: Part, state: State) -> None:
        processor.step(part, state)
        raise ZeroDivisionError(CANARY)

    made = run(third(fails), records)
    sound = run(third(lambda _part, _state: None), records)
    [aside] = made.set_aside()

    assert (aside.code, aside.error) == ("internal", "ZeroDivisionError")
    assert made.state() == sound.state()
    assert latest(made) == latest(sound)


def test_a_broken_processor_stops_before_it_sets_everything_aside(processor: Processor, records: list[Given]) -> None:
    """Quarantine is bounded: too many failures in a row are Fatal."""

    def broken(_event: Event) -> Iterable[tuple[str, Json]]:
        raise ZeroDivisionError(CANARY)

    made = TestProcessor(replace(processor, split=broken, enrol=None), policy())
    for _ in range(FAILURES_IN_A_ROW):
        send(made, records[0])
    with pytest.raises(Fatal, match="in a row"):
        send(made, records[0])

    assert len(made.set_aside()) == FAILURES_IN_A_ROW


def test_what_may_succeed_later_is_not_set_aside(processor: Processor, records: list[Given]) -> None:
    """Retriable passes through, for the host to try again; the second try finds no row changed by the first."""
    fails = iter([False, True])

    def failing_once(part: Part, state: State) -> None:
        processor.step(part, state)
        if next(fails, False):
            raise Retriable("not now")

    made, retries = TestProcessor(replace(processor, step=failing_once), policy()), 0
    for each in records:
        try:
            send(made, each)
        except Retriable:
            retries += 1
            made.run()

    assert retries == 1
    assert made.set_aside() == []
    assert made.state() == run(processor, records).state()


def test_what_comes_twice_counts_once(processor: Processor, records: list[Given]) -> None:
    """Every record of both stages comes again, as after a crash before the commit: same rows, same newest records."""
    made, once = run(processor, records), run(processor, records)
    made.restart(back=len(records) * 50)
    made.restart(back=7, disk_lost=False)

    assert made.state() == once.state()
    assert latest(made) == latest(once)


def test_order_across_partitions_makes_no_difference(processor: Processor, records: list[Given]) -> None:
    """One partition after the other, or side by side: the same rows, and the same newest records."""
    apart = run(processor, sorted(records, key=lambda each: (each.topic, -each.partition)))
    beside = run(processor, records)

    assert apart.state() == beside.state()
    assert latest(apart) == latest(beside)


def test_replay_from_zero_gives_the_same(processor: Processor, records: list[Given]) -> None:
    """A new version of the processor reads everything again and comes to the same rows and records."""
    anew = run(replace(processor, version=processor.version + 1), records)
    before = run(processor, records)

    assert anew.state() == before.state()
    assert latest(anew) == latest(before)


@pytest.mark.parametrize("disk_lost", [True, False])
def test_a_restart_in_the_middle_is_not_noticed(processor: Processor, records: list[Given], disk_lost: bool) -> None:
    """Stopped and started after every third record."""
    made = TestProcessor(processor, policy())
    for number, each in enumerate(records):
        send(made, each)
        if number % 3 == 2:
            made.restart(disk_lost=disk_lost)

    assert made.state() == run(processor, records).state()
    assert latest(made) == latest(run(processor, records))


@pytest.mark.parametrize("disk_lost", [True, False])
def test_killed_at_any_write_nothing_is_lost_or_doubled(
    processor: Processor, records: list[Given], disk_lost: bool
) -> None:
    """Killed after each of the first writes: what stands on disk may be ahead of the changelog, what was taken comes
    again; the changelog must end as if nothing had happened."""
    few = records[:6]
    whole = run(processor, few)
    for writes in range(40):
        made = TestProcessor(processor, policy())
        made.kill_after(writes)
        left = list(few)
        try:
            while left:
                send(made, left[0])
                left.pop(0)
        except Killed:
            left.pop(0)  # it was published
            made.restart(back=4, disk_lost=disk_lost)
        for each in left:
            send(made, each)
        assert made.state() == whole.state(), f"killed after {writes} writes"
        assert latest(made) == latest(whole)
        made.restart(disk_lost=True)
        assert made.state() == whole.state()


def test_a_newer_writer_is_understood(processor: Processor, records: list[Given]) -> None:
    """A record written with a field that the processor does not know is read as before."""
    evolved = []
    for each in records:
        added = {"name": "added_later", "type": ["null", "string"], "default": None}
        schema = {**each.schema, "fields": [added, *each.schema["fields"]]}
        evolved.append(replace(each, schema=schema, value={**each.value, "added_later": CANARY}))

    made = run(processor, evolved)
    assert made.set_aside() == []
    assert made.state() == run(processor, records).state()


def test_empty_topics_lead_to_nothing(processor: Processor) -> None:
    """Nothing comes but the time; and what the policy itself says counts once, however often it is told."""
    made = TestProcessor(replace(processor, enrol=None), policy())
    made.tick()

    assert not any(made.state().values())
    assert not any(latest(made).values())
    told = TestProcessor(processor, policy())
    told.tick()
    before = told.state()
    told.restart(back=1)
    assert told.state() == before


def test_what_is_over_goes_and_does_not_come_back(processor: Processor, records: list[Given]) -> None:
    """Rows go when their time is over, and an event that comes after that brings none of them back for good."""
    made = run(processor, records)
    later_ms = made.clock.now_ms() + 5_000 * DAY_MS
    made.tick(later_ms)
    kept = {table.name for table in processor.tables if table.keep_ms is None}
    for each in records:
        send(made, each)
    made.tick(later_ms + 5_000 * DAY_MS)

    assert made.set_aside() == []
    assert {name for name, rows in made.state().items() if rows} <= kept


def test_it_may_touch_what_it_declared_and_nothing_else(processor: Processor) -> None:
    """Its access is its declaration: it reads its topics, writes its own, and is in one group."""
    needs = needs_of(processor, policy())
    entries = [each for each in needs.access() if each.principal == needs.principal]
    writes = {each.name for each in entries if each.operation is Operation.WRITE}
    reads = {each.name for each in entries if each.operation is Operation.READ and each.resource is Resource.TOPIC}

    assert writes == {*needs.writes, *needs.internal}
    assert reads == {*needs.reads, *needs.internal, POLICY}
    assert {each.resource for each in entries} == {Resource.TOPIC, Resource.GROUP}
    assert all(each.name.startswith(f"{needs.principal}.") for each in entries if each.resource is Resource.GROUP)
    assert {plan.name for plan in needs.plans} == writes


def test_it_cannot_write_what_it_did_not_declare(processor: Processor, records: list[Given]) -> None:
    """Such a processor stops."""

    def astray(part: Part, state: State) -> None:
        state.emit("exchange.decisions", part.key, {})

    with pytest.raises(Fatal, match="not declared"):
        run(replace(processor, step=astray), records)


def test_no_value_is_in_a_log_an_error_or_a_quarantine_record(
    processor: Processor, records: list[Given], caplog: pytest.LogCaptureFixture
) -> None:
    """Every text of an event is a canary, and the processor fails on each: nothing that is written down holds it."""

    def telling(part: Part, _state: State) -> None:
        raise ValueError(f"{CANARY} {part.key} {part.value}")

    written = io.StringIO()
    configure("test", written)
    try:
        with caplog.at_level(logging.DEBUG):
            made = run(replace(processor, step=telling), (_with_canary(each) for each in records[:5]))
            made.send_bytes(records[0].topic, CANARY.encode())
    finally:
        structlog.reset_defaults()

    shown = repr(Part(CANARY, {"name": CANARY}, "topic", 0, 0, 0, 0, "cause")) + repr(
        Event("t", 0, 0, 0, {"n": CANARY})
    )
    assert made.set_aside()
    assert "event set aside" in written.getvalue()
    assert CANARY not in written.getvalue() + caplog.text + repr(made.set_aside()) + shown


def _with_canary(each: Given) -> Given:
    """The record with every text that is free to be anything replaced."""
    free = {field["name"] for field in each.schema["fields"] if field["type"] in ("string", ["null", "string"])}
    kept = {"inbox", "event_id"}
    return replace(each, value={name: CANARY if name in free - kept else of for name, of in each.value.items()})
