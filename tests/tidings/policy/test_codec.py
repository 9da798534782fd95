"""A policy at rest: the same bytes for the same policy, parts that fit, nothing taken that was not announced."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidings.errors import Fatal
from tidings.policy import codec
from tidings.policy.model import Condition, Environment, FieldRule, Inbox, Policy, Protection, View

TEXT = st.text(max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
OBJECT = st.dictionaries(TEXT, JSON, max_size=4)
INBOXES = st.builds(
    Inbox, topic=TEXT, agency=TEXT, event_type=TEXT, partitions=st.integers(1, 3), reader_schema=OBJECT,
    writer_schemas=st.dictionaries(TEXT, OBJECT, max_size=2), checks=st.just(()),
    deduplication_window_events=st.integers(1, 9), stopped=st.booleans(),
)  # fmt: skip
CONDITIONS = st.builds(
    Condition, path=TEXT, op=st.sampled_from(["in", "not_in", "starts_with"]),
    values=st.lists(TEXT | st.integers(-9, 9) | st.booleans(), max_size=3).map(tuple),
    missing=st.sampled_from(["include", "exclude"]),
)  # fmt: skip
VIEWS = st.builds(
    View, agreement=TEXT, agreement_version=st.integers(1, 9), subscriber=TEXT, inbox=TEXT, event_type=TEXT, feed=TEXT,
    schema_id=st.integers(0, 2**32 - 1), view_schema=OBJECT,
    fields=st.lists(st.builds(FieldRule, path=TEXT, mask=TEXT, params=OBJECT), max_size=2).map(tuple),
    where=st.lists(CONDITIONS, max_size=2).map(tuple), key_group=TEXT, protected=st.sampled_from(Protection),
    interest=st.none() | st.lists(TEXT, max_size=2).map(tuple), valid_from=st.dates(), valid_until=st.dates(),
    after_end=st.sampled_from(["nothing", "corrections"]), include_flags=st.booleans(), stopped=st.booleans(),
)  # fmt: skip
POLICIES = st.builds(
    Policy, version=st.integers(1, 10**9), environment=st.sampled_from(Environment),
    created_at_ms=st.integers(0, 2**53), inboxes=st.lists(INBOXES, max_size=2).map(tuple),
    views=st.lists(VIEWS, max_size=2).map(tuple),
    system_schema_ids=st.dictionaries(TEXT, st.integers(0, 9), max_size=2),
).map(codec.sealed)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(POLICIES)
def test_what_was_written_is_read(policy: Policy) -> None:
    """Any sealed policy comes back equal, and sealing it again changes nothing."""
    assert codec.decode(codec.encode(policy), policy.hash) == policy
    assert codec.sealed(policy) == policy


@settings(max_examples=50, deadline=None)
@given(POLICIES, st.data())
def test_a_changed_byte_is_refused(policy: Policy, data: st.DataObject) -> None:
    """One flipped bit anywhere in the parts is refused: the worker stops."""
    [part] = codec.encode(policy)
    at = data.draw(st.integers(0, len(part) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    spoilt = part[:at] + bytes([part[at] ^ bit]) + part[at + 1 :]

    with pytest.raises(Fatal):
        codec.decode([spoilt], policy.hash)


def test_parts_fit_one_record() -> None:
    """A policy of 2.5 MB has three parts, none above 900,000 bytes; out of order they are refused."""
    inbox = Inbox(
        topic="t", agency="a", event_type="e", partitions=1, reader_schema={"doc": "x" * 2_500_000}, writer_schemas={},
        checks=(), deduplication_window_events=1,
    )  # fmt: skip
    policy = codec.sealed(
        Policy(version=1, environment=Environment.SYNTHETIC, created_at_ms=0, inboxes=(inbox,), views=())
    )

    parts = codec.encode(policy)

    assert [len(part) <= codec.MAX_PART_BYTES for part in parts] == [True, True, True]
    assert codec.decode(parts, policy.hash) == policy
    with pytest.raises(Fatal):
        codec.decode(parts[::-1], policy.hash)


def test_a_policy_that_is_not_sealed_is_not_written() -> None:
    """A policy whose hash is not its content's never reaches the topic."""
    policy = Policy(version=1, environment=Environment.SYNTHETIC, created_at_ms=0, inboxes=(), views=())

    with pytest.raises(Fatal, match="not sealed"):
        codec.encode(policy)


def test_the_form_is_frozen() -> None:
    """The bytes of an empty policy, and so its hash, stay what they were."""
    policy = codec.sealed(Policy(version=1, environment=Environment.LIVE, created_at_ms=5, inboxes=(), views=()))

    assert codec.encode(policy) == [
        b'{"created_at_ms":5,"environment":"LIVE","hash":"' + policy.hash.encode()
        + b'","inboxes":[],"stops":[],"system_schema_ids":{},"version":1,"views":[]}'
    ]  # fmt: skip
