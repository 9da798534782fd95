"""Every reason code that the exchange gives, each with its event; a rejected event has all that can be determined."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stream_processors.accounts import account, entries, notices, only_entry
from tests.stream_processors.world import SCHEMA, World, body, day, event, event_id, key, policy, value
from tidings import wire
from tidings.decisions import Outcome
from tidings.errors import Finding, ReasonCode, Severity
from tidings.notices import NoticeOutcome
from tidings.partitions import partition_of
from tidings.policy.model import CheckRule

WRONG_PARTITION = 1 - partition_of(key(event()), 2)


def one(record: dict[str, Any] | None = None, *, world: World | None = None, **sent: Any) -> World:
    """A world that has decided one event."""
    world = world or World()
    world.publish(record or event(), **sent)
    world.loop.drain()
    return world


FRAMING: dict[ReasonCode, dict[str, Any]] = {
    ReasonCode.NULL_KEY: {"key": None},
    ReasonCode.NULL_VALUE: {"value": None},
    ReasonCode.WIRE_FORMAT: {"value": b"\x01nonsense"},
    ReasonCode.SCHEMA_UNKNOWN: {"value": value(event(), 8)},
    ReasonCode.UNDECODABLE: {"value": value(event())[:-1]},
    ReasonCode.PARTITION_MISMATCH: {"partition": WRONG_PARTITION},
    ReasonCode.SOURCE_MISMATCH: {"record": event(source={"agency": "dwp", "system": "x", "ref": "y"})},
    ReasonCode.ENVIRONMENT_MISMATCH: {"record": event(environment="LIVE")},
    ReasonCode.EVENT_ID_INVALID: {"value": value(event(event_id="not-a-uuid-but-36-characters-long-xx"))},
}


@pytest.mark.parametrize("code", FRAMING)
def test_each_fault_of_framing_has_its_own_code(code: ReasonCode) -> None:
    """Exactly that code, a notice with the event's coordinates, nothing in any feed, and the account balances."""
    world = one(**FRAMING[code])
    entry = only_entry(world)
    (notice,) = notices(world)

    assert entry.outcome is Outcome.REJECTED
    assert [finding.code for finding in entry.findings] == [code]
    assert (notice.outcome, notice.findings, notice.offset) == (NoticeOutcome.REJECTED, entry.findings, entry.offset)
    assert not any(topic.startswith("feed.") for topic in world.log.topics())
    assert account(world) == {"rejected": 1}


def test_a_key_that_is_not_the_subject_is_refused() -> None:
    """The key says where the event is routed: it must be the payload's own subject."""
    other = key(event(2))
    world = one(event(1), key=other, partition=partition_of(other, 2))

    assert [finding.code for finding in only_entry(world).findings] == [ReasonCode.KEY_MISMATCH]


def test_a_stopped_publisher_is_told_so() -> None:
    """`tidings stop publisher` refuses every event, each with its code."""
    world = one(world=World(policy(stopped=True)))

    assert [finding.code for finding in only_entry(world).findings] == [ReasonCode.PUBLISHER_STOPPED]


def test_a_used_event_id_with_other_bytes_is_refused_and_with_the_same_bytes_is_a_duplicate() -> None:
    """Delivered once: a repeat is no second delivery, and a mended event needs a new id."""
    world = World()
    for record in (event(), event(), event(record_version=2), event()):
        world.publish(record)
    world.loop.drain()

    made = [(entry.outcome, [finding.code for finding in entry.findings]) for entry in entries(world).values()]
    assert made == [
        (Outcome.DELIVERED, []),
        (Outcome.DUPLICATE, []),
        (Outcome.REJECTED, [ReasonCode.EVENT_ID_REUSED]),
        (Outcome.DUPLICATE, []),
    ]
    assert [each.outcome.value for each in notices(world)] == ["DUPLICATE", "REJECTED", "DUPLICATE"]


