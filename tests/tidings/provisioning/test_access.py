"""Who may do what: compiled from the policy and the day, and nothing beside it."""

from __future__ import annotations

from datetime import date

import pytest

from tests.tidings.provisioning.kit import TODAY, inbox, policy, view
from tidings.acl import Acl, Operation, Pattern, Resource
from tidings.deployment import CORRECTION_WINDOW
from tidings.policy.model import Policy
from tidings.provisioning.access import (
    EXCHANGE,
    MONITOR,
    OURS,
    access_of,
    managed_principals,
    may_read,
    next_access_change,
    own_principals,
)

FEED = "feed.dwp.benefits.v1.death-registered"
AGENCIES = ("dwp", "gro")


def access(made: Policy, today: date = TODAY) -> frozenset[Acl]:
    """What `made` gives on a day."""
    return access_of(made, AGENCIES, today, "main")


def topics_of(entries: frozenset[Acl], principal: str, operation: Operation) -> set[str]:
    """The topics on which a principal may do something."""
    return {
        each.name
        for each in entries
        if (each.principal, each.operation, each.resource) == (principal, operation, Resource.TOPIC)
    }


def test_a_subscriber_reads_its_feed_and_a_publisher_writes_its_inbox() -> None:
    """Each side has its own topics and nothing of the other's."""
    entries = access(policy(inbox(), view()))

    assert topics_of(entries, "dwp", Operation.READ) == {FEED}
    assert topics_of(entries, "dwp", Operation.WRITE) == set()
    assert topics_of(entries, "gro", Operation.READ) == {"notices.gro"}
    assert topics_of(entries, "gro", Operation.WRITE) == {"inbox.gro.death-registered"}


def test_a_publisher_sees_how_far_the_exchange_has_decided() -> None:
    """It may describe the exchange's group, whose offsets it is shown of its own inboxes alone, and not join it; a
    subscriber may not."""
    entries = access(policy(inbox(), view()))
    on_group = {
        (e.principal, e.operation) for e in entries if (e.resource, e.name) == (Resource.GROUP, "exchange-main")
    }

    assert on_group == {
        ("gro", Operation.DESCRIBE), (MONITOR, Operation.DESCRIBE), (EXCHANGE, Operation.DESCRIBE),
        (EXCHANGE, Operation.READ),
    }  # fmt: skip


def test_no_prefix_covers_another_id() -> None:
    """Every prefix ends in a dot, or in a hyphen after the deployment's group: `gro` never covers `gro-test`."""
    entries = access(policy(inbox(), inbox("gro-test"), view(), view("dwp-two")))
    prefixes = {each.name for each in entries if each.pattern is Pattern.PREFIXED}

    assert prefixes == {
        "dwp.",
        "gro.",
        "gro-test.",
        "monitor.",
        "exchange.",
        "exchange-main-",
        "inbox.",
        "feed.",
        "notices.",
    }
    assert all(each.pattern is Pattern.LITERAL for each in entries if each.name.startswith(("inbox.g", "feed.d")))


@pytest.mark.parametrize(
    ("changes", "today", "expected"),
    [
        ({}, date(2025, 12, 31), False),
        ({}, date(2026, 1, 1), True),
        ({}, date(2026, 12, 31), True),
        ({}, date(2027, 1, 1), False),
        ({"after_end": "corrections"}, date(2027, 1, 1), True),
        ({"after_end": "corrections"}, date(2025, 12, 31), False),
        ({"stopped": True}, TODAY, False),
        ({"stopped": True, "after_end": "corrections"}, date(2027, 1, 1), False),
    ],
)
def test_a_feed_is_read_from_its_first_day_to_its_last(changes: dict[str, object], today: date, expected: bool) -> None:
    """Not before, not after unless corrections still come, never while stopped."""
    assert may_read(view(**changes), today) is expected
    assert (FEED in topics_of(access(policy(inbox(), view(**changes)), today), "dwp", Operation.READ)) is expected


def test_a_stopped_publisher_still_hears_but_may_not_write() -> None:
    """Its notices stay readable: that is how it learns that it is stopped."""
    entries = access(policy(inbox(stopped=True)))

    assert topics_of(entries, "gro", Operation.WRITE) == set()
    assert topics_of(entries, "gro", Operation.READ) == {"notices.gro"}
    assert not [each for each in entries if each.resource is Resource.TRANSACTIONAL_ID and each.principal == "gro"]