def test_a_rejected_event_has_all_its_codes() -> None:
    """Framing and checks are all gathered: the publisher mends everything at once."""
    record = event(
        source={"agency": "dwp", "system": "x", "ref": "y"},
        environment="LIVE",
        subject={"scheme": "nhs_number", "value": "9990000019"},
        occurred_on=day(2026, 2, 30),
    )
    world = one(record, key=b"nhs_number:0", world=World(policy(stopped=True)))
    codes = {finding.code for finding in only_entry(world).findings}

    assert codes >= {
        ReasonCode.PUBLISHER_STOPPED,
        ReasonCode.KEY_MISMATCH,
        ReasonCode.SOURCE_MISMATCH,
        ReasonCode.ENVIRONMENT_MISMATCH,
        ReasonCode.CHECKSUM_INVALID,
        ReasonCode.DATE_IMPOSSIBLE,
    }


def test_what_cannot_be_decoded_still_has_the_codes_around_it() -> None:
    """A stopped publisher, a wrong partition and a used id are seen without reading the event."""
    world = World(policy(stopped=True))
    world.publish(event(), partition=WRONG_PARTITION)
    world.publish(event(), partition=WRONG_PARTITION, value=value(event()) + b"x")
    world.loop.drain()
    codes = [finding.code for finding in entries(world)[WRONG_PARTITION, 1].findings]

    assert codes == [
        ReasonCode.PUBLISHER_STOPPED,
        ReasonCode.PARTITION_MISMATCH,
        ReasonCode.EVENT_ID_REUSED,
        ReasonCode.UNDECODABLE,
    ]


def test_a_flag_lets_the_event_pass_and_reaches_publisher_block_and_view() -> None:
    """An unknown country code is only noted."""
    world = one(event(usual_residence={"use": "HOME", "lines": [], "postcode": None, "country": "ZQ"}))
    entry = only_entry(world)
    (notice,) = notices(world)

    assert entry.outcome is Outcome.DELIVERED
    assert entry.flagged
    assert entry.findings == notice.findings
    assert [finding.severity for finding in notice.findings] == [Severity.FLAG]
    assert notice.outcome is NoticeOutcome.FLAGGED


def strict() -> World:
    """A world whose checks read the head and the body, all of them to reject."""
    rules = (
        CheckRule(check="identifier_checksum", paths=("subject",), severity=Severity.REJECT),
        CheckRule(check="date_exists", paths=("deceased.date_of_birth",), severity=Severity.REJECT),
        CheckRule(check="required_if", paths=("usual_residence",), severity=Severity.REJECT),
    )
    usual = policy()
    return World(usual.model_copy(update={"inboxes": (usual.inboxes[0].model_copy(update={"checks": rules}),)}))


def test_nothing_in_the_body_of_an_annulment_can_refuse_it() -> None:
    """An impossible date and an empty body are nothing: it goes out, or a living person stays dead downstream."""
    wrong = event(deceased={"names": [], "date_of_birth": day(2027, 13, 40)}, usual_residence=None)
    entry = only_entry(one(wrong | {"change": "ANNULLED"}, world=strict()))
    created = only_entry(one(wrong, world=strict()))

    assert (entry.outcome, entry.flagged, entry.findings) == (Outcome.DELIVERED, False, ())
    assert created.outcome is Outcome.REJECTED
    assert {finding.path for finding in created.findings} == {"deceased.date_of_birth", "usual_residence"}


def test_an_annulment_that_names_nobody_is_refused() -> None:
    """The rules of the head hold for an annulment as for every other event."""
    nobody = event(change="ANNULLED", subject={"scheme": "nhs_number", "value": "9990000019"}, deceased=None)
    entry = only_entry(one(nobody, world=strict()))

    assert entry.outcome is Outcome.REJECTED
    assert entry.findings == (Finding(ReasonCode.CHECKSUM_INVALID, "subject"),)


def test_an_overlong_length_of_the_event_id_does_not_slip_past_the_window() -> None:
    """An id that the window cannot read by its bytes is refused, however well it decodes."""
    sound = body(event())
    overlong = wire.header(7) + b"\xc8\x00" + sound[1:]
    world = one(value=overlong)

    assert only_entry(world).outcome is Outcome.REJECTED
    assert {finding.code for finding in only_entry(world).findings} <= {
        ReasonCode.EVENT_ID_INVALID,
        ReasonCode.UNDECODABLE,
    }


def test_the_event_id_comes_first_in_the_catalogue() -> None:
    """The window reads the id as the first field: no event type may have another."""
    assert SCHEMA["fields"][0]["name"] == "event_id"
    assert len(event_id(1)) == 36