def test_the_exchange_has_only_what_a_worker_needs() -> None:
    """It reads inboxes and the policy, writes feeds, notices, decisions, nonces and quarantine; the policy never."""
    entries = access(policy(inbox(), view()))
    writes = topics_of(entries, EXCHANGE, Operation.WRITE)

    assert topics_of(entries, EXCHANGE, Operation.READ) == {
        "inbox.", "exchange.policy", "exchange.replays", "exchange.decisions", "exchange.nonces", "quarantine",
    }  # fmt: skip
    assert writes == {"feed.", "notices.", "exchange.decisions", "exchange.nonces", "quarantine"}


def test_the_monitor_writes_nothing_and_joins_no_group() -> None:
    """It reads what tells a lag and what was decided; it may ask after groups that the policy knows."""
    entries = {each for each in access(policy(inbox(), view())) if each.principal == MONITOR}

    assert topics_of(frozenset(entries), MONITOR, Operation.READ) == {
        "inbox.", "feed.", "exchange.policy", "exchange.replays", "exchange.decisions", "quarantine",
    }  # fmt: skip
    assert {each.operation for each in entries} == {Operation.READ, Operation.DESCRIBE}
    assert {(each.name, each.operation) for each in entries if each.resource is Resource.GROUP} == {
        (name, Operation.DESCRIBE) for name in ("exchange-main", "monitor.", "dwp.", "gro.")
    }


def test_nobody_but_the_correction_window_reads_what_is_held() -> None:
    """It writes the feeds of held views and no others; the exchange writes what waits; the subscriber still has its
    feed alone. Without a hold there is no such principal."""
    held, direct = view(hold_seconds=3_600), view("hmrc", "tax")
    entries = access(policy(inbox(), held, direct))
    wanted = policy(inbox(), held, direct)

    on_held = {(each.principal, each.operation) for each in entries if each.name.startswith("held.")}
    assert {who for who, operation in on_held if operation is Operation.READ} == {CORRECTION_WINDOW}
    assert topics_of(entries, CORRECTION_WINDOW, Operation.READ) == {"held.", "exchange.policy", "exchange.releases"}
    assert topics_of(entries, CORRECTION_WINDOW, Operation.WRITE) == {FEED, "exchange.releases"}
    assert "held." in topics_of(entries, EXCHANGE, Operation.WRITE)
    assert topics_of(entries, "dwp", Operation.READ) == {FEED}
    assert CORRECTION_WINDOW in own_principals(wanted)
    assert CORRECTION_WINDOW not in own_principals(policy(inbox(), direct))
    assert not [each for each in access(policy(inbox(), direct)) if each.principal == CORRECTION_WINDOW]


def test_only_four_operations_are_ever_given() -> None:
    """Nobody may create, alter or delete anything, nor touch the cluster."""
    entries = access(policy(inbox(), view()))

    assert {each.operation for each in entries} == {Operation.READ, Operation.WRITE, Operation.DESCRIBE}
    assert Resource.CLUSTER not in {each.resource for each in entries}


def test_an_agency_that_left_the_files_is_still_managed() -> None:
    """What it has is ours to take away, seen by the entry of its groups; an operator's own principal is left alone."""
    left = access_of(policy(), ("gone",), TODAY, "main")
    operators = {Acl("backup", Operation.READ, Resource.TOPIC, "inbox.", Pattern.PREFIXED)}

    assert managed_principals(left | operators, ("dwp",)) == {*OURS, "dwp", "gone"}


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2025, 6, 1), date(2026, 1, 1)),
        (date(2026, 1, 1), date(2027, 1, 1)),
        (date(2027, 1, 1), None),
    ],
)
def test_the_next_change_is_known(today: date, expected: date | None) -> None:
    """The first day of a view, then the day after its last; a stopped or correcting one brings none at its end."""
    others = (view(agreement="b", stopped=True), view(agreement="c", after_end="corrections"))

    assert next_access_change(policy(inbox(), view(), *others), today) == expected


def test_an_agreement_until_the_calendar_s_last_day_does_not_end() -> None:
    """`until: 9999-12-31` is how people write "no end": it brings no change, and no overflow either."""
    assert next_access_change(policy(inbox(), view(valid_until=date.max)), date(2026, 6, 1)) is None
